package cmd_test

import (
	"testing"

	"zaseki/cmd/bench/stage"
)

const onCall = "1, Agent 1, On a call…"

// chooses opens the menu of a seat on the seat view and chooses an item, or one of a menu within it.
func (s *stand) chooses(p *person, seat string, items ...[2]string) {
	s.Helper()
	s.must(p.Click("button", seat))
	for _, item := range items {
		s.must(p.Click(item[0], item[1]))
	}
}

func (s *stand) attends(p *person, mode string) {
	s.Helper()
	s.chooses(p, onCall, [2]string{"menuitemradio", mode + "…"})
}

// supervisor is one who looks at the seats.
func (s *stand) supervisor(name, account string) *person {
	s.Helper()
	p := s.works(name, account, "On break", "")
	s.must(p.Click("link", "Seat view"))
	return p
}

// answers takes the call that rings.
func (s *stand) answers(p *person) {
	s.Helper()
	s.must(p.Click("button", "Answer"))
	s.must(p.Wait("button", "Mute"))
}

const (
	pair  = "agent<caller caller<agent"
	heeds = " boss<agent boss<caller"
	aids  = " chief<agent chief<caller agent<chief"
)

// TestWhoHearsWhomAtEveryStepThroughThePages: two supervisors, two agents and two callers; every act is a click, and after each of
// them tones prove who hears whom. Reliability (H8): also while the call is held, transferred, ended, or a page loaded anew.
func TestWhoHearsWhomAtEveryStepThroughThePages(t *testing.T) {
	s := newStand(t, false)
	agent, other := s.works("agent", "agent1", "Available", "1"), s.works("other", "agent3", "On break", "2")
	boss, chief := s.supervisor("boss", "agent2"), s.supervisor("chief", "agent4")
	caller := s.calls("caller", stage.Queue)
	s.answers(agent)
	s.heard("two talk", pair)
	s.helped(agent, boss, chief)
	s.acts(agent, boss)
	s.changes(agent, boss)
	s.consults(agent, other, boss, chief)
	s.must(other.Click("button", "Hang up"))
	<-caller.gone
	delete(s.callers, "caller")
	s.heard("nobody talks", "")
	s.next(agent, boss, chief)
	s.must(agent.Click("button", "Hang up"))
	<-s.callers["second"].gone
	delete(s.callers, "second")
	s.heard("the end", "")
	callsAlive(t, s.center, 0)
}

// helped: every way to take part, one after the other, and two of them at once.
func (s *stand) helped(agent, boss, chief *person) {
	s.Helper()
	s.attends(boss, "Listen")
	s.must(agent.Wait("StaticText", "Agent 2 (supervisor) is listening"))
	s.must(boss.Wait("StaticText", "You hear Agent 1 and the caller. Nobody hears you."))
	s.heard("listen", pair+heeds)
	s.must(boss.Click("button", "Whisper"))
	s.must(agent.Wait("StaticText", "Agent 2 (supervisor) speaks to you only"))
	s.heard("whisper", pair+heeds+" agent<boss")
	s.must(boss.Click("button", "Join"))
	s.must(agent.Wait("StaticText", "Agent 2 (supervisor) has joined"))
	s.heard("join", pair+heeds+" agent<boss caller<boss")
	s.must(boss.Click("button", "Listen"))
	s.heard("listen again", pair+heeds)
	s.attends(chief, "Whisper")
	s.must(chief.Wait("StaticText", "Only Agent 1 hears you. The caller does not."))
	s.must(chief.Click("checkbox", "Follow to the next call"))
	s.heard("two supervisors", pair+heeds+aids)
}

// acts on somebody else leave the sound as it is: the status for after the call, a raised hand, a message.
func (s *stand) acts(agent, boss *person) {
	s.Helper()
	s.chooses(boss, onCall, [2]string{"menuitem", "Status after the call, in a call"}, [2]string{"menuitemradio", "On break"})
	s.must(agent.Wait("StaticText", "After the call: On break"))
	s.must(agent.Click("button", "Hand raised"))
	s.chooses(boss, "1, Agent 1, On a call, Hand…", [2]string{"menuitem", "Lower the hand"})
	s.must(boss.Gone("button", "1, Agent 1, On a call, Hand…"))
	s.chooses(boss, onCall, [2]string{"menuitem", "Message to Agent 1"})
	s.must(boss.Type("Message", "Well done"))
	s.must(boss.Press(stage.Key{Name: "Enter", Code: 13}))
	s.must(boss.Wait("StaticText", "Not read yet"))
	s.must(agent.Wait("button", "Messages, 1 new"))
	s.heard("after all that", pair+heeds+aids)
}

// changes of the call: a card number, hold, pages that are loaded anew.
func (s *stand) changes(agent, boss *person) {
	s.Helper()
	s.must(agent.Click("button", "Card number"))
	s.heard("a card number", pair+" agent<chief")
	s.must(agent.Click("button", "Card number"))
	s.heard("no card number any more", pair+heeds+aids)
	s.must(agent.Click("button", "Hold"))
	s.must(agent.Wait("button", "Resume"))
	s.heard("on hold", "boss<agent chief<agent agent<chief")
	s.must(agent.Click("button", "Resume"))
	s.heard("resumed", pair+heeds+aids)
	s.must(agent.Reload())
	s.heard("the agent's page was loaded anew", pair+heeds+aids)
	s.must(boss.Reload())
	s.heard("the supervisor's page was loaded anew", pair+heeds+aids)
}

// consults: the agent asks a colleague and leaves the caller to that one. Who listens to this call only hears nothing of it, and who
// follows the agent hears nobody after.
func (s *stand) consults(agent, other, boss, chief *person) {
	s.Helper()
	s.must(agent.Click("button", "Transfer"))
	s.must(agent.Type("Transfer to", "2003"))
	s.must(agent.Click("button", "Ask first"))
	s.answers(other)
	s.must(agent.Wait("button", "Conference"))
	s.heard("a consultation", "agent<other other<agent agent<chief chief<agent chief<other")
	s.must(agent.Click("button", "Connect them"))
	s.must(agent.Gone("button", "Hang up"))
	s.must(boss.Gone("StaticText", "You hear Agent 1 and the caller. Nobody hears you."))
	s.must(chief.Wait("StaticText", "Agent 1 is in no call…"))
	s.heard("the caller is with the colleague", "caller<other other<caller")
}

// next call of the agent, whom a supervisor makes free for it: who follows is with it, the other one not.
func (s *stand) next(agent, boss, chief *person) {
	s.Helper()
	s.must(agent.Wait("button", "On break…"))
	s.must(boss.Click("link", "Seat view"))
	s.chooses(boss, "1, Agent 1, On break…", [2]string{"menuitem", "Change status"}, [2]string{"menuitemradio", "Available"})
	s.must(agent.Wait("button", "Available…"))
	s.calls("second", stage.Queue)
	s.answers(agent)
	s.must(chief.Wait("StaticText", "Only Agent 1 hears you. The caller does not."))
	s.heard("the next call", "agent<second second<agent chief<agent chief<second agent<chief")
	s.must(chief.Click("button", "End"))
	s.must(agent.Gone("StaticText", "Agent 4 (supervisor) speaks to you only"))
	s.heard("alone", "agent<second second<agent")
}
