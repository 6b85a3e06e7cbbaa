package dialog_test

import (
	"encoding/json"
	"errors"
	"testing"

	"zaseki/sip/dialog"
)

// crossed is a call from one agent to another, as each of them would save it.
func crossed(t *testing.T, near, far *agent) (ours, theirs *dialog.Call) {
	t.Helper()
	ours = near.invite(far.addr, "udp")
	theirs = next(t, far.calls)
	if _, ok := ours.Save(); ok {
		t.Error("a call that nobody has answered was saved")
	}
	if err := theirs.Answer(far.context(), answer); err != nil {
		t.Fatal(err)
	}
	expect[dialog.Answered](t, near.out)
	return ours, theirs
}

// onward takes a saved call up in a user agent that has never heard of it, through its text.
func onward(t *testing.T, c *dialog.Call, to *agent) *dialog.Call {
	t.Helper()
	s, ok := c.Save()
	if !ok {
		t.Fatal("not saved")
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again dialog.Saved
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	call, err := to.Resume(again, func(e dialog.Event) { to.out <- e })
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// TestACallGoesOnInAnotherProcess: the process that made it says nothing more; the one that takes it up asks, offers, hears the far
// side, and hangs up.
func TestACallGoesOnInAnotherProcess(t *testing.T) {
	t.Parallel()
	for name, side := range map[string]bool{"of who called": true, "of who was called": false} {
		t.Run(name, func(t *testing.T) {
			near, far, heir := newAgent(t), newAgent(t), newAgent(t)
			ours, theirs := crossed(t, near, far)
			stays, events := theirs, far.in
			call := ours
			if !side {
				call, stays, events = theirs, ours, near.out
			}
			next := onward(t, call, heir)
			if err := next.Alive(heir.context()); err != nil {
				t.Fatalf("alive: %v", err)
			}
			go func() {
				for e := range events {
					if _, ok := e.(dialog.Reoffered); ok {
						stays.AnswerReoffer(answer)
						return
					}
				}
			}()
			if got, err := next.Reinvite(heir.context(), offer); err != nil || got != answer {
				t.Fatalf("re-INVITE: %q, %v", got, err)
			}
			if err := next.Hangup(heir.context()); err != nil {
				t.Fatal(err)
			}
			if e := expect[dialog.Ended](t, events); !e.ByPeer {
				t.Fatalf("%+v", e)
			}
		})
	}
}

// TestWhoLeftMeanwhileIsFoundOut: the far side has ended the call without anybody hearing it.
func TestWhoLeftMeanwhileIsFoundOut(t *testing.T) {
	near, far, heir := newAgent(t), newAgent(t), newAgent(t)
	ours, theirs := crossed(t, near, far)
	s, _ := ours.Save()
	if err := theirs.Hangup(far.context()); err != nil {
		t.Fatal(err)
	}
	call, err := heir.Resume(s, func(e dialog.Event) { heir.out <- e })
	if err != nil {
		t.Fatal(err)
	}
	var no *dialog.Refused
	if err := call.Alive(heir.context()); !errors.As(err, &no) || no.Code != 481 {
		t.Fatalf("alive: %v", err)
	}
	if e := expect[dialog.Ended](t, heir.out); e.Code != 481 {
		t.Fatalf("%+v", e)
	}
}

// TestAPhoneThatRingsForAProcessThatIsGoneIsTakenBack by who comes after it.
func TestAPhoneThatRingsForAProcessThatIsGoneIsTakenBack(t *testing.T) {
	near, far, heir := newAgent(t), newAgent(t), newAgent(t)
	ours := near.invite(far.addr, "udp")
	next(t, far.calls).Ring(180, "")
	expect[dialog.Progress](t, near.out)
	invite := ours.Sent()
	if err := heir.Recall(heir.context(), invite, "udp", far.addr, "Reason", `SIP;cause=200;text="Center restarted"`); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Ended](t, far.in); e.Code != 487 || !e.Elsewhere {
		t.Fatalf("%+v", e)
	}
	if err := heir.Recall(heir.context(), "OPTIONS sip:x SIP/2.0\r\n\r\n", "udp", far.addr); err == nil {
		t.Error("what is no INVITE was recalled")
	}
}

// TestWhatIsNoCallIsNotTakenUp: the file of a call may hold anything.
func TestWhatIsNoCallIsNotTakenUp(t *testing.T) {
	a := newAgent(t)
	for _, text := range []string{`{}`, `{"callId":"x"}`, `{"callId":"x\r\nEvil: 1","localTag":"y","peer":"127.0.0.1:9","local":{"uri":"sip:a@b"},"remote":{"uri":"sip:a@b"},"target":"sip:a@b"}`,
		`{"callId":"x","localTag":"y","peer":"127.0.0.1:9","local":{"uri":"sip:a@b"},"remote":{"uri":"sip:a@b"},"target":"?"}`} {
		var s dialog.Saved
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Resume(s, func(dialog.Event) {}); err == nil {
			t.Errorf("taken up: %s", text)
		}
	}
}
