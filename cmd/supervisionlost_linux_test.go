package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
)

// killed pulls the plug of a phone and closes its page. What its next process shall end is written down by then.
func (s *stand) killed(p *person) {
	s.Helper()
	s.soon("the supervisor's part is written down", func() bool { return strings.Contains(s.noted(p), `"aside":true`) })
	p.phone.Kill()
	p.Close()
	delete(s.people, p.name)
}

// noted is what the phone has written down of the calls it is in.
func (s *stand) noted(p *person) string {
	data, _ := os.ReadFile(filepath.Join(s.dir, p.account, "calls.json"))
	return string(data)
}

// TestASupervisorsPhoneIsKilledWhileItIsHeard: agent and caller go on. The agent's phone ends the part when nothing came for five seconds
// and ten more; the supervisor's next process ends it too, and can begin anew.
func TestASupervisorsPhoneIsKilledWhileItIsHeard(t *testing.T) {
	s := newStand(t, false)
	agent, boss := s.works("agent", "agent1", "Available", "1"), s.supervisor("boss", "agent2")
	s.calls("caller", stage.Queue)
	s.answers(agent)
	s.attends(boss, "Join")
	s.heard("joined", pair+heeds+" agent<boss caller<boss")
	s.killed(boss)
	began := time.Now()
	s.heard("the supervisor is gone", pair)
	s.must(agent.Gone("StaticText", "Agent 2 (supervisor) has joined"))
	t.Logf("the agent's phone ended it after %v", time.Since(began).Round(time.Second))
	callsAlive(t, s.center, 1)

	s.starts(boss, "On break", "")
	s.soon("nothing is left", func() bool { return !strings.Contains(s.noted(boss), "aside") })
	s.must(boss.Click("link", "Seat view"))
	s.attends(boss, "Listen")
	s.heard("and listens again", pair+heeds)
}

// TestAnAgentsPhoneIsKilledWhileItIsListenedTo: nobody hears anybody. The next process of the phone hangs up the caller and the
// supervisor, unless that one has left by then: fifteen seconds without sound.
func TestAnAgentsPhoneIsKilledWhileItIsListenedTo(t *testing.T) {
	s := newStand(t, false)
	agent, boss := s.works("agent", "agent1", "Available", "1"), s.supervisor("boss", "agent2")
	caller := s.calls("caller", stage.Queue)
	s.answers(agent)
	s.attends(boss, "Join")
	s.heard("joined", pair+heeds+" agent<boss caller<boss")
	s.killed(agent)
	s.heard("the agent is gone", "")
	s.starts(agent, "Available", "1")
	s.must(boss.Gone("button", "End"))
	<-caller.gone
	delete(s.callers, "caller")
	s.heard("nobody is left", "")
	callsAlive(t, s.center, 0)
	s.soon("nothing is left", func() bool { return s.noted(agent) == "" })

	s.calls("second", stage.Queue)
	s.answers(agent)
	s.attends(boss, "Listen")
	s.heard("the next call", "agent<second second<agent boss<agent boss<second")
}

// TestTheCenterIsKilledWhileSupervisorsTakePart: who hears whom stays as it was, the pages say that the center is away, and one may
// leave. When it is back it knows who takes part still, and who does not.
func TestTheCenterIsKilledWhileSupervisorsTakePart(t *testing.T) {
	s := newStand(t, false)
	agent := s.works("agent", "agent1", "Available", "1")
	boss, chief := s.supervisor("boss", "agent2"), s.supervisor("chief", "agent4")
	caller := s.calls("caller", stage.Queue)
	s.answers(agent)
	s.attends(boss, "Listen")
	s.attends(chief, "Whisper")
	s.heard("two supervisors", pair+heeds+aids)
	s.center.Kill()
	for _, p := range s.people {
		s.must(p.Wait("button", "Connection lost"))
	}
	s.heard("the center is away", pair+heeds+aids)
	s.must(chief.Click("button", "End"))
	s.heard("one has left", pair+heeds)
	s.must(agent.Gone("StaticText", "Agent 4 (supervisor) speaks to you only"))

	var err error
	s.center, err = stage.Restart(s.ctx, filepath.Join(s.dir, "center"), s.dir, s.center)
	s.must(err)
	for _, p := range s.people {
		s.must(p.Wait("StaticText", "The center is back…"))
		s.must(p.Gone("button", "Connection lost"))
	}
	s.must(boss.Click("button", "Whisper"))
	s.heard("who listens whispers", pair+heeds+" agent<boss")
	s.attends(chief, "Listen")
	s.heard("who has left is let in anew", pair+heeds+" agent<boss chief<agent chief<caller")
	s.must(agent.Click("button", "Hang up"))
	<-caller.gone
	delete(s.callers, "caller")
	s.must(boss.Gone("button", "End"))
	s.must(chief.Gone("button", "End"))
	s.heard("over", "")
	callsAlive(t, s.center, 0)
}

// TestAnEncryptedCallIsListenedToUnderItsLock: SRTP and TLS on every leg; a supervisor whose terminal has neither hears nothing.
func TestAnEncryptedCallIsListenedToUnderItsLock(t *testing.T) {
	s := newStand(t, true)
	agent, caller := s.works("agent", "agent3", "On break", "1"), s.works("caller", "agent5", "On break", "")
	boss, chief := s.supervisor("boss", "agent4"), s.supervisor("chief", "agent2")
	const seat = "1, Agent 3, On a call…"
	s.must(caller.Type("Number", "2003"))
	s.must(caller.Click("button", "Dial"))
	s.answers(agent)
	locked := func() {
		t.Helper()
		s.must(agent.Wait("image", "Encrypted call"))
		s.must(caller.Wait("image", "Encrypted call"))
	}
	locked()
	s.heard("two talk", pair)
	s.chooses(boss, seat, [2]string{"menuitemradio", "Listen…"})
	s.heard("listen", pair+heeds)
	locked()
	s.must(boss.Click("button", "Join"))
	s.heard("join", pair+heeds+" agent<boss caller<boss")
	locked()
	s.chooses(chief, seat, [2]string{"menuitemradio", "Listen…"})
	s.must(chief.Wait("StaticText", "The other side has no voice format or encryption…"))
	s.must(chief.Gone("button", "End"))
	s.heard("without encryption nobody listens", pair+heeds+" agent<boss caller<boss")
	locked()
	s.must(agent.Click("button", "Hang up"))
	s.must(boss.Gone("button", "End"))
	s.heard("over", "")
}
