package exchange

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"zaseki/sip/stack"
)

// onRequest answers what is no call.
func (x *Exchange) onRequest(_ context.Context, in *stack.Inbound) {
	if !x.heard(in.Link, in.From) {
		return
	}
	var err error
	switch in.Req.Method {
	case sip.REGISTER:
		err = x.register(in)
	case sip.OPTIONS:
		err = in.Answer(200, "OK", "Allow", x.stack.Allow(), "Accept", "application/sdp")
	default:
		err = in.Answer(405, "Method Not Allowed")
	}
	if err != nil {
		x.log.Debug("answer lost", "method", in.Req.Method.String(), "peer", in.From, "err", err)
	}
}

// register is the registrar (RFC 3261 §10.3).
func (x *Exchange) register(in *stack.Inbound) error {
	if at := x.elsewhere("", in.Link); at != "" {
		return in.Answer(302, "Moved Temporarily", "Contact", at)
	}
	who, v := x.prove(in.Req, "Authorization", in.From)
	if v != allowed {
		return in.Answer(401, "Unauthorized", x.challenge("WWW-Authenticate", in.Req, in.From, v)...)
	}
	user := stack.UnescapeUser(in.Req.To().Address.User)
	if who != user { // step 5: one's own address only, or any phone could fetch the calls of all
		return in.Answer(403, "Forbidden")
	}
	t, ok := x.desk.Terminal(user)
	if !ok {
		return in.Answer(404, "Not Found")
	}
	if t.Encrypted() && !in.Link.Secure() {
		x.log.Warn("an encrypted terminal wants to register without TLS", "user", user, "peer", in.From, "network", in.Link.Network())
		return in.Answer(403, "TLS Only")
	}
	if x.beside.Load().user[user].Server != "" { // we go there; its password is ours there, not a phone's here
		return in.Answer(403, "Forbidden")
	}
	changes, star, code := wanted(in.Req)
	switch code {
	case 200:
	case 439:
		return in.Answer(439, "First Hop Lacks Outbound Support")
	case 423:
		return in.Answer(423, "Interval Too Brief", "Min-Expires", strconv.Itoa(minExpires))
	default:
		return in.Answer(code, "Bad Contact")
	}
	base := binding{
		callID: in.Req.CallID().Value(), cseq: in.Req.CSeq().SeqNo, epoch: t.Epoch,
		network: in.Link.Network(), source: in.From,
	}
	before := x.where.lookup(user)
	var left []binding
	var err error
	if star {
		err = x.where.clear(user, base.callID, base.cseq)
	} else {
		left, err = x.where.update(user, base, soft(t), changes)
	}
	switch {
	case errors.Is(err, errOld):
		return in.Answer(500, "Out of Order")
	case err != nil:
		return in.Answer(403, err.Error())
	}
	x.logRegistered(user, in, len(before), len(left))
	x.follow(user, besideThat(before, base), in.Link, in.From)
	return in.Answer(200, "OK", x.granted(in, left, changes)...)
}

// besideThat are the sources from which the same phone registered before it came by another way.
func besideThat(before []binding, now binding) (sources []netip.AddrPort) {
	for _, b := range before {
		if b.callID == now.callID && b.source != now.source {
			sources = append(sources, b.source)
		}
	}
	return sources
}

func (x *Exchange) logRegistered(user string, in *stack.Inbound, was, now int) {
	level := slog.LevelDebug // a refresh is nothing a person would want tomorrow
	if (was == 0) != (now == 0) {
		level = slog.LevelInfo
	}
	x.log.Log(context.Background(), level, "registration", "user", user, "peer", in.From, "network", in.Link.Network(), "contacts", now)
}

// granted are the headers of a 200 (step 8): the bindings, and what the phone must know of its flow (RFC 5626 §6), its GRUU
// and a new temporary one (RFC 5627 §3.2).
func (x *Exchange) granted(in *stack.Inbound, left []binding, changes []change) []string {
	gruu := slices.Contains(stack.List(in.Req, "Supported"), "gruu")
	user := stack.UnescapeUser(in.Req.To().Address.User)
	headers := []string{"Supported", "outbound, gruu"}
	for _, c := range changes {
		if c.reg > 0 {
			headers = append(headers, "Require", "outbound", "Flow-Timer", strconv.Itoa(flowTimer))
			break
		}
	}
	for _, b := range left {
		seconds := int(b.expires.Sub(x.where.now()).Seconds() + 0.5)
		value := "<" + b.contact + ">;expires=" + strconv.Itoa(seconds)
		if b.instance != "" {
			value += `;+sip.instance="<` + b.instance + `>"`
		}
		if b.reg > 0 {
			value += ";reg-id=" + strconv.Itoa(b.reg)
		}
		if gruu && b.instance != "" {
			value += `;pub-gruu="sip:` + stack.EscapeUser(user) + "@" + x.cfg.Domain() + ";gr=" + b.instance + `";temp-gruu="` + x.temporary(user, b) + `"`
		}
		headers = append(headers, "Contact", value)
	}
	return headers
}

// prove asks for the digest of a request. Known and unknown users cost the same.
func (x *Exchange) prove(req *sip.Request, header string, from netip.AddrPort) (who string, v verdict) {
	for _, value := range stack.Headers(req, header) {
		cred, err := digest.ParseCredentials(value)
		if err != nil {
			continue
		}
		who, v = x.check.judge(cred, req.Method.String(), from.Addr(), x.ha1)
		if v == allowed && !sameUser(cred.URI, req) {
			v = wrong
		}
		if v == wrong {
			x.guard.failed(from.Addr())
			x.log.Warn("credentials refused", "user", who, "peer", from.Addr(), "method", req.Method.String())
		}
		if v != nobody {
			return who, v
		}
	}
	return "", nobody
}

