package pbx

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

// asterisk holds the members of Asterisk's queues to who is signed in. It owns the dynamic members whose interface has the form of
// an agent's, and no others.
type asterisk struct {
	box    Box
	log    *slog.Logger
	ami    *ami
	missed func(terminal, call string)
	stale  chan error
	stop   func()
	beats  sync.WaitGroup

	mu      sync.Mutex
	members map[place]member
	ask     bool // Asterisk must be asked for them
	noted   int  // events about them so far
}

// place is a member's, interface at a queue of Asterisk.
type place struct{ queue, iface string }

type member struct {
	paused  bool
	reason  string
	penalty string
	name    string
}

func openAsterisk(ctx context.Context, b Box, log *slog.Logger, missed func(terminal, call string)) (*asterisk, error) {
	a := &asterisk{box: b, log: log, missed: missed, stale: make(chan error, 1), members: map[place]member{}, ask: true}
	a.box.Member = cmp.Or(b.Member, "PJSIP/{terminal}")
	var err error
	if a.ami, err = dialAMI(ctx, b.Addr, b.CA, a.heard); err != nil {
		return nil, err
	}
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.beats.Go(a.ami.run)
	secret := ""
	if b.Secret != nil {
		secret = b.Secret.Reveal()
	}
	if _, err := a.ami.do(ctx, "", "Login", "Username", b.User, "Secret", secret, "Events", "system,agent"); err != nil {
		a.close()
		return nil, err
	}
	a.beats.Go(func() { a.beat(beating) })
	return a, nil
}

func (a *asterisk) close() {
	a.stop()
	a.ami.close()
	a.beats.Wait()
}

func (a *asterisk) lost() <-chan error { return a.stale }

// beat notices a connection that is dead.
func (a *asterisk) beat(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.ami.done:
			a.end(cmp.Or(a.ami.ended(), errors.New("the connection ended")))
			return
		case <-tick.C:
			if _, err := a.ami.do(ctx, "", "Ping"); err != nil && ctx.Err() == nil {
				a.end(err)
				return
			}
		}
	}
}

func (a *asterisk) say(err error) {
	select {
	case a.stale <- err:
	default: // one is enough
	}
}

// end says that the connection is no more; what else is to be said does not matter then.
func (a *asterisk) end(err error) {
	for {
		select {
		case a.stale <- err:
			return
		case <-a.stale:
		}
	}
}

// heard is an event that nobody asked for.
func (a *asterisk) heard(m message) {
	at := place{m["queue"], cmp.Or(m["interface"], m["location"])}
	switch m["event"] {
	case "FullyBooted": // after a restart its dynamic members may be gone
		a.change(func() { a.ask = true })
	case "QueueMemberAdded", "QueueMemberPause", "QueueMemberPenalty":
		if m["membership"] != "dynamic" {
			return
		}
		a.change(func() { a.members[at] = memberOf(m) })
	case "QueueMemberRemoved":
		a.change(func() { delete(a.members, at) })
	case "AgentRingNoAnswer":
		if terminal, ok := a.terminal(at.iface); ok {
			a.missed(terminal, m["uniqueid"])
		}
	}
}

// change notes what Asterisk says; tell then sees whether that is as it should be.
func (a *asterisk) change(note func()) {
	a.mu.Lock()
	a.noted++
	note()
	a.mu.Unlock()
	a.say(errStale)
}

func memberOf(m message) member {
	return member{paused: m["paused"] == "1", reason: cmp.Or(m["pausedreason"], m["reason"]), penalty: cmp.Or(m["penalty"], "0"), name: cmp.Or(m["membername"], m["name"])}
}

// iface is the interface of a terminal, and terminal undoes it.
func (a *asterisk) iface(terminal string) string {
	return strings.ReplaceAll(a.box.Member, "{terminal}", terminal)
}

func (a *asterisk) terminal(iface string) (string, bool) {
	before, after, _ := strings.Cut(a.box.Member, "{terminal}")
	rest, ok := strings.CutPrefix(iface, before)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, after)
	return rest, ok && rest != "" && !strings.ContainsAny(rest, "/@")
}

