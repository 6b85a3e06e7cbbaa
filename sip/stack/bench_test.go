package stack

import (
	"bytes"
	"fmt"
	"net"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// BenchmarkAnsweredCall is INVITE, 180, 200, ACK, BYE, 200 over UDP on loopback, one after the other; the caller costs next to
// nothing, so that the figures are the stack's.
func BenchmarkAnsweredCall(b *testing.B) {
	s := New(Config{Server: "Zaseki"})
	s.Handle(Handlers{
		Request: func(in *Inbound) {
			if in.Req.Method != sip.INVITE {
				_ = in.Answer(200, "OK")
				return
			}
			_ = in.Answer(180, "Ringing", "Contact", "<sip:bob@127.0.0.1>")
			_ = in.Answer(200, "OK", "Contact", "<sip:bob@127.0.0.1>")
		},
		Ack: func(*sip.Request) {},
	})
	link, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	run(b, s)
	conn, err := net.Dial("udp", link.Local().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 65535)
	request := func(method string, n int, seq int) []byte {
		return fmt.Appendf(nil, "%s sip:bob@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;rport;branch=z9hG4bK-%d-%s\r\nFrom: \"a\" <sip:a@h>;tag=%d\r\n"+
			"To: <sip:bob@h>\r\nCall-ID: call-%d@bench\r\nCSeq: %d %s\r\nContact: <sip:a@127.0.0.1:5061>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", method, n, method, n, n, seq, method)
	}
	answer := func(code string) {
		for {
			n, err := conn.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			if bytes.HasPrefix(buf[:n], []byte("SIP/2.0 "+code)) {
				return
			}
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, _ = conn.Write(request("INVITE", i, 1))
		answer("180")
		answer("200")
		_, _ = conn.Write(request("ACK", i, 1))
		_, _ = conn.Write(request("BYE", i, 2))
		answer("200")
	}
}
