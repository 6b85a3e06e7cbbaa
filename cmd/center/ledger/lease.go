package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A lease is a key whose value says who has it, and whose header for how long each renewal counts. No clock of a wall decides whether it is
// over: who wants it must have seen the same revision for that long, by the monotonic clock of the own machine, and then replaces exactly
// that one. (The engine's own time to live goes by the wall clock of whoever leads: one that jumped ended every lease while its holders
// worked on, or kept a dead one's for an hour.)
const (
	leaseBucket = "leases"
	leaseStream = "KV_" + leaseBucket
	leaseKey    = "$KV." + leaseBucket + "."
	leaseTTL    = "Lease-Time" // headers of a lease that is held
	leaseMark   = "Lease-Mark"
	leaseOp     = "KV-Operation" // header of one that was given back
	leaseMarker = "Nats-Marker-Reason"
)

// errHeld says that somebody else has the lease.
var errHeld = errors.New("somebody else has the lease")

// Hold runs work while this node has the lease of that name, and returns work's error, or ctx's when it ends. If the lease is
// lost work's context ends, and Hold waits for the lease again. A Commit with work's context is refused once the lease's time is over;
// one that was on its way when the process froze may still land, so what work writes must name what it was decided on, as every write does. who is shown to those who ask who has it.
// The name has letters, digits, -, _ and dots; ttl is at least a second.
func (l *Ledger) Hold(ctx context.Context, name, who string, ttl time.Duration, work func(context.Context) error) error {
	t := tenant{name: name, who: who, mark: rand.Text(), ttl: ttl}
	var mine uint64 // what we wrote last: while it stands nobody else had the lease
	for ctx.Err() == nil {
		g, err := l.take(ctx, t, mine)
		if err != nil {
			l.log.Debug("lease not taken", "lease", name, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(ttl / 10):
			}
			continue
		}
		l.log.Info("lease taken", "lease", name)
		last, lost, err := l.keep(ctx, t, g, work)
		if !lost {
			return err
		}
		mine = last
		l.log.Warn("lease lost", "lease", name)
	}
	return ctx.Err()
}

// tenant is one call of Hold. Its mark tells it from all others: two nodes may give the same who.
type tenant struct {
	name, who, mark string
	ttl             time.Duration
}

// Holder says who has the lease of that name; "" if nobody.
func (l *Ledger) Holder(ctx context.Context, name string) (string, error) {
	at, err := l.peek(ctx, name)
	if err != nil || !at.alive {
		return "", err
	}
	return at.who, nil
}

// Holders are the leases whose names begin so, and who has them. Whoever leads is asked, and each question ends with ctx or after
// some seconds: nothing is followed that could fall silent.
func (l *Ledger) Holders(ctx context.Context, begin string) (map[string]string, error) {
	s, err := l.bucket(ctx)
	if err != nil {
		return nil, err
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(leaseKey+">"))
	if err != nil {
		return nil, fmt.Errorf("leases %s: %w", begin, err)
	}
	all := map[string]string{}
	for key := range info.State.Subjects {
		name := strings.TrimPrefix(key, leaseKey)
		if !strings.HasPrefix(name, begin) {
			continue
		}
		at, err := l.peek(ctx, name)
		switch {
		case err != nil:
			return nil, err
		case at.alive:
			all[name] = at.who
		}
	}
	return all, nil
}

// lease is one as the engine has it. The zero lease is one that nobody ever had.
type lease struct {
	rev   uint64
	who   string
	mark  string
	ttl   time.Duration // 0: it was given back
	alive bool          // as far as was seen here
}

// sighting is since when a lease stands at a revision, by our monotonic clock.
type sighting struct {
	rev   uint64
	since time.Time
}

