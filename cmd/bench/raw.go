package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// rawCaller makes calls with nothing but a socket and text, so that what it times is the other side.
type rawCaller struct {
	conn *net.UDPConn
	n    int
	buf  [4096]byte
}

func newRawCaller(to netip.AddrPort) (*rawCaller, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	return &rawCaller{conn: conn}, err
}

func (c *rawCaller) close() { _ = c.conn.Close() }

// call makes one call, hangs up, and says how long the 180 took.
func (c *rawCaller) call(patience time.Duration) (to180 time.Duration, err error) {
	c.n++
	began := time.Now()
	if err := c.conn.SetDeadline(began.Add(patience)); err != nil {
		return 0, err
	}
	if err := c.say("INVITE", 1, "", benchSDP); err != nil {
		return 0, err
	}
	answer, err := c.hear("180", "INVITE")
	if err != nil {
		return 0, err
	}
	to180 = time.Since(began)
	if !strings.HasPrefix(answer, "SIP/2.0 200") {
		if answer, err = c.hear("200", "INVITE"); err != nil {
			return 0, err
		}
	}
	_, tag, _ := strings.Cut(header(answer, "To"), ";tag=")
	if err := errors.Join(c.say("ACK", 1, tag, ""), c.say("BYE", 2, tag, "")); err != nil {
		return 0, err
	}
	_, err = c.hear("200", "BYE")
	return to180, err
}

func (c *rawCaller) say(method string, seq int, tag, body string) error {
	if tag != "" {
		tag = ";tag=" + tag
	}
	at, to := c.conn.LocalAddr(), c.conn.RemoteAddr()
	kind := ""
	if body != "" {
		kind = fmt.Sprintf("Contact: <sip:raw@%s>\r\nContent-Type: application/sdp\r\n", at)
	}
	_, err := fmt.Fprintf(c.conn, "%s sip:uas@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK-%d-%s-%d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:raw@%s>;tag=raw%d\r\nTo: <sip:uas@%s>%s\r\nCall-ID: raw-%d@%s\r\nCSeq: %d %s\r\n%sContent-Length: %d\r\n\r\n%s",
		method, to, at, c.n, method, began(c), at, c.n, to, tag, c.n, at, seq, method, kind, len(body), body)
	return err
}

// began tells calls of different callers on one port apart.
func began(c *rawCaller) int { return c.conn.LocalAddr().(*net.UDPAddr).Port }

// hear waits for an answer to this call's request: the one named, or a final one.
func (c *rawCaller) hear(code, method string) (string, error) {
	for {
		n, err := c.conn.Read(c.buf[:])
		if err != nil {
			return "", err
		}
		text := string(c.buf[:n])
		if !strings.HasSuffix(header(text, "CSeq"), method) || !strings.HasPrefix(header(text, "Call-ID"), fmt.Sprintf("raw-%d@", c.n)) {
			continue
		}
		if strings.HasPrefix(text, "SIP/2.0 "+code) || strings.HasPrefix(text, "SIP/2.0 2") {
			return text, nil
		}
	}
}

func header(text, name string) string {
	for line := range strings.SplitSeq(text, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
