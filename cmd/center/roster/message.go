package roster

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// Messages to a person, a group or everybody. Each is one write however many have it: who they are follows from the accounts. They stand
// in so many slots, each of which the next message but that many takes over, so that the present state stays small; who has read how far
// is one small record for each account, see Mark.
const (
	KindMessage = "msg"
	KindMark    = "read"
)

const (
	messageSlots = 2000
	messageDays  = 7 * 24 * time.Hour
	messageList  = 100 // that a phone has
	readersMost  = 20
	opsBack      = 200 // messages among which a repeated request is looked for
)

// Message is one as the ledger keeps it. N counts all that there ever were.
type Message struct {
	N       uint64    `json:"n"`
	From    string    `json:"from"`
	To      string    `json:"to,omitempty"`
	Group   string    `json:"group,omitempty"`
	Text    string    `json:"text"`
	Urgent  bool      `json:"urgent,omitempty"`
	ReplyTo uint64    `json:"replyTo,omitempty"`
	Sent    int       `json:"sent"` // so many had it
	At      time.Time `json:"at"`
	Op      string    `json:"op,omitempty"` // of the request
}

// letter is a message with who has read it.
type letter struct {
	Message
	seq     ledger.Seq
	seen    int
	readers []string // accounts, the first of them
}

// mailbag is all messages that are kept, by number, and the marks.
type mailbag struct {
	slots map[string]ledger.Seq
	all   []*letter // in order
	marks map[string]row[Mark]
}

func newMail() *mailbag {
	return &mailbag{slots: map[string]ledger.Seq{}, marks: map[string]row[Mark]{}}
}

func slotOf(n uint64) string { return strconv.FormatUint(n%messageSlots, 10) }

func (m *mailbag) newest() uint64 {
	if len(m.all) == 0 {
		return 0
	}
	return m.all[len(m.all)-1].N
}

// at is where the first one from number n on stands.
func (m *mailbag) at(n uint64) int {
	i, _ := slices.BinarySearchFunc(m.all, n, func(l *letter, n uint64) int {
		if l.N < n {
			return -1
		}
		return 1
	})
	return i
}

// in is what stands in a slot.
func (m *mailbag) in(slot string) *letter {
	for _, l := range slices.Backward(m.all) {
		if slotOf(l.N) == slot {
			return l
		}
	}
	return nil
}

func (m *mailbag) letter(n uint64) *letter {
	if i := m.at(n); i < len(m.all) && m.all[i].N == n {
		return m.all[i]
	}
	return nil
}

// apply takes a message over; it stands where another one stood.
func (m *mailbag) apply(slot string, e ledger.Event) (bool, error) {
	if e.Seq <= m.slots[slot] {
		return false, nil
	}
	var said Message
	if err := json.Unmarshal(e.Data, &said); err != nil {
		return false, fmt.Errorf("event %d of %s: %w", e.Seq, e.Subject, err)
	}
	m.slots[slot] = e.Seq
	m.all = slices.DeleteFunc(m.all, func(l *letter) bool { return slotOf(l.N) == slot })
	m.all = slices.Insert(m.all, m.at(said.N), &letter{Message: said, seq: e.Seq})
	return true, nil
}

// has says whether the account has the message, as a receiver.
func (v *view) has(account string, m Message) bool {
	a, ok := v.accounts[account]
	switch {
	case !ok || account == m.From || m.N <= v.mail.marks[account].v.Begin:
		return false
	case m.To != "":
		return m.To == account
	case m.Group != "":
		return slices.Contains(a.v.Groups, m.Group)
	}
	return true
}

// send writes a message; it is sent already if the same request wrote it.
func (d *draft) send(from string, m wire.SendMessage, op string) error {
	if d.sentBy(from, op) {
		return nil
	}
	text := plainText(m.Text)
	if n := utf8.RuneCountInString(text); n == 0 || n > wire.MessageMost {
		return wire.Problem{Code: wire.ProblemMessage, Holes: map[string]string{"most": strconv.Itoa(wire.MessageMost)}}
	}
	to := d.repliedTo(from, m.ReplyTo)
	if err := d.maySend(from, m, to); err != nil {
		return err
	}
	now := Message{N: d.mail.newest() + 1, From: from, To: m.To, Group: m.Group, Text: text, Urgent: m.Urgent, At: d.now, Op: op}
	if to != nil {
		now.ReplyTo = to.N
	}
	for account := range d.accounts {
		if d.has(account, now) {
			now.Sent++
		}
	}
	if now.Sent == 0 {
		return wire.Problem{Code: wire.ProblemMessageNobody}
	}
	slot := slotOf(now.N)
	d.add(KindMessage, slot, d.mail.slots[slot], &now, "message sent")
	return nil
}

func (d *draft) sentBy(from, op string) bool {
	recent := d.mail.all[max(0, len(d.mail.all)-opsBack):]
	return op != "" && slices.ContainsFunc(recent, func(l *letter) bool { return l.From == from && l.Op == op })
}

// repliedTo is the message that is answered, if the person has it; nil: none.
func (v *view) repliedTo(account, id string) *letter {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil
	}
	if l := v.mail.letter(n); l != nil && (l.From == account || v.has(account, l.Message)) {
		return l
	}
	return nil
}

// maySend is why somebody may not write to those; nil: it may. Anybody writes to a person who is in one of the own groups or leads one,
// and answers whoever has written; supervisors write to their groups, administrators to everybody.
func (v *view) maySend(from string, m wire.SendMessage, answered *letter) error {
	groups, all := v.leadsOf(from)
	switch {
	case m.To != "":
		to, ok := v.accounts[m.To]
		switch {
		case m.To == from:
			return wire.Problem{Code: wire.ProblemSelf}
		case !ok || to.v.Off:
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": clip(m.To)}}
		case !all && !v.near(from, m.To) && (answered == nil || answered.From != m.To):
			return v.about(wire.ProblemMessageFar, m.To)
		}
	case m.Group != "":
		if _, ok := v.groups[m.Group]; !ok {
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": clip(m.Group)}}
		}
		if !all && !slices.Contains(groups, m.Group) {
			return wire.Problem{Code: wire.ProblemForbidden}
		}
	case !all:
		return wire.Problem{Code: wire.ProblemForbidden}
	}
	return nil
}

// near says that two share a group, or work in a center without groups.
func (v *view) near(a, b string) bool {
	groups := v.accounts[b].v.Groups
	return len(v.groups) == 0 || slices.ContainsFunc(v.accounts[a].v.Groups, func(g string) bool { return slices.Contains(groups, g) })
}
