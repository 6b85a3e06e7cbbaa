package tray

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"zaseki/web/wire"
)

// ring is what should be heard now. The zero value is silence.
type ring struct {
	call string
	soft bool     // call waiting: another call is in the ear already
	test bool     // somebody tries the ring out
	loud int      // percent
	on   []string // devices by preference, best first; the system's own choice behind them
}

func (r ring) silence() bool { return r.call == "" && !r.test }

func (r ring) same(o ring) bool {
	return r.call == o.call && r.soft == o.soft && r.test == o.test && r.loud == o.loud && slices.Equal(r.on, o.on)
}

// ringing is the ring of a snapshot, and of nothing else: it ends when the call does, whatever the reason.
func ringing(s wire.Snapshot) ring {
	_, up := s.Active()
	c, ok := s.Ringing()
	loud := s.Settings.Number(wire.SetRingVolume)
	switch {
	case ok && up && s.Settings.Text(wire.SetWaiting) == "silent": // shown only
	case ok:
		return ring{call: c.ID, soft: up, loud: loud, on: s.Devices.Ring}
	case s.RingTest && !up:
		return ring{test: true, loud: loud, on: s.Devices.Ring}
	}
	return ring{}
}

var (
	// errNoDevice says that there is nothing to ring with.
	errNoDevice = errors.New("no sound device")
	// errMoved says that the ring goes on elsewhere: its device is gone, or a better one came.
	errMoved = errors.New("another device")
)

// movesMost is how often one ring may change its device: a device that comes and goes all the time has a fault.
const movesMost = 8

// player repeats the tone until ctx ends, on the first of those devices that is there, and calls heard once a device has really
// taken samples.
type player func(ctx context.Context, t tone, on []string, heard func()) error

// ringer plays the native ring.
type ringer struct {
	cfg  Config
	play player

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
			if want := ringing(s); !want.same(now) {
				hush()
				now, hush = want, r.start(ctx, want)
			}
		}
	}
}

// ringAgain is between two looks for a device while it should ring and there is none.
const ringAgain = 500 * time.Millisecond

// start plays in the background; what it returns ends that and waits for the end.
func (r *ringer) start(ctx context.Context, want ring) (hush func()) {
	if want.silence() {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	heard := sync.OnceFunc(func() {
		if want.call != "" {
			r.cfg.Agent.Post(wire.RingHeard{Call: want.call})
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.sound(ctx, want, heard)
	}()
	return func() { cancel(); <-done }
}

// sound plays until ctx ends; without a device, it begins when one is plugged in. One that comes and goes all the time is left.
func (r *ringer) sound(ctx context.Context, want ring, heard func()) {
	for {
		err := r.play(ctx, ringTone(want.soft).at(want.loud), want.on, heard)
		r.report(err)
		if err == nil || errors.Is(err, errMoved) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(ringAgain):
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

// at is the tone so loud, in percent: half is a quarter of the swing, which the ear takes for about half as loud.
func (t tone) at(percent int) tone {
	by := float64(percent) * float64(percent) / 1e4
	quieter := make([]int16, len(t.samples))
	for i, sample := range t.samples {
		quieter[i] = int16(by * float64(sample))
	}
	return tone{t.rate, quieter}
}
