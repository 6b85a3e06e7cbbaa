package dialog

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// endedKept is how many dialogs that ended are remembered, to answer 603 to who would replace one (RFC 3891 §3).
const endedKept = 128

// Replaces names a dialog as the one who is asked to give it up sees it (RFC 3891 §6.1).
type Replaces struct {
	CallID    string
	ToTag     string // the tag of who reads it
	FromTag   string // the tag of its peer
	EarlyOnly bool
}

var errReplaces = errors.New("not a Replaces value")

// ParseReplaces reads a header value.
func ParseReplaces(value string) (Replaces, error) {
	head, params := stack.Params(value)
	_, early := params["early-only"]
	r := Replaces{CallID: head, ToTag: params["to-tag"], FromTag: params["from-tag"], EarlyOnly: early}
	if len(value) > 1024 || !stack.Clean(value) || !token(r.CallID) || !token(r.ToTag) || !token(r.FromTag) {
		return Replaces{}, errReplaces
	}
	return r, nil
}

func (r Replaces) String() string {
	s := r.CallID + ";to-tag=" + r.ToTag + ";from-tag=" + r.FromTag
	if r.EarlyOnly {
		s += ";early-only"
	}
	return s
}

// token: something, and nothing that ends it in a header or URI.
func token(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t<>;,?&\"\\")
}

// ReplacesValue names this dialog for the far side: what a Refer-To brings to whoever shall take its place (RFC 5589 §7.3).
// It is "" while nobody has answered.
func (c *Call) ReplacesValue() string {
	value := ""
	_ = c.do(func() error {
		if c.phase == talking && c.dialog.remoteTag != "" {
			value = Replaces{CallID: c.dialog.callID, ToTag: c.dialog.remoteTag, FromTag: c.dialog.localTag}.String()
		}
		return nil
	})
	return value
}

// FindReplaced is the call that a Replaces header names. Without one, code is what to answer: 400 for a header that cannot
// be read, 481 for no such dialog, or an early one that we did not begin, 486 when early-only names a confirmed one, 603 when
// it ended already (RFC 3891 §3). Not to be called from that call's own owner.
func (ua *UA) FindReplaced(header string) (call *Call, code int) {
	r, err := ParseReplaces(header)
	if err != nil {
		return nil, 400
	}
	named := name{r.CallID, r.ToTag}
	ua.mu.Lock()
	c := ua.calls[named]
	gone := false
	for _, ended := range ua.ended {
		gone = gone || ended == named
	}
	ua.mu.Unlock()
	switch {
	case c == nil && gone:
		return nil, 603
	case c == nil:
		return nil, 481
	}
	code = 603 // what an owner that is gone leaves
	_ = c.do(func() error {
		code = c.replaceable(r)
		return nil
	})
	if code != 0 {
		return nil, code
	}
	return c, 0
}

func (c *Call) replaceable(r Replaces) int {
	known := c.dialog.remoteTag == r.FromTag
	if c.phase == calling {
		known = c.branches[r.FromTag] != nil
	}
	switch {
	case c.phase == over || c.phase == ending || c.phase == cancelling:
		return 603
	case !known || c.phase == ringing:
		return 481
	case r.EarlyOnly && c.phase != calling:
		return 486
	}
	return 0
}

// remember notes a dialog that ended; the lock is held.
func (ua *UA) rememberLocked(gone name) {
	ua.ended = append(ua.ended, gone)
	if len(ua.ended) > endedKept {
		ua.ended = append([]name(nil), ua.ended[len(ua.ended)-endedKept/2:]...)
	}
}

// ReferTo is whom a REFER would have us call (RFC 3515 §2.1). Of the headers in its URI only Replaces and Require are
// honoured; everything else is dropped (RFC 3261 §19.1.5).
type ReferTo struct {
	Display  string
	URI      sip.Uri // sip, sips or tel, without headers; of a tel URI the number is its User
	Replaces string  // unescaped header value, "" without one
	Require  []string
}

var (
	errReferTo = errors.New("not a Refer-To value")
	errScheme  = errors.New("unsupported scheme in Refer-To")
)

// ParseReferTo reads a header value and refuses what could not be called.
func ParseReferTo(value string) (ReferTo, error) {
	var r ReferTo
	if len(value) > 2048 || !stack.Clean(value) || len(stack.Values(value)) != 1 {
		return r, errReferTo
	}
	head, _ := stack.Params(value)
	text := head
	if before, rest, ok := strings.Cut(head, "<"); ok {
		inner, _, closed := strings.Cut(rest, ">")
		if !closed {
			return r, errReferTo
		}
		r.Display, text = strings.Trim(strings.TrimSpace(before), `"`), inner
	}
	address, headers, _ := strings.Cut(text, "?")
	if err := r.address(address); err != nil {
		return r, err
	}
	return r, r.headers(headers)
}

func (r *ReferTo) address(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme = strings.ToLower(scheme); scheme {
	case "tel":
		number, _, _ := strings.Cut(rest, ";")
		r.URI = sip.Uri{Scheme: "tel", User: strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(number)}
		if r.URI.User == "" || strings.Trim(r.URI.User, "+0123456789*#ABCDabcd") != "" {
			return errReferTo
		}
		return nil
	case "sip", "sips":
	default:
		return errScheme
	}
	if sip.ParseUri(scheme+":"+rest, &r.URI) != nil || r.URI.Wildcard {
		return errReferTo
	}
	u := &r.URI
	method, named := u.UriParams.Get("method")
	u.UriParams.Remove("method")
	u.Headers = nil
	bad := u.Host == "" || u.Password != "" || strings.Contains(u.User, "%0") || strings.Contains(u.User, "%1") || u.Port < 0 || u.Port > 65535 || strings.ContainsAny(u.Host, "<>\"@ ;?,&=") || strings.ContainsAny(u.User, "<>\"@ :") ||
		!stack.Clean(stack.UnescapeUser(u.User)) || named && !strings.EqualFold(method, "INVITE")
	if bad {
		return errReferTo
	}
	return nil
}

func (r *ReferTo) headers(text string) error {
	for pair := range strings.SplitSeq(text, "&") {
		name, escaped, _ := strings.Cut(pair, "=")
		value := stack.UnescapeUser(escaped)
		switch strings.ToLower(name) {
		case "replaces":
			parsed, err := ParseReplaces(value)
			if err != nil || r.Replaces != "" {
				return errReferTo
			}
			r.Replaces = parsed.String()
		case "require":
			if !stack.Clean(value) {
				return errReferTo
			}
			for tag := range strings.SplitSeq(value, ",") {
				if tag = strings.ToLower(strings.TrimSpace(tag)); token(tag) {
					r.Require = append(r.Require, tag)
				}
			}
		}
	}
	return nil
}

// ReferValue is the Refer-To value for a party, with what its INVITE shall replace, or "".
func ReferValue(uri sip.Uri, replaces string) string {
	uri.Headers = nil
	value := "<" + uri.String()
	if replaces != "" {
		value += "?Replaces=" + escapeHeader(replaces)
	}
	return value + ">"
}

// escapeHeader escapes a header value for a URI (RFC 3261 §25.1 hvalue, and more than it asks).
func escapeHeader(value string) string {
	return strings.NewReplacer("&", "%26", "=", "%3D", ";", "%3B", "?", "%3F", ",", "%2C", "/", "%2F", "+", "%2B", "$", "%24").Replace(stack.EscapeUser(value))
}