// peek asks whoever leads for a lease, and judges it by what was seen before.
func (l *Ledger) peek(ctx context.Context, name string) (lease, error) {
	at, err := l.peekOnce(ctx, name)
	if err != nil {
		return lease{}, fmt.Errorf("lease %s: %w", name, err)
	}
	now := time.Now() // after the answer: the renewal that is seen began before
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.sights[name]
	switch {
	case at.rev > known.rev:
		known = sighting{at.rev, now}
		if l.sights == nil {
			l.sights = map[string]sighting{}
		}
		l.sights[name] = known
	case at.rev < known.rev: // by one who does not know yet that another leads
		return lease{}, fmt.Errorf("lease %s: an old answer", name)
	}
	at.alive = at.ttl > 0 && now.Sub(known.since) < at.ttl
	return at, nil
}

func (l *Ledger) peekOnce(ctx context.Context, name string) (at lease, err error) {
	if _, err := l.bucket(ctx); err != nil {
		return at, err
	}
	ctx, cancel := l.askingLeases.try(ctx, attemptTime)
	defer cancel()
	ask, err := json.Marshal(query{Last: leaseKey + name})
	if err != nil {
		return at, err
	}
	reply, err := l.at.Load().conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+leaseStream, ask)
	if err != nil {
		return at, err
	}
	var said struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Seq  uint64 `json:"seq"`
			Data []byte `json:"data"`
			Hdrs []byte `json:"hdrs"`
		} `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &said); err != nil {
		return at, err
	}
	if said.Error != nil {
		if said.Error.ErrorCode == noEvent {
			return lease{}, nil
		}
		return at, said.Error
	}
	at = lease{rev: said.Message.Seq, who: string(said.Message.Data), ttl: oldLease}
	if len(said.Message.Hdrs) == 0 {
		return at, nil
	}
	hdr, err := nats.DecodeHeadersMsg(said.Message.Hdrs)
	if err != nil {
		return at, err
	}
	at.mark = hdr.Get(leaseMark)
	if hdr.Get(leaseOp) != "" || hdr.Get(leaseMarker) != "" {
		at.ttl = 0
	} else if ttl, err := time.ParseDuration(hdr.Get(leaseTTL)); err == nil && ttl > 0 {
		at.ttl = ttl
	}
	return at, nil
}

// oldLease is for how long a lease counts that does not say it.
const oldLease = 10 * time.Second

// grant is a lease that was given: its revision, and when we asked for it.
type grant struct {
	rev uint64
	at  time.Time
}

// take replaces a lease that was given back, that is over, or that we had last.
func (l *Ledger) take(ctx context.Context, t tenant, mine uint64) (grant, error) {
	ctx, cancel := context.WithTimeout(ctx, t.ttl)
	defer cancel()
	at, err := l.peek(ctx, t.name)
	if err != nil {
		return grant{}, err
	}
	if at.alive && at.rev != mine {
		return grant{}, fmt.Errorf("lease %s: %w", t.name, errHeld)
	}
	g := grant{at: time.Now()}
	g.rev, err = l.renew(ctx, t, at.rev)
	return g, err
}

// held is the context of work under a lease. It has ended as soon as the lease's time is over by this machine's monotonic clock, even
// when nothing had a chance to cancel it: a process that was frozen must not act on what somebody else has meanwhile.
type held struct {
	context.Context
	until atomic.Int64 // of the lease, in nanoseconds since began
	began time.Time
}

func (h *held) extend(from time.Time, ttl time.Duration) {
	h.until.Store(int64(from.Add(ttl).Sub(h.began)))
}

func (h *held) over() bool { return int64(time.Since(h.began)) >= h.until.Load() }

func (h *held) Err() error {
	if err := h.Context.Err(); err != nil {
		return err
	}
	if h.over() {
		return context.DeadlineExceeded
	}
	return nil
}

// holding is the key under which a lease's context, and every context made from it, knows the lease.
type holding struct{}

func (h *held) Value(key any) any {
	if key == (holding{}) {
		return h
	}
	return h.Context.Value(key)
}

// alive is ctx's error, or that of the lease it was made under: a derived context asks its parent's channel, never its parent's Err,
// and a process that has just thawed had no time to close a channel.
func alive(ctx context.Context) error {
	if h, ok := ctx.Value(holding{}).(*held); ok && h.Err() != nil {
		return h.Err()
	}
	return ctx.Err()
}

// keep runs work and renews the lease beside it. lost is true when the lease ended before work did; rev is what we wrote last.
func (l *Ledger) keep(ctx context.Context, t tenant, g grant, work func(context.Context) error) (rev uint64, lost bool, err error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	own := &held{Context: inner, began: g.at}
	own.extend(g.at, t.ttl)
	end := time.AfterFunc(time.Until(g.at.Add(t.ttl)), cancel) // on time, even while a renewal waits for its answer
	defer end.Stop()
	done := make(chan error, 1)
	go func() { done <- work(own) }()
	tick := time.NewTimer(t.ttl / 3)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			l.release(ctx, t.name, g.rev)
			return g.rev, ctx.Err() == nil && inner.Err() != nil, err
		case <-tick.C:
			began, pause := time.Now(), t.ttl/3
			next, err := l.renew(ctx, t, g.rev)
			if err != nil {
				pause = t.ttl / 20 // one who can answer may lead by then
			}
			switch {
			case err == nil && own.over():
				g.rev = next // too late for work, which has been told
			case err == nil:
				g.rev = next
				own.extend(began, t.ttl)
				end.Reset(time.Until(began.Add(t.ttl)))
			case taken(err): // by one who led once, or by another tenant, or since a renewal landed whose answer did not come
				g.rev, err = l.settle(ctx, t, g.rev, own.over)
			}
			if own.over() || err == errHeld {
				cancel()
				<-done
				return g.rev, ctx.Err() == nil, err
			}
			tick.Reset(pause)
		}
	}
}

// settle finds out why a renewal was refused. One that landed unheard counts for nothing, but the next one may follow it. One who was frozen
// while he led refuses what his heir has long granted, and shows an old revision, until he hears of his heir: that is no answer. errHeld says
// that another has the lease, or that it was given back; it asks until over says that there is nothing left to save.
func (l *Ledger) settle(ctx context.Context, t tenant, known uint64, over func() bool) (rev uint64, err error) {
	for !over() && ctx.Err() == nil {
		at, err := l.peekWithin(ctx, t.name, time.Second)
		switch {
		case err != nil || at.rev < known:
		case at.mark != t.mark || at.ttl == 0:
			return known, errHeld
		default:
			return at.rev, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return known, errHeld
}

func (l *Ledger) peekWithin(ctx context.Context, name string, most time.Duration) (lease, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return l.peek(ctx, name)
}

// taken says that somebody else has the lease, or that it ended.
func taken(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == codeCAS || api.ErrorCode == codeCASBusy)
}

// renew replaces that revision of the lease by our own.
func (l *Ledger) renew(ctx context.Context, t tenant, rev uint64) (uint64, error) {
	ctx, cancel := l.askingLeases.try(ctx, t.ttl/3)
	defer cancel()
	m := nats.NewMsg(leaseKey + t.name)
	m.Data = []byte(t.who)
	m.Header.Set(leaseTTL, t.ttl.String())
	m.Header.Set(leaseMark, t.mark)
	ack, err := l.at.Load().js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(rev))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// release gives the lease back, so that the next one need not wait.
func (l *Ledger) release(ctx context.Context, name string, rev uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	m := nats.NewMsg(leaseKey + name)
	m.Header.Set(leaseOp, "DEL")
	if _, err := l.at.Load().js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(rev)); err != nil {
		l.log.Debug("release lease", "lease", name, "err", err)
	}
}

// bucket is where the leases are, made when there is none.
func (l *Ledger) bucket(ctx context.Context) (jetstream.Stream, error) {
	en := l.at.Load()
	en.mu.Lock()
	s := en.leases
	en.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := en.js.Stream(ctx, leaseStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		// On disk: of members whose memory was empty after a restart two could elect a leader that knew of no lease, and somebody took
		// one that a third still had.
		_, err = en.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: leaseBucket, Storage: jetstream.FileStorage, Replicas: l.replicas})
		if err == nil {
			s, err = en.js.Stream(ctx, leaseStream)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	en.mu.Lock()
	defer en.mu.Unlock()
	en.leases = s
	return s, nil
}
