package stack

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"
)

// compact is the short form of a header's name (RFC 3261 §7.3.3 and the registry of IANA), as the RFC writes it or in lower case.
func compact(name string) string {
	switch name {
	case "Call-ID", "call-id":
		return "i"
	case "Contact", "contact":
		return "m"
	case "Content-Encoding", "content-encoding":
		return "e"
	case "Content-Length", "content-length":
		return "l"
	case "Content-Type", "content-type":
		return "c"
	case "Event", "event":
		return "o"
	case "Allow-Events", "allow-events":
		return "u"
	case "From", "from":
		return "f"
	case "Refer-To", "refer-to":
		return "r"
	case "Referred-By", "referred-by":
		return "b"
	case "Request-Disposition", "request-disposition":
		return "d"
	case "Session-Expires", "session-expires":
		return "x"
	case "Subject", "subject":
		return "s"
	case "Supported", "supported":
		return "k"
	case "To", "to":
		return "t"
	case "Via", "via":
		return "v"
	}
	return ""
}

func compactOf(name string) string {
	if short := compact(name); short != "" {
		return short
	}
	for i := range len(name) {
		if 'a' <= name[i] && name[i] <= 'z' || name[i] == '-' { // so far as the RFC writes it
			continue
		}
		if i > 0 && name[i-1] != '-' {
			return compact(lower(name))
		}
	}
	return ""
}

// same compares names of headers in any case; most differ in length already.
func same(a, b string) bool { return len(a) == len(b) && (a == b || strings.EqualFold(a, b)) }

// Header is the value of the first header of that name, long or compact form ("Refer-To" finds "r"), any case; "" without one.
func Header(msg sip.Message, name string) string {
	short := compactOf(name)
	for _, h := range all(msg) {
		if got := h.Name(); same(got, name) || short != "" && same(got, short) {
			return h.Value()
		}
	}
	return ""
}

// Headers are all values of that name.
func Headers(msg sip.Message, name string) []string {
	short := compactOf(name)
	var values []string
	for _, h := range all(msg) {
		if got := h.Name(); same(got, name) || short != "" && same(got, short) {
			values = append(values, h.Value())
		}
	}
	return values
}

func all(msg sip.Message) []sip.Header {
	switch m := msg.(type) {
	case *sip.Request:
		return m.Headers()
	case *sip.Response:
		return m.Headers()
	}
	return nil
}

// AddHeaders appends "Name", "value" pairs. Values that are not Clean are left out: nothing may start a line of its own.
func AddHeaders(msg sip.Message, headers ...string) {
	for i := 0; i+1 < len(headers); i += 2 {
		if Clean(headers[i]) && Clean(headers[i+1]) {
			msg.AppendHeader(sip.NewHeader(headers[i], headers[i+1]))
		}
	}
}

// List are the comma-separated tokens of all headers of that name, in lower case (Require, Supported, Allow).
func List(msg sip.Message, name string) []string {
	var tokens []string
	for _, v := range Headers(msg, name) {
		for token := range strings.SplitSeq(v, ",") {
			if token = lower(strings.TrimSpace(token)); token != "" {
				tokens = append(tokens, token)
			}
		}
	}
	return tokens
}

// Params reads ;name=value pairs of a raw header value, names in lower case, quotes and blanks as RFC 3261 §25 allows.
// What stands before the first parameter, with <> kept, is head.
// Without any, params is nil.
func Params(value string) (head string, params map[string]string) {
	if strings.IndexByte(value, ';') < 0 {
		return strings.TrimSpace(value), nil
	}
	parts := split(value, ';')
	params = make(map[string]string, len(parts)-1)
	for _, p := range parts[1:] {
		name, v, _ := strings.Cut(p, "=")
		if name = lower(strings.TrimSpace(name)); name != "" {
			params[name] = unquote(strings.TrimSpace(v))
		}
	}
	return strings.TrimSpace(parts[0]), params
}

// Values splits a raw header value at the commas between its elements: "a" <sip:a>;x="1,2", <sip:b>.
func Values(value string) []string {
	parts := split(value, ',')
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// split cuts at sep outside quotes and <>.
func split(s string, sep byte) []string {
	var parts []string
	quoted, angle, from := false, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == sep && !angle:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[min(from, len(s)):])
}

func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Clean reports whether s may stand in a header: valid UTF-8 without control characters and without the separators and
// direction marks of Unicode, which make a line or a number look like another.
func Clean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Bidi_Control, r) {
			return false
		}
	}
	return true
}

const userMarks = "-_.!~*'()&=+$,;?/" // unreserved and user-unreserved (RFC 3261 §25.1)

// EscapeUser escapes what may not stand in the user part of a URI (RFC 3261 §25.1).
func EscapeUser(user string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(user); i++ {
		c := user[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(userMarks, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// UnescapeUser undoes EscapeUser; what is no escape stays, and one that would give a control character stays escaped.
func UnescapeUser(user string) string {
	var b strings.Builder
	for i := 0; i < len(user); i++ {
		if user[i] == '%' && i+2 < len(user) {
			high, low := unhex(user[i+1]), unhex(user[i+2])
			if c := high<<4 | low; high < 16 && low < 16 && c >= ' ' && c != 0x7f {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(user[i])
	}
	return b.String()
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// param finds a parameter whatever its case; sipgo compares names exactly.
func param(params sip.HeaderParams, name string) (string, bool) {
	for _, kv := range params {
		if same(kv.K, name) || len(kv.K) > len(name) && same(strings.TrimSpace(kv.K), name) {
			return strings.TrimSpace(kv.V), true
		}
	}
	return "", false
}

// Tag is the tag of a From or To header, "" without one.
func Tag(params sip.HeaderParams) string {
	tag, _ := param(params, "tag")
	return tag
}

func cutCookie(branch string) (string, bool) {
	rest, ok := strings.CutPrefix(branch, sip.RFC3261BranchMagicCookie)
	return rest, ok && rest != ""
}

func lower(s string) string { return strings.ToLower(s) }

func trimBrackets(host string) string { return strings.Trim(host, "[]") }
