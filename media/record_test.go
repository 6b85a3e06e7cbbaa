package media_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/media/hear"
)

// tape takes the blocks of a recording.
type tape struct {
	mu     sync.Mutex
	blocks bytes.Buffer
	count  int
	err    error // of the disk, from now on
}

func (t *tape) sink(block []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	t.count++
	t.blocks.Write(block)
	return nil
}

func (t *tape) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
}

// played is what was recorded: agent and caller, at 8 kHz.
func (t *tape) played(tb testing.TB) (agent, caller []int16) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	err := media.ReadRecording(bytes.NewReader(t.blocks.Bytes()), func(stereo []int16) error {
		for i := 0; i+1 < len(stereo); i += 2 {
			agent, caller = append(agent, stereo[i]), append(caller, stereo[i+1])
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return hear.Resample(agent, media.RecordRate, 8000), hear.Resample(caller, media.RecordRate, 8000)
}

// ended waits for the news that a recording is over.
func ended(t *testing.T, said *events, line string) error {
	t.Helper()
	var err error
	until(t, "the recording is over", 3*time.Second, func() bool {
		return count(said, func(e media.Recorded) bool { err = e.Err; return e.Line == line }) > 0
	})
	return err
}

func TestTheAgentIsLeftAndTheCallerRight(t *testing.T) {
	agentSays, _ := speech(t, "en", agentText)
	callerSays, _ := speech(t, "en+f3", customerText)
	for _, codec := range []string{"PCMU", "PCMA", "G722"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			near, said := engine(t, media.Config{Codecs: []string{codec}})
			far, _ := engine(t, media.Config{Codecs: []string{codec}})
			connect(t, near, "c", far, "c")
			var on tape
			if err := near.Record("c", on.sink); err != nil {
				t.Fatal(err)
			}
			near.Play("c", &voice{pcm: agentSays})
			far.Play("c", &voice{pcm: callerSays})
			pass(4500 * time.Millisecond)
			near.StopRecord("c")
			if err := ended(t, said, "c"); err != nil {
				t.Fatal(err)
			}
			agent, caller := on.played(t)
			for who, got := range map[string]struct{ says, hears []int16 }{"agent, left": {agentSays, agent}, "caller, right": {callerSays, caller}} {
				m := hear.Find(got.says[:3*8000], got.hears, 8000)
				t.Logf("%s: %+v", who, m)
				if m.Coefficient < 0.95 {
					t.Errorf("%s: correlation %.3f", who, m.Coefficient)
				}
			}
			if m := hear.Find(agentSays[:3*8000], caller, 8000); m.Coefficient > 0.3 {
				t.Errorf("the agent is right too: %.3f", m.Coefficient)
			}
			if on.count < 4 || on.count > 7 {
				t.Errorf("%d blocks in 4.5 seconds", on.count)
			}
		})
	}
}

func TestWhatTheLineGotIsRecordedThroughMuteHoldAndCard(t *testing.T) {
	media.Long(t)
	near, said := engine(t, media.Config{Codecs: []string{"G722", "PCMU"}})
	far, _ := engine(t, media.Config{Codecs: []string{"G722", "PCMU"}})
	connect(t, near, "c", far, "c")
	var on tape
	if err := near.Record("c", on.sink); err != nil {
		t.Fatal(err)
	}
	near.Play("c", &voice{pcm: tone(700)})
	far.Play("c", &voice{pcm: tone(1300)})
	pass(time.Second)
	if err := near.Card("c", true); err != nil {
		t.Fatal(err)
	}
	far.Play("c", &voice{pcm: tone(1900)}) // the card number
	pass(time.Second)
	far.Play("c", &voice{pcm: tone(1300)})
	pass(100 * time.Millisecond) // what the number's last packets take
	if err := near.Card("c", false); err != nil {
		t.Fatal(err)
	}
	pass(500 * time.Millisecond)
	reoffer(t, near, far, "c", true)
	pass(500 * time.Millisecond)
	reoffer(t, near, far, "c", false)
	pass(500 * time.Millisecond)
	near.CloseLine("c")
	if err := ended(t, said, "c"); err != nil {
		t.Fatal(err)
	}
	agent, caller := on.played(t)
	holds(t, "the caller's channel before the card", caller[2000:7000], []int{1300}, []int{1900, 700})
	holds(t, "the caller's channel while the card number is said", caller[9000:16000], nil, []int{1300, 1900, 700})
	holds(t, "the agent's channel while the card number is said", agent[9000:16000], nil, []int{1300, 1900, 700})
	holds(t, "the caller's channel after the card", caller[17500:20000], []int{1300}, []int{1900})
	if d := heardAt(caller, 1900); d > -40 {
		t.Errorf("the card number is in the recording: %.1f dB", d)
	}
	holds(t, "the caller's channel on hold", caller[21500:24000], nil, []int{1300, 700})
	holds(t, "the caller's channel after hold", caller[26000:28000], []int{1300}, nil)
	if d := len(caller) - 8*3600; d < -800 || d > 2400 {
		t.Errorf("%d ms of 3600 were recorded", len(caller)/8)
	}
}

