package stack

import (
	"maps"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// refusal is why a request goes no further; code 0 is none.
type refusal struct {
	code    int
	reason  string
	headers []string
}

func no(code int, reason string, headers ...string) refusal { return refusal{code, reason, headers} }

// validate looks at a request before any handler touches it (RFC 3261 §8.2, RFC 4475). What needs dialogs, 481 and the
// order of CSeq, is the dialog's; Max-Forwards is a proxy's, for we are the end of the way.
func validate(req *sip.Request, allow map[string]bool) refusal {
	if req.SipVersion != "SIP/2.0" {
		return no(505, "Version Not Supported")
	}
	if why := malformed(req); why != "" {
		return no(400, why)
	}
	if r := checkTarget(&req.Recipient); r.code != 0 {
		return r
	}
	if !allow[string(req.Method)] {
		return no(405, "Method Not Allowed")
	}
	if req.IsAck() || req.IsCancel() {
		return refusal{} // RFC 3261 §8.2.2.3: Require means nothing there
	}
	if unknown := unsupported(req); unknown != "" {
		return no(420, "Bad Extension", "Unsupported", unknown)
	}
	if req.IsInvite() {
		return checkInvite(req)
	}
	return refusal{}
}

// singles are the headers that stand once at most; the first four must.
var singles = [...]string{"from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type"}

const needed = 4

// malformed says what is missing, double or contradictory.
func malformed(req *sip.Request) string {
	var count [len(singles)]int
	for _, h := range req.Headers() {
		name := h.Name()
		for i, single := range singles {
			if same(name, single) || len(name) == 1 && same(name, compact(single)) {
				count[i]++
				break
			}
		}
	}
	for i, single := range singles {
		if count[i] > 1 {
			return "Duplicate " + single
		}
		if count[i] == 0 && i < needed {
			return "Missing " + single
		}
	}
	switch {
	case req.From() == nil, req.To() == nil, req.CallID() == nil, req.CSeq() == nil:
		return "Bad Header"
	case Tag(req.From().Params) == "":
		return "Missing From Tag"
	case !strings.EqualFold(string(req.CSeq().MethodName), string(req.Method)): // sipgo reads methods in upper case
		return "CSeq Method Mismatch"
	}
	if !refreshes(req) {
		return ""
	}
	values := Headers(req, "Contact")
	if len(values) == 1 && req.Contact() != nil && plain(values[0]) {
		return "" // it was read already
	}
	for _, header := range values {
		for _, value := range Values(header) {
			if value != "*" && !address(value) {
				return "Bad Contact"
			}
		}
	}
	return ""
}

// plain: one URI in <>, as nearly everybody writes it.
func plain(value string) bool {
	return strings.HasPrefix(value, "<") && strings.Count(value, "<") == 1 && strings.IndexByte(value, ',') < 0
}

// address: a Contact value that can be read. A URI with ? or , stands in <> (RFC 3261 §20.10).
func address(value string) bool {
	var uri sip.Uri
	var params sip.HeaderParams
	if _, err := sip.ParseAddressValue(value, &uri, &params); err != nil {
		return false
	}
	return strings.Contains(value, "<") || !strings.ContainsAny(value, "?,")
}

func checkTarget(uri *sip.Uri) refusal {
	switch lower(uri.Scheme) {
	case "tel":
		return refusal{}
	case "sip", "sips", "":
	default:
		return no(416, "Unsupported URI Scheme")
	}
	bad := uri.Host == "" || uri.Port < 0 || uri.Port > 65535 || uri.Headers.Length() > 0 || // RFC 3261 §19.1.1: no headers in a Request-URI
		!Clean(uri.User) || strings.ContainsAny(uri.User, "<>\" ") || strings.ContainsAny(uri.Host, "<>\"@ ;?")
	if bad {
		return no(400, "Bad Request-URI")
	}
	return refusal{}
}

// unsupported are the extensions a request requires and we do not have. Session timers (RFC 4028),
// reliable provisionals (RFC 3262) and Replaces (RFC 3891) are the dialog's.
func unsupported(req *sip.Request) string {
	var unknown []string
	for _, tag := range List(req, "Require") {
		if tag != "timer" && tag != "100rel" && tag != "replaces" {
			unknown = append(unknown, tag)
		}
	}
	return strings.Join(unknown, ", ")
}

func checkInvite(req *sip.Request) refusal {
	contact := req.Contact()
	if contact == nil || contact.Address.Wildcard || contact.Address.Host == "" || contact.Address.Port > 65535 || contact.Address.Port < 0 {
		return no(400, "Bad Contact")
	}
	if scheme := lower(contact.Address.Scheme); scheme != "sip" && scheme != "sips" && scheme != "" {
		return no(400, "Bad Contact")
	}
	if len(req.Body()) > 0 && !carriesSDP(Header(req, "Content-Type")) {
		return no(415, "Unsupported Media Type")
	}
	if Header(req, "Content-Encoding") != "" && !strings.EqualFold(Header(req, "Content-Encoding"), "identity") {
		return no(415, "Unsupported Media Type", "Accept-Encoding", "identity")
	}
	if accept := List(req, "Accept"); len(accept) > 0 && !acceptsSDP(accept) {
		return no(406, "Not Acceptable")
	}
	return refusal{}
}

func carriesSDP(contentType string) bool {
	kind, _ := Params(contentType)
	kind = lower(kind)
	return kind == "application/sdp" || kind == "multipart/mixed" || kind == "multipart/alternative"
}

func acceptsSDP(accept []string) bool {
	for _, a := range accept {
		switch kind, _ := Params(a); kind {
		case "application/sdp", "application/*", "*/*":
			return true
		}
	}
	return false
}

// SDP is the session description a message carries, alone or in a multipart body (RFC 5621 §3.1); "" without one.
func SDP(msg sip.Message) string {
	if len(msg.Body()) == 0 {
		return ""
	}
	kind, params := Params(Header(msg, "Content-Type"))
	if kind = lower(kind); kind == "application/sdp" {
		return string(msg.Body())
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return ""
	}
	body := string(msg.Body())
	boundary := params["boundary"]
	if boundary == "" {
		return ""
	}
	for part := range strings.SplitSeq(body, "--"+boundary) {
		head, content, ok := strings.Cut(strings.TrimLeft(part, "\r\n"), "\r\n\r\n")
		if ok && strings.Contains(lower(head), "application/sdp") {
			return strings.TrimSuffix(content, "\r\n") + "\r\n"
		}
	}
	return ""
}

// newParser leaves Contact as it came: sipgo would lose quoted parameters (+sip.instance) and the difference that <> make.
// Contact() still reads it when asked.
func newParser() *sip.Parser {
	parsers := maps.Clone(sip.DefaultHeadersParser())
	delete(parsers, "contact")
	delete(parsers, "m")
	return sip.NewParser(sip.WithHeadersParsers(parsers))
}

// parse reads one whole message. What sipgo refuses only for its blanks (RFC 4475 §3.1.1.1) is tidied and read again.
func parse(p *sip.Parser, data []byte) (sip.Message, error) {
	msg, err := p.ParseSIP(data)
	if err == nil {
		req, isReq := msg.(*sip.Request)
		if !isReq || req.From() != nil && Tag(req.From().Params) != "" {
			return msg, nil
		}
	}
	if tidied, ok := tidy(data); ok {
		if again, e := p.ParseSIP(tidied); e == nil {
			return again, nil
		}
	}
	return msg, err
}

// tidy unfolds header lines and takes the blanks around ; = and / out of Via, From, To, Contact and Route values.
func tidy(data []byte) ([]byte, bool) {
	head, body, ok := strings.Cut(string(data), "\r\n\r\n")
	if !ok {
		return nil, false
	}
	var b strings.Builder
	for i, line := range unfold(head) {
		name, value, has := strings.Cut(line, ":")
		switch lower(strings.TrimSpace(name)) {
		case "via", "v", "from", "f", "to", "t", "contact", "m", "route", "record-route", "cseq", "max-forwards", "content-length", "l":
			if has && i > 0 {
				line = strings.TrimSpace(name) + ": " + squeeze(value)
			}
		}
		b.WriteString(line + "\r\n")
	}
	return []byte(b.String() + "\r\n" + body), true
}

func unfold(head string) []string {
	var lines []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if len(lines) > 1 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			lines[len(lines)-1] += " " + strings.TrimSpace(line)
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// squeeze leaves one blank between words and none around separators, outside quotes.
func squeeze(value string) string {
	var b strings.Builder
	quoted, blank := false, false
	var last byte
	for i := 0; i < len(value); i++ {
		c := value[i]
		if !quoted && (c == ' ' || c == '\t') {
			blank = b.Len() > 0
			continue
		}
		if blank && !strings.ContainsRune(";=/,:", rune(c)) && !strings.ContainsRune(";=/,:", rune(last)) {
			b.WriteByte(' ')
		}
		blank = false
		if quoted && c == '\\' && i+1 < len(value) {
			b.WriteByte(c)
			i++
			c = value[i]
		} else if c == '"' {
			quoted = !quoted
		}
		b.WriteByte(c)
		last = c
	}
	return b.String()
}

// salvage makes a 400 from the raw lines of a request that does not parse, so that its sender stops repeating it
// (RFC 3261 §18.3); nil when there is not enough to answer, or for answers and ACKs.
func salvage(data []byte) []byte {
	head, _, _ := strings.Cut(string(data), "\r\n\r\n")
	lines := unfold(head)
	if len(lines) < 5 || strings.HasPrefix(lines[0], "SIP/") || !strings.Contains(lines[0], "SIP/") || strings.HasPrefix(lines[0], "ACK") {
		return nil
	}
	var b strings.Builder
	b.WriteString("SIP/2.0 400 Bad Request\r\n")
	seen := map[string]bool{}
	for _, line := range lines[1:] {
		name, _, ok := strings.Cut(line, ":")
		name = lower(strings.TrimSpace(name))
		if !ok || !Clean(strings.ReplaceAll(line, "\t", " ")) {
			continue
		}
		for _, want := range [...]string{"via", "from", "to", "call-id", "cseq"} {
			if (name == want || name == compact(want)) && (want == "via" || !seen[want]) {
				seen[want] = true
				b.WriteString(line + "\r\n")
			}
		}
	}
	if len(seen) < 5 {
		return nil
	}
	return []byte(b.String() + "Content-Length: " + strconv.Itoa(0) + "\r\n\r\n")
}
