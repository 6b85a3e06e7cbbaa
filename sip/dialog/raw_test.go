package dialog_test

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// raw is a peer that says what the test says.
type raw struct {
	t    *testing.T
	conn *net.UDPConn
	to   netip.AddrPort
	tag  string          // of the far side
	seen map[string]bool // branches of requests that asked gave
	body string          // of the next request that has no SDP
}

func newRaw(t *testing.T, to netip.AddrPort) *raw {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &raw{t: t, conn: conn, to: to}
}

// says sends a request of one Call-ID; branch tells transactions apart.
func (r *raw) says(method string, seq int, branch string, extra ...string) {
	to := "To: <sip:b@h>"
	if r.tag != "" {
		to += ";tag=" + r.tag
	}
	body := r.body
	lines := []string{
		method + " sip:b@127.0.0.1 SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK" + branch, "From: <sip:a@h>;tag=raw", to,
		"Call-ID: raw", fmt.Sprintf("CSeq: %d %s", seq, method), "Max-Forwards: 70", "Contact: <sip:a@" + r.conn.LocalAddr().String() + ">",
	}
	for _, e := range extra {
		if strings.HasPrefix(e, "v=0") {
			body = e
			e = "Content-Type: application/sdp"
		}
		lines = append(lines, e)
	}
	text := strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n") + "\r\n\r\n" + body
	if _, err := r.conn.WriteToUDPAddrPort([]byte(text), r.to); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) reads() sipgo.Message {
	r.t.Helper()
	buf := make([]byte, 65535)
	_ = r.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := r.conn.Read(buf)
	if err != nil {
		r.t.Fatal(err)
	}
	msg, err := sipgo.ParseMessage(buf[:n])
	if err != nil {
		r.t.Fatal(err)
	}
	return msg
}

// hears is the next final answer to that request; repetitions of others are passed over.
func (r *raw) hears(cseq string) *sipgo.Response {
	r.t.Helper()
	for {
		if res, ok := r.reads().(*sipgo.Response); ok && res.StatusCode >= 200 && res.CSeq().Value() == cseq {
			return res
		}
	}
}

// calls brings up a call from the raw peer.
func (r *raw) calls(a *agent) *dialog.Call {
	r.t.Helper()
	r.says("INVITE", 1, "inv", offer)
	c := next(r.t, a.calls)
	done := make(chan error, 1)
	go func() { done <- c.Answer(a.context(), answer) }()
	r.tag = stack.Tag(r.hears("1 INVITE").To().Params)
	r.says("ACK", 1, "ack")
	if err := next(r.t, done); err != nil {
		r.t.Fatal(err)
	}
	return c
}

func TestAnswerThatNobodyAcknowledgesEndsWithBye(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	a := newAgent(t)
	r := newRaw(t, a.addr)
	r.says("INVITE", 1, "inv", offer)
	c := next(t, a.calls)
	done := make(chan error, 1)
	go func() { done <- c.Answer(a.context(), answer) }()
	answers := 0
	for {
		switch m := r.reads().(type) {
		case *sipgo.Response:
			answers++
			continue
		case *sipgo.Request:
			if m.Method != sipgo.BYE {
				t.Errorf("%s", m.Method)
			}
		}
		break
	}
	if answers < 8 { // T1, 2 T1 … T2 until 64 T1
		t.Errorf("200 was sent %d times", answers)
	}
	if err := next(t, done); !errors.Is(err, dialog.ErrNoAck) {
		t.Errorf("%v", err)
	}
	if e := expect[dialog.Ended](t, a.in); e.Code != 408 {
		t.Errorf("%+v", e)
	}
}

