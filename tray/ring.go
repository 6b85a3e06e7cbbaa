package tray

import (
	"context"
	"errors"
	"math"

	"zaseki/web/wire"
)

// ring is what should be heard now. The zero value is silence.
type ring struct {
	call string
	soft bool // call waiting: another call is in the ear already
}

// ringing is the ring of a snapshot, and of nothing else: it ends when the call does, whatever the reason.
func ringing(s wire.Snapshot) ring {
	c, ok := s.Ringing()
	if !ok {
		return ring{}
	}
	_, up := active(s)
	return ring{call: c.ID, soft: up}
}

// errNoDevice says that there is nothing to ring with.
var errNoDevice = errors.New("no sound device")

// ringer plays the native ring.
type ringer struct {
	cfg Config
	// play repeats the tone until ctx ends, and calls heard when a device has really taken samples.
	play func(ctx context.Context, t tone, heard func()) error

	silent bool // the last attempt found no device, and the log says so
}

// run plays and stops by the snapshots until ctx ends.
func (r *ringer) run(ctx context.Context) error {
	snaps, stop := r.cfg.Agent.Watch()
	defer stop()
	var now ring
	hush := func() {}
	defer func() { hush() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-snaps:
			if !ok {
				snaps = nil
				continue
			}
			if want := ringing(s); want != now {
				hush()
				now, hush = want, r.start(ctx, want)
			}
		}
	}
}

// start plays in the background; what it returns ends that and waits for the end.
func (r *ringer) start(ctx context.Context, want ring) (hush func()) {
	if want.call == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		done <- r.play(ctx, ringTone(want.soft), func() { r.cfg.Agent.Post(wire.RingHeard{Call: want.call}) })
	}()
	return func() {
		over := ctx.Err() != nil // the whole tray ends
		cancel()
		if err := <-done; !over {
			r.report(err)
		}
	}
}

// report puts a missing device into the log, once until there is one again.
func (r *ringer) report(err error) {
	lost := err != nil && !errors.Is(err, context.Canceled)
	if lost && !r.silent {
		r.cfg.Log.Info("no native ring: the page rings alone", "err", err)
	}
	r.silent = lost
}

// tone is one period of a ring, 16 bit mono.
type tone struct {
	rate    int // samples a second
	samples []int16
}

// ringTone makes the ring: two soft tones, one second on and two off, as in Japan. The soft one is a short quiet knock.
func ringTone(soft bool) tone {
	const rate, low, high = 24000, 440.0, 554.37
	on, loud := 1.0, 0.5
	if soft {
		on, loud = 0.25, 0.08
	}
	t := tone{rate: rate, samples: make([]int16, 3*rate)}
	for i := range int(on * rate) {
		at := float64(i) / rate
		edge := min(at, on-at) / 0.03 // 30 ms from silence to full, no click
		swell := math.Sin(min(edge, 1) * math.Pi / 2)
		warble := 0.75 + 0.25*math.Sin(2*math.Pi*16*at)
		wave := (math.Sin(2*math.Pi*low*at) + math.Sin(2*math.Pi*high*at)) / 2
		t.samples[i] = int16(math.MaxInt16 * loud * swell * warble * wave)
	}
	return t
}
