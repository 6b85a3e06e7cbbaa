package tray

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"zaseki/web/wire"
)

func TestRingIsAFunctionOfTheSnapshot(t *testing.T) {
	call := func(id, phase string) wire.Call { return wire.Call{ID: id, Phase: phase} }
	rows := []struct {
		name  string
		calls []wire.Call
		want  ring
	}{
		{"no call", nil, ring{}},
		{"offered", []wire.Call{call("c1", wire.CallOffered)}, ring{call: "c1"}},
		{"answered", []wire.Call{call("c1", wire.CallJoining)}, ring{}},
		{"ending", []wire.Call{call("c1", wire.CallEnding)}, ring{}},
		{"we dial: the far side rings, not we", []wire.Call{call("c1", wire.CallAlerted)}, ring{}},
		{"call waiting", []wire.Call{call("c1", wire.CallTalking), call("c2", wire.CallOffered)}, ring{call: "c2", soft: true}},
		{"waiting on a held one", []wire.Call{call("c1", wire.CallHeld), call("c2", wire.CallOffered)}, ring{call: "c2", soft: true}},
		{"the last one is ending", []wire.Call{call("c1", wire.CallEnding), call("c2", wire.CallOffered)}, ring{call: "c2"}},
		{"a test", nil, ring{test: true}},
		{"two ring", []wire.Call{call("c1", wire.CallOffered), call("c2", wire.CallOffered)}, ring{call: "c1"}},
	}
	for _, r := range rows {
		if r.want.loud = 100; r.want.silence() {
			r.want.loud = 0
		}
		if got := ringing(wire.Snapshot{Calls: r.calls, RingTest: r.want.test}); !got.same(r.want) {
			t.Errorf("%s: %+v, want %+v", r.name, got, r.want)
		}
	}
}

func TestTheRingIsAsLoudAsChosenAndSilentBesideACallWhereThatIs(t *testing.T) {
	call := func(id, phase string) wire.Call { return wire.Call{ID: id, Phase: phase} }
	s := wire.Snapshot{Calls: []wire.Call{call("c1", wire.CallOffered)}, Settings: wire.Values{wire.SetRingVolume: 40.0, wire.SetWaiting: "silent"}}
	if got := ringing(s); got.loud != 40 || got.call != "c1" {
		t.Errorf("alone: %+v", got)
	}
	s.Calls = []wire.Call{call("c1", wire.CallTalking), call("c2", wire.CallOffered)}
	if got := ringing(s); !got.silence() {
		t.Errorf("beside a call: %+v", got)
	}
	top := func(t tone) (top int16) {
		for _, s := range t.samples {
			top = max(top, s)
		}
		return top
	}
	whole := ringTone(false)
	for percent, want := range map[int]int16{100: top(whole), 50: top(whole) / 4, 0: 0} {
		if got := top(whole.at(percent)); got < want-1 || got > want+1 {
			t.Errorf("at %d: %d, want %d", percent, got, want)
		}
	}
}

func TestTheToneIsSoftAtItsEdgesAndSilentTwoSecondsOfThree(t *testing.T) {
	for _, soft := range []bool{false, true} {
		tone := ringTone(soft)
		on, top := int(float64(tone.rate)*map[bool]float64{false: 1, true: 0.25}[soft]), 0
		for i, s := range tone.samples {
			top = max(top, int(math.Abs(float64(s))))
			if i >= on && s != 0 {
				t.Fatalf("soft %v: sample %d of the pause is %d", soft, i, s)
			}
		}
		if len(tone.samples) != 3*tone.rate || tone.samples[0] != 0 || math.Abs(float64(tone.samples[on-1])) > 200 {
			t.Errorf("soft %v: %d samples, first %d, last %d", soft, len(tone.samples), tone.samples[0], tone.samples[on-1])
		}
		if low, high := map[bool]int{false: 12000, true: 1500}[soft], map[bool]int{false: 17000, true: 3000}[soft]; top < low || top > high {
			t.Errorf("soft %v: loudest sample %d", soft, top)
		}
		file := tone.wav()
		if len(file) != 44+2*len(tone.samples) || int(binary.LittleEndian.Uint32(file[4:])) != len(file)-8 {
			t.Errorf("soft %v: the WAV file has %d bytes", soft, len(file))
		}
	}
}

// script is an agent for tests in this process: snapshots by hand, and what was posted.
type script struct {
	snaps chan wire.Snapshot

	mu     sync.Mutex
	posted []wire.Command
}

func (s *script) Post(c wire.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posted = append(s.posted, c)
}

func (s *script) Watch() (<-chan wire.Snapshot, func()) { return s.snaps, func() {} }

