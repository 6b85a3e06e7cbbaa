package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/web/wire"
)

// ringer is a telephone server on a socket: it takes every registration and lets every call ring, until it is cancelled.
func ringer(t *testing.T) (address string, heard chan string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard = make(chan string, 100)
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		for buf := make([]byte, 65536); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			request := string(buf[:n])
			method, _, _ := strings.Cut(request, " ")
			heard <- method
			switch method {
			case "REGISTER", "CANCEL":
				_, _ = conn.WriteTo([]byte(answerTo(request, "200 OK")), from)
			case "INVITE":
				_, _ = conn.WriteTo([]byte(answerTo(request, "180 Ringing")), from)
			}
		}
	}()
	return conn.LocalAddr().String(), heard
}

// answerTo is a response to that request, made of its own headers.
func answerTo(request, status string) string {
	answer := "SIP/2.0 " + status + "\r\n"
	for line := range strings.SplitSeq(request, "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); strings.ToLower(name) {
		case "via", "from", "call-id", "cseq", "contact":
			answer += line + "\r\n"
		case "to":
			answer += line + ";tag=there\r\n"
		}
	}
	return answer + "Expires: 300\r\nContent-Length: 0\r\n\r\n"
}

// TestACallHungUpBeforeItIsCalledAgainRingsNowhere: the far side insists on encryption, and the hang-up comes between its
// refusal and the second call.
func TestACallHungUpBeforeItIsCalledAgainRingsNowhere(t *testing.T) {
	server, heard := ringer(t)
	p, until := startLocal(t, config{})
	p.agent.Post(wire.UseSIP{SIPForm: wire.SIPForm{Server: server, User: "3001", Domain: demoDomain, Transport: "udp", Voice: wire.VoiceOptional, KeysInClear: true},
		Password: "any"})
	until("signed in", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	p.leg("call").number = "3002"
	l := p.again("call") // what its 488 does first
	if l == nil || p.again("call") != nil {
		t.Fatal("a refused call is called again once")
	}
	p.drop(t.Context(), "call")
	p.forget("call")
	p.redial("call", l, media.Security{Policy: wire.VoiceRequired, Keys: true})
	for late := time.After(5 * time.Second); ; {
		select {
		case method := <-heard:
			if method == "CANCEL" {
				return
			}
		case <-late:
			t.Fatal("it still rings there")
		}
	}
}

// TestNewsOfACallThatIsForgottenBringsNothingBack: a 487 comes after the hang-up that caused it, a 488 may.
func TestNewsOfACallThatIsForgottenBringsNothingBack(t *testing.T) {
	p, _ := startLocal(t, config{})
	p.mu.Lock()
	p.account = wire.SIPAccount{Voice: wire.VoiceOptional, KeysInClear: true}
	p.mu.Unlock()
	for _, code := range []int{487, 488} {
		p.tellLine(sip.Failed{Call: "gone", Code: code})
	}
	p.leg("leaving").number = "3002"
	p.drop(t.Context(), "leaving")
	p.tellLine(sip.Failed{Call: "leaving", Code: 488})
	p.forget("leaving")
	p.jobs.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.calls) != 0 {
		t.Errorf("left are %v", p.calls)
	}
}
