package main

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/media"
	"zaseki/sip"
	"zaseki/web/wire"
)

const pair = "agent<caller caller<agent"

// TestSupervisorsTakePartInACall: real center, phones, SIP and sound; five tones prove who hears whom at every step.
func TestSupervisorsTakePartInACall(t *testing.T) {
	if testing.Short() {
		t.Skip("sound in real time: not with -short")
	}
	h := newHall(t)
	agent, boss, other := h.colleague("agent", "mori", wire.StatusBreak), h.colleague("boss", "boss", wire.StatusBreak), h.colleague("other", "other", wire.StatusBreak)
	far := h.customer("2016", hzCaller, "PCMU")
	h.ears["caller"] = far.ear
	h.join(agent, boss, other)
	ask := func(c *colleague, mode string, follow bool) {
		face{c.phone}.Post(wire.Supervise{Account: "mori", Mode: mode, Follow: follow})
	}

	ask(boss, wire.SuperviseListen, false)
	boss.until("in no call there is nothing to listen to", func(s wire.Snapshot) bool { return len(s.Notices) > 0 })
	far.calls(t, "2011")
	call := agent.talks()
	h.heard("two talk", pair)

	ask(boss, wire.SuperviseListen, false)
	boss.until("listening", supervises(wire.SuperviseListen))
	if s := agent.until("it is shown", attended(1)); s.Attendants[0].Name != "Boss" || len(s.Calls) != 1 || s.Status.Shown != wire.StatusBreak {
		t.Errorf("the agent sees %+v, calls %v, status %s", s.Attendants, s.Calls, s.Status.Shown)
	}
	h.heard("listen", pair+" boss<agent boss<caller")
	ask(boss, wire.SuperviseWhisper, false)
	h.heard("whisper", pair+" boss<agent boss<caller agent<boss")
	ask(boss, wire.SuperviseJoin, false)
	h.heard("join", pair+" boss<agent boss<caller agent<boss caller<boss")
	ask(boss, wire.SuperviseListen, false)
	h.heard("listen again", pair+" boss<agent boss<caller")

	ask(other, wire.SuperviseWhisper, true)
	other.until("whispering", supervises(wire.SuperviseWhisper))
	const two = pair + " boss<agent boss<caller other<agent other<caller agent<other"
	h.heard("two supervisors", two)
	agent.agent.Post(wire.Mute{On: true})
	h.heard("the agent is muted, and hears the whisper", "agent<caller boss<caller other<caller agent<other")
	agent.agent.Post(wire.Mute{})
	agent.agent.Post(wire.CardMode{Call: call.ID, On: true})
	h.heard("a card number", pair+" agent<other")
	agent.agent.Post(wire.CardMode{Call: call.ID})
	h.heard("no card number any more", two)
	agent.agent.Post(wire.Hold{Call: call.ID, On: true})
	h.heard("on hold", "boss<agent other<agent agent<other")
	agent.agent.Post(wire.Hold{Call: call.ID})
	h.heard("resumed", two)
	agent.endPage()
	h.heard("the agent's page is away", "boss<caller other<caller")
	agent.page(t)
	h.heard("and back", two)

	if err := far.Line.Hangup(t.Context(), far.line); err != nil {
		t.Fatal(err)
	}
	boss.until("it ends with the call", supervises(""))
	other.until("who follows waits", func(s wire.Snapshot) bool { return s.Supervised != nil && s.Supervised.Idle })
	h.heard("in between nobody hears anybody", "")
	if s := agent.until("one is left", attended(1)); len(s.History) != 1 || len(s.Calls) != 0 {
		t.Errorf("history %v, calls %v", s.History, s.Calls)
	}
	if s := boss.until("over", func(wire.Snapshot) bool { return true }); len(s.History) != 0 || len(s.Calls) != 0 || s.Missed != 0 {
		t.Errorf("the supervisor's own list has %v", s.History)
	}

	second := h.customer("2017", hzSecond)
	h.ears["second"] = second.ear
	second.calls(t, "2011")
	next := agent.talks()
	began := time.Now()
	other.until("with the next call", func(s wire.Snapshot) bool { return s.Supervised != nil && !s.Supervised.Idle })
	t.Logf("again in the conversation after %v", time.Since(began))
	const follows = "agent<second second<agent other<agent other<second agent<other"
	h.heard("in the next call", follows)
	agent.agent.Post(wire.Transfer{Call: next.ID, Number: "2016"})
	agent.until("the caller is sent on", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
	h.heard("the two customers talk, and nobody listens", "caller<second second<caller")
	ask(other, "", false)
	agent.until("nobody is left", attended(0))
	other.until("over", supervises(""))
	for end := time.Now().Add(30 * time.Second); len(agent.legs())+len(other.legs())+len(boss.legs()) > 0; pass(t, 10*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("legs are left: %v, %v, %v", agent.legs(), other.legs(), boss.legs())
		}
	}
}

