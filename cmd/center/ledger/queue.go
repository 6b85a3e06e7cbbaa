package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Changes on their way to the engine at once. Alone it writes one after the other: more of them would time out in its queue, be asked for
// again and make the queue longer. A cluster writes those that come together with one sync.
const (
	soloWidth    = 2
	clusterWidth = 64
	// slowPace is from where a second change beside the first would only make both late, and from where those who wait go together: a change
	// of several writes takes six syncs (the engine keeps a copy until it has all of them), and so does one of fifty.
	slowPace = 50 * time.Millisecond
	// mostWait is how long a change may take, its turn and itself, before it is refused: a person waits so long, not longer.
	mostWait = 3 * time.Second
)

// place is a change that waits for its turn.
type place struct {
	ctx    context.Context // of the Commit, which waits for its end
	came   time.Time
	writes []Write
	msgs   []*nats.Msg
	room   int         // that it takes: see room
	alone  bool        // it was refused together with others
	lead   chan flight // it is its turn
	done   chan landed // of one that was taken along, or waited for its rival
}

// flight is what goes together.
type flight struct {
	group  []*place // the first of them leads
	rivals []*place // change the same things, and wait for what comes of it
}

// landed is what came of a change that was taken along.
type landed struct {
	seq  Seq
	fate fate
}

type fate int

const (
	stored  fate = iota + 1
	apart        // it was not stored with the others, and must go alone
	passed       // its rival has landed
	unknown      // the store did not answer in time
)

// line are the changes that wait. Its fields are guarded by Ledger.mu.
type line struct {
	places    []*place
	flying    int // on their way to the engine
	gathering bool
	took      [3]time.Duration // by the last ones that arrived
}

// slow says whether the store is: one that was only held up once is not for long.
func (l *Ledger) slow() bool { return l.replicas == 1 && slices.Max(l.line.took[:]) > slowPace }

func (l *Ledger) width() int {
	switch {
	case l.replicas > 1:
		return clusterWidth
	case l.slow():
		return 1
	}
	return soloWidth
}

// patience is mostWait, and in a cluster as long as an election takes.
func (l *Ledger) patience() time.Duration {
	if l.replicas > 1 {
		return l.electionTime()
	}
	return mostWait
}

// wait is how long a change that comes now will take at the least. Mu must be held.
func (l *Ledger) wait() time.Duration {
	pace, before := slices.Min(l.line.took[:]), len(l.line.places)/l.width()
	if l.slow() { // all who wait go together, after what is on its way
		before = min(l.line.flying, 1)
	}
	return pace * time.Duration(1+before)
}

// enter lets a change stand in line. Where it would take too long it is refused: a store that is too slow for what is asked of it would make
// everybody wait for ever longer.
func (l *Ledger) enter(p *place) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.wait(); wait > l.patience() && l.line.flying > 0 {
		return fmt.Errorf("%w: it is too slow: a change would take %v", ErrReadOnly, wait.Round(time.Millisecond))
	}
	l.line.places = append(l.line.places, p)
	l.advance()
	return nil
}

// advance lets those go whose turn it is. Mu must be held.
func (l *Ledger) advance() {
	for len(l.line.places) > 0 {
		first := l.line.places[0]
		first.room = l.room(first)
		if l.line.flying > 0 && l.line.flying+first.room > l.width() {
			return
		}
		if rest := l.gather(first); rest > 0 {
			if !l.line.gathering {
				l.line.gathering = true
				time.AfterFunc(rest, l.depart)
			}
			return
		}
		f, left := flight{group: []*place{first}}, l.line.places[1:]
		if l.slow() && !first.alone {
			f, left = together(l.line.places)
		}
		l.line.places = left
		l.line.flying += first.room
		first.lead <- f
	}
}

// gather is how much longer a change waits for others to come along: half of what it takes, so that of many who come within a second none
// waits for two flights. One write is not worth it.
func (l *Ledger) gather(p *place) time.Duration {
	if !l.slow() || p.alone || len(p.writes) == 1 {
		return 0
	}
	return min(slices.Max(l.line.took[:])/2, mostWait/5) - time.Since(p.came)
}

// depart ends the gathering.
func (l *Ledger) depart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.gathering = false
	l.advance()
}

// room is how much of the width a change takes. Alone the engine does nothing else while it keeps several writes.
func (l *Ledger) room(p *place) int {
	if l.replicas == 1 && len(p.writes) > 1 {
		return soloWidth
	}
	return 1
}

