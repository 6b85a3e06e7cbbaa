package uplink

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

// maxQueue bounds what waits while the center is away; the oldest reports go first.
const maxQueue = 512

// askTime is how long a person waits for an answer at most.
const askTime = 10 * time.Second

// item is a message that waits for its answer. It keeps its op through every connection, so that it is carried out once.
type item struct {
	op    string
	m     message
	sent  bool       // on this connection
	at    time.Time  // when it was said here
	reply chan error // one answer; nil for a report
	told  func(error)
}

type message = interface{ Type() string }

func (i *item) answer(err error) {
	if i.reply != nil {
		i.reply <- err // has room for the one answer
	}
	if i.told != nil {
		i.told(err)
	}
}

// Ask sends SetStatus, SetNext, ExtendWork, CallNote, RaiseHand, SettingsReport or what somebody does to others and waits for the center's yes (nil) or no (a wire.Problem). Through a break
// of the connection it is repeated with the same op, so that it is carried out once. It waits ten seconds at most.
func (u *Uplink) Ask(ctx context.Context, m interface{ Type() string }) error {
	i := &item{op: rand.Text(), m: m, reply: make(chan error, 1)}
	u.mu.Lock()
	if u.session == nil {
		u.mu.Unlock()
		return wire.Problem{Code: wire.ProblemExpired}
	}
	u.queue = append(u.queue, i)
	u.mu.Unlock()
	u.signal()
	timeout := time.NewTimer(askTime)
	defer timeout.Stop()
	select {
	case err := <-i.reply:
		return err
	case <-ctx.Done():
	case <-timeout.C:
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.queue = slices.DeleteFunc(u.queue, func(q *item) bool { return q == i })
	if u.online {
		return wire.Problem{Code: wire.ProblemCenter}
	}
	return wire.Problem{Code: wire.ProblemOffline}
}

// Report sends a CallReport, AttendReport, CheckReport or LineReport, in order. While the connection is lost call reports are kept, and of the line the
// last one, which every new connection begins with.
func (u *Uplink) Report(m interface{ Type() string }) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return
	}
	if l, ok := m.(wire.LineReport); ok {
		u.line = &l
	}
	u.queue = append(u.queue, &item{op: rand.Text(), m: m, at: time.Now()})
	if len(u.queue) > maxQueue {
		i := slices.IndexFunc(u.queue, func(q *item) bool { return q.reply == nil && q.told == nil }) // the one that was just added at the latest
		u.queue = slices.Delete(u.queue, i, i+1)
		u.log.Warn("too many reports wait for the center: the oldest is dropped")
	}
	u.signal()
}

// Keep sends a SetStatus or SetNext in its turn among the reports, a status with how long ago it was said, whenever the center is there again. told hears its answer, once:
// nil, or a wire.Problem; none when the session ends before.
func (u *Uplink) Keep(m interface{ Type() string }, told func(error)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return
	}
	u.queue = append(u.queue, &item{op: rand.Text(), m: m, at: time.Now(), told: told})
	u.signal()
}

// lateLeast is how old a word must be to be told as one of another time.
const lateLeast = 3 * time.Second

// word is what is said, with how late it comes. The clocks of phone and center need not agree.
func (i *item) word(now time.Time) message {
	late := now.Sub(i.at)
	if i.at.IsZero() || late < lateLeast {
		return i.m
	}
	switch m := i.m.(type) {
	case wire.CallReport:
		m.Late = late.Milliseconds()
		return m
	case wire.SetStatus:
		m.Late = late.Milliseconds()
		return m
	}
	return i.m
}

func (u *Uplink) signal() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// answered ends the request of that op.
func (u *Uplink) answered(op string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.queue, func(q *item) bool { return q.op == op })
	if i < 0 {
		return
	}
	if err != nil && u.queue[i].reply == nil && u.queue[i].told == nil {
		u.log.Warn("report refused by the center", "type", u.queue[i].m.Type(), "err", err)
	}
	u.queue[i].answer(err)
	u.queue = slices.Delete(u.queue, i, i+1)
}

// write sends what waits, until ctx or the connection ends.
func (u *Uplink) write(ctx context.Context, conn *socket.Conn) {
	if l := u.lastLine(); l != nil && send(ctx, conn, "", *l) != nil {
		return
	}
	for {
		items, watch := u.unsent()
		if watch != nil && send(ctx, conn, "", *watch) != nil {
			return
		}
		for _, i := range items {
			if send(ctx, conn, i.op, i.word(time.Now())) != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-conn.Done():
			return
		case <-u.wake:
		}
	}
}

func (u *Uplink) lastLine() *wire.LineReport {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.line
}

// unsent marks as sent what this connection has not sent yet, and hands it out. watch is nil when the center knows what is watched.
func (u *Uplink) unsent() (items []*item, watch *wire.WatchFloor) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, i := range u.queue {
		if !i.sent {
			i.sent = true
			items = append(items, i)
		}
	}
	return items, u.askLocked()
}

func send(ctx context.Context, conn *socket.Conn, op string, m message) error {
	e, err := wire.Pack(op, m)
	if err != nil {
		return err
	}
	return conn.Write(ctx, e)
}
