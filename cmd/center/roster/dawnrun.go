package roster

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// PhoneChecker calls a terminal to measure the way to its phone; see exchange.Exchange.
type PhoneChecker interface {
	CheckPhone(ctx context.Context, o exchange.CheckOrder) (exchange.Checked, error)
}

// dawnDesk is what this node needs to check seats.
type dawnDesk struct {
	wake chan struct{} // something happened to the check

	mu    sync.Mutex
	phone PhoneChecker
	clock func() time.Time // of the schedule
}

func newDawnDesk() *dawnDesk { return &dawnDesk{wake: make(chan struct{}, 1), clock: time.Now} }

func (k *dawnDesk) signal() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *dawnDesk) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clock()
}

// CheckWith gives what calls the phones. Without it seats count as not registered.
func (r *Roster) CheckWith(p PhoneChecker) {
	r.dawn.mu.Lock()
	defer r.dawn.mu.Unlock()
	r.dawn.phone = p
}

var (
	errStopped = errors.New("somebody stopped the check")
	errCut     = errors.New("the check was cut off")
)

// checkSeats carries out what somebody wishes: the node that serves the telephones does it.
func (r *Roster) checkSeats(ctx context.Context, l *link, m wire.Check) error {
	if _, ok := r.wishes.take(l.account, time.Now()); !ok {
		return wire.Problem{Code: wire.ProblemCenter} // faster than a person can click
	}
	return r.change(ctx, l.account, func(d *draft) error {
		if s := d.agents[l.account].v.Session; s == nil || s.ID != l.session {
			return wire.Problem{Code: wire.ProblemExpired}
		}
		if m.Stop {
			return d.stopCheck(l.account)
		}
		node := r.callsLocked()
		if _, lost := r.lostLocked(node); lost {
			return wire.Problem{Code: wire.ProblemCheckNode, Holes: map[string]string{"node": node}}
		}
		return d.beginCheck(l.account, node, m)
	})
}

// callsLocked is the node that serves the telephones.
func (r *Roster) callsLocked() string { return or(r.nodes.Lines, r.cfg.Node) }

// checkReported takes over a phone's report of the call it was given.
func (r *Roster) checkReported(ctx context.Context, l *link, m wire.CheckReport) error {
	m = plausible(m)
	given := false
	err := r.change(ctx, l.account, func(d *draft) error {
		given = d.checkReport(r.vault, l.account, l.session, m)
		return nil
	})
	if err == nil && !given && m.Why == wire.ProblemCheckForged {
		r.log.Warn("a phone refused who called with the name of a check", "account", l.account)
	}
	return err
}

// sayCheckLocked has a phone told of the call that it is to take, if it is connected here.
func (r *Roster) sayCheckLocked(seat string) {
	c := r.view.seatChecks[seat].v
	l := r.links[c.Found.Account]
	if l == nil || l.session != c.Session || c.Found.State != wire.CheckCalling || c.Report != nil {
		return
	}
	if id, err := r.vault.open(c.Sealed, checkName(seat, c.Check)); err == nil {
		l.say(wire.CheckCall{ID: id, Until: c.Until})
	}
}

// watchDawn runs the checks that are this node's, and begins those of the schedule, until ctx ends.
func (r *Roster) watchDawn(ctx context.Context) error {
	tick := time.NewTicker(dawnLook)
	defer tick.Stop()
	looked := r.dawn.now()
	for {
		if now := r.dawn.now(); r.dawnDue(looked, now) {
			r.beginByClock(ctx)
			looked = now
		} else if now.After(looked) || looked.Sub(now) > dawnBack {
			looked = now
		}
		if c, seq := r.dawnNow(); c.runs() {
			switch {
			case c.Node != r.cfg.Node:
				r.cutOfLost(ctx, c)
			case seq <= r.loaded: // of the process before
				r.endCheck(ctx, c.ID, wire.ProblemCheckCut)
			default:
				r.runCheck(ctx, c)
				looked = r.dawn.now() // what came due meanwhile has been done
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.dawn.wake:
		case <-tick.C:
		}
	}
}

func (r *Roster) dawnNow() (Dawn, ledger.Seq) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.view.dawn(), r.view.dawns[dawnID].seq
}

// cutOfLost ends a check whose node is lost: one of the others does.
func (r *Roster) cutOfLost(ctx context.Context, c Dawn) {
	r.mu.RLock()
	_, lost := r.lostLocked(c.Node)
	duty := r.nodes.Duty
	r.mu.RUnlock()
	if lost && duty {
		r.endCheck(ctx, c.ID, wire.ProblemCheckCut)
	}
}

