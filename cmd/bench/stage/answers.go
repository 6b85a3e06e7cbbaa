package stage

import (
	"crypto/rand"
	"fmt"
	"net"
	"strings"
	"time"
)

// Answers says that a SIP server answers OPTIONS (RFC 3261 §11) there, over UDP and over TCP. A Kamailio listens long before it does, for its
// workers come last.
func Answers(addr string) bool {
	return answers(addr, "udp") && answers(addr, "tcp")
}

func answers(addr, network string) bool {
	conn, err := net.DialTimeout(network, addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(500 * time.Millisecond))
	_, _ = fmt.Fprintf(conn, "OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/%[2]s %[3]s;branch=z9hG4bK%[4]s;rport\r\nFrom: <sip:up@%[1]s>;tag=1\r\nTo: <sip:%[1]s>\r\n"+
		"Call-ID: %[4]s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n", addr, strings.ToUpper(network), conn.LocalAddr(), rand.Text())
	n, err := conn.Read(make([]byte, 1500))
	return err == nil && n > 0
}