// reoffer holds a line or takes it back.
func reoffer(t *testing.T, near, far *media.Engine, line string, hold bool) {
	t.Helper()
	offer, err := near.HoldOffer(line, hold)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := far.Reanswer(line, offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := near.SetAnswer(line, answer); err != nil {
		t.Fatal(err)
	}
}

func TestARecordingThatBreaksEndsAndTheCallGoesOn(t *testing.T) {
	near, said := engine(t, media.Config{Codecs: []string{"PCMU"}})
	far, _ := engine(t, media.Config{Codecs: []string{"PCMU"}})
	connect(t, near, "c", far, "c")
	var heard ear
	near.Listen("c", heard.hear)
	far.Play("c", &voice{pcm: tone(1300)})
	full := errors.New("no space left")
	var on tape
	on.fail(full)
	if err := near.Record("c", on.sink); err != nil {
		t.Fatal(err)
	}
	if err := near.Record("c", on.sink); err == nil {
		t.Fatal("recorded twice at the same time")
	}
	if err := ended(t, said, "c"); !errors.Is(err, full) {
		t.Fatal(err)
	}
	heard.take()
	pass(300 * time.Millisecond)
	holds(t, "the agent", heard.take(), []int{1300}, nil)
	on.fail(nil)
	if err := near.Record("c", on.sink); err != nil {
		t.Fatal("not again:", err)
	}
	near.StopRecord("c")
	until(t, "the second is over too", 3*time.Second, func() bool {
		return count(said, func(e media.Recorded) bool { return e.Err == nil }) == 1
	})
	if err := near.Record("nobody", on.sink); !errors.Is(err, media.ErrNoLine) {
		t.Fatal(err)
	}
}

func TestACardNumberIsInNoRecordingOfTheConference(t *testing.T) {
	media.Long(t)
	near, said := engine(t, media.Config{Codecs: []string{"PCMU"}})
	var tapes [3]tape
	var fars [3]*media.Engine
	for i, line := range []string{"a", "b", "alone"} {
		fars[i], _ = engine(t, media.Config{Codecs: []string{"PCMU"}})
		connect(t, near, line, fars[i], "c")
		fars[i].Play("c", &voice{pcm: tone(500 + 400*i)})
		if err := near.Record(line, tapes[i].sink); err != nil {
			t.Fatal(err)
		}
	}
	near.Mix("a", "b")
	pass(time.Second)
	if err := near.Card("a", true); err != nil {
		t.Fatal(err)
	}
	fars[0].Play("c", &voice{pcm: tone(1900)})
	pass(time.Second)
	fars[0].Play("c", &voice{pcm: tone(500)})
	pass(200 * time.Millisecond) // what the mixer still holds
	if err := near.Card("a", false); err != nil {
		t.Fatal(err)
	}
	pass(700 * time.Millisecond)
	for i, line := range []string{"a", "b", "alone"} {
		near.StopRecord(line)
		if err := ended(t, said, line); err != nil {
			t.Fatal(err)
		}
		agent, caller := tapes[i].played(t)
		for channel, pcm := range map[string][]int16{"left": agent, "right": caller} {
			if d := heardAt(pcm, 1900); d > -40 {
				t.Errorf("%s, %s: the card number is in it at %.1f dB", line, channel, d)
			}
		}
		holds(t, line+" while the card number is said", caller[10000:15000], map[bool][]int{true: {1300}}[line == "alone"], []int{1900})
		if line == "b" {
			holds(t, "what b heard of a before", agent[3000:7000], []int{500}, nil)
			holds(t, "what b heard of a after", agent[19000:22000], []int{500}, nil)
		}
	}
}