// together are the first of those that wait and all that can go with it: no two may change the same thing.
func together(all []*place) (f flight, left []*place) {
	taken, n := map[string]bool{}, 0
	for _, p := range all {
		if slices.ContainsFunc(p.writes, func(w Write) bool { return taken[w.Subject] }) {
			f.rivals = append(f.rivals, p)
			continue
		}
		if p.alone || n+len(p.writes) > MaxWrites {
			left = append(left, p)
			continue
		}
		n += len(p.writes)
		for _, w := range p.writes {
			taken[w.Subject] = true
		}
		f.group = append(f.group, p)
	}
	return f, left
}

// arrive says that what went at that moment is no longer on its way, with all it took along.
func (l *Ledger) arrive(first *place, went time.Time) {
	took := time.Since(went)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.flying -= first.room
	l.line.took = [3]time.Duration{took, l.line.took[0], l.line.took[1]}
	l.advance()
}

// withdraw takes a change out of the line; false: its turn has come.
func (l *Ledger) withdraw(p *place) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.line.places, p)
	if at >= 0 {
		l.line.places = slices.Delete(l.line.places, at, at+1)
	}
	return at >= 0
}

// turn waits until it is a change's turn to lead a flight; or it was taken along, and landed is what came of it.
func (l *Ledger) turn(ctx context.Context, p *place) (f flight, end landed, err error) {
	if err := l.enter(p); err != nil {
		return f, end, err
	}
	patience := time.NewTimer(l.patience())
	defer patience.Stop()
	select {
	case f = <-p.lead:
		return f, end, nil
	case end = <-p.done:
		return f, end, nil
	case <-patience.C:
		err = fmt.Errorf("%w: it is too slow: a change had no turn for %v", ErrReadOnly, l.patience())
	case <-ctx.Done():
		err = ctx.Err()
	}
	if l.withdraw(p) {
		return f, end, err
	}
	select { // its turn came at the same moment, or it is on its way with others
	case f = <-p.lead:
		return f, end, nil
	default:
	}
	select {
	case end = <-p.done:
		return f, end, nil
	case <-ctx.Done():
		return f, end, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	}
}

// takeAlong sends the changes of a flight as one, and tells each but the first what came of it.
func (l *Ledger) takeAlong(f flight) (first landed) {
	defer l.arrive(f.group[0], time.Now())
	ready := slices.DeleteFunc(slices.Clone(f.group), func(p *place) bool { return !l.stillGood(p) })
	kept, silent := map[*place]Seq{}, false
	if len(ready) > 0 {
		var msgs []*nats.Msg
		for _, p := range ready {
			msgs = append(msgs, p.msgs...)
		}
		last, err := l.publish(context.Background(), asBatch(msgs), soloTime)
		silent = errors.Is(err, context.DeadlineExceeded)
		if err == nil {
			l.saw(last)
			for _, p := range slices.Backward(ready) {
				kept[p] = last
				last -= Seq(len(p.msgs))
			}
		}
	}
	for i, p := range f.group {
		end := landed{kept[p], apart}
		switch {
		case end.seq > 0:
			end.fate = stored
		case silent:
			end.fate = unknown
		}
		if i == 0 {
			first = end
		} else {
			p.done <- end
		}
	}
	for _, p := range f.rivals {
		p.done <- landed{fate: passed}
	}
	return first
}

// stillGood says that a change may go with others: one that the log has passed by would have all of them refused.
func (l *Ledger) stillGood(p *place) bool {
	if alive(p.ctx) != nil || l.writable() != nil {
		return false
	}
	for _, w := range p.writes {
		e, _, err := l.Last(p.ctx, w.Subject)
		if err != nil || e.Seq != w.Expect {
			return false
		}
	}
	return true
}

// asBatch numbers copies of the messages as one atomic batch.
func asBatch(all []*nats.Msg) []*nats.Msg {
	batch := make([]*nats.Msg, len(all))
	for i, m := range all {
		c := nats.NewMsg(m.Subject)
		c.Data = m.Data
		c.Header.Set(jetstream.ExpectedLastSubjSeqHeader, m.Header.Get(jetstream.ExpectedLastSubjSeqHeader))
		number(c, i, len(all))
		batch[i] = c
	}
	return batch
}
