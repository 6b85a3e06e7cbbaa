package sip_test

import (
	"net"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip"
	"zaseki/sip/stack"
)

// server is a server without manners, message by message, on a UDP port of its own.
type server struct {
	t    *testing.T
	conn *net.UDPConn
	far  *net.UDPAddr // the phone
}

func newServer(t *testing.T) *server {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &server{t: t, conn: conn}
}

// reads is the next message, whatever it is.
func (s *server) reads() sipgo.Message {
	s.t.Helper()
	buf := make([]byte, 65535)
	_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		n, from, err := s.conn.ReadFromUDP(buf)
		if err != nil {
			s.t.Fatal(err)
		}
		s.far = from
		if msg, err := sipgo.ParseMessage(buf[:n]); err == nil {
			return msg
		}
	}
}

// gets is the next request of that method; repetitions and others are passed over.
func (s *server) gets(method sipgo.RequestMethod) *sipgo.Request {
	s.t.Helper()
	buf := make([]byte, 65535)
	_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		n, from, err := s.conn.ReadFromUDP(buf)
		if err != nil {
			s.t.Fatalf("no %s: %v", method, err)
		}
		s.far = from
		if msg, err := sipgo.ParseMessage(buf[:n]); err == nil {
			if req, ok := msg.(*sipgo.Request); ok && req.Method == method {
				return req
			}
		}
	}
}

func (s *server) says(req *sipgo.Request, code int, headers ...string) {
	res := sipgo.NewResponseFromRequest(req, code, "x", nil)
	res.To().Params.Add("tag", "server")
	stack.AddHeaders(res, headers...)
	s.sends(res.String())
}

func (s *server) sends(text string) { _, _ = s.conn.WriteToUDP([]byte(text), s.far) }

// registers the phone, challenge and all.
func (s *server) registers(p *phone) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.Register(p.context(), p.account(s.conn.LocalAddr().String(), "udp")) }()
	s.says(s.gets(sipgo.REGISTER), 401, "WWW-Authenticate", `Digest realm="zaseki.test", nonce="1", qop="auth"`)
	again := s.gets(sipgo.REGISTER)
	if stack.Header(again, "Authorization") == "" {
		s.t.Error("our registrar got no answer to its challenge")
	}
	s.says(again, 200, "Contact", stack.Header(again, "Contact")+";expires=60")
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
	expect[sip.Registered](p)
}

const inviteHead = "INVITE sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKleak\r\nFrom: <sip:eve@zaseki.test>;tag=eve\r\n" +
	"To: <sip:alice@zaseki.test>\r\nCall-ID: leak\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:eve@127.0.0.1>\r\nContent-Length: 0\r\n\r\n"

// TestChallengeOfOurByeIsNotAnswered: who calls us and challenges our hang-up, even in our realm, gets nothing to crack.
func TestChallengeOfOurByeIsNotAnswered(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	s.sends(inviteHead)
	call := expect[sip.Incoming](p)
	answered := make(chan error, 1)
	go func() { answered <- p.Answer(p.context(), call.Call, sdpOf("alice", "sendrecv")) }()
	tag := s.toTag()
	s.sends(strings.NewReplacer("INVITE sip", "ACK sip", "1 INVITE", "1 ACK", "<sip:alice@zaseki.test>", "<sip:alice@zaseki.test>;tag="+tag, "bKleak", "bKack").Replace(inviteHead))
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	hung := make(chan error, 1)
	go func() { hung <- p.Hangup(p.context(), call.Call) }()
	bye := s.gets(sipgo.BYE)
	if stack.Header(bye, "Authorization")+stack.Header(bye, "Proxy-Authorization") != "" {
		t.Fatal("credentials in a BYE")
	}
	s.says(bye, 407, "Proxy-Authenticate", `Digest realm="zaseki.test", nonce="2", qop="auth"`)
	<-hung
	expect[sip.Ended](p)
	_ = s.conn.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
	buf := make([]byte, 65535)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			return
		}
		if strings.Contains(strings.ToLower(string(buf[:n])), "authorization") {
			t.Fatalf("leak:\n%s", buf[:n])
		}
	}
}

// toTag is the tag of the phone's 200.
func (s *server) toTag() string {
	s.t.Helper()
	buf := make([]byte, 65535)
	_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			s.t.Fatal(err)
		}
		if msg, err := sipgo.ParseMessage(buf[:n]); err == nil {
			if res, ok := msg.(*sipgo.Response); ok && res.StatusCode == 200 {
				return stack.Tag(res.To().Params)
			}
		}
	}
}

