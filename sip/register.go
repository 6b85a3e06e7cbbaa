package sip

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// later is a refusal with the time after which the server wants to be asked again (RFC 3261 §20.33).
type later struct {
	Refused
	after time.Duration
}

func (l later) Unwrap() error { return l.Refused }

// register sends one REGISTER, with its challenges, and notes what the registrar says. 0 asks it to forget our own contact, never
// all (RFC 3261 §10.2.2).
func (l *line) register(ctx context.Context, expires time.Duration) error {
	forget := "" // a contact of ours that is no longer true
	for raised, sent, corrected := false, false, false; ; {
		req := l.request(expires, forget)
		l.auth.Prepare(req)
		res, err := l.phone.ua.Request(ctx, req, l.way(), l.peer(), l.auth)
		l.seq = req.CSeq().SeqNo
		if err != nil {
			return err
		}
		l.auth.Learn(res)
		switch code := res.StatusCode; {
		case code == 423 && !raised: // RFC 3261 §10.2.8
			raised = true
			seconds, ok := seconds(stack.Header(res, "Min-Expires"))
			if !ok || seconds > 24*time.Hour {
				return Refused{Code: code, Reason: res.Reason}
			}
			l.asked, expires = seconds, seconds
		case (code == 301 || code == 302) && !sent && expires > 0:
			sent = true
			if err := l.follow(ctx, stack.Headers(res, "Contact")); err != nil {
				return Refused{Code: code, Reason: "Redirected: " + err.Error()}
			}
		case code >= 300:
			if after, ok := seconds(stack.Header(res, "Retry-After")); ok {
				return later{Refused{Code: code, Reason: res.Reason}, min(after, retryAfterMax)}
			}
			return Refused{Code: code, Reason: res.Reason}
		default:
			if l.auth.Realm == "" {
				l.auth.Realm = l.account.Domain // a registrar that asks nothing may have a proxy that does
			}
			if expires == 0 {
				return nil
			}
			l.granted(res, expires)
			if forget = l.corrected(res); forget == "" || corrected {
				return nil
			}
			corrected = true
		}
	}
}

// follow opens the way to where a redirection sends us, once; the next REGISTER goes there.
func (l *line) follow(ctx context.Context, contacts []string) error {
	server, err := l.redirect(contacts)
	if err != nil {
		return err
	}
	l.elsewhere = server
	targets, err := l.targets(ctx)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if err = l.open(ctx, t); err == nil {
			return nil
		}
	}
	return err
}

func (l *line) request(expires time.Duration, forget string) *sipgo.Request {
	a := l.account
	address := uriFor(a.Domain)
	address.User = stack.EscapeUser(a.User)
	registrar := uriFor(a.Domain)
	if l.elsewhere != "" {
		registrar = uriFor(l.elsewhere)
	}
	req := sipgo.NewRequest(sipgo.REGISTER, registrar)
	from := &sipgo.FromHeader{DisplayName: a.Display, Address: address, Params: sipgo.NewParams()}
	from.Params.Add("tag", l.tag)
	req.AppendHeader(from)
	req.AppendHeader(&sipgo.ToHeader{DisplayName: a.Display, Address: address, Params: sipgo.NewParams()})
	id := sipgo.CallIDHeader(l.callID)
	req.AppendHeader(&id)
	l.seq++
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: l.seq, MethodName: sipgo.REGISTER})
	contact, supported := l.contact(), "path"
	if a.Instance != "" {
		contact += `;+sip.instance="<urn:uuid:` + a.Instance + `>";reg-id=1` // RFC 5626 §4.2.1: our flow is the way to us
		supported = "path, outbound, gruu"
	}
	if forget != "" {
		contact += ", <" + forget + ">;expires=0"
	}
	stack.AddHeaders(req, "Contact", contact, "Expires", strconv.Itoa(int(expires/time.Second)), "Supported", supported, "Allow", l.phone.stack.Allow())
	return req
}

// contact is our binding's address: what the server sees of us when that was asked for, else our own.
func (l *line) contact() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.public != "" {
		return "<" + l.public + ">"
	}
	return l.link.AddressFor(l.account.User, l.server)
}

