package agent

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"zaseki/web/wire"
)

const (
	writtenMax = 500 // notes that wait for the center
	farMax     = 50  // notes about calls that only the center knows, which are shown before the center tells them
	callIDMax  = 300
	noteFirst  = 5 * time.Second
	noteMost   = time.Minute
	noteYoung  = 2 * time.Minute // so long the center may not know a call that it will know
)

// written are the notes that the center does not have yet, the oldest first.
type written struct {
	notes []wire.CallNote // never changed in place
	far   []wire.Remark   // about calls that only the center knows; never changed in place
	under string          // the call whose note is being told
	pause time.Duration   // before the next try
}

// writing is what the agent notes of calls. It is shown and kept at once, and told to the center as often as it takes.
func (s State) writing(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn {
		return s, nil
	}
	switch e := e.(type) {
	case wire.CallNote:
		return s.write(e)
	case NoteTold:
		return s.noteTold(e)
	}
	return s, nil
}

func (s State) write(n wire.CallNote) (State, []Effect) {
	text, ok := noteText(n.Text)
	known := n.Outcome == "" || slices.ContainsFunc(s.Welcome.Desk.Outcomes, func(o wire.Outcome) bool { return o.ID == n.Outcome })
	i, past := s.call(n.Call), s.pastCall(n.Call)
	only := s.onlyFor(n)
	switch {
	case !ok || !known:
		return s.tell(wire.Problem{Code: wire.ProblemNote, Holes: map[string]string{"most": "2000"}})
	case len(only) > 0:
		return s.tell(wire.Problem{Code: wire.ProblemNoteQueue, Holes: map[string]string{"queues": strings.Join(only, ", ")}})
	case n.Call == "" || len(n.Call) > callIDMax, s.Local && i < 0 && past < 0:
		return s, nil
	}
	if n.Text = text; n.At.IsZero() || n.At.After(s.Now) {
		n.At = s.Now
	}
	if was := s.noteOf(n.Call); n.At.Before(was.At) || was.Text == n.Text && was.Outcome == n.Outcome {
		return s, nil
	}
	s = s.unnotice(wire.ProblemNote, wire.ProblemNoteQueue).withNote(n, !s.Local)
	if !s.Local {
		return s.toTell(n)
	}
	if past >= 0 {
		return s, []Effect{KeepHistory{s.History}}
	}
	return s, nil
}

// onlyFor are the queues whose calls alone can end as the note says, when its call is known to be another queue's.
func (s State) onlyFor(n wire.CallNote) []string {
	queue := ""
	if i := s.call(n.Call); i >= 0 {
		queue = s.Calls[i].Queue
	} else if i := s.pastCall(n.Call); i >= 0 {
		queue = s.History[i].Queue
	}
	for _, o := range s.Welcome.Desk.Outcomes {
		if o.ID == n.Outcome && queue != "" && len(o.Queues) > 0 && !slices.Contains(o.Queues, queue) {
			return o.Queues
		}
	}
	return nil
}

// noteText is a note as it is kept: lines without other control characters. False: it is too long.
func noteText(typed string) (string, bool) {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ReplaceAll(strings.ToValidUTF8(typed, "\uFFFD"), "\r\n", "\n"))
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	return text, utf8.RuneCountInString(text) <= wire.NoteMax
}

// pastCall is the index of that call in the list, or -1.
func (s State) pastCall(id string) int {
	return slices.IndexFunc(s.History, func(c wire.PastCall) bool { return c.ID == id })
}

// noteOf is what is known to be written about that call.
func (s State) noteOf(call string) (n wire.CallNote) {
	if i := s.writes(call); i >= 0 {
		return s.written.notes[i]
	}
	if i := s.call(call); i >= 0 {
		n.Outcome, n.Text = s.Calls[i].Outcome, s.Calls[i].Note
	} else if i := s.pastCall(call); i >= 0 {
		n.Outcome, n.Text = s.History[i].Outcome, s.History[i].Note
	} else if i := s.remark(call); i >= 0 {
		n = s.written.far[i].CallNote
	}
	return n
}

// writes is the index of that call's note among those that wait, or -1.
func (s State) writes(call string) int {
	return slices.IndexFunc(s.written.notes, func(n wire.CallNote) bool { return n.Call == call })
}

// withNote is the state that shows that note.
func (s State) withNote(n wire.CallNote, unsent bool) State {
	if i := s.call(n.Call); i >= 0 {
		s = s.with(i, func(c *wire.Call) { c.Outcome, c.Note, c.Unsent = n.Outcome, n.Text, unsent })
	}
	if i := s.pastCall(n.Call); i >= 0 {
		s.History = slices.Clone(s.History)
		s.History[i].Outcome, s.History[i].Note, s.History[i].Unsent = n.Outcome, n.Text, unsent
	}
	if strings.HasPrefix(n.Call, wire.CenterCall) {
		s = s.withRemark(n, unsent)
	}
	return s
}