func TestRequestsWithinADialog(t *testing.T) {
	a := newAgent(t)
	r := newRaw(t, a.addr)
	r.says("BYE", 1, "none", "X: 1")
	if res := r.hears("1 BYE"); res.StatusCode != 481 {
		t.Errorf("BYE without a dialog: %d", res.StatusCode)
	}
	c := r.calls(a)
	for _, row := range []struct {
		method string
		seq    int
		want   int
		extra  []string
	}{
		{"OPTIONS", 2, 200, nil},
		{"INFO", 2, 500, nil}, // a number that was there
		{"UPDATE", 3, 200, nil},
		{"MESSAGE", 4, 405, nil},
		{"INFO", 5, 200, nil},
		{"INFO", 6, 420, []string{"Require: nothing-we-know"}},
		{"INVITE", 7, 415, []string{"Content-Encoding: gzip"}},
	} {
		r.says(row.method, row.seq, fmt.Sprint("b", row.method, row.seq), row.extra...)
		if res := r.hears(fmt.Sprint(row.seq, " ", row.method)); res.StatusCode != row.want {
			t.Errorf("%s %d: %d, want %d", row.method, row.seq, res.StatusCode, row.want)
		}
	}
	tag := r.tag
	r.tag = "wrong"
	r.says("BYE", 8, "wrongtag")
	if res := r.hears("8 BYE"); res.StatusCode != 481 {
		t.Errorf("BYE of another dialog: %d", res.StatusCode)
	}
	r.tag = tag
	r.says("BYE", 9, "bye", `Reason: Q.850;cause=17;text="busy"`)
	if res := r.hears("9 BYE"); res.StatusCode != 200 {
		t.Errorf("BYE: %d", res.StatusCode)
	}
	if e := expect[dialog.Ended](t, a.in); !e.ByPeer || e.Cause != 17 || e.Reason != "busy" {
		t.Errorf("%+v", e)
	}
	<-c.Done()
}

func TestReinviteOfThePeer(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	r.says("INVITE", 2, "re2", offer)
	if e := expect[dialog.Reoffered](t, a.in); e.SDP != offer {
		t.Errorf("%+v", e)
	}
	r.says("INVITE", 3, "re3", offer) // while the first is open
	if res := r.hears("3 INVITE"); res.StatusCode != 500 || stack.Header(res, "Retry-After") == "" {
		t.Errorf("%d", res.StatusCode)
	}
	if err := c.AnswerReoffer(answer); err != nil {
		t.Fatal(err)
	}
	if res := r.hears("2 INVITE"); res.StatusCode != 200 || string(res.Body()) != answer {
		t.Errorf("%v", res)
	}
	r.says("INVITE", 4, "re4", offer) // while our 200 waits for its ACK
	if res := r.hears("4 INVITE"); res.StatusCode != 491 {
		t.Errorf("%d", res.StatusCode)
	}
	r.says("ACK", 2, "ack2")
	r.says("INVITE", 5, "re5", "Supported: timer", "Session-Expires: 1800;refresher=uac")
	if e := expect[dialog.Reoffered](t, a.in); e.SDP != "" {
		t.Errorf("%+v", e)
	}
	if err := c.AnswerReoffer(offer); err != nil {
		t.Fatal(err)
	}
	if res := r.hears("5 INVITE"); stack.Header(res, "Session-Expires") != "1800;refresher=uac" || stack.Header(res, "Require") != "timer" {
		t.Errorf("%v", res)
	}
	r.says("ACK", 5, "ack5", answer)
	if e := expect[dialog.Acked](t, a.in); e.SDP != answer {
		t.Errorf("%+v", e)
	}
	r.says("INVITE", 6, "re6", offer)
	expect[dialog.Reoffered](t, a.in)
	if err := c.RejectReoffer(488); err != nil {
		t.Fatal(err)
	}
	if res := r.hears("6 INVITE"); res.StatusCode != 488 {
		t.Errorf("%d", res.StatusCode)
	}
}

func TestSameInviteOverTwoWaysIsOneCall(t *testing.T) {
	a := newAgent(t)
	r := newRaw(t, a.addr)
	r.says("INVITE", 1, "one", offer)
	next(t, a.calls)
	r.says("INVITE", 1, "two", offer)
	if res := r.hears("1 INVITE"); res.StatusCode != 482 {
		t.Errorf("%d", res.StatusCode)
	}
	r.says("INVITE", 1, "one", offer) // a retransmission
	select {
	case <-a.calls:
		t.Error("a second call")
	case <-time.After(100 * time.Millisecond):
	}
	r.says("CANCEL", 1, "other")
	if res := r.hears("1 CANCEL"); res.StatusCode != 481 {
		t.Errorf("CANCEL of nothing: %d", res.StatusCode)
	}
	r.says("CANCEL", 1, "one")
	ok := r.hears("1 CANCEL")
	if ok.StatusCode != 200 {
		t.Errorf("CANCEL: %d", ok.StatusCode)
	}
	if res := r.hears("1 INVITE"); res.StatusCode != 487 || stack.Tag(res.To().Params) != stack.Tag(ok.To().Params) {
		t.Errorf("%v", res)
	}
}

