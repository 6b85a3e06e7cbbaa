package main

import (
	"context"
	crand "crypto/rand"
	"embed"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/media"
	"zaseki/web/wire"
)

//go:embed speech/*.ulaw
var voices embed.FS

// robot is a simulated agent: a whole phone whose face is a program.
type robot struct {
	*phone
	name, seat, voice string

	mu   sync.Mutex
	snap wire.Snapshot
}

func newRobot(url, account, seat, lang string, log *slog.Logger) (*robot, error) {
	p, err := newPhone(phoneConfig{center: center{url: url}, machine: "demo", log: log, codecs: []string{"PCMU", "PCMA"}})
	if err != nil {
		return nil, err
	}
	return &robot{phone: p, name: account, seat: seat, voice: "colleague-" + lang}, nil
}

// Run lives the robot's day: whenever its situation changes it plans what to do next, and when.
func (r *robot) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.phone.Run(ctx) })
	g.Go(func() error { r.live(ctx); return nil })
	return g.Wait()
}

func (r *robot) live(ctx context.Context) {
	news, stop := r.agent.Watch()
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	was, act := "", func() {}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			act()
		case snap := <-news:
			r.mu.Lock()
			r.snap = snap
			r.mu.Unlock()
			situation, after, next := r.plan(snap)
			if situation == was {
				continue
			}
			was, act = situation, next
			timer.Stop()
			timer.Reset(after)
		}
	}
}

// plan is what a robot in that situation does, and after how long.
func (r *robot) plan(snap wire.Snapshot) (situation string, after time.Duration, act func()) {
	ask := func(c wire.Command) func() { return func() { r.agent.Post(c) } }
	between := func(low, high time.Duration) time.Duration { return low + rand.N(high-low) }
	switch snap.Phase {
	case wire.PhaseOut:
		again := crand.Text() // every refusal is a new situation
		return again, between(100*time.Millisecond, 2*time.Second), ask(wire.CheckAccount{Account: r.name, Password: demoPassword})
	case wire.PhaseChoosing:
		return "choosing", 0, ask(wire.SignIn{Terminal: snap.Choice.Terminal, Status: mood(), Seat: r.seat, Takeover: true})
	case wire.PhaseIn:
	default:
		return snap.Phase, time.Hour, func() {}
	}
	if len(snap.Calls) > 0 {
		switch c := snap.Calls[0]; c.Phase {
		case wire.CallOffered:
			return c.ID + c.Phase, between(time.Second, 4*time.Second), ask(wire.Answer{Call: c.ID})
		case wire.CallTalking:
			r.sound.Play(c.ID, speech(r.voice))
			return c.ID + c.Phase, between(9*time.Second, 30*time.Second), ask(wire.HangUp{Call: c.ID})
		case wire.CallDialing, wire.CallAlerted:
			return c.ID, 20 * time.Second, ask(wire.HangUp{Call: c.ID})
		default:
			return c.ID + c.Phase, time.Hour, func() {}
		}
	}
	if snap.Status.Now == wire.StatusWork { // the center ends it
		return "work", time.Hour, func() {}
	}
	return snap.Status.Now + snap.Status.Since.String(), between(12*time.Second, 70*time.Second), ask(wire.SetStatus{To: mood()})
}

// mood is a status, mostly Available.
func mood() string {
	statuses := []string{wire.StatusAvailable, wire.StatusAvailable, wire.StatusAvailable, wire.StatusBreak, wire.StatusAway}
	return statuses[rand.N(len(statuses))]
}

func (r *robot) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snap.Phase == wire.PhaseIn && len(r.snap.Calls) == 0 && r.snap.Line.State == "registered"
}

func (r *robot) dial(number string) { r.agent.Post(wire.Dial{Number: number}) }

// speech is one of the voices in speech/, from its beginning.
func speech(name string) media.Source {
	data, err := voices.ReadFile("speech/" + name + ".ulaw")
	if err != nil {
		panic(err) // embedded; a test plays every one
	}
	return media.ULaw(data)
}
