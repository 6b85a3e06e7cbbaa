package stack

import "github.com/emiago/sipgo/sip"

// Header is the value of the first header of that name, long or compact form ("Refer-To" finds "r"), any case; "" without one.
func Header(msg sip.Message, name string) string { return "" }

// Headers are all values of that name.
func Headers(msg sip.Message, name string) []string { return nil }

// Params reads ;name=value pairs of a raw header value, names in lower case, quotes and blanks as RFC 3261 §25 allows. The
// part before the first parameter, with <> kept, is head.
func Params(value string) (head string, params map[string]string) { return "", nil }

// Clean reports whether s may stand in a header: no control characters (RFC 3261 §25.1), no line or paragraph separators.
func Clean(s string) bool { return false }

// EscapeUser escapes what may not stand in the user part of a URI (RFC 3261 §25.1), UnescapeUser undoes it.
func EscapeUser(user string) string   { return "" }
func UnescapeUser(user string) string { return "" }