// granted notes how long the registrar keeps our own binding, among all that it lists (RFC 3261 §10.3), and what else it tells of
// the way to us: GRUU, Service-Route, keep-alives.
func (l *line) granted(res *sipgo.Response, asked time.Duration) {
	l.expires, l.at = asked, time.Now()
	if all, ok := seconds(stack.Header(res, "Expires")); ok {
		l.expires = all
	}
	mine := l.binding(res)
	if own, ok := seconds(mine["expires"]); ok {
		l.expires = own
	}
	var routes []string
	for _, header := range stack.Headers(res, "Service-Route") {
		for _, value := range stack.Values(header) {
			if uri, ok := uriOf(value); ok && stack.Clean(value) && (uri.Scheme == "sip" || uri.Scheme == "sips") {
				routes = append(routes, value)
			}
		}
	}
	l.mu.Lock()
	l.route = routes
	link, public := l.link, l.public
	l.mu.Unlock()
	link.SetContact(public)
	if gruu := mine["pub-gruu"]; l.account.GRUU && gruu != "" {
		if uri, ok := uriOf(gruu); ok && stack.Clean(gruu) && uri.Scheme != "tel" && !strings.ContainsAny(gruu, "<> ") {
			link.SetContact(gruu)
		}
	}
	every, timed := seconds(stack.Header(res, "Flow-Timer"))
	for _, tag := range stack.List(res, "Require") {
		timed = timed || tag == "outbound" // RFC 5626 §6: the flow is kept, so the far side answers keep-alives
	}
	if timed {
		link.KeepAlive(every)
	}
}

// binding are the parameters of our own Contact in the answer: that of our instance, or of our address.
func (l *line) binding(res *sipgo.Response) map[string]string {
	own, _ := uriOf(l.contact())
	var found map[string]string
	for _, header := range stack.Headers(res, "Contact") {
		for _, value := range stack.Values(header) {
			head, params := stack.Params(value)
			uri, ok := uriOf(head)
			same := ok && strings.EqualFold(uri.Host, own.Host) && uri.Port == own.Port && uri.User == own.User
			if l.account.Instance != "" && strings.Contains(strings.ToLower(params["+sip.instance"]), strings.ToLower(l.account.Instance)) {
				if same || found == nil {
					found = params
				}
			}
			if same && found == nil {
				found = params
			}
		}
	}
	return found
}

// corrected takes the address that the server sees us at for our contact, when the account says so, and returns the contact
// that this replaces; "" is none. Over UDP only: nobody opens a way to a connection's address.
func (l *line) corrected(res *sipgo.Response) string {
	via := res.Via()
	if !l.account.NAT || via == nil || l.way().Network() != "udp" {
		return ""
	}
	host, _ := via.Params.Get("received")
	port, _ := via.Params.Get("rport")
	own, ok := uriOf(l.contact())
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || net.ParseIP(host) == nil || !ok {
		return ""
	}
	seen := net.JoinHostPort(host, port)
	if uri := uriFor(seen); uri.Host == own.Host && uri.Port == own.Port {
		return ""
	}
	was := strings.Trim(l.contact(), "<>")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.public = "sip:" + stack.EscapeUser(l.account.User) + "@" + seen
	return was
}

func seconds(text string) (time.Duration, bool) {
	text, _, _ = strings.Cut(text, ";") // Retry-After: 18;duration=3600
	text, _, _ = strings.Cut(text, "(")
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	return time.Duration(n) * time.Second, err == nil && n > 0
}

// uriFor is the SIP URI of a host or host:port.
func uriFor(server string) sipgo.Uri {
	uri := sipgo.Uri{Scheme: "sip", Host: server}
	if host, port, err := net.SplitHostPort(server); err == nil {
		uri.Host = host
		uri.Port, _ = strconv.Atoi(port)
	}
	if ip := net.ParseIP(strings.Trim(uri.Host, "[]")); ip != nil && ip.To4() == nil {
		uri.Host = "[" + strings.Trim(uri.Host, "[]") + "]"
	}
	return uri
}

// uriOf is the URI in a header's value, with or without <>.
func uriOf(value string) (sipgo.Uri, bool) {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		value, _, _ = strings.Cut(rest, ">")
	}
	var uri sipgo.Uri
	if err := sipgo.ParseUri(strings.TrimSpace(value), &uri); err != nil || uri.Host == "" {
		return uri, false
	}
	uri.Scheme = strings.ToLower(uri.Scheme)
	return uri, true
}
