package stack

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Inbound is a request with its server transaction. It passed the validator: From, To, Call-ID, CSeq and Via are there.
type Inbound struct {
	Req  *sip.Request // shared: read it, do not change it
	From netip.AddrPort
	Link *Link

	stack *Stack
	key   string
	merge string // of mergeKey, when it is ours
	tag   string
	to    netip.AddrPort // where answers go
	tx    *sip.ServerTx  // of an INVITE; others need none (RFC 3261 §17.2.2): they are repeated from what settle keeps
	born  time.Time      // when it was read

	mu    sync.Mutex
	final int // the final code we answered, 0 before
}

// Response makes an answer with our To-tag (the same for every answer to one request, RFC 3261 §8.2.6.2), Server and
// what the code demands; add headers and a body, then Respond.
func (in *Inbound) Response(code int, reason string) *sip.Response {
	res := in.plain(code, reason)
	if in.stack.server != nil {
		res.AppendHeader(in.stack.server)
	}
	switch code {
	case 405:
		res.AppendHeader(sip.NewHeader("Allow", in.stack.Allow()))
	case 415, 406:
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	}
	return res
}

// plain copies what an answer takes from its request (RFC 3261 §8.2.6, §12.1.1). The headers are shared, for nobody changes them.
func (in *Inbound) plain(code int, reason string) *sip.Response {
	req := in.Req
	res := sip.NewResponse(code, reason)
	res.SipVersion = "SIP/2.0"
	for _, h := range req.Headers() {
		switch h.(type) {
		case *sip.ViaHeader, *sip.FromHeader, *sip.CSeqHeader, *sip.CallIDHeader:
			res.AppendHeader(h)
		case *sip.ToHeader:
			res.AppendHeader(in.toHeader(code))
		case *sip.RecordRouteHeader:
			if code > 100 && code < 300 && req.Method != sip.REGISTER {
				res.AppendHeader(h)
			}
		default:
			if code == 100 && strings.EqualFold(h.Name(), "Timestamp") {
				res.AppendHeader(h)
			}
		}
	}
	res.SetTransport(req.Transport())
	res.SetBody(nil)
	return res
}

func (in *Inbound) toHeader(code int) sip.Header {
	to := in.Req.To()
	if code == 100 || toTagged(in.Req) {
		return to
	}
	tagged := *to
	tagged.Params = append(slices.Clone(to.Params), sip.HeaderKV{K: "tag", V: in.tag})
	return &tagged
}

// Respond sends it; what the far side did not get is repeated as the RFC demands, a 2xx to an INVITE by who sends it (§13.3.1.4).
func (in *Inbound) Respond(res *sip.Response) error {
	in.mu.Lock()
	before := in.final
	if res.StatusCode >= 200 && before == 0 {
		in.final = res.StatusCode
	}
	in.mu.Unlock()
	out := sender{in.Link, in.to}
	switch {
	case in.tx != nil && (res.StatusCode < 200 || res.StatusCode >= 300):
		if res.StatusCode >= 300 && in.stack.cfg.Forwards {
			in.stack.forgetMerge(in)
		}
		return in.tx.Respond(res)
	case res.StatusCode < 200 || before != 0:
		return out.WriteMsg(res)
	}
	return in.settle(res, out)
}

// Answer is Response and Respond in one, with headers as "Name", "value" pairs.
func (in *Inbound) Answer(code int, reason string, headers ...string) error {
	res := in.Response(code, reason)
	AddHeaders(res, headers...)
	return in.Respond(res)
}

// Came is when it was read from its link. Who came first on a link has the earlier time, whichever goroutine goes on with it.
func (in *Inbound) Came() time.Time { return in.born }

// Answered is the final code we gave, 0 before.
func (in *Inbound) Answered() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.final
}

// Tag is the To-tag of our answers.
func (in *Inbound) Tag() string { return in.tag }

// Hops are how often a request may still be passed on; who does so says one less (RFC 3261 §16.6).
func Hops(req *sip.Request) int {
	if hops := req.MaxForwards(); hops != nil {
		return int(hops.Val())
	}
	return 70
}

func toTagged(req *sip.Request) bool {
	tag, _ := param(req.To().Params, "tag")
	return tag != ""
}

// request takes a request that parsed: what is wrong with it is answered here, what repeats is absorbed, the rest is new.
func (s *Stack) request(req *sip.Request, from netip.AddrPort, l *Link) {
	if req.Via() == nil {
		return // nowhere to answer to
	}
	received(req.Via(), from)
	touch(req)
	refusal := validate(req, s.allow)
	if refusal.code == 0 && s.cfg.Forwards && req.IsInvite() && Hops(req) == 0 {
		refusal = no(483, "Too Many Hops")
	}
	if req.CSeq() == nil || req.CallID() == nil || req.From() == nil || req.To() == nil {
		if !req.IsAck() {
			res := sip.NewResponseFromRequest(req, 400, refusal.reason, nil)
			res.SipVersion = "SIP/2.0"
			_ = sender{l, answerTo(req, from, l)}.WriteMsg(res)
		}
		return
	}
	in := &Inbound{Req: req, From: from, Link: l, stack: s, to: answerTo(req, from, l)}
	switch {
	case req.IsAck():
		s.ack(in, refusal)
	case req.IsCancel():
		s.cancel(in)
	default:
		s.fresh(in, refusal)
	}
}

func (s *Stack) ack(in *Inbound, refusal refusal) {
	s.mu.Lock()
	invite := s.inbounds[serverKey(in.Req, "INVITE")]
	s.mu.Unlock()
	if invite != nil && invite.Answered() >= 300 {
		_ = invite.tx.Receive(in.Req)
		return
	}
	if refusal.code == 0 && s.handle.Ack != nil {
		s.handle.Ack(in.Req)
	}
}

