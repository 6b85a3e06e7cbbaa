package roster

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// KindNote is what an agent wrote about calls: all notes of one are events of one subject, so that the present state stays small. The
// reports tie them to the calls.
const KindNote = "note"

// noteTime is how long after a call something may be written about it.
const noteTime = 24 * time.Hour

// noteCall is how long the name of a call may be, in bytes.
const noteCall = 300

// Note is what an agent wrote about a call, by the name that the agent's phone has for it, or by the center's with wire.CenterCall
// before it.
type Note struct {
	Call    string    `json:"call"`
	Outcome string    `json:"outcome,omitempty"`
	Text    string    `json:"text,omitempty"`
	At      time.Time `json:"at"`
}

// noted is what the present state keeps of the last one: not its text.
type noted struct {
	Call string    `json:"call"`
	At   time.Time `json:"at"`
}

// CallsOf says whether a phone of the account has told of that call, or the account had to do with it where the name is the center's
// (see Note), and it was not over before since. queue is the name of the queue it came by, if any.
type CallsOf func(ctx context.Context, account, call string, since time.Time) (queue string, own bool, err error)

// KnowCalls tells the roster who knows the calls that are over.
func (r *Roster) KnowCalls(of CallsOf) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.callsOf = of
}

// note keeps what the phone's agent wrote.
func (r *Roster) note(ctx context.Context, l *link, m wire.CallNote) error {
	n, err := r.noteOf(m)
	if err != nil {
		return err
	}
	if _, ok := r.notes.take(l.account, time.Now()); !ok {
		return wire.Problem{Code: wire.ProblemCenter} // a phone that says more than a person can write
	}
	queue, err := r.ownCall(ctx, l.account, n.Call)
	if err == nil {
		err = r.fits(n.Outcome, queue)
	}
	if err != nil {
		return err
	}
	return r.change(ctx, l.account, func(d *draft) error {
		if s := d.agents[l.account].v.Session; s == nil || s.ID != l.session {
			return wire.Problem{Code: wire.ProblemExpired}
		}
		last := d.notes[l.account]
		if last.v.Call == n.Call && !n.At.After(last.v.At) {
			return nil
		}
		d.add(KindNote, l.account, max(last.seq, d.gone[ledger.Subject(KindNote, l.account)]), &n, "call note")
		return nil
	})
}

// noteOf is a note as it is kept: of what a phone says nothing is believed.
func (r *Roster) noteOf(m wire.CallNote) (Note, error) {
	bad := wire.Problem{Code: wire.ProblemNote, Holes: map[string]string{"most": strconv.Itoa(wire.NoteMax)}}
	n := Note{Call: m.Call, Outcome: m.Outcome, Text: plainText(m.Text), At: m.At.UTC().Truncate(time.Microsecond)}
	if now := time.Now().UTC().Truncate(time.Microsecond); n.At.IsZero() || n.At.After(now) {
		n.At = now
	}
	if n.Call == "" || len(n.Call) > noteCall || utf8.RuneCountInString(n.Text) > wire.NoteMax || !r.outcome(n.Outcome) {
		return n, bad
	}
	return n, nil
}

// outcome says whether there is such an outcome, or was: what was said with it in hand still counts.
func (r *Roster) outcome(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.view.outcomes[id]
	_, was := r.view.gone[ledger.Subject(KindOutcome, id)]
	return id == "" || ok || was
}

// fits is nil unless the outcome is for calls of other queues than that one.
func (r *Roster) fits(outcome, queue string) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	only := r.view.outcomes[outcome].v.Queues
	if queue == "" || len(only) == 0 {
		return nil
	}
	var names []string
	for _, q := range only {
		if names = append(names, r.view.queues[q].v.Name); r.view.queues[q].v.Name == queue {
			return nil
		}
	}
	return wire.Problem{Code: wire.ProblemNoteQueue, Holes: map[string]string{"queues": strings.Join(names, ", ")}}
}

// plainText is a text of several lines without other control characters.
func plainText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\ufffd"))
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s))
}

// ownCall is nil for a call that the account's phone has, or had a day ago at most. queue is the one it came by, if any.
func (r *Roster) ownCall(ctx context.Context, account, call string) (queue string, err error) {
	r.mu.RLock()
	of := r.callsOf
	for _, c := range r.view.agents[account].v.Calls {
		if c.ID == call {
			r.mu.RUnlock()
			return c.Queue, nil
		}
	}
	r.mu.RUnlock()
	if of == nil {
		return "", wire.Problem{Code: wire.ProblemCenter} // for now: the reports are not there yet
	}
	queue, ok, err := of(ctx, account, call, time.Now().Add(-noteTime))
	if err == nil && !ok {
		err = wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": clip(call)}}
	}
	return queue, err
}
