package stack

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// onCores runs a test with that many processors: the order of messages was lost in different ways with one and with many.
func onCores(t *testing.T, test func(*testing.T)) {
	for _, n := range []int{1, 8} {
		t.Run(fmt.Sprint("cores ", n), func(t *testing.T) {
			before := runtime.GOMAXPROCS(n)
			defer runtime.GOMAXPROCS(before)
			test(t)
		})
	}
}

func TestRequestsKeepTheirOrder(t *testing.T) { onCores(t, requestsKeepTheirOrder) }

func requestsKeepTheirOrder(t *testing.T) {
	udp, tcp, got := served(t, Config{Allow: []string{"INFO", "NOTIFY"}})
	for network, addr := range map[string]netip.AddrPort{"udp": udp, "tcp": tcp} {
		t.Run(network, func(t *testing.T) {
			conn := dial(t, network, addr)
			for i := range 1000 { // pairs back to back
				for _, method := range []string{"INFO", "NOTIFY"} {
					if _, err := conn.Write([]byte(message(method, network, i+1))); err != nil {
						t.Fatal(err)
					}
				}
				for _, method := range []string{"INFO", "NOTIFY"} {
					if want, have := fmt.Sprintf("%s %s %d %s", method, network, i+1, method), next(t, got); have != want {
						t.Fatalf("got %s, want %s", have, want)
					}
				}
			}
		})
	}
}

func TestResponsesKeepTheirOrder(t *testing.T) { onCores(t, responsesKeepTheirOrder) }

func responsesKeepTheirOrder(t *testing.T) {
	far, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	s, tcp, conn := connected(t)
	udp, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort(far.LocalAddr().String())
	t.Run("udp", func(t *testing.T) {
		answersInOrder(t, s, udp, to, func(buf []byte) (int, func([]byte)) {
			n, from, _ := far.ReadFrom(buf)
			return n, func(data []byte) { _, _ = far.WriteTo(data, from) }
		})
	})
	t.Run("tcp", func(t *testing.T) {
		answersInOrder(t, s, tcp, tcp.Remote(), func(buf []byte) (int, func([]byte)) {
			n, _ := conn.Read(buf)
			return n, func(data []byte) { _, _ = conn.Write(data) }
		})
	})
}

// answersInOrder sends INVITEs and answers each with 180, 183 and 200 back to back.
func answersInOrder(t *testing.T, s *Stack, link *Link, to netip.AddrPort, read func([]byte) (int, func([]byte))) {
	for range 300 {
		msg, err := sip.ParseMessage([]byte(message("INVITE", sip.GenerateTagN(8), 1)))
		if err != nil {
			t.Fatal(err)
		}
		req := msg.(*sip.Request)
		req.RemoveHeader("Via")
		codes := make(chan string, 10)
		if _, err := s.Send(req, link, to, func(res *sip.Response, err error) { codes <- fmt.Sprint(res.StatusCode, err) }); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, answer := read(buf)
		got, err := sip.ParseMessage(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []int{180, 183, 200} {
			answer([]byte(sip.NewResponseFromRequest(got.(*sip.Request), code, "x", nil).String()))
		}
		for _, want := range []string{"180 <nil>", "183 <nil>", "200 <nil>"} {
			if have := next(t, codes); have != want {
				t.Fatalf("got %s, want %s", have, want)
			}
		}
	}
}

// TestLoopsEnd: who passes INVITEs on refuses the one without a hop left, and only that.
func TestLoopsEnd(t *testing.T) {
	for forwards, want := range map[bool]string{true: "483", false: "200"} {
		udp, _, _ := served(t, Config{Forwards: forwards})
		conn := dial(t, "udp", udp)
		last := func(method string) string {
			return strings.Replace(message(method, method, 1, "Contact: <sip:a@h>"), "Max-Forwards: 70", "Max-Forwards: 0", 1)
		}
		_, _ = conn.Write([]byte(last("INVITE")))
		if code := firstCode(t, conn); code != want {
			t.Errorf("forwards %v: %s", forwards, code)
		}
		_, _ = conn.Write([]byte(last("OPTIONS")))
		if code := firstCode(t, conn); code != "200" {
			t.Errorf("OPTIONS: %s", code)
		}
	}
}

// TestRepeatedRequestsHearTheSameAnswer: from what is kept, for as long as it is.
func TestRepeatedRequestsHearTheSameAnswer(t *testing.T) {
	s := New(Config{})
	s.Handle(Handlers{Request: func(in *Inbound) { _ = in.Answer(200, "OK") }})
	link, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	conn := dial(t, "udp", link.Local())
	buf := make([]byte, 4096)
	ask := func(text string) string {
		t.Helper()
		_, _ = conn.Write([]byte(text))
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	options := message("OPTIONS", "x", 1)
	first := ask(options)
	if again := ask(options); again != first || !strings.Contains(first, ";tag=") {
		t.Errorf("%s\nand then\n%s", first, again)
	}
	// An INVITE that was answered absorbs its repetition, and its CANCEL hears the same tag.
	invite := message("INVITE", "y", 1, "Contact: <sip:a@h>")
	tag := toTagOf(ask(invite))
	_, _ = conn.Write([]byte(invite))
	cancel := strings.ReplaceAll(strings.ReplaceAll(invite, "INVITE", "CANCEL"), "bKCANCEL", "bKINVITE")
	if got := ask(cancel); !strings.HasPrefix(got, "SIP/2.0 200 ") || !strings.Contains(got, "CSeq: 1 CANCEL") || toTagOf(got) != tag {
		t.Error(got)
	}
	s.sweep(time.Now().Add(65 * sip.T1))
	s.mu.Lock()
	left := len(s.settled) + len(s.settling) + len(s.inbounds) + len(s.merged)
	s.mu.Unlock()
	if left != 0 {
		t.Errorf("%d things are kept for ever", left)
	}
}

func toTagOf(text string) string {
	_, rest, _ := strings.Cut(text, "To: <sip:bob@h>;tag=")
	tag, _, _ := strings.Cut(rest, "\r\n")
	return tag
}