// TestStrangersRealmOnOurInviteIsNotAnswered: the far end of our call asks in its own realm.
func TestStrangersRealmOnOurInviteIsNotAnswered(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	if err := p.Dial(p.context(), "out", "eve", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	s.says(s.gets(sipgo.INVITE), 407, "Proxy-Authenticate", `Digest realm="evil.test", nonce="2", qop="auth"`)
	if e := expect[sip.Failed](p); e.Code != 407 {
		t.Errorf("%+v", e)
	}
}

// TestStrangersAreNotHeard: only the server's address rings.
func TestStrangersAreNotHeard(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	stranger, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(address())}, s.far)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	_, _ = stranger.Write([]byte(inviteHead))
	_, _ = stranger.Write([]byte("garbage"))
	s.sends(strings.NewReplacer("INVITE", "OPTIONS", "bKleak", "bKopt").Replace(inviteHead))
	if tag := s.toTag(); tag == "" {
		t.Error("OPTIONS of our server is not answered")
	}
	select {
	case e := <-p.events:
		t.Errorf("%T", e)
	default:
	}
}

func TestShortIntervalIsRaised(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	done := make(chan error, 1)
	go func() { done <- p.Register(p.context(), p.account(s.conn.LocalAddr().String(), "udp")) }()
	s.says(s.gets(sipgo.REGISTER), 423, "Min-Expires", "600")
	again := s.gets(sipgo.REGISTER)
	if got := stack.Header(again, "Expires"); got != "600" {
		t.Errorf("asked for %s", got)
	}
	s.says(again, 200, "Contact", "<sip:other@127.0.0.1:9>;expires=5, "+stack.Header(again, "Contact")+";expires=600")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if e := expect[sip.Registered](p); e.Expires != 10*time.Minute {
		t.Errorf("%+v", e)
	}
}

// TestLineIsRenewedAndTriedAgain: after two thirds of its time, and with pauses while the server is in trouble; a
// forbidden line is not tried again.
func TestLineIsRenewedAndTriedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	s, p := newServer(t), newPhone(t, "alice")
	done := make(chan error, 1)
	go func() { done <- p.Register(p.context(), p.account(s.conn.LocalAddr().String(), "udp")) }()
	first := s.gets(sipgo.REGISTER)
	s.says(first, 200, "Contact", stack.Header(first, "Contact")+";expires=1")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect[sip.Registered](p)
	s.says(s.gets(sipgo.REGISTER), 503)
	expect[sip.LineLost](p)
	if e := expect[sip.RegisterFailed](p); e.Code != 503 || e.Fatal {
		t.Errorf("%+v", e)
	}
	again := s.gets(sipgo.REGISTER)
	if stack.Header(again, "Call-ID") != stack.Header(first, "Call-ID") || again.CSeq().SeqNo <= first.CSeq().SeqNo {
		t.Errorf("%v", again)
	}
	s.says(again, 200, "Contact", stack.Header(again, "Contact")+";expires=1")
	expect[sip.Registered](p)
	s.says(s.gets(sipgo.REGISTER), 403)
	expect[sip.LineLost](p)
	if e := expect[sip.RegisterFailed](p); e.Code != 403 || !e.Fatal {
		t.Errorf("%+v", e)
	}
}

// TestOutsideCallerThroughTheProxy: sipp calls the phone.
func TestOutsideCallerThroughTheProxy(t *testing.T) {
	k, p := kamailio(t), newPhone(t, "alice")
	p.register(k.addr, "udp")
	host, _, _ := strings.Cut(k.addr, ":")
	wait := k.run(t, "-sf", scenario(t, "uac.xml"), "-m", "1", "-d", "200", "-s", "alice", host+":5060")
	call := expect[sip.Incoming](p)
	if call.User != "sipp" {
		t.Errorf("%+v", call)
	}
	if err := p.Ring(call.Call); err != nil {
		t.Fatal(err)
	}
	// Two workers of the proxy swap what is sent in the same millisecond, and sipp gives up on a 200 before its 180.
	<-time.After(100 * time.Millisecond)
	if err := p.Answer(p.context(), call.Call, sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	if e := expect[sip.Ended](p); !e.ByPeer {
		t.Errorf("%+v", e)
	}
	wait()
}