func (r *Roster) endCheck(ctx context.Context, id, why string) {
	err := r.change(ctx, bySystem, func(d *draft) error {
		d.endCheck(id, why)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		r.log.Warn("the end of a check of the seats is not written down", "err", err) // watchDawn comes back to it
	}
}

// runCheck calls one seat after the other, some at the same time, until all are done or somebody stops it.
func (r *Roster) runCheck(ctx context.Context, c Dawn) {
	began := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { r.minds(ctx, c.ID, cancel, over) })
	r.log.Info("the seats are checked", "seats", c.Count, "by", c.By)
	var g errgroup.Group
	g.SetLimit(dawnAtOnce)
	for _, seat := range c.Seats {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := r.checkSeat(ctx, c.ID, seat); err != nil && ctx.Err() == nil {
				r.log.Warn("check of a seat", "seat", seat, "err", err)
				cancel(errCut)
			}
			return nil
		})
	}
	_ = g.Wait() // each has told its own
	close(over)
	watch.Wait()
	why := ""
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStopped):
		why = wire.ProblemCheckStopped
	case errors.Is(cause, errCut):
		why = wire.ProblemCheckCut
	case cause != nil:
		return // the center ends; its next process says that this was cut off
	}
	r.endCheck(context.WithoutCancel(ctx), c.ID, why)
	r.log.Info("the check of the seats is over", "why", why, "took", time.Since(began).Round(time.Millisecond))
}

// minds cancels a check that somebody stops, until it is over.
func (r *Roster) minds(ctx context.Context, id string, cancel context.CancelCauseFunc, over <-chan struct{}) {
	for {
		if c, _ := r.dawnNow(); c.ID != id || c.Stop || !c.runs() {
			cancel(errStopped)
			return
		}
		select {
		case <-over:
			return
		case <-ctx.Done():
			return
		case <-r.dawn.wake:
		}
	}
}

// checkSeat calls one seat and writes down what was found.
func (r *Roster) checkSeat(ctx context.Context, check, seat string) error {
	var o exchange.CheckOrder
	secret := false
	err := r.change(ctx, bySystem, func(d *draft) (err error) {
		if d.dawn().ID != check || d.dawn().Stop {
			return nil
		}
		if o.ID, o.User, err = d.callSeat(r.vault, check, seat, r.lineLocked); o.ID != "" {
			t := d.terminals[o.User].v
			s := r.sipLocked(t, "")
			o.Voice, o.Keys, secret = s.Voice, s.KeysInClear, t.encrypted()
		}
		return err
	})
	if err != nil || o.ID == "" {
		return err
	}
	got, called := r.callPhone(ctx, o)
	said := r.saidOf(ctx, check, seat)
	if ctx.Err() != nil {
		if errors.Is(context.Cause(ctx), errStopped) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dawnWord)
			defer cancel()
			return r.noteFound(ctx, check, seat, wire.SeatCheck{State: wire.CheckFailed, Why: wire.ProblemCheckStopped})
		}
		return nil
	}
	return r.noteFound(ctx, check, seat, found(got, called, said, secret))
}

func (r *Roster) noteFound(ctx context.Context, check, seat string, f wire.SeatCheck) error {
	return r.change(ctx, bySystem, func(d *draft) error {
		d.foundAt(check, seat, f)
		return nil
	})
}

func (r *Roster) callPhone(ctx context.Context, o exchange.CheckOrder) (exchange.Checked, error) {
	r.dawn.mu.Lock()
	phone := r.dawn.phone
	r.dawn.mu.Unlock()
	if phone == nil {
		return exchange.Checked{}, exchange.ErrNoPhone
	}
	ctx, cancel := context.WithTimeout(ctx, dawnCall)
	defer cancel()
	return phone.CheckPhone(ctx, o)
}

// saidOf waits for what the phone says of the call; nil: nothing came.
func (r *Roster) saidOf(ctx context.Context, check, seat string) *wire.CheckReport {
	over := time.NewTimer(dawnWord)
	defer over.Stop()
	tick := time.NewTicker(captureLook)
	defer tick.Stop()
	for {
		r.mu.RLock()
		c := r.view.seatChecks[seat].v
		r.mu.RUnlock()
		if c.Check != check || c.Report != nil {
			return c.Report
		}
		select {
		case <-ctx.Done():
			return nil
		case <-over.C:
			return nil
		case <-tick.C:
		}
	}
}
