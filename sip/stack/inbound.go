package stack

import (
	"log/slog"
	"net/netip"
	"strconv"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// Inbound is a request with its server transaction. It passed the validator: From, To, Call-ID, CSeq and Via are there.
type Inbound struct {
	Req  *sip.Request // shared: read it, do not change it
	From netip.AddrPort
	Link *Link

	stack *Stack
	tag   string
	tx    *sip.ServerTx

	mu    sync.Mutex
	final int // the final code we answered, 0 before
}

// Response makes an answer with our To-tag (the same for every answer to one request, RFC 3261 §8.2.6.2), Server and
// what the code demands; add headers and a body, then Respond.
func (in *Inbound) Response(code int, reason string) *sip.Response {
	res := sip.NewResponseFromRequest(in.Req, code, reason, nil)
	res.SipVersion = "SIP/2.0"
	if to := res.To(); to != nil && code > 100 && !toTagged(in.Req) {
		to.Params.Add("tag", in.tag)
	}
	if in.stack.cfg.Server != "" {
		res.AppendHeader(sip.NewHeader("Server", in.stack.cfg.Server))
	}
	switch code {
	case 405:
		res.AppendHeader(sip.NewHeader("Allow", in.stack.Allow()))
	case 415, 406:
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	}
	return res
}

// Respond sends it through the transaction, which repeats it as the RFC demands.
func (in *Inbound) Respond(res *sip.Response) error {
	if res.StatusCode >= 200 {
		in.mu.Lock()
		if in.final == 0 {
			in.final = res.StatusCode
		}
		in.mu.Unlock()
	}
	return in.tx.Respond(res)
}

// Answer is Response and Respond in one, with headers as "Name", "value" pairs.
func (in *Inbound) Answer(code int, reason string, headers ...string) error {
	res := in.Response(code, reason)
	AddHeaders(res, headers...)
	return in.Respond(res)
}

// Answered is the final code we gave, 0 before.
func (in *Inbound) Answered() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.final
}

// Tag is the To-tag of our answers.
func (in *Inbound) Tag() string { return in.tag }

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
	if req.CSeq() == nil || req.CallID() == nil || req.From() == nil || req.To() == nil {
		if !req.IsAck() {
			res := sip.NewResponseFromRequest(req, 400, refusal.reason, nil)
			res.SipVersion = "SIP/2.0"
			_ = sender{l, answerTo(req, from, l)}.WriteMsg(res)
		}
		return
	}
	key := serverKey(req, string(req.Method))
	s.mu.Lock()
	known := s.inbounds[key]
	invite := s.inbounds[serverKey(req, "INVITE")]
	s.mu.Unlock()
	switch {
	case req.IsAck():
		s.ack(req, invite, refusal)
	case req.IsCancel():
		s.cancel(req, invite, from, l)
	case known != nil:
		_ = known.tx.Receive(req) // a retransmission
	default:
		s.fresh(req, key, from, l, refusal)
	}
}

func (s *Stack) ack(req *sip.Request, invite *Inbound, refusal refusal) {
	if invite != nil && invite.Answered() >= 300 {
		_ = invite.tx.Receive(req)
		return
	}
	if refusal.code == 0 && s.handle.Ack != nil {
		s.handle.Ack(req)
	}
}

// cancel answers every CANCEL with 200 and its INVITE's To-tag (RFC 3261 §9.2). The INVITE came first, for links keep order.
func (s *Stack) cancel(req *sip.Request, invite *Inbound, from netip.AddrPort, l *Link) {
	in := &Inbound{Req: req, From: from, Link: l, stack: s, tag: sip.GenerateTagN(16)}
	out := sender{l, answerTo(req, from, l)}
	if invite == nil {
		_ = out.WriteMsg(in.Response(481, "Call/Transaction Does Not Exist"))
		return
	}
	in.tag = invite.tag
	_ = out.WriteMsg(in.Response(200, "OK"))
	if s.handle.Cancel != nil && invite.Answered() == 0 {
		s.handle.Cancel(req, invite)
	}
}

func (s *Stack) fresh(req *sip.Request, key string, from netip.AddrPort, l *Link, refusal refusal) {
	in := &Inbound{Req: req, From: from, Link: l, stack: s, tag: sip.GenerateTagN(16)}
	in.tx = sip.NewServerTx(key, req, sender{l, answerTo(req, from, l)}, slog.New(slog.DiscardHandler))
	merge := mergeKey(req)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.inbounds[key] = in
	if merge != "" {
		if _, twice := s.merged[merge]; twice && refusal.code == 0 {
			refusal.code, refusal.reason = 482, "Request Merged" // RFC 3261 §8.2.2.2
			merge = ""
		} else {
			s.merged[merge] = key
		}
	}
	s.mu.Unlock()
	in.tx.OnTerminate(func(string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.inbounds, key)
		if merge != "" && s.merged[merge] == key {
			delete(s.merged, merge)
		}
	})
	if err := in.tx.Init(); err != nil {
		return
	}
	if refusal.code != 0 {
		_ = in.Answer(refusal.code, refusal.reason, refusal.headers...)
		return
	}
	s.hand(in)
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
		via.Params.Remove("rport")
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
	}
	if host, err := netip.ParseAddr(trimBrackets(via.Host)); asked || err != nil || host.Unmap() != from.Addr() {
		via.Params.Remove("received")
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
