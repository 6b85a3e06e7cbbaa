package roster

import (
	"context"
	"slices"
	"strconv"
	"time"

	"zaseki/web/wire"
)

// receiptEvery is how often the sender of a message hears who has read it, at most.
const receiptEvery = time.Second

// mailNews is what a phone is to be told of its messages. It is the link's, guarded by it.
type mailNews struct {
	whole bool
	some  []uint64 // these are new, or have changed
	read  bool     // the account's mark has moved
}

func (n mailNews) any() bool { return n.whole || n.read || len(n.some) > 0 }

// news notes messages for a phone; one that is far behind gets all of them.
func (l *link) news(read bool, some ...uint64) {
	l.touch(func() {
		l.mail.read = l.mail.read || read
		for _, n := range some {
			if !slices.Contains(l.mail.some, n) {
				l.mail.some = append(l.mail.some, n)
			}
		}
		if len(l.mail.some) > messageList {
			l.mail = mailNews{whole: true}
		}
	})
}

// message is one as the account has it; ok is false for one that is not for it.
func (v *view) message(account string, l *letter) (m wire.Message, ok bool) {
	mine := l.From == account && l.N > v.mail.marks[account].v.Begin
	if !mine && !v.has(account, l.Message) {
		return m, false
	}
	m = wire.Message{ID: strconv.FormatUint(l.N, 10), From: l.From, Name: v.name(l.From), To: l.To, Group: l.Group, Text: l.Text, Urgent: l.Urgent, At: l.At, Mine: mine}
	if l.ReplyTo > 0 {
		m.ReplyTo = strconv.FormatUint(l.ReplyTo, 10)
	}
	switch {
	case l.To != "":
		m.ToName = v.name(l.To)
	case l.Group != "":
		m.ToName = v.groups[l.Group].v.Name
	}
	if !mine {
		m.Read = v.mail.marks[account].v.covers(l.Message)
		return m, true
	}
	m.Read, m.Sent, m.Seen = true, l.Sent, min(l.seen, l.Sent)
	for _, who := range l.readers {
		m.Readers = append(m.Readers, v.name(who))
	}
	return m, true
}

// mailbox is what the account has of the last days, the newest last.
func (v *view) mailbox(account string, now time.Time) wire.Messages {
	m := v.marked(account)
	for _, l := range slices.Backward(v.mail.all) {
		if len(m.List) == messageList || now.Sub(l.At) > messageDays {
			break
		}
		if one, ok := v.message(account, l); ok {
			m.List = append(m.List, one)
		}
	}
	slices.Reverse(m.List)
	return m
}

// marked is a mailbox without its messages.
func (v *view) marked(account string) wire.Messages {
	m, mark := wire.Messages{Rev: uint64(v.rev), Each: true, List: []wire.Message{}}, v.mail.marks[account].v
	if mark.UpTo > 0 {
		m.Read = strconv.FormatUint(mark.UpTo, 10)
	}
	if len(mark.In) > 0 {
		m.Marks = map[string]string{}
	}
	for with, n := range mark.In {
		m.Marks[with] = strconv.FormatUint(n, 10)
	}
	return m
}

// mailNews is what a phone is told now; ok is false for nothing.
func (r *Roster) mailNews(account string, n mailNews) (m wire.Messages, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if n.whole {
		m = r.view.mailbox(account, time.Now())
		return m, len(m.List) > 0
	}
	m = r.view.marked(account)
	m.Part = true
	slices.Sort(n.some)
	for _, id := range n.some {
		if l := r.view.mail.letter(id); l != nil {
			if one, ok := r.view.message(account, l); ok {
				m.List = append(m.List, one)
			}
		}
	}
	return m, n.read || len(m.List) > 0
}

// messageLocked tells who is connected here, and has it, of the message that stands in that slot now.
func (r *Roster) messageLocked(slot string) {
	l := r.view.mail.in(slot)
	if l == nil {
		return
	}
	tell := func(account string) {
		if to := r.links[account]; to != nil {
			to.news(false, l.N)
		}
	}
	if tell(l.From); l.To != "" {
		tell(l.To)
		return
	}
	for account := range r.links {
		if r.view.has(account, l.Message) {
			tell(account)
		}
	}
}

// markLocked tells the reader's phone, and soon the senders, that somebody has read more than by that mark.
func (r *Roster) markLocked(account string, before Mark) {
	if l := r.links[account]; l != nil {
		l.news(true)
	}
	r.view.turned(account, before, func(l *letter, _ bool) {
		if r.links[l.From] == nil {
			return
		}
		if r.receipts[l.From] == nil {
			r.receipts[l.From] = map[uint64]struct{}{}
		}
		r.receipts[l.From][l.N] = struct{}{}
	})
	if len(r.receipts) > 0 {
		select {
		case r.readOn <- struct{}{}:
		default:
		}
	}
}

// tellReceipts tells senders who has read their messages, until ctx ends.
func (r *Roster) tellReceipts(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.readOn:
		}
		r.mu.Lock()
		all := r.receipts
		r.receipts = map[string]map[uint64]struct{}{}
		for from, some := range all {
			if l := r.links[from]; l != nil {
				for n := range some {
					l.news(false, n)
				}
			}
		}
		r.mu.Unlock()
		select { // the next ones come together
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(receiptEvery):
		}
	}
}

// sendMessage carries out a phone's wish to send.
func (r *Roster) sendMessage(ctx context.Context, l *link, m wire.SendMessage, op string) error {
	if wait, ok := r.letters.take(l.account, time.Now()); !ok {
		return limited(wait)
	}
	return r.change(ctx, l.account, func(d *draft) error {
		if s := d.agents[l.account].v.Session; s == nil || s.ID != l.session {
			return wire.Problem{Code: wire.ProblemExpired}
		}
		return d.send(l.account, m, op)
	})
}
