package stack

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestBindingAnswersAsInRFC5769: the addresses of its sample responses.
func TestBindingAnswersAsInRFC5769(t *testing.T) {
	ask, _ := hex.DecodeString("000100002112a442b7e7a701bc34d686fa87dfae")
	for from, want := range map[string]string{
		"192.0.2.1:32853": "0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643",
		"[2001:db8:1234:5678:11:2233:4455:6677]:32853": "010100182112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
	} {
		if got := hex.EncodeToString(bindingAnswer(ask, netip.MustParseAddrPort(from))); got != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
	if !isBinding(ask) || isBinding(ask[:19]) || isBinding(append(bytes.Clone(ask), 0)) || isBinding([]byte("REGISTER sip:a SIP/2.0\r\n\r\n")) {
		t.Error("requests are not told apart")
	}
}

// TestAFlowIsKeptAliveByStun: only where that is wanted.
func TestAFlowIsKeptAliveByStun(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		s := New(Config{Bindings: wanted})
		run(t, s)
		link, err := s.ListenUDP("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("udp", link.Local().String())
		if err != nil {
			t.Fatal(err)
		}
		ask, _ := hex.DecodeString("000100002112a442b7e7a701bc34d686fa87dfae")
		conn.Write(ask)
		conn.SetReadDeadline(time.Now().Add(time.Second))
		buf := make([]byte, 100)
		n, err := conn.Read(buf)
		if answered := err == nil && bytes.Equal(buf[8:20], ask[8:20]); answered != wanted {
			t.Errorf("wanted %v, answered %v: %x", wanted, answered, buf[:n])
		}
		conn.Close()
	}
}