// tell sets right what differs: whoever must not ring first, then who may.
func (a *asterisk) tell(ctx context.Context, all []Agent) error {
	have, err := a.known(ctx)
	if err != nil {
		return err
	}
	want := a.wanted(all)
	for at := range have {
		if _, ok := want[at]; !ok {
			if err := a.act(ctx, at, nil, "QueueRemove"); err != nil {
				return err
			}
		}
	}
	for _, free := range []bool{false, true} {
		for at, m := range want {
			if m.paused == free {
				continue
			}
			if err := a.bring(ctx, at, m, have); err != nil {
				return err
			}
		}
	}
	return nil
}

// bring makes one member what it should be.
func (a *asterisk) bring(ctx context.Context, at place, m member, have map[place]member) error {
	old, there := have[at]
	if there && old.penalty != m.penalty {
		if err := a.act(ctx, at, &old, "QueuePenalty", "Penalty", m.penalty); err != nil {
			return err
		}
	}
	if !there {
		// It comes in paused, and is never free before its reason is told.
		err := a.act(ctx, at, &member{paused: true, penalty: m.penalty, name: m.name}, "QueueAdd", "MemberName", m.name, "Penalty", m.penalty, "Paused", "true",
			"StateInterface", at.iface)
		if err != nil {
			return err
		}
	}
	if there && old.paused == m.paused && (!m.paused || old.reason == m.reason) {
		return nil
	}
	paused := "false"
	if m.paused {
		paused = "true"
	}
	return a.act(ctx, at, &m, "QueuePause", "Paused", paused, "Reason", m.reason)
}

// act carries out an action about one member and notes what became of it. A no of Asterisk (the queue is not there, or the member
// came or went meanwhile) ends nothing; it is not repeated before Asterisk is asked for its members again.
func (a *asterisk) act(ctx context.Context, at place, after *member, action string, pairs ...string) error {
	_, err := a.ami.do(ctx, "", action, append([]string{"Queue", at.queue, "Interface", at.iface}, pairs...)...)
	var no *refusedAction
	if err != nil && !errors.As(err, &no) {
		return err
	}
	if err != nil {
		a.log.Warn("asterisk refuses", "queue", at.queue, "member", at.iface, "action", action, "err", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if after == nil {
		delete(a.members, at)
	} else {
		a.members[at] = *after
	}
	return nil
}

// wanted are the members as they should be.
func (a *asterisk) wanted(all []Agent) map[place]member {
	want := map[place]member{}
	for _, one := range all {
		for ours, level := range one.Queues {
			if theirs := a.box.Queues[ours]; theirs != "" && one.Terminal != "" {
				want[place{theirs, a.iface(one.Terminal)}] = member{
					paused: !one.Free, reason: flat(one.Reason), penalty: strconv.Itoa(max(level-1, 0)), name: flat(one.Name)}
			}
		}
	}
	return want
}

// flat is a name as it may stand in one line.
func flat(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// known are our members as Asterisk has them.
func (a *asterisk) known(ctx context.Context) (map[place]member, error) {
	a.mu.Lock()
	ask := a.ask
	a.mu.Unlock()
	if ask {
		if err := a.fetch(ctx); err != nil {
			return nil, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	ours := map[place]member{}
	for at, m := range a.members {
		if _, ok := a.terminal(at.iface); ok && a.serves(at.queue) {
			ours[at] = m
		}
	}
	return ours, nil
}

// fetch asks for all members. What happened to them meanwhile may be in the answer or not: then it is asked once more.
func (a *asterisk) fetch(ctx context.Context) error {
	a.mu.Lock()
	before := a.noted
	a.mu.Unlock()
	list, err := a.ami.do(ctx, "QueueStatusComplete", "QueueStatus")
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.members = map[place]member{}
	for _, m := range list {
		if at := (place{m["queue"], cmp.Or(m["interface"], m["location"])}); m["event"] == "QueueMember" && m["membership"] == "dynamic" {
			a.members[at] = memberOf(m)
		}
	}
	if a.ask = a.noted != before; a.ask {
		a.say(errStale)
	}
	return nil
}

func (a *asterisk) serves(queue string) bool {
	for _, theirs := range a.box.Queues {
		if theirs == queue {
			return true
		}
	}
	return false
}
