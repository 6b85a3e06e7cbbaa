package wire

import (
	"net/url"
	"strings"
)

// CRMCall is what a customer system's address is told of a call.
type CRMCall struct {
	Caller  string // who calls: the number at the other end, or ours
	Called  string // the number that was called: where the server does not say, our extension
	Queue   string // the queue's name; "" none
	ID      string
	Account string // whose phone this is
}

// pageMax is how long an address may become, in bytes; browsers and servers take no less.
const pageMax = 2000

// Page is the address to open for that call, by the template in Call. Whatever a stranger calls itself stays what it is put in for:
// everything that is not unreserved is percent-encoded (RFC 3986 §2.3), and what would climb a path is left out. False: no
// address of the web comes of it.
func (c CRM) Page(call CRMCall) (string, bool) {
	filled := strings.NewReplacer("{caller}", encoded(call.Caller), "{called}", encoded(call.Called), "{queue}", encoded(call.Queue),
		"{callId}", encoded(call.ID), "{account}", encoded(call.Account)).Replace(c.Call)
	page, err := url.Parse(filled)
	empty, bad := url.Parse(strings.NewReplacer("{caller}", "", "{called}", "", "{queue}", "", "{callId}", "", "{account}", "").Replace(c.Call))
	switch {
	case err != nil || bad != nil || len(filled) > pageMax,
		page.Scheme != "http" && page.Scheme != "https" || page.Host == "" || page.User != nil,
		page.Scheme != empty.Scheme || page.Host != empty.Host: // a caller must not choose the server
		return "", false
	}
	return filled, true
}

// encoded leaves nothing that means something in an address. A value of dots alone would be a step in a path, encoded or not (browsers
// undo %2e): it is left out.
func encoded(value string) string {
	if strings.Trim(value, ".") == "" {
		return ""
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(value) {
		switch c := value[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String()
}