func (x *Exchange) challenge(header string, req *sip.Request, from netip.AddrPort, v verdict) []string {
	var pairs []string
	for _, c := range x.check.challenges(from.Addr(), v == stale, simple(stack.Header(req, "User-Agent"))) {
		pairs = append(pairs, header, c)
	}
	return pairs
}

// simple: a phone that may know MD5 only, as most do that do not say that they are one of these. It is told by what the phone says of
// itself and not by its extension, or guessing would find those that exist.
func simple(agent string) bool {
	for _, knows := range [...]string{"Zaseki", "Linphone", "Asterisk PBX 2", "kamailio"} {
		if strings.HasPrefix(agent, knows) {
			return false
		}
	}
	return true
}

func (x *Exchange) ha1(user, algorithm string) (string, bool) {
	t, ok := x.desk.Terminal(user)
	if !ok || t.HA1 == nil {
		return "", false
	}
	return t.HA1(algorithm)
}

// sameUser holds the digest-URI to the Request-URI as far as clients keep it: a number in the one must be the number of the
// other, or credentials that were overheard could dial elsewhere (RFC 3261 §22.4, §8.2.1).
func sameUser(uri string, req *sip.Request) bool {
	at := strings.IndexByte(uri, '@')
	colon := strings.IndexByte(uri, ':')
	if at < 0 || colon < 0 || colon > at {
		return true
	}
	return stack.UnescapeUser(uri[colon+1:at]) == stack.UnescapeUser(req.Recipient.User)
}

// soft says that the terminal is a softphone: it has one contact only.
func soft(t Terminal) bool { return strings.HasPrefix(t.Type, "softphone") }

// wanted reads what a REGISTER asks. Code 200 means it can be done, else it is the answer.
func wanted(req *sip.Request) (changes []change, star bool, code int) {
	general := defaultExpires
	if v := stack.Header(req, "Expires"); v != "" {
		n, ok := seconds(v)
		if !ok {
			return nil, false, 400
		}
		general = n
	}
	for _, header := range stack.Headers(req, "Contact") {
		for _, value := range list(header) {
			if strings.TrimSpace(value) == "*" { // §10.2.2: alone and with Expires 0
				return nil, true, map[bool]int{true: 200, false: 400}[general == 0 && len(changes) == 0 && len(stack.Headers(req, "Contact")) == 1]
			}
			c, ok := contact(value, general)
			if !ok {
				return nil, false, 400
			}
			if c.expires > 0 && c.expires < minExpires {
				return nil, false, 423
			}
			changes = append(changes, c)
		}
	}
	return changes, false, flows(req, changes)
}

// flowTimer is after how many seconds without a sign of life a flow counts as dead (RFC 5626 §4.4).
const flowTimer = 120

// flows looks at what a phone wants of its flows (RFC 5626 §6): one contact a REGISTER, and nobody between us who does not know of
// them. A phone that does not support them has none.
func flows(req *sip.Request, changes []change) (code int) {
	able := slices.Contains(stack.List(req, "Supported"), "outbound")
	for i := range changes {
		c := &changes[i]
		switch {
		case c.reg == 0:
		case !able || c.instance == "":
			c.reg = 0
		case c.expires > 0 && living(changes) > 1:
			return 400
		case len(stack.Headers(req, "Via")) > 1 && !strings.Contains(stack.Header(req, "Path"), ";ob"):
			return 439
		}
	}
	return 200
}

func living(changes []change) (n int) {
	for _, c := range changes {
		if c.expires > 0 {
			n++
		}
	}
	return n
}

// contact reads one Contact value; general is the time of the Expires header.
func contact(value string, general int) (change, bool) {
	head, params := stack.Params(value)
	if open := strings.IndexByte(head, '<'); open >= 0 {
		shut := strings.IndexByte(head[open:], '>')
		if shut < 0 {
			return change{}, false
		}
		head = head[open+1 : open+shut]
	}
	head = strings.TrimSpace(head)
	var uri sip.Uri
	if err := sip.ParseUri(head, &uri); err != nil || (uri.Scheme != "sip" && uri.Scheme != "sips") || uri.Host == "" || !stack.Clean(head) || strings.ContainsAny(head, "<>\" \t") {
		return change{}, false
	}
	c := change{contact: head, q: 1000, expires: general}
	if v, ok := params["expires"]; ok {
		if n, ok := seconds(v); ok {
			c.expires = n
		}
	}
	if v, ok := params["q"]; ok {
		q, err := strconv.ParseFloat(v, 64)
		if err != nil || q < 0 || q > 1 {
			return change{}, false
		}
		c.q = int(q * 1000)
	}
	c.expires = min(c.expires, maxExpires)
	if v := strings.Trim(params["+sip.instance"], "<>"); urn(v) {
		c.instance = v
		if n, err := strconv.ParseInt(params["reg-id"], 10, 32); err == nil && n > 0 {
			c.reg = int(n)
		}
	}
	return c, true
}

// urn is the name of a phone as it may stand in a GRUU.
func urn(v string) bool {
	if !strings.HasPrefix(strings.ToLower(v), "urn:") || len(v) > 128 {
		return false
	}
	return !strings.ContainsFunc(v, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == ':' || r == '-' || r == '.' || r == '_')
	})
}

func seconds(v string) (int, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	return int(n), err == nil
}

// list splits a header value at commas outside quotes and angle brackets.
func list(value string) []string {
	var parts []string
	quoted, angle, from := false, false, 0
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '<' && !quoted:
			angle = true
		case c == '>' && !quoted:
			angle = false
		case c == ',' && !quoted && !angle:
			parts, from = append(parts, value[from:i]), i+1
		}
	}
	return append(parts, value[from:])
}
