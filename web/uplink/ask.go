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
	reply chan error // one answer; nil for a report
}

type message = interface{ Type() string }

func (i *item) answer(err error) {
	if i.reply != nil {
		i.reply <- err // has room for the one answer
	}
}

// Ask sends SetStatus, SetNext or ExtendWork and waits for the center's yes (nil) or no (a wire.Problem). Through a break
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

// Report sends a CallReport or LineReport, in order. While the connection is lost call reports are kept, and of the line the
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
	u.queue = append(u.queue, &item{op: rand.Text(), m: m})
	if len(u.queue) > maxQueue {
		i := slices.IndexFunc(u.queue, func(q *item) bool { return q.reply == nil })
		u.queue = slices.Delete(u.queue, i, i+1)
		u.log.Warn("too many reports wait for the center: the oldest is dropped")
	}
	u.signal()
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
	if err != nil && u.queue[i].reply == nil {
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
	watched := 0
	for {
		items, watch := u.unsent()
		if watch != watched {
			if send(ctx, conn, "", wire.WatchFloor{On: watch > 0}) != nil {
				return
			}
			watched = watch
		}
		for _, i := range items {
			if send(ctx, conn, i.op, i.m) != nil {
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

// unsent marks as sent what this connection has not sent yet, and hands it out. watch is 0 when nobody watches the floor, and another
// number each time somebody begins to.
func (u *Uplink) unsent() (items []*item, watch int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, i := range u.queue {
		if !i.sent {
			i.sent = true
			items = append(items, i)
		}
	}
	if len(u.watchers) > 0 {
		watch = u.watches
	}
	return items, watch
}

func send(ctx context.Context, conn *socket.Conn, op string, m message) error {
	e, err := wire.Pack(op, m)
	if err != nil {
		return err
	}
	return conn.Write(ctx, e)
}