func TestDeadDialogIsEnded(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	done := make(chan error, 1)
	go func() { _, err := c.Reinvite(a.context(), offer); done <- err }()
	for {
		req, ok := r.reads().(*sipgo.Request)
		if ok && req.Method == sipgo.INVITE {
			res := sipgo.NewResponseFromRequest(req, 481, "gone", nil)
			_, _ = r.conn.WriteToUDPAddrPort([]byte(res.String()), r.to)
			break
		}
	}
	var refused *dialog.Refused
	if err := next(t, done); !errors.As(err, &refused) || refused.Code != 481 {
		t.Errorf("%v", err)
	}
	if e := expect[dialog.Ended](t, a.in); e.Code != 481 {
		t.Errorf("%+v", e)
	}
}

func TestRouteSetOfTheCaller(t *testing.T) {
	a := newAgent(t)
	r := newRaw(t, a.addr)
	r.says("INVITE", 1, "inv", "Record-Route: <sip:p1@127.0.0.1;lr>, <sip:p2@127.0.0.1;LR=on>", offer)
	c := next(t, a.calls)
	go func() { _ = c.Answer(a.context(), answer) }()
	r.tag = stack.Tag(r.hears("1 INVITE").To().Params)
	r.says("ACK", 1, "ack")
	go func() { _ = c.Bye(a.context()) }()
	for {
		req, ok := r.reads().(*sipgo.Request)
		if !ok || req.Method != sipgo.BYE {
			continue
		}
		routes := stack.Headers(req, "Route")
		if len(routes) != 2 || !strings.Contains(routes[0], "p1") || req.Recipient.User != "a" {
			t.Errorf("%v", req)
		}
		res := sipgo.NewResponseFromRequest(req, 200, "OK", nil)
		_, _ = r.conn.WriteToUDPAddrPort([]byte(res.String()), r.to)
		return
	}
}

func cseq(seq int, method string) string { return fmt.Sprint(seq, " ", method) }

// asked is the next request of that method; others, and repetitions of what it gave before, are passed over.
func (r *raw) asked(method sipgo.RequestMethod) *sipgo.Request {
	r.t.Helper()
	for {
		req, ok := r.reads().(*sipgo.Request)
		if !ok || req.Method != method {
			continue
		}
		branch, _ := req.Via().Params.Get("branch")
		if method != sipgo.ACK && r.seen[branch] {
			continue
		}
		if r.seen == nil {
			r.seen = map[string]bool{}
		}
		r.seen[branch] = true
		return req
	}
}

func (r *raw) answers(req *sipgo.Request, code int, headers ...string) {
	r.t.Helper()
	res := sipgo.NewResponseFromRequest(req, code, "x", nil)
	stack.AddHeaders(res, headers...)
	if _, err := r.conn.WriteToUDPAddrPort([]byte(res.String()), r.to); err != nil {
		r.t.Fatal(err)
	}
}

// notifies sends a NOTIFY, which must be answered with 200.
func (r *raw) notifies(seq int, event, state, body string) {
	r.t.Helper()
	r.body = body
	r.says("NOTIFY", seq, fmt.Sprint("n", seq), "Event: "+event, "Subscription-State: "+state, "Content-Type: message/sipfrag")
	r.body = ""
	if res := r.hears(cseq(seq, "NOTIFY")); res.StatusCode != 200 {
		r.t.Errorf("NOTIFY %d: %d", seq, res.StatusCode)
	}
}

// at is where the raw peer listens.
func (r *raw) at() netip.AddrPort { return r.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// provides answers an INVITE as the phone of that tag, with a Contact of its own; "" leaves the tag as it is.
func (r *raw) provides(inv *sipgo.Request, code int, tag, sdp string, headers ...string) {
	r.t.Helper()
	res := sipgo.NewResponseFromRequest(inv, code, "x", nil)
	if tag != "" {
		res.To().Params.Add("tag", tag)
	}
	stack.AddHeaders(res, append(headers, "Contact", "<sip:"+cmp.Or(tag, "raw")+"@"+r.at().String()+">")...)
	if sdp != "" {
		stack.AddHeaders(res, "Content-Type", "application/sdp")
		res.SetBody([]byte(sdp))
	}
	if _, err := r.conn.WriteToUDPAddrPort([]byte(res.String()), r.to); err != nil {
		r.t.Fatal(err)
	}
}
