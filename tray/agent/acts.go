package agent

import (
	"strings"
	"time"
	"unicode"

	"zaseki/web/wire"
)

// acts are what a person does to others on the floor. The center decides each; its no is told in words.
func (s State) acts(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn {
		return s, nil
	}
	switch e := e.(type) {
	case wire.Supervise:
		return s.supervise(e)
	case wire.SendMessage:
		if strings.TrimSpace(e.Text) == "" {
			return s, nil
		}
		return s.act(e)
	case wire.ReadMessages:
		if s.Messages == nil || s.Local || !s.Link.Online { // said again when somebody looks again
			return s, nil
		}
		return s, []Effect{AskAct{Act: e, Quiet: true}}
	case wire.SetStatusOf:
		return s.act(e)
	case wire.Check:
		return s.act(e)
	case wire.LowerHand:
		s, effects := s.act(e)
		return s.unnotice(handNotice + e.Account), effects
	}
	return s, nil
}

func (s State) act(e wire.Command) (State, []Effect) {
	switch {
	case s.Local:
		return s.tell(wire.Problem{Code: wire.ProblemNoCenter})
	case !s.Link.Online:
		return s.tell(wire.Problem{Code: wire.ProblemOffline})
	}
	return s, []Effect{AskAct{Act: e}}
}

// mailbox is what the center says of our messages, whole.
func (s State) mailbox(e wire.Messages) State {
	if s.Phase != wire.PhaseIn || s.Local || s.Messages != nil && e.Rev < s.Messages.Rev {
		return s
	}
	s.Messages = &e
	return s
}

// unread are the messages of others that this person has not seen.
func (s State) unread() (n int) {
	if s.Messages == nil {
		return 0
	}
	for _, m := range s.Messages.List {
		if !m.Mine && !m.Read {
			n++
		}
	}
	return n
}

// handCall is the call that whoever raises the hand is in the middle of; nil: none.
func (s State) handCall() *wire.HandCall {
	talk := s.conversation()
	if len(talk) == 0 {
		return nil
	}
	c := s.Calls[s.call(talk[0])]
	return &wire.HandCall{Queue: c.Queue, Number: c.Number, Name: c.Name, Since: c.Answered}
}

// hand is a raised hand with its context, or a lowered one.
func (s State) hand(e wire.RaiseHand) Effect {
	ask := AskHand{On: e.On}
	if ask.Call = s.handCall(); !e.On {
		ask.Call = nil
	}
	if talk := s.conversation(); ask.Call != nil && e.Clip && s.Welcome.Policy.Clip && !s.Calls[s.call(talk[0])].Card {
		ask.Clip = talk[0]
	}
	return ask
}

const (
	handNotice = "hand." // and the account, as the center names the notice
	handStays  = 10 * time.Minute
)

// noticed is what the center wants the person to know. What is about somebody stands beside the same of others, and a raised hand, with
// the call that it is about, until it was seen to.
func (s State) noticed(n wire.Notice) (State, []Effect) {
	if n.Account == "" || n.ID == "" || strings.ContainsFunc(n.ID, unicode.IsSpace) {
		return s.notice(n.Level, n.Problem), []Effect{Alarm{n.Problem.Code, noticeStays}}
	}
	stays := noticeStays
	if strings.HasPrefix(n.ID, handNotice) {
		stays = handStays
	}
	n.At = s.Now
	s = s.unnotice(n.ID)
	s.Notices = append([]wire.Notice{n}, s.Notices...)
	return s, []Effect{Alarm{n.ID, stays}}
}