// cancel answers every CANCEL with 200 and its INVITE's To-tag (RFC 3261 §9.2). The INVITE came first, for links keep order.
func (s *Stack) cancel(in *Inbound) {
	key := serverKey(in.Req, "INVITE")
	s.mu.Lock()
	invite, answered := s.inbounds[key], s.settled[key]
	s.mu.Unlock()
	out := sender{in.Link, in.to}
	switch {
	case invite != nil:
		in.tag = invite.tag
	case answered != nil:
		in.tag = answered.tag
	default:
		in.tag = sip.GenerateTagN(16)
		_ = out.WriteMsg(in.Response(481, "Call/Transaction Does Not Exist"))
		return
	}
	_ = out.WriteMsg(in.Response(200, "OK"))
	if invite != nil && s.handle.Cancel != nil && invite.Answered() == 0 {
		s.handle.Cancel(in.Req, invite)
	}
}

// fresh takes a request that is not an ACK or CANCEL: a new one, or one that is repeated.
func (s *Stack) fresh(in *Inbound, refusal refusal) {
	in.key, in.tag, in.born = serverKey(in.Req, string(in.Req.Method)), sip.GenerateTagN(16), time.Now()
	merge := mergeKey(in.Req)
	s.mu.Lock()
	known, answered := s.inbounds[in.key], s.settled[in.key]
	if s.closed || known != nil || answered != nil || len(s.inbounds) >= inboundsMax {
		full := !s.closed && known == nil && answered == nil
		s.mu.Unlock()
		s.again(in, known, answered, full)
		return
	}
	s.inbounds[in.key] = in
	if in.Req.IsInvite() {
		s.transactLocked(in)
	}
	if merge != "" {
		if _, twice := s.merged[merge]; twice && refusal.code == 0 {
			refusal.code, refusal.reason = 482, "Request Merged" // RFC 3261 §8.2.2.2
		} else {
			s.merged[merge] = in.key
			in.merge = merge
		}
	}
	s.mu.Unlock()
	if refusal.code != 0 {
		_ = in.Answer(refusal.code, refusal.reason, refusal.headers...)
		return
	}
	s.hand(in)
}

// again absorbs what is repeated and says its answer once more, when there is one; what is new is too much.
func (s *Stack) again(in, known *Inbound, answered *settled, full bool) {
	switch {
	case known != nil && known.tx != nil:
		_ = known.tx.Receive(in.Req)
	case answered != nil && answered.answer != nil:
		s.trace(true, in.Link, in.to, answered.answer)
		_ = in.Link.write(answered.answer, in.to)
	case full:
		_ = sender{in.Link, in.to}.WriteMsg(in.Response(503, "Service Unavailable")) // nothing is kept of it
	}
}

// transactLocked gives an INVITE its machine.
func (s *Stack) transactLocked(in *Inbound) {
	in.tx = sip.NewServerTx(in.key, in.Req, sender{in.Link, in.to}, s.quiet)
	in.tx.OnTerminate(func(string, error) { s.drop(in) })
	_ = in.tx.Init() // it never fails
}

func (s *Stack) hand(in *Inbound) {
	defer func() {
		if broken := recover(); broken != nil {
			s.log.Error("sip request broke its handler", "peer", in.From, "method", string(in.Req.Method), "panic", broken)
			_ = in.Answer(500, "Server Internal Error")
		}
	}()
	if s.handle.Request == nil {
		_ = in.Answer(503, "Service Unavailable")
		return
	}
	s.handle.Request(in)
}

// mergeKey identifies a request that opens something, whatever way it came.
func mergeKey(req *sip.Request) string {
	if toTagged(req) {
		return ""
	}
	tag, _ := param(req.From().Params, "tag")
	return req.CallID().Value() + "\x00" + tag + "\x00" + req.CSeq().Value()
}

// serverKey matches a request with its transaction (RFC 3261 §17.2.3), as if its method were another.
func serverKey(req *sip.Request, method string) string {
	via := req.Via()
	branch, _ := param(via.Params, "branch")
	if rest, ok := cutCookie(branch); ok {
		return rest + "\x00" + lower(via.Host) + ":" + strconv.Itoa(via.Port) + "\x00" + method
	}
	tag, _ := param(req.From().Params, "tag") // RFC 2543 peers
	return req.CallID().Value() + "\x00" + tag + "\x00" + strconv.Itoa(int(req.CSeq().SeqNo)) + "\x00" + branch + lower(via.Host) + "\x00" + method
}

// received notes in the top Via where the request really came from (RFC 3261 §18.2.1, RFC 3581 §4).
func received(via *sip.ViaHeader, from netip.AddrPort) {
	value, asked := param(via.Params, "rport")
	if asked && value == "" {
		via.Params.Add("rport", strconv.Itoa(int(from.Port()))) // in its place
	}
	if host, err := netip.ParseAddr(trimBrackets(via.Host)); asked || err != nil || host.Unmap() != from.Addr() {
		via.Params.Add("received", from.Addr().String())
	}
}

// answerTo is where answers go (RFC 3261 §18.2.2, RFC 3581 §4): back over TCP; over UDP to the source address, and to its
// port when ;rport asked for it, else to the port of the Via.
func answerTo(req *sip.Request, from netip.AddrPort, l *Link) netip.AddrPort {
	if _, asked := param(req.Via().Params, "rport"); asked || l.network != "udp" {
		return from
	}
	port := req.Via().Port
	if port <= 0 || port > 65535 {
		port = sip.DefaultUdpPort
	}
	return netip.AddrPortFrom(from.Addr(), uint16(port))
}
