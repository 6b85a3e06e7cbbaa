package cmd_test

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/bench/stage"
	"zaseki/media"
	"zaseki/sip"
)

const (
	theirTone = 440  // Hz, of baresip's ausine
	ourTone   = 1000 // Hz
)

// share is how much of the sound is that tone, 0 to 1 (Goertzel).
func share(pcm []int16, rate, hz int) float64 {
	k := 2 * math.Cos(2*math.Pi*float64(hz)/float64(rate))
	var s1, s2, all float64
	for _, v := range pcm {
		s1, s2 = float64(v)+k*s1-s2, s1
		all += float64(v) * float64(v)
	}
	if all == 0 {
		return 0
	}
	return (s1*s1 + s2*s2 - k*s1*s2) / (all * float64(len(pcm)) / 2)
}

type plainSecret string

func (s plainSecret) Reveal() string { return string(s) }

// deskphone is our phone without agent and page: SIP and sound, joined as cmd/softphone joins them.
type deskphone struct {
	t     *testing.T
	line  *sip.Phone
	sound *media.Engine
	jobs  sync.WaitGroup

	mu    sync.Mutex
	sec   media.Security // of the next call
	phase map[string]string
	pcm   []int16 // heard last
	calls int
}

func newDeskphone(t *testing.T, server, secret string) *deskphone {
	t.Helper()
	return newDeskphoneBy(t, sip.Account{Server: server, Transport: "udp", Password: plainSecret(secret)})
}

// newDeskphoneBy is one that registers with that account.
func newDeskphoneBy(t *testing.T, account sip.Account) *deskphone {
	t.Helper()
	d := &deskphone{t: t, phase: map[string]string{}}
	var err error
	if d.sound, err = media.New(media.Config{Codecs: []string{"PCMA", "PCMU"}}); err != nil {
		t.Fatal(err)
	}
	d.line = sip.New(sip.Config{UserAgent: "Zaseki-test", Tell: d.tell, Reoffer: d.sound.Reanswer})
	ctx, stop := context.WithCancel(context.Background())
	g, run := errgroup.WithContext(ctx)
	g.Go(func() error { return d.sound.Run(run) })
	g.Go(func() error { return d.line.Run(run) })
	t.Cleanup(func() {
		bye, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = d.line.Unregister(bye)
		stop()
		d.jobs.Wait()
		if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	begin, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	account.User, account.Domain = "agent", "pbx.test"
	for err = d.line.Register(begin, account); err != nil && begin.Err() == nil; err = d.line.Register(begin, account) {
		t.Log(err) // Kamailio is starting
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *deskphone) tell(e sip.Event) {
	switch e := e.(type) {
	case sip.Incoming:
		d.jobs.Go(func() { d.pickUp(e) })
	case sip.Answered:
		if err := d.sound.SetAnswer(e.Call, e.SDP); err != nil {
			d.note(e.Call, "not secure")
			d.jobs.Go(func() { _ = d.line.Hangup(context.Background(), e.Call) })
			return
		}
		d.talk(e.Call)
	case sip.Failed:
		d.note(e.Call, strconv.Itoa(e.Code))
		d.sound.CloseLine(e.Call)
	case sip.Ended:
		d.sound.CloseLine(e.Call)
	}
}

func (d *deskphone) pickUp(e sip.Incoming) {
	d.mu.Lock()
	sec := d.sec
	d.mu.Unlock()
	answer, err := d.sound.AnswerLine(e.Call, d.line.LocalAddr(), e.SDP, sec)
	if err != nil {
		d.note("", "refused")
		_ = d.line.Reject(context.Background(), e.Call, 488, "Not acceptable here")
		return
	}
	if err := d.line.Answer(context.Background(), e.Call, answer); err != nil {
		d.note("", "no ACK")
		return
	}
	d.note("", e.Call)
	d.talk(e.Call)
}

// talk speaks the tone and keeps what is heard.
func (d *deskphone) talk(call string) {
	d.sound.Play(call, &stage.Tone{Hz: ourTone})
	d.sound.Listen(call, func(pcm []int16) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.pcm = append(d.pcm, pcm...)
	})
	d.note(call, "talking")
}

// note keeps what became of a call; under "" the last one that came in.
func (d *deskphone) note(call, phase string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phase[call] = phase
}

// becomes waits until a call is in one of these phases.
func (d *deskphone) becomes(call string, phases ...string) string {
	d.t.Helper()
	var now string
	d.until("call "+call+" "+strings.Join(phases, " or "), 8*time.Second, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		now = d.phase[call]
		for _, p := range phases {
			if p == now && p != "" || p == "" && now != "" {
				return true
			}
		}
		return false
	})
	return now
}

func (d *deskphone) until(what string, within time.Duration, ok func() bool) {
	d.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !ok(); <-tick.C {
		if time.Now().After(end) {
			d.t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// hears says whether half a second of what comes now is their tone.
func (d *deskphone) hears(what string) {
	d.t.Helper()
	d.mu.Lock()
	d.pcm = nil
	d.mu.Unlock()
	var heard []int16
	d.until(what, 3*time.Second, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.pcm) > 4800 {
			heard = d.pcm[len(d.pcm)-4000:]
		}
		return heard != nil
	})
	if s := share(heard, 8000, theirTone); s < 0.9 {
		d.t.Errorf("%s: %.2f of it is their tone", what, s)
	}
}

// flows waits until packets pass in these directions, or do not, for a quarter of a second.
func (d *deskphone) flows(what, call string, out, in bool) {
	d.t.Helper()
	var sent, got uint64
	for range 8 {
		before := d.sound.Stats(call)
		<-time.After(250 * time.Millisecond)
		after := d.sound.Stats(call)
		sent, got = after.Sent.Packets-before.Sent.Packets, after.Received.Packets-before.Received.Packets
		if after.Bad != 0 {
			d.t.Errorf("%s: %d bad packets", what, after.Bad)
		}
		if passes(sent) == out && passes(got) == in && (out || sent == 0) && (in || got == 0) {
			return
		}
	}
	d.t.Errorf("%s: %d packets out, %d in", what, sent, got)
}

// passes says that this many packets in a quarter of a second are sound.
func passes(packets uint64) bool { return packets >= 8 }

// reoffer holds or resumes.
func (d *deskphone) reoffer(call string, hold bool) {
	d.t.Helper()
	offer, err := d.sound.HoldOffer(call, hold)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := d.line.Reinvite(ctx, call, offer)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.sound.SetAnswer(call, answer); err != nil {
		d.t.Fatalf("%v\n%s", err, answer)
	}
}
