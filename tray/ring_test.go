package tray

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

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
		{"two ring", []wire.Call{call("c1", wire.CallOffered), call("c2", wire.CallOffered)}, ring{call: "c1"}},
	}
	for _, r := range rows {
		if got := ringing(wire.Snapshot{Calls: r.calls}); got != r.want {
			t.Errorf("%s: %+v, want %+v", r.name, got, r.want)
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
		agent, device := &script{snaps: make(chan wire.Snapshot)}, errNoDevice
		var playing []bool // soft, of each tone that sounds
		var log logBuffer
		r := &ringer{cfg: Config{Agent: agent, Log: slog.New(slog.NewTextHandler(&log, nil))},
			play: func(ctx context.Context, tone tone, heard func()) error {
				if device != nil {
					return device
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
			show()
		}
		if n := strings.Count(log.String(), "no native ring"); n != 1 || len(agent.posted) != 0 {
			t.Errorf("%d lines, posted %v", n, agent.posted)
		}
		device = nil
		show(offered("c2", ""))
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