func TestTheRingStartsAndStopsWithTheSnapshotAndReportsOnlyWhatWasHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		agent := &script{snaps: make(chan wire.Snapshot)}
		var plugged atomic.Bool
		var playing []bool // soft, of each tone that sounds
		var log logBuffer
		r := &ringer{cfg: Config{Agent: agent, Log: slog.New(slog.NewTextHandler(&log, nil))},
			play: func(ctx context.Context, tone tone, _ []string, heard func()) error {
				if !plugged.Load() {
					return errNoDevice
				}
				playing = append(playing, tone.samples[100] == ringTone(true).samples[100])
				heard()
				<-ctx.Done()
				playing = playing[:len(playing)-1]
				return nil
			}}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.run(ctx) }()
		show := func(calls ...wire.Call) {
			agent.snaps <- wire.Snapshot{Calls: calls}
			synctest.Wait()
		}
		for range 2 { // no device: two calls, one line, nothing claimed
			show(offered("c1", ""))
			time.Sleep(3 * ringAgain)
			show()
		}
		if n := strings.Count(log.String(), "no native ring"); n != 1 || len(agent.posted) != 0 {
			t.Errorf("%d lines, posted %v", n, agent.posted)
		}
		show(offered("c2", ""))
		plugged.Store(true) // while it should ring
		time.Sleep(2 * ringAgain)
		synctest.Wait()
		show(offered("c2", "now with a name"))
		if len(playing) != 1 || playing[0] || len(agent.posted) != 1 || agent.posted[0] != (wire.RingHeard{Call: "c2"}) {
			t.Errorf("playing %v, posted %v", playing, agent.posted)
		}
		show(wire.Call{ID: "c2", Phase: wire.CallTalking}, offered("c3", ""))
		if len(playing) != 1 || !playing[0] {
			t.Errorf("call waiting plays %v, want one soft tone", playing)
		}
		stop()
		if err := <-done; err != nil || len(playing) != 0 {
			t.Errorf("ended with %v, playing %v", err, playing)
		}
	})
}

// drawSnapshot is a phone at some moment of a day.
func drawSnapshot(t *rapid.T) wire.Snapshot {
	phases := []string{wire.CallOffered, wire.CallDialing, wire.CallAlerted, wire.CallJoining, wire.CallTalking, wire.CallHeld, wire.CallEnding}
	s := wire.Snapshot{Phase: rapid.SampledFrom([]string{wire.PhaseIn, wire.PhaseOut, wire.PhaseLeaving}).Draw(t, "phase"),
		RingTest: rapid.Bool().Draw(t, "ring test"), Devices: wire.Devices{Ring: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 0, 2).Draw(t, "devices")}}
	for _, id := range []string{"c1", "c2", "c3"} {
		if rapid.Bool().Draw(t, id) {
			s.Calls = append(s.Calls, wire.Call{ID: id, Phase: rapid.SampledFrom(phases).Draw(t, "phase of "+id)})
		}
	}
	return s
}

// Whatever snapshots come: it never rings without an offered call (or a test of the ring), and is silent within one snapshot.
func TestTheRingNeverOutlivesItsCall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		snaps := rapid.SliceOfN(rapid.Custom(drawSnapshot), 1, 20).Draw(rt, "snapshots")
		broken := rapid.IntRange(0, 5).Draw(rt, "every so manieth device fails")
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = ringThrough(t, snaps, broken) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// ringThrough shows the snapshots one after the other and says what was wrong with what was heard.
func ringThrough(t *testing.T, snaps []wire.Snapshot, broken int) string {
	agent := &script{snaps: make(chan wire.Snapshot)}
	var sounding, tried atomic.Int32
	r := &ringer{cfg: Config{Agent: agent, Log: slog.New(slog.DiscardHandler)}, play: func(ctx context.Context, _ tone, _ []string, heard func()) error {
		if n := int(tried.Add(1)); broken > 0 && n%broken == 0 {
			return errNoDevice
		}
		sounding.Add(1)
		defer sounding.Add(-1)
		heard()
		<-ctx.Done()
		return nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.run(ctx) }()
	wrong := ""
	for _, s := range snaps {
		agent.snaps <- s
		synctest.Wait()
		_, offered := s.Ringing()
		_, up := s.Active()
		due := offered || s.RingTest && !up
		if n := sounding.Load(); n > 1 || n == 1 && !due || n == 0 && due && broken == 0 {
			wrong = fmt.Sprintf("%d rings sound at %+v", n, s)
			break
		}
	}
	stop()
	<-done
	if wrong == "" && sounding.Load() != 0 {
		wrong = "it rings on after the end"
	}
	return wrong
}
