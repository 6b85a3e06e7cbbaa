package sip

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"zaseki/sip/route"
)

const (
	lookTime      = 5 * time.Second // between looks whether our address is still ours, should the system not tell
	settleTime    = 10 * time.Second
	pingMin       = 24 * time.Second // keeps NATs open over UDP
	pingMax       = 29 * time.Second
	probeTime     = 250 * time.Millisecond // between tries when the server has just gone
	probeMax      = 30 * time.Second
	eagerTime     = time.Second      // for an answer while we probe
	eager         = 30 * time.Second // how long we probe like that
	retryBase     = 2 * time.Second  // after a refusal
	retryMax      = time.Minute
	retryAfterMax = 30 * time.Minute
)

// keep renews the line after two thirds of its time, at once when the way is lost or our address changed, and with growing
// pauses when the server does not answer.
func (l *line) keep(ctx context.Context) {
	defer close(l.kept)
	defer l.closeBefore()
	ctx, changes, end := l.beside(ctx)
	defer end()
	look := time.NewTicker(lookTime)
	defer look.Stop()
	ping := time.NewTimer(pingMin)
	defer ping.Stop()
	renew := time.NewTimer(l.expires * 2 / 3)
	defer renew.Stop()
	lost, failures := l.way().Done(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ping.C:
			ping.Reset(pingMin + rand.N(pingMax-pingMin))
			if link := l.way(); link.Network() == "udp" {
				_ = link.Ping(l.peer())
			}
			continue
		case now := <-look.C:
			if l.before != nil && now.After(l.beforeEnd) {
				l.closeBefore()
			}
			if l.out || !l.moved() {
				continue
			}
			l.lost()
		case <-changes:
			if !l.changed() {
				continue
			}
		case <-lost:
			if ctx.Err() != nil || l.stopped() {
				return
			}
			l.lost()
		case <-l.now:
		case <-renew.C:
		}
		wait, again := l.renew(ctx, &failures)
		if !again {
			return
		}
		lost = l.way().Done()
		if l.way().Err() != nil {
			lost = nil // the next try opens it
		}
		renew.Reset(wait)
	}
}

// beside listens for what ends the line and for changes of the network; end stops that and waits for it.
func (l *line) beside(parent context.Context) (ctx context.Context, changes <-chan struct{}, end func()) {
	ctx, cancel := context.WithCancel(parent)
	news := make(chan struct{}, 1)
	var running sync.WaitGroup
	running.Go(func() {
		select {
		case <-l.stop:
			cancel()
		case <-ctx.Done():
		}
	})
	running.Go(func() {
		route.Watch(ctx, func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
	})
	return ctx, news, func() { cancel(); running.Wait() }
}

// changed: the network is another one, so that we register again. When our address is the same that is still a good moment, for
// a machine that slept may have been forgotten, but not at every notice: others' interfaces come and go.
func (l *line) changed() bool {
	if l.moved() {
		l.phone.names.Forget()
		l.lost()
		return true
	}
	return l.out || time.Since(l.at) > settleTime
}

func (l *line) lost() {
	if !l.out {
		l.out, l.outSince = true, time.Now()
		l.phone.log.Warn("line lost", "account", l.account.User, "peer", l.target.Addr)
		l.phone.tell(LineLost{})
	}
}

// renew registers again and says when to do so next; false: never.
func (l *line) renew(ctx context.Context, failures *int) (time.Duration, bool) {
	limit := registerTime
	if l.out && time.Since(l.outSince) < eager {
		limit = eagerTime
	}
	targets, err := l.targets(ctx)
	if err == nil {
		err = l.attempt(ctx, targets, limit)
	}
	if err == nil {
		*failures, l.out = 0, false
		l.phone.tell(Registered{At: l.at, Expires: l.expires})
		return l.expires * 2 / 3, true
	}
	if ctx.Err() != nil || l.stopped() {
		return 0, false
	}
	failed := RegisterFailed{Reason: "no answer"}
	var refusal Refused
	if errors.As(err, &refusal) {
		failed.Code, failed.Reason = refusal.Code, refusal.Reason
		failed.Fatal = refusal.Code == 401 || refusal.Code == 403 || refusal.Code == 404 || refusal.Code == 407
	}
	l.phone.log.Warn("not registered", "account", l.account.User, "peer", l.target.Addr, "err", err)
	l.elsewhere = "" // where we were sent does not take us: ask again who does
	l.lost()
	l.phone.tell(failed)
	*failures++
	return l.pause(err, *failures), !failed.Fatal
}

// pause is the time until the next try: what the server asks for; growing with each refusal; and, while nobody answers, a tenth of
// the time for which that has been so, from a quarter of a second to half a minute, so that a server that restarts has us back
// before anybody notices. All with jitter, for we are not its only phone (RFC 5626 §4.5).
func (l *line) pause(err error, failures int) time.Duration {
	jitter := 0.5 + rand.Float64()/2
	var asked later
	var refusal Refused
	switch {
	case errors.As(err, &asked):
		return asked.after + time.Duration(rand.Float64()*float64(min(asked.after/10, time.Second)))
	case errors.As(err, &refusal):
		return time.Duration(jitter * float64(min(retryBase<<min(failures-1, 10), retryMax)))
	}
	return time.Duration(jitter * float64(min(max(time.Since(l.outSince)/10, probeTime), probeMax)))
}