// remark is the index of what was written here about that call, which only the center knows; or -1.
func (s State) remark(call string) int {
	return slices.IndexFunc(s.written.far, func(r wire.Remark) bool { return r.Call == call })
}

// withRemark is the state that shows that note of a call which only the center knows.
func (s State) withRemark(n wire.CallNote, unsent bool) State {
	s = s.withoutRemark(n.Call)
	s.written.far = append(s.written.far, wire.Remark{CallNote: n, Unsent: unsent})
	s.written.far = s.written.far[max(0, len(s.written.far)-farMax):]
	return s
}

// withoutRemark is the state that knows of that call's note what the center says.
func (s State) withoutRemark(call string) State {
	s.written.far = slices.DeleteFunc(slices.Clone(s.written.far), func(r wire.Remark) bool { return r.Call == call })
	return s
}

// remarksOf are those of the notes that wait for the center.
func remarksOf(notes []wire.CallNote) (all []wire.Remark) {
	for _, n := range notes {
		if strings.HasPrefix(n.Call, wire.CenterCall) {
			all = append(all, wire.Remark{CallNote: n, Unsent: true})
		}
	}
	return all[max(0, len(all)-farMax):]
}

// toTell puts a note among those that wait; of one call the newest.
func (s State) toTell(n wire.CallNote) (State, []Effect) {
	notes := slices.DeleteFunc(slices.Clone(s.written.notes), func(o wire.CallNote) bool { return o.Call == n.Call })
	if len(notes) == writtenMax {
		notes = notes[1:]
	}
	s.written.notes = append(notes, n)
	keep := KeepNotes{s.whose(), s.written.notes}
	s, tell := s.tellNotes()
	return s, append([]Effect{keep}, tell...)
}

// tellNotes tells the next one, if none is under way.
func (s State) tellNotes() (State, []Effect) {
	if s.Local || s.Phase != wire.PhaseIn || s.written.under != "" || len(s.written.notes) == 0 || !s.Link.Online {
		return s, nil
	}
	n := s.written.notes[0]
	s.written.under = n.Call
	return s, []Effect{SendNote{n}}
}

func (s State) noteTold(e NoteTold) (State, []Effect) {
	if s.written.under != e.Note.Call {
		return s, nil // of an earlier session
	}
	s.written.under = ""
	i := s.writes(e.Note.Call)
	newer := i < 0 || !s.written.notes[i].At.Equal(e.Note.At)
	switch {
	case e.Problem != nil && !s.neverTaken(e):
		return s.tellLater(i, *e.Problem)
	case newer: // it was written on meanwhile
		return s.tellNotes()
	}
	s.written.pause = 0
	s.written.notes = slices.Delete(slices.Clone(s.written.notes), i, i+1)
	s = s.withNote(e.Note, false)
	effects := []Effect{KeepNotes{s.whose(), s.written.notes}}
	if e.Problem != nil {
		s = s.withoutRemark(e.Note.Call)
		var told []Effect
		s, told = s.tell(notTaken(*e.Problem))
		effects = append(effects, told...)
	}
	s, next := s.tellNotes()
	return s, append(effects, next...)
}

// neverTaken says that it is no use to tell that note again. A call that has just begun the center may not know yet.
func (s State) neverTaken(e NoteTold) bool {
	switch e.Problem.Code {
	case wire.ProblemNote, wire.ProblemNoteQueue:
		return true
	case wire.ProblemNoRow:
		return strings.HasPrefix(e.Note.Call, wire.CenterCall) || s.Now.Sub(e.Note.At) > noteYoung
	}
	return false
}

func notTaken(p wire.Problem) wire.Problem {
	if p.Code == wire.ProblemNoRow {
		return wire.Problem{Code: wire.ProblemNoteLost}
	}
	return p
}

// tellLater lets a while pass before the next try. A note that the center would not have goes behind the others.
func (s State) tellLater(i int, p wire.Problem) (State, []Effect) {
	if i >= 0 && p.Code == wire.ProblemNoRow {
		n := s.written.notes[i]
		s.written.notes = append(slices.Delete(slices.Clone(s.written.notes), i, i+1), n)
	}
	s.written.pause = min(max(2*s.written.pause, noteFirst), noteMost)
	return s, []Effect{Alarm{alarmNote, s.written.pause}}
}