// TestASupervisorGoesNowhereElse: with who asks another agent, in a conference, after an attended transfer, with a call of the
// supervisor's own, without the right, and with a permit that nobody gave.
func TestASupervisorGoesNowhereElse(t *testing.T) {
	if testing.Short() {
		t.Skip("sound in real time: not with -short")
	}
	h := newHall(t)
	agent, boss, other := h.colleague("agent", "mori", wire.StatusBreak), h.colleague("boss", "boss", wire.StatusBreak), h.colleague("other", "ono", wire.StatusBreak)
	third := h.colleague("third", "third", wire.StatusBreak)
	far, second := h.customer("2016", hzCaller), h.customer("2017", hzSecond)
	h.ears["caller"], h.ears["second"] = far.ear, second.ear
	h.join(agent, boss, other)

	far.calls(t, "2011")
	call := agent.talks()
	face{third.phone}.Post(wire.Supervise{Account: "mori", Mode: wire.SuperviseListen})
	third.until("another's group", func(s wire.Snapshot) bool { return len(s.Notices) > 0 && s.Supervised == nil })
	h.asks(boss, wire.Supervise{Account: "mori", Mode: wire.SuperviseListen})
	h.heard("listen", pair+" boss<agent boss<caller")

	// The agent asks a colleague: that is another conversation, and a conference is this one again.
	agent.agent.Post(wire.Dial{Number: "2012"})
	other.talks()
	h.heard("a consultation", "agent<other other<agent")
	agent.agent.Post(wire.Conference{On: true})
	h.heard("a conference", pair+" agent<other other<agent caller<other other<caller boss<agent boss<caller boss<other")
	agent.agent.Post(wire.Conference{})
	h.heard("parted", pair+" boss<agent boss<caller")
	s := agent.until("both are there", func(s wire.Snapshot) bool { return len(s.Calls) == 2 && s.Calls[1].Phase == wire.CallHeld })
	agent.agent.Post(wire.Connect{Call: call.ID, Other: s.Calls[1].ID})
	agent.until("the caller is with the colleague", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
	h.heard("nobody listens to them", "caller<other other<caller")
	boss.until("over", supervises(""))

	// A call of the supervisor's own ends it.
	second.calls(t, "2011")
	agent.talks()
	face{boss.phone}.Post(wire.Supervise{Account: "mori", Mode: wire.SuperviseJoin, Follow: true})
	const rest = "caller<other other<caller "
	h.heard("joined", rest+"agent<second second<agent boss<agent boss<second agent<boss second<boss")
	boss.agent.Post(wire.Dial{Number: "9999"})
	boss.until("in a call", func(s wire.Snapshot) bool { return s.Supervised == nil })
	agent.until("alone again", attended(0))
	h.heard("two talk", rest+"agent<second second<agent")

	// Somebody who made the permit up is refused, whatever he says he is.
	far2 := h.customer("2018", hzBoss)
	offer, err := far2.Sound.OpenLine("forged", far2.Line.LocalAddr(), media.Security{})
	if err == nil {
		err = far2.Line.Dial(t.Context(), "forged", "2011", offer, wire.PermitHeader, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	}
	if err != nil {
		t.Fatal(err)
	}
	for e := range far2.told {
		if e, refused := e.(sip.Failed); refused {
			if e.Code != 403 {
				t.Errorf("refused with %d %s", e.Code, e.Reason)
			}
			break
		}
	}
	h.heard("still two", rest+"agent<second second<agent")
}

// TestARaisedHandTakesTheLastWordsAlong: both sides of them, to who leads the agent and nobody else.
func TestARaisedHandTakesTheLastWordsAlong(t *testing.T) {
	if testing.Short() {
		t.Skip("sound in real time: not with -short")
	}
	h := newHall(t)
	yes := true
	h.apply(roster.Setup{Policies: []roster.Policy{{ID: "clip", Name: "Clip", Set: roster.PolicySet{Clip: &yes}}}})
	agent, boss, other := h.colleague("agent", "mori", wire.StatusBreak), h.colleague("boss", "boss", wire.StatusBreak), h.colleague("other", "ono", wire.StatusBreak)
	far := h.customer("2016", hzCaller)
	h.ears["caller"] = far.ear
	h.join(agent)
	far.calls(t, "2011")
	agent.talks()
	h.heard("two talk", pair)
	pass(t, 2*time.Second)
	face{agent.phone}.Post(wire.RaiseHand{On: true, Clip: true})
	var hand *wire.HandCall
	boss.until("a hand with its clip", func(s wire.Snapshot) bool {
		for _, n := range s.Notices {
			if n.Account == "mori" && n.Hand != nil {
				hand = n.Hand
			}
		}
		return hand != nil && hand.Clip != ""
	})
	if hand.Number != "2016" || hand.Since.IsZero() {
		t.Errorf("the hand is about %+v", hand)
	}
	if _, _, err := other.uplink.Recording(t.Context(), hand.Clip); err == nil {
		t.Error("a colleague may hear it")
	}
	sound, _, err := boss.uplink.Recording(t.Context(), hand.Clip)
	if err != nil {
		t.Fatal(err)
	}
	defer sound.Close()
	wav, err := io.ReadAll(sound)
	if err != nil || len(wav) < 44+4*16000 {
		t.Fatalf("%d bytes, %v", len(wav), err)
	}
	sides := [2]*ear{{rate: 16000}, {rate: 16000}}
	for at := 44; at+3 < len(wav); at += 4 {
		for i, side := range sides {
			side.pcm = append(side.pcm, int16(binary.LittleEndian.Uint16(wav[at+2*i:])))
		}
	}
	for i, side := range sides {
		side.pcm = side.pcm[max(0, len(side.pcm)-2*side.rate):] // in which both certainly talked
		for j, hz := range []int{hzAgent, hzCaller} {
			if side.hears(hz) != (i == j) {
				t.Errorf("side %d with %d Hz: %v", i, hz, i != j)
			}
		}
	}
	if s := agent.until("still talking", func(wire.Snapshot) bool { return true }); len(s.Calls) != 1 || s.Calls[0].Recording != "" {
		t.Errorf("calls %+v", s.Calls)
	}
}

// TestACallThatCannotBeMixedIsOfferedAnotherCodec: Opus, which nobody here can make. Until the far side has taken it the two go on as
// before; a customer who knows nothing else is left in peace, and who listens is told.
func TestACallThatCannotBeMixedIsOfferedAnotherCodec(t *testing.T) {
	if testing.Short() {
		t.Skip("sound in real time: not with -short")
	}
	h := newHall(t)
	boss := h.colleague("boss", "boss", wire.StatusBreak)
	h.codecs = []string{"opus", "PCMU"}
	agent := h.without("agent", "mori", wire.StatusBreak)
	h.join(boss)
	speaks := func(c *customer, codec string) {
		t.Helper()
		agent.until("by "+codec, func(s wire.Snapshot) bool {
			return len(s.Calls) == 1 && agent.sound.Stats(s.Calls[0].ID).Codec == codec
		})
	}
	listen := func() {
		t.Helper()
		h.asks(boss, wire.Supervise{Account: "mori", Mode: wire.SuperviseListen})
	}

	far := h.customer("2016", hzCaller, "opus", "PCMU")
	far.calls(t, "2011")
	agent.talks()
	speaks(far, "opus")
	listen()
	boss.until("listening", supervises(wire.SuperviseListen))
	h.heard("after the other codec", "boss<caller")
	if err := far.Line.Hangup(t.Context(), far.line); err != nil {
		t.Fatal(err)
	}
	boss.until("over", supervises(""))

	only := h.customer("2017", hzSecond, "opus")
	only.calls(t, "2011")
	agent.talks()
	speaks(only, "opus")
	listen()
	boss.until("told why not", func(s wire.Snapshot) bool { return s.Supervised == nil && len(s.Notices) > 0 })
	if s := agent.until("in peace", attended(0)); len(s.Calls) != 1 || s.Calls[0].Phase != wire.CallTalking {
		t.Errorf("calls %+v", s.Calls)
	}
}
