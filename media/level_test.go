package media

import (
	"slices"
	"testing"
	"time"
)

// listening is a call with a in which both say what the test wants, looked after as the engine does.
func listening(t *testing.T, c codec) (*party, *told) {
	said := &told{}
	p := newParty(t, c, pcmu)
	p.e.cfg.Tell = said.tell
	p.e.Focus("a")
	p.says(p.page, nil)
	p.says(p.lines[0], nil)
	p.says(p.lines[1], nil)
	return p, said
}

// talk is what was told about talking.
func (w *told) talk() (list []Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ev := range w.all {
		switch ev.(type) {
		case MutedTalk, Unheard, Still:
			list = append(list, ev)
		}
	}
	return list
}

func (w *told) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = nil
}

// says lets somebody say a file of the demo's, or with nil be silent.
func (p *party) says(k *talker, voice []int16) {
	if k.speech = make([]int16, mixFrame); voice != nil {
		k.speech = new(widener).widen(nil, voice)
	}
}

// during passes that much time.
func (p *party) during(d time.Duration) {
	for range d / (40 * time.Millisecond) {
		p.pass(2)
		p.e.mu.Lock()
		p.e.watchLevelsLocked(p.now)
		p.e.mu.Unlock()
	}
}

func TestMutedTalkIsTold(t *testing.T) {
	for _, c := range []codec{pcmu, pcma, g722} {
		p, said := listening(t, c)
		p.says(p.page, spokenFile(t, "customer-en"))
		p.during(3 * time.Second)
		if said.has(MutedTalk{true}) {
			t.Errorf("%v: told though not muted", c)
		}
		p.e.Mute(true)
		p.during(time.Second)
		if !said.has(MutedTalk{true}) {
			t.Errorf("%v: not told within a second", c)
		}
		p.says(p.page, typing(8000*20, 7, 6000, 3))
		p.during(4 * time.Second)
		if !said.has(MutedTalk{false}) {
			t.Errorf("%v: the end is not told", c)
		}
		said.forget()
		p.during(10 * time.Second)
		if said.has(MutedTalk{true}) {
			t.Errorf("%v: the keyboard talks", c)
		}
		p.says(p.page, spokenFile(t, "colleague-en"))
		p.during(2 * time.Second)
		p.e.Mute(false)
		p.during(100 * time.Millisecond)
		if !slices.Equal(said.talk(), []Event{MutedTalk{true}, MutedTalk{false}}) || p.e.mic.Load() != nil {
			t.Errorf("%v: told %v", c, said.talk())
		}
		p.e.Mute(true)
		p.e.Focus("")
		p.during(3 * time.Second)
		if len(said.talk()) != 2 || p.e.lines["a"].taps.Load() != nil {
			t.Errorf("%v: without a call %v is told", c, said.talk())
		}
		p.end()
	}
}

func TestSilenceIsTold(t *testing.T) {
	kinds := []codec{pcmu, g722}
	if racing { // minutes of sound
		kinds = kinds[:1]
	}
	for _, c := range kinds {
		p, said := listening(t, c)
		caller, voice, noise := p.lines[0], spokenFile(t, "customer-ja"), pink(8000*5, -60)
		step := func(what string, d time.Duration, want ...Event) {
			t.Helper()
			said.forget()
			if p.during(d); !slices.Equal(said.talk(), want) {
				t.Errorf("%v, %s: %v", c, what, said.talk())
			}
		}
		p.says(p.page, noise)
		step("nobody says anything", 7900*time.Millisecond)
		step("for eight seconds", 300*time.Millisecond, Unheard{"a", true})
		step("for half a minute", 22*time.Second, Still{"a", true})
		p.says(caller, voice)
		step("the caller talks", time.Second, Unheard{"a", false}, Still{"a", false})
		step("the agent listens", 60*time.Second)
		p.says(caller, noise)
		step("the caller waits", 9*time.Second, Unheard{"a", true})
		p.says(p.page, voice)
		step("the agent talks", time.Second, Unheard{"a", false})
		step("alone", 60*time.Second)
		p.e.Mute(true)
		step("muted", 20*time.Second, MutedTalk{true})
		step("muted, half a minute", 11*time.Second, Still{"a", true})
		p.e.Mute(false)
		step("not muted", time.Second, MutedTalk{false}, Still{"a", false})
		p.says(p.page, nil)
		p.hold("a", true)
		step("held", 60*time.Second)
		p.hold("a", false)
		step("resumed", 7*time.Second)
		p.e.Answered("a")
		step("answered", 7*time.Second)
		step("and for eight seconds", 1200*time.Millisecond, Unheard{"a", true})
		p.e.Answered("a")
		step("answered once more", 100*time.Millisecond, Unheard{"a", false})
		p.end()
	}
}

