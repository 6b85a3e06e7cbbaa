package sip_test

import (
	"fmt"
	"strings"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip"
	"zaseki/sip/stack"
)

// accepts answers a SUBSCRIBE and sends the first NOTIFY of its dialog; it returns a function that sends more.
func (s *server) accepts(req *sipgo.Request, kind, body string) (notify func(seq int, state, body string) *sipgo.Response) {
	s.t.Helper()
	s.says(req, 200, "Expires", "600", "Contact", "<sip:notifier@"+s.conn.LocalAddr().String()+">")
	event := stack.Header(req, "Event")
	notify = func(seq int, state, body string) *sipgo.Response {
		s.t.Helper()
		s.sends(fmt.Sprintf("NOTIFY sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKn%s%d\r\nFrom: <sip:n@zaseki.test>;tag=server\r\n"+
			"To: <sip:alice@zaseki.test>;tag=%s\r\nCall-ID: %s\r\nCSeq: %d NOTIFY\r\nMax-Forwards: 70\r\nContact: <sip:notifier@127.0.0.1>\r\nEvent: %s\r\n"+
			"Subscription-State: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			event, seq, stack.Tag(req.From().Params), req.CallID().Value(), seq, event, state, kind, len(body), body))
		return s.answer(fmt.Sprint(seq, " NOTIFY"))
	}
	if res := notify(1, "active;expires=600", body); res.StatusCode != 200 {
		s.t.Errorf("first NOTIFY: %d", res.StatusCode)
	}
	return notify
}

// answer is the next answer to that request of ours.
func (s *server) answer(cseq string) *sipgo.Response {
	s.t.Helper()
	for {
		if res, ok := s.reads().(*sipgo.Response); ok && res.CSeq().Value() == cseq {
			return res
		}
	}
}

const info = `<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="%d" state="%s" entity="sip:102@zaseki.test">%s</dialog-info>`

func dialogInfo(version int, state, dialogs string) string {
	return fmt.Sprintf(info, version, state, dialogs)
}

// subscribed is the next SUBSCRIBE of that event.
func (s *server) subscribed(event string) *sipgo.Request {
	s.t.Helper()
	for {
		if req := s.gets(sipgo.SUBSCRIBE); stack.Header(req, "Event") == event {
			return req
		}
	}
}

func TestVoiceMailLamp(t *testing.T) {
	t.Parallel()
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	const kind = "application/simple-message-summary"
	notify := s.accepts(s.subscribed("message-summary"), kind, "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vm\r\nVoice-Message: 2/8 (0/2)\r\n")
	if e := expect[sip.Messages](p); !e.Waiting || e.New != 2 || e.Old != 8 || e.Account != "sip:alice@vm" {
		t.Errorf("%+v", e)
	}
	notify(2, "active", "Messages-Waiting: no\r\n")
	if e := expect[sip.Messages](p); e.Waiting || e.New != 0 {
		t.Errorf("%+v", e)
	}
	if res := notify(2, "active", "Messages-Waiting: yes\r\n"); res.StatusCode != 200 { // the transaction repeats its answer
		t.Errorf("%d", res.StatusCode)
	}
	notify(3, "terminated;reason=deactivated", "")
	again := s.subscribed("message-summary")
	if stack.Tag(again.To().Params) != "" {
		t.Errorf("a new subscription was asked for within the old: %v", again)
	}
	s.says(again, 489)
	s.sends(strings.NewReplacer("INVITE sip", "NOTIFY sip", "1 INVITE", "1 NOTIFY", "Content-Length: 0", "Event: message-summary\r\nContent-Type: "+kind+"\r\nContent-Length: 23").
		Replace(inviteHead) + "Messages-Waiting: yes\r\n")
	if e := expect[sip.Messages](p); !e.Waiting { // unasked, as some servers do
		t.Errorf("%+v", e)
	}
}

func TestLampsFollowTheirDialogs(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	s.says(s.subscribed("message-summary"), 489)
	p.Watch([]string{"102", "102", "evil\r\nX: 1"})
	sub := s.subscribed("dialog")
	if sub.Recipient.User != "102" || stack.Header(sub, "Accept") != "application/dialog-info+xml" {
		t.Errorf("%v", sub)
	}
	s.says(sub, 407, "Proxy-Authenticate", `Digest realm="zaseki.test", nonce="5", qop="auth"`)
	for sub = s.subscribed("dialog"); stack.Header(sub, "Proxy-Authorization") == ""; sub = s.subscribed("dialog") {
	}
	notify := s.accepts(sub, "application/dialog-info+xml", dialogInfo(0, "full", ""))
	if e := expect[sip.Lamp](p); e != (sip.Lamp{Number: "102", State: sip.LampIdle}) {
		t.Errorf("%+v", e)
	}
	for i, row := range []struct{ state, dialogs, want string }{
		{"partial", `<dialog id="a" direction="recipient"><state>early</state></dialog>`, sip.LampRinging},
		{"partial", `<dialog id="b"><state>confirmed</state></dialog>`, sip.LampBusy},
		{"partial", `<dialog id="b"><state>terminated</state></dialog>`, sip.LampRinging},
		{"full", `<dialog id="c" direction="initiator"><state>early</state></dialog>`, sip.LampBusy},
		{"full", ``, sip.LampIdle},
	} {
		notify(i+2, "active", dialogInfo(i+1, row.state, row.dialogs))
		if e := expect[sip.Lamp](p); e.State != row.want {
			t.Errorf("%+v: %+v", row, e)
		}
	}
	notify(10, "active", "<dialog-info><unclosed")
	notify(11, "terminated;reason=noresource", "")
	if e := expect[sip.Lamp](p); e.State != sip.LampUnknown {
		t.Errorf("%+v", e)
	}
	p.Watch(nil)
}

func TestWatchedNumberIsLeft(t *testing.T) {
	t.Parallel()
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	s.says(s.subscribed("message-summary"), 403)
	p.Watch([]string{"102"})
	s.accepts(s.subscribed("dialog"), "application/dialog-info+xml", dialogInfo(0, "full", ""))
	expect[sip.Lamp](p)
	p.Watch([]string{})
	bye := s.subscribed("dialog")
	if stack.Header(bye, "Expires") != "0" || stack.Tag(bye.To().Params) != "server" {
		t.Errorf("%v", bye)
	}
	s.says(bye, 200, "Expires", "0")
}

// TestReferOutOfTheBlueIsDeclined: nobody makes us call without a call of ours.
func TestReferOutOfTheBlueIsDeclined(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	s.sends(strings.NewReplacer("INVITE sip", "REFER sip", "1 INVITE", "1 REFER", "Content-Length", "Refer-To: <sip:1@evil>\r\nContent-Length").Replace(inviteHead))
	if res := s.answer("1 REFER"); res.StatusCode != 603 {
		t.Errorf("%d", res.StatusCode)
	}
}
