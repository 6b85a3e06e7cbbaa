package stack

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served is a Stack on a UDP and a TCP port that answers what reaches its handler with 200 and tells it.
func served(t *testing.T, cfg Config) (udp, tcp netip.AddrPort, got chan string) {
	t.Helper()
	s := New(cfg)
	got = make(chan string, 10000)
	s.Handle(Handlers{
		Request: func(in *Inbound) {
			got <- string(in.Req.Method) + " " + in.Req.CallID().Value() + " " + in.Req.CSeq().Value()
			_ = in.Answer(200, "OK")
		},
		Ack: func(ack *sip.Request) { got <- "ACK " + ack.CallID().Value() },
	})
	link, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err = s.ListenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	return link.Local(), tcp, got
}

func run(t testing.TB, s *Stack) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// connected is a running stack with a connection to the test, which holds its other end.
func connected(t *testing.T) (s *Stack, link *Link, conn net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s = New(Config{})
	run(t, s)
	if link, err = s.DialTCP(context.Background(), listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if conn, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return s, link, conn
}

func dial(t *testing.T, network string, to netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func message(method, id string, seq int, extra ...string) string {
	lines := []string{
		method + " sip:bob@127.0.0.1 SIP/2.0", fmt.Sprintf("Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK%s%s%d", method, id, seq),
		"From: <sip:a@h>;tag=1", "To: <sip:bob@h>", "Call-ID: " + id, fmt.Sprintf("CSeq: %d %s", seq, method), "Max-Forwards: 70",
	}
	return strings.Join(append(lines, extra...), "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

func next(t *testing.T, got chan string) string {
	t.Helper()
	select {
	case s := <-got:
		return s
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came")
		return ""
	}
}

func TestRetransmissionsAndAcksMakeNoSecondRequest(t *testing.T) {
	udp, _, got := served(t, Config{})
	conn := dial(t, "udp", udp)
	for range 3 {
		_, _ = conn.Write([]byte(message("OPTIONS", "r", 1)))
	}
	_, _ = conn.Write([]byte(message("ACK", "stray", 1)))
	_, _ = conn.Write([]byte(message("OPTIONS", "r", 2)))
	for _, want := range []string{"OPTIONS r 1 OPTIONS", "ACK stray", "OPTIONS r 2 OPTIONS"} {
		if have := next(t, got); have != want {
			t.Errorf("got %s, want %s", have, want)
		}
	}
}

// answerTo1 is the first final answer on the connection, "" when none comes.
func firstCode(t *testing.T, conn net.Conn) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
	buf := make([]byte, 65535)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return ""
		}
		if f := strings.Fields(string(buf[:n])); len(f) > 1 && f[0] == "SIP/2.0" && f[1] >= "200" {
			return f[1]
		}
	}
}

// TestTortureFiles are the messages of RFC 4475 that sipgo carries: what an endpoint that knows INVITE, OPTIONS and REGISTER says.
// "" is silence: no request, an ACK's fate, or no way back.
func TestTortureFiles(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/emiago/sipgo").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "sip/testdata/torture/*/*.dat"))
	if len(files) < 50 {
		t.Fatalf("%d torture files", len(files))
	}
	want := map[string]string{
		"badaspec": "400", "badbranch": "200", "baddate": "200", "baddn": "400", "badinv01": "400", "badvers": "505", "bcast": "", "bext01": "420",
		"bigcode": "", "clerr": "400", "cparam01": "200", "cparam02": "200", "escruri": "400", "insuf": "400", "inv2543": "400", "invut": "415",
		"ltgtruri": "400", "lwsruri": "400", "lwsstart": "400", "mcl01": "400", "mismatch01": "400", "mismatch02": "400", "multi01": "400",
		"ncl": "400", "novelsc": "400", "quotbal": "400", "regaut01": "200", "regbadct": "400", "regescrt": "200", "scalar02": "400",
		"scalarlg": "", "sdp01": "406", "test": "", "trws": "400", "unkscm": "416", "unksm2": "200", "zeromf": "200",
		"dblreq": "200", "esc01": "200", "esc02": "405", "escnull": "200", "intmeth": "405", "longreq": "200", "lwsdisp": "200", "mpart01": "405",
		"noreason": "", "semiuri": "200", "transports": "200", "unreason": "", "wsinv": "200",
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".dat")
		t.Run(name, func(t *testing.T) {
			udp, _, _ := served(t, Config{Allow: []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER"}})
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// the answer goes to the port of the Via, which is not ours: ask for it here (RFC 3581)
			conn := dial(t, "udp", udp)
			if _, err := conn.Write([]byte(askBack(string(data)))); err != nil {
				t.Fatal(err)
			}
			if have := firstCode(t, conn); have != want[name] {
				t.Errorf("answered %q, want %q", have, want[name])
			}
			_, _ = conn.Write([]byte(message("OPTIONS", "alive", 1)))
			if have := firstCode(t, conn); have != "200" {
				t.Errorf("dead afterwards: %q", have)
			}
		})
	}
}

// askBack puts a Via of ours, with ;rport, on top of the message's own.
func askBack(text string) string {
	line, rest, _ := strings.Cut(text, "\r\n")
	if strings.HasPrefix(line, "SIP/") {
		return text
	}
	return line + "\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK" + sip.GenerateTagN(8) + "\r\n" + rest
}

func TestOneBadMessageDoesNotEndAConnection(t *testing.T) {
	_, tcp, got := served(t, Config{})
	conn := dial(t, "tcp", tcp)
	for _, bad := range []string{
		message("OPTIONS", "1", 1, "Contact: <sip:h:abc>"), message("OPTIONS", "2", 1, "no colon here"), message("OPTIONS", "3", 1, "Max-Forwards: x"),
	} {
		_, _ = conn.Write([]byte(bad))
		if code := firstCode(t, conn); code != "400" {
			t.Errorf("answered %q", code)
		}
	}
	_, _ = conn.Write([]byte("\r\n\r\n")) // a keep-alive; its pong comes before the answer
	_, _ = conn.Write([]byte(message("OPTIONS", "good", 1)))
	if have := next(t, got); have != "OPTIONS good 1 OPTIONS" {
		t.Error(have)
	}
}

func TestWhoIsNotAdmittedIsNotRead(t *testing.T) {
	udp, tcp, got := served(t, Config{Admit: func(netip.AddrPort) bool { return false }})
	conn := dial(t, "udp", udp)
	_, _ = conn.Write([]byte(message("OPTIONS", "x", 1)))
	if code := firstCode(t, conn); code != "" {
		t.Errorf("answered %s", code)
	}
	stream := dial(t, "tcp", tcp)
	_ = stream.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := stream.Read(make([]byte, 1)); err == nil {
		t.Error("connection was taken")
	}
	if len(got) > 0 {
		t.Error(<-got)
	}
}

func TestConnectionsOfOneAddressAreCounted(t *testing.T) {
	_, tcp, _ := served(t, Config{ConnsPerAddr: 2})
	said := 0
	speak := func(c net.Conn) string {
		said++ // a request of its own each time, or it is a retransmission
		_, _ = c.Write([]byte(message("OPTIONS", fmt.Sprint("x", said), 1)))
		return firstCode(t, c)
	}
	closed := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, err := c.Read(make([]byte, 1))
		return err != nil && !os.IsTimeout(err)
	}
	silent, talker, third := dial(t, "tcp", tcp), dial(t, "tcp", tcp), net.Conn(nil)
	if code := speak(talker); code != "200" {
		t.Fatalf("second connection: %q", code)
	}
	// Who says nothing makes room for who talks; when all talk, a further one is refused.
	third = dial(t, "tcp", tcp)
	if code := speak(third); code != "200" || !closed(silent) {
		t.Errorf("third connection: %q, the silent one closed: %v", code, closed(silent))
	}
	if !closed(dial(t, "tcp", tcp)) {
		t.Error("a further connection was taken though all there are talk")
	}
	if code := speak(talker); code != "200" {
		t.Errorf("second connection afterwards: %q", code)
	}
}

func TestLargeRequestsLeaveOverUDP(t *testing.T) {
	udp, _, got := served(t, Config{})
	s := New(Config{})
	link, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	msg, _ := sip.ParseMessage([]byte(message("OPTIONS", "large", 1, "Subject: "+strings.Repeat("x", 8000))))
	req := msg.(*sip.Request)
	req.RemoveHeader("Via")
	codes := make(chan string, 1)
	if _, err := s.Send(req, link, udp, func(res *sip.Response, err error) { codes <- fmt.Sprint(res.StatusCode, err) }); err != nil {
		t.Fatal(err)
	}
	next(t, got)
	if code := next(t, codes); code != "200 <nil>" {
		t.Error(code)
	}
}

func TestLostConnectionEndsWhatWaitsOnIt(t *testing.T) {
	s, link, conn := connected(t)
	msg, _ := sip.ParseMessage([]byte(message("OPTIONS", "x", 1)))
	req := msg.(*sip.Request)
	req.RemoveHeader("Via")
	ended := make(chan string, 1)
	if _, err := s.Send(req, link, link.Remote(), func(_ *sip.Response, err error) { ended <- err.Error() }); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := next(t, ended); !strings.Contains(err, "transport") {
		t.Error(err)
	}
	<-link.Done()
	if link.Err() == nil {
		t.Error("no reason")
	}
}

// TestEveryMessageSaysItsLength, also the ACK that the transaction makes by itself.
func TestEveryMessageSaysItsLength(t *testing.T) {
	s, link, conn := connected(t)
	msg, _ := sip.ParseMessage([]byte(message("INVITE", "x", 1)))
	req := msg.(*sip.Request)
	req.RemoveHeader("Via")
	if _, err := s.Send(req, link, link.Remote(), func(*sip.Response, error) {}); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 65535)
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := sip.ParseMessage(buf[:n])
	_, _ = conn.Write([]byte(sip.NewResponseFromRequest(got.(*sip.Request), 486, "Busy", nil).String()))
	if n, err = conn.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "ACK ") || !strings.Contains(string(buf[:n]), "Content-Length: 0\r\n") {
		t.Errorf("%v %s", err, buf[:n])
	}
}