func TestDeadMicrophoneIsToldThoughTheCallerTalks(t *testing.T) {
	p, said := listening(t, pcma)
	p.says(p.lines[0], spokenFile(t, "customer-en"))
	p.during(7 * time.Second)
	if len(said.talk()) > 0 {
		t.Errorf("after seven seconds %v", said.talk())
	}
	p.during(2 * time.Second)
	if !slices.Equal(said.talk(), []Event{Unheard{"a", true}}) {
		t.Errorf("after nine seconds %v", said.talk())
	}
	p.cast("b", RoleListen)
	p.e.Mix("a", "b")
	p.says(p.page, spokenFile(t, "colleague-en"))
	p.during(60 * time.Second)
	if !slices.Equal(said.talk(), []Event{Unheard{"a", true}, Unheard{"a", false}}) {
		t.Errorf("with a listener %v", said.talk())
	}
}

func TestTalkInOpusIsHeard(t *testing.T) {
	voice := new(widener).widen(nil, spokenFile(t, "customer-en"))
	ogg := ffmpeg(t, wideBytes(voice), rawWide, []string{"-ar", "48000", "-c:a", "libopus", "-application", "voip", "-b:a", "32k", "-f", "ogg"})
	var m meter
	now := time.Unix(0, 0)
	for _, p := range opusPackets(t, ogg)[:50] {
		now = now.Add(20 * time.Millisecond)
		m.put(opus, p)
		m.listen(now)
	}
	if at := m.talked.Sub(time.Unix(0, 0)); !m.worked || m.talked.IsZero() || at > time.Second {
		t.Errorf("heard after %v", at)
	}
}

func TestMeteringWithoutAskingDecodesNothing(t *testing.T) {
	p, _ := listening(t, pcmu)
	p.during(time.Second)
	if a, b := p.e.lines["a"].aside.levels, p.e.lines["b"].aside.levels; a == nil || b != nil || p.e.mic.Load() != nil {
		t.Error("listened to another line, or to a microphone that is not muted")
	}
	m := p.e.lines["a"].aside.levels
	p.e.CloseLine("a")
	m.in.put(pcmu, []byte{1, 2, 3}) // the reader is just ending
	if n := testing.AllocsPerRun(100, func() {
		m.out.put(pcmu, opusQuietPacket[:])
		m.out.out.Store(m.out.in.Load())
	}); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

var opusQuietPacket [160]byte

// BenchmarkMeter is a packet of 20 ms of speech, heard.
func BenchmarkMeter(b *testing.B) {
	voice := new(widener).widen(nil, spokenFile(b, "customer-en"))
	for _, c := range []codec{pcmu, g722} {
		var w writer
		var packets [][]byte
		for at := 0; at+mixFrame <= len(voice); at += mixFrame {
			packets = append(packets, w.write(nil, c, voice[at:at+mixFrame]))
		}
		b.Run(c.String(), func(b *testing.B) {
			var m meter
			now, i := time.Unix(0, 0), 0
			b.ReportAllocs()
			for b.Loop() {
				now, i = now.Add(20*time.Millisecond), i+1
				m.put(c, packets[i%len(packets)])
				m.listen(now)
			}
		})
	}
}
