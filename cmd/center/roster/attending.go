package roster

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// supervise carries out what a supervisor's phone asks for. Whom it attended before is told that it is over first.
func (r *Roster) supervise(ctx context.Context, l *link, m wire.Supervise) error {
	if _, ok := r.wishes.take(l.account, time.Now()); !ok {
		return wire.Problem{Code: wire.ProblemCenter} // faster than a person can click
	}
	s := supervisor{account: l.account, session: l.session, vault: r.vault, id: rand.Text(), linked: r.lineLocked}
	for range 3 {
		moved := false
		err := r.change(ctx, l.account, func(d *draft) (err error) {
			if own := d.agents[l.account].v.Session; own == nil || own.ID != l.session {
				return wire.Problem{Code: wire.ProblemExpired}
			}
			moved, err = d.supervise(s, m)
			return err
		})
		if err != nil || !moved {
			return err
		}
	}
	return wire.Problem{Code: wire.ProblemCenter}
}

// lineLocked says whether the account's phone is connected, to whichever node, and says that its terminal is registered.
func (r *Roster) lineLocked(account string) bool {
	a := r.view.agents[account].v
	if a.Session == nil || a.Conn != connUp {
		return false
	}
	for _, m := range r.missingLocked(a) {
		if m == missingLine || m == missingHeartbeat {
			return false
		}
	}
	return true
}

// attendReport takes over what the agent's phone says became of a permission. One that goes on after its end is told once more.
func (r *Roster) attendReport(ctx context.Context, l *link, m wire.AttendReport) error {
	r.mu.RLock()
	by := r.view.attendBy(r.vault, l.account, m.ID)
	a := r.view.attends[by].v
	r.mu.RUnlock()
	if by == "" {
		r.log.Warn("a phone tells of a permission that was not given for it", "account", l.account, "state", oneLine(m.State, 16))
		return nil
	}
	if m.State == AttendBegun && !a.live() {
		r.mu.RLock()
		r.sayAttendLocked(by, a)
		r.mu.RUnlock()
		return nil
	}
	if m.State == "refused" {
		r.log.Warn("a phone refused who called with a permission", "account", l.account, "by", by, "why", oneLine(m.Why, 40))
	}
	return r.change(ctx, l.account, func(d *draft) error {
		if s := d.agents[l.account].v.Session; s == nil || s.ID != l.session {
			return wire.Problem{Code: wire.ProblemExpired}
		}
		d.attended(l.account, l.session, by, m)
		return nil
	})
}

// Permitted implements exchange.Desk.
func (r *Roster) Permitted(id, caller, called string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	account := r.view.terminals[called].v.Holder
	by := r.view.attendBy(r.vault, account, id)
	a := r.view.attends[by].v
	return by != "" && a.State == AttendAsked && time.Now().Before(a.Until) && subtle.ConstantTimeCompare([]byte(a.From), []byte(caller)) == 1 && a.To == called &&
		r.view.attendOver(by) == ""
}

// attendLocked tells both phones what has become of it, if they are connected here. before and the present one may be of different
// permissions: the end of the old one is told even if its event was passed over.
func (r *Roster) attendLocked(by string, before Attendance) {
	now := r.view.attends[by].v
	if before.live() && !before.same(now) {
		before.State = AttendOver
		r.sayAttendLocked(by, before)
	}
	if now.live() || before.live() && before.same(now) {
		r.sayAttendLocked(by, now)
	}
}

// sayAttendLocked says it to those of the two phones that are connected here. The agent's is first: the other one calls it at once, and
// behind a PBX that drops the permit a call that nobody has told of is an ordinary one.
func (r *Roster) sayAttendLocked(by string, a Attendance) {
	r.sayAttendToLocked(r.links[a.Account], by, a)
	r.sayPermitLocked(r.links[by], by, a)
}

func (r *Roster) sayPermitLocked(l *link, by string, a Attendance) {
	id, err := r.vault.open(a.Sealed, attendName(by))
	if l == nil || l.session != a.Session || err != nil {
		return
	}
	p := wire.Permit{ID: id, Account: a.Account, Agent: r.view.name(a.Account), Extension: a.To, Mode: a.Mode, Follow: a.Follow}
	switch {
	case !a.live():
		p.Mode = ""
		if a.Why != "" {
			why := r.view.about(a.Why, a.Account)
			p.Problem = &why
		}
	case a.State == AttendAsked:
		p.Until = a.Until
	}
	l.say(p)
}

func (r *Roster) sayAttendToLocked(l *link, by string, a Attendance) {
	id, err := r.vault.open(a.Sealed, attendName(by))
	if l == nil || l.session != a.Other || err != nil {
		return
	}
	w := wire.Attend{ID: id, By: by, Name: r.view.name(by), Extension: a.From, Mode: a.Mode, Follow: a.Follow, Tone: a.Tone}
	switch {
	case !a.live():
		w.Mode = ""
	case a.State == AttendAsked:
		w.Until = a.Until
	}
	l.say(w)
}

// attendanceLocked tells a phone that has just connected whom it attends and who attends it, and what has ended while it was away.
func (r *Roster) attendanceLocked(l *link) {
	if a, ok := r.view.attends[l.account]; ok {
		r.sayPermitLocked(l, l.account, a.v)
	}
	for by := range r.view.attended[l.account] {
		r.sayAttendToLocked(l, by, r.view.attends[by].v)
	}
}

// attendTouchedLocked has watchAttends look, if the event may end what somebody attends.
func (r *Roster) attendTouchedLocked(kind, id string) {
	switch kind {
	case KindAttend:
	case KindAgent, KindAccount:
		if !r.view.attends[id].v.live() && len(r.view.attended[id]) == 0 {
			return
		}
	case KindGroup:
	default:
		return
	}
	select {
	case r.minded <- struct{}{}:
	default:
	}
}

// watchAttends ends what cannot go on, until ctx ends.
func (r *Roster) watchAttends(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.minded:
		case <-timer.C:
		}
		ended, next := r.attendsDue()
		for _, by := range ended {
			err := r.change(ctx, bySystem, func(d *draft) error {
				d.attendLapse(by)
				return nil
			})
			if err != nil && ctx.Err() == nil {
				if next = time.Now().Add(time.Second); !errors.Is(err, ledger.ErrReadOnly) {
					r.log.Warn("end of an attendance", "account", by, "err", err)
				}
			}
		}
		if !next.IsZero() {
			timer.Reset(max(time.Until(next), time.Millisecond))
		}
	}
}

// attendsDue are whose attendance is to be ended, and when to look again.
func (r *Roster) attendsDue() (ended []string, next time.Time) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for by, a := range r.view.attends {
		if !a.v.live() {
			continue
		}
		d := &draft{view: r.view, now: time.Now().UTC()}
		at := d.attendLapse(by)
		if len(d.changes) > 0 {
			ended = append(ended, by)
		} else if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return ended, next
}
