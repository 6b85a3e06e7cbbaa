package stack

import (
	"bufio"
	"fmt"
	"net/textproto"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// TestLinkThatIsFoundLostByWhoHearsAnAnswer: the write of an ACK may find out, while the transaction hands the answer up.
func TestLinkThatIsFoundLostByWhoHearsAnAnswer(t *testing.T) {
	s, link, conn := connected(t)
	msg, _ := sip.ParseMessage([]byte(message("OPTIONS", "x", 1)))
	req := msg.(*sip.Request)
	req.RemoveHeader("Via")
	told := make(chan string, 2)
	if _, err := s.Send(req, link, link.Remote(), func(res *sip.Response, err error) {
		link.Close()
		told <- fmt.Sprint(res != nil, err)
	}); err != nil {
		t.Fatal(err)
	}
	reader := textproto.NewReader(bufio.NewReader(conn))
	if _, err := reader.ReadLine(); err != nil {
		t.Fatal(err)
	}
	headers, err := reader.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	answer := []string{"SIP/2.0 200 OK"}
	for _, name := range []string{"Via", "From", "To", "Call-Id", "Cseq"} {
		answer = append(answer, name+": "+headers.Get(name))
	}
	if _, err := conn.Write([]byte(strings.Join(answer, "\r\n") + "\r\nContent-Length: 0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := next(t, told); got != "true <nil>" {
		t.Error(got)
	}
}
