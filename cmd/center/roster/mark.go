package roster

import (
	"maps"
	"slices"
	"strconv"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// marksMost is how many conversations a mark names. There are no more of them in what a phone has, so that a mark that goes over one for
// want of room only goes over messages that no phone shows any more.
const marksMost = messageList

// Mark is how far somebody has read: every conversation up to UpTo, and those of In, by wire.Message.With, up to a later message. A record
// from before there was In says the same with UpTo alone. Begin: nothing before it is for this account, whose name somebody else had then.
type Mark struct {
	UpTo  uint64            `json:"upTo"`
	Begin uint64            `json:"begin,omitempty"`
	In    map[string]uint64 `json:"in,omitempty"`
}

// at is how far the conversation has been read.
func (m Mark) at(with string) uint64 { return max(m.UpTo, m.In[with]) }

// covers says that the message, which somebody else sent, has been read.
func (m Mark) covers(one Message) bool { return one.N <= m.at(one.with()) }

// with is the conversation of a message for whoever received it.
func (m Message) with() string { return wire.Message{From: m.From, To: m.To, Group: m.Group}.With() }

// raised has every conversation read up to n.
func (m *Mark) raised(n uint64) {
	m.UpTo = max(m.UpTo, n)
	maps.DeleteFunc(m.In, func(_ string, in uint64) bool { return in <= m.UpTo })
}

// between are the numbers after from, up to until, outside of which the two marks say the same; both are 0 when they do so everywhere.
func (m Mark) between(o Mark) (from, until uint64) {
	differ := func(a, b uint64) {
		if a == b {
			return
		}
		if until == 0 {
			from = min(a, b)
		}
		from, until = min(from, a, b), max(until, a, b)
	}
	differ(m.UpTo, o.UpTo)
	for with := range m.In {
		differ(m.at(with), o.at(with))
	}
	for with := range o.In {
		differ(m.at(with), o.at(with))
	}
	return from, until
}

// turned are the account's messages that are read by its present mark, and were not by that one, or the other way round.
func (v *view) turned(account string, before Mark, found func(l *letter, read bool)) {
	now := v.mail.marks[account].v
	from, until := now.between(before)
	for _, l := range v.mail.all[v.mail.at(from+1):] {
		if l.N > until {
			return
		}
		if read := now.covers(l.Message); read != before.covers(l.Message) && v.has(account, l.Message) {
			found(l, read)
		}
	}
}

// applyMark takes over how far somebody has read, and counts it for the senders.
func (v *view) applyMark(account string, e ledger.Event) (bool, error) {
	before := v.mail.marks[account].v
	changed, err := put(v.gone, v.mail.marks, account, e)
	if changed && !v.loading {
		v.count(account, before)
	}
	return changed, err
}

// count adds the account to who has read what it had not read by that mark. A node that is older than marks of conversations forgets them
// when it writes: then the account is taken away again.
func (v *view) count(account string, before Mark) {
	v.turned(account, before, func(l *letter, read bool) {
		switch {
		case !read:
			l.seen = max(0, l.seen-1)
			l.readers = slices.DeleteFunc(slices.Clone(l.readers), func(who string) bool { return who == account })
		default:
			if l.seen++; len(l.readers) < readersMost {
				l.readers = append(slices.Clip(l.readers), account)
			}
		}
	})
}

// loaded counts who has read what, after events have come in no order.
func (v *view) loaded() {
	v.loading = false
	for _, account := range sorted(v.mail.marks) {
		v.count(account, Mark{})
	}
}

// read notes that somebody has seen a conversation up to a message; one without messages is none, so that nobody fills the record.
func (d *draft) read(account string, m wire.ReadMessages) error {
	n, err := strconv.ParseUint(m.UpTo, 10, 64)
	if err != nil {
		return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": clip(m.UpTo)}}
	}
	row := d.mail.marks[account]
	now := row.v
	now.In = maps.Clone(now.In)
	if m.With == "" {
		now.raised(min(n, d.mail.newest()))
	} else if last := d.lastIn(account, m.With, n, now.at(m.With)); last > 0 {
		if now.In == nil {
			now.In = map[string]uint64{}
		}
		now.In[m.With] = last
	}
	if now.UpTo == row.v.UpTo && maps.Equal(now.In, row.v.In) {
		return nil
	}
	d.fold(account, &now)
	d.add(KindMark, account, d.markSeq(account), &now, "messages read")
	return nil
}

// lastIn is the number of the last message that the account has from others in a conversation, up to until and after from; 0: there is none.
func (v *view) lastIn(account, with string, until, from uint64) uint64 {
	if until <= from {
		return 0
	}
	all := v.mail.all[v.mail.at(from+1):]
	for _, l := range slices.Backward(all) {
		if l.N <= until && l.with() == with && v.has(account, l.Message) {
			return l.N
		}
	}
	return 0
}

// fold has a mark name as few conversations as say the same: what was read without a gap is one number. Where more than marksMost were
// read beyond one that was not, UpTo goes over the oldest of them.
func (v *view) fold(account string, m *Mark) {
	upTo := m.UpTo
	for _, l := range v.mail.all[v.mail.at(upTo+1):] {
		if !v.has(account, l.Message) {
			continue
		}
		if !m.covers(l.Message) {
			break
		}
		upTo = l.N
	}
	m.raised(upTo)
	for len(m.In) > marksMost {
		m.raised(slices.Min(slices.Collect(maps.Values(m.In))))
	}
}

// forgetMail has nobody who gets this name later see what was written to whoever has it now.
func (d *draft) forgetMail(account string) {
	if n := d.mail.newest(); n > 0 && d.mail.marks[account].v.Begin < n {
		d.add(KindMark, account, d.markSeq(account), &Mark{UpTo: n, Begin: n}, "account removed")
	}
}

func (d *draft) markSeq(account string) ledger.Seq {
	return max(d.mail.marks[account].seq, d.gone[ledger.Subject(KindMark, account)])
}
