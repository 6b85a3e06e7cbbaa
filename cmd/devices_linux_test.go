package cmd_test

import (
	"context"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
)

// tones hears which of some tones is in every 20 ms at 8 kHz.
type tones struct {
	hz []float64

	mu    sync.Mutex
	last  map[float64]time.Time // heard last
	first map[float64]time.Time // of the present stretch
}

func (s *tones) hear(pcm []int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last, s.first = map[float64]time.Time{}, map[float64]time.Time{}
	}
	now := time.Now()
	for _, hz := range s.hz {
		if amplitude(pcm, hz) < 800 {
			continue
		}
		if now.Sub(s.last[hz]) > 500*time.Millisecond {
			s.first[hz] = now
		}
		s.last[hz] = now
	}
}

// heard says when a tone began and when it was there last.
func (s *tones) heard(hz float64) (first, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first[hz], s.last[hz]
}

// amplitude of a tone in some samples at 8 kHz.
func amplitude(pcm []int16, hz float64) float64 {
	var re, im float64
	for i, v := range pcm {
		at := 2 * math.Pi * hz * float64(i) / 8000
		re, im = re+float64(v)*math.Cos(at), im+float64(v)*math.Sin(at)
	}
	return 2 * math.Hypot(re, im) / float64(len(pcm))
}

// marks notes when the page began and ended what makes another microphone heard, by the wall clock.
const marks = `globalThis.marks = []; for (const [o, name] of [[MediaDevices, "getUserMedia"], [MediaDevices, "enumerateDevices"], [RTCRtpSender, "replaceTrack"]]) {
	const real = o.prototype[name], note = (what) => marks.push([performance.timeOrigin + performance.now(), what]);
	o.prototype[name] = function (...a) { note(name); const done = real.apply(this, a); done.then(() => note(name + " done")); return done; }; }`

// TestDevicesChangeInACall: on real devices of a sound server, each microphone with a tone of its own.
// Reliability (E7).
func TestDevicesChangeInACall(t *testing.T) {
	need(t, "pulseaudio", "pactl", "paplay", "parec")
	d := newDay(t, nil)
	d.browser.Close()
	pulse, err := stage.StartPulse(context.Background(), d.dir)
	d.must(err)
	t.Cleanup(pulse.Close)
	const headset, desk = 500.0, 900.0
	sing := func(name string, hz string) string {
		file := filepath.Join(d.dir, name+".wav")
		if out, err := exec.Command("sox", "-n", "-r", "48000", "-c", "1", "-b", "16", file, "synth", "120", "sine", hz, "vol", "0.4").CombinedOutput(); err != nil {
			t.Fatalf("sox: %v: %s", err, out)
		}
		return file
	}
	d.must(pulse.Microphone("desk", "Desk", sing("desk", "900")))
	d.must(pulse.Microphone("headset", "Headset", sing("headset", "500")))
	room, err := pulse.Speaker("room", "Room")
	d.must(err)
	ear, err := pulse.Speaker("ear", "Ear")
	d.must(err)
	d.browser, err = stage.OpenBrowserOn(context.Background(), filepath.Join(d.dir, "devices"), pulse)
	d.must(err)
	t.Cleanup(d.browser.Close)
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
	d.must(err)
	d.must(d.page.Before(`globalThis.sockets = []; globalThis.WebSocket = class extends WebSocket { constructor(...a) { super(...a); sockets.push(this);
		this.addEventListener("message", (e) => { const m = JSON.parse(e.data); if (m.type === "snapshot") globalThis.snap = m.body; }); } };`))
	d.must(d.page.Before(marks))
	d.raw(d.page)
	customer := d.customer()
	d.signIn("agent1", "Available", "2")
	prefer := func(what string) time.Time {
		_, err := stage.Eval[string](d.page, `sockets.at(-1).send('{"type":"devices.save","body":`+what+`}'), ""`)
		d.must(err)
		return time.Now()
	}
	prefer(`{"microphone":["Headset","Desk"],"speaker":["Ear","Room"]}`)
	_, err = customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	line := <-customer.Talks
	says := &tones{hz: []float64{headset, desk}}
	packets := &flow{}
	customer.Sound.Listen(line, func(pcm []int16) { says.hear(pcm); packets.hear(pcm) })
	customer.Sound.Play(line, &stage.Tone{Hz: 700})
	here := func(hz float64) func() bool {
		return func() bool { _, last := says.heard(hz); return time.Since(last) < 100*time.Millisecond }
	}
	d.soon("the headset is heard", here(headset))
	plays := func(e *stage.Ear) func() bool {
		return func() bool {
			n := e.Now()
			pcm := e.Heard(max(0, n-800))
			return len(pcm) > 0 && amplitude(pcm, 700) > 800
		}
	}
	d.soon("the ear plays", plays(ear))

	mic := func(state string) func() bool {
		return func() bool {
			now, err := stage.Eval[string](d.page, `snap.mic`)
			d.must(err)
			return now == state
		}
	}
	d.must(pulse.Mute("headset", true)) // as by the button on its cable
	still := time.Now()
	d.soon("exact silence is told", mic("silent"))
	told := time.Since(still)
	t.Logf("a silent microphone is told after %v", told)
	if told > 1500*time.Millisecond {
		t.Errorf("a silent microphone is told after %v, want 1.5 s at most", told)
	}
	d.must(pulse.Mute("headset", false))
	d.soon("its end is told", mic("open"))
	d.soon("the headset is heard again", here(headset))

	// Several changes, for each falls elsewhere in the 20 ms of a packet.
	var took []time.Duration
	for i := range 5 {
		to, from := desk, headset
		wish := `{"microphone":["Desk","Headset"],"speaker":["Room","Ear"]}`
		if i%2 == 1 {
			to, from, wish = headset, desk, `{"microphone":["Headset","Desk"],"speaker":["Room","Ear"]}`
		}
		_, err = stage.Eval[bool](d.page, `marks.length = 0, true`)
		d.must(err)
		asked := prefer(wish)
		d.soon("the other microphone is heard", here(to))
		d.soon("the one before no more", func() bool { _, last := says.heard(from); return time.Since(last) > 600*time.Millisecond })
		_, before := says.heard(from)
		first, _ := says.heard(to)
		steps, err := stage.Eval[string](d.page, "marks.filter(([at]) => at < "+strconv.FormatInt(first.UnixMilli(), 10)+").map(([at, what]) => what + \" \" + Math.round(at - "+
			strconv.FormatInt(asked.UnixMilli(), 10)+")).join(\", \")")
		d.must(err)
		t.Logf("another microphone %v after it was wanted, %v after the old one was heard last; milliseconds in the page: %s", first.Sub(asked), first.Sub(before), steps)
		if gap := first.Sub(before); gap > 100*time.Millisecond {
			t.Errorf("without microphone for %v, want at most 100 ms", gap)
		}
		took = append(took, first.Sub(asked))
	}
	if slices.Sort(took); took[2] >= 100*time.Millisecond {
		t.Errorf("another microphone is heard after %v, want less than 100 ms (%v)", took[2], took)
	}
	d.soon("the room plays", plays(room))

	pulled := time.Now()
	d.must(pulse.Unplug("desk"))
	d.soon("the next microphone is heard", here(headset))
	t.Logf("the next one is heard %v after the first was pulled out", time.Since(pulled))
	d.must(pulse.Microphone("desk", "Desk", sing("desk", "900")))
	back := time.Now()
	d.soon("the microphone that came back is heard", here(desk))
	t.Logf("and the first one again %v after it came back", time.Since(back))
	d.must(pulse.Unplug("room"))
	d.soon("the next loudspeaker plays", plays(ear))

	// The last ones go away, and come back: the agent is told in words, the caller hears silence and no hang-up.
	for _, name := range []string{"desk", "headset", "ear"} {
		d.must(pulse.Unplug(name))
	}
	d.soon("that there is no microphone is told", mic("missing"))
	d.must(d.page.Wait("StaticText", missing))
	d.soon("silence", func() bool {
		_, a := says.heard(headset)
		_, b := says.heard(desk)
		return time.Since(a) > time.Second && time.Since(b) > time.Second
	})
	packets.packets()
	time.Sleep(2 * time.Second)
	if gap := packets.packets(); gap > time.Second {
		t.Errorf("no packet for %v while there is no microphone", gap)
	}
	if n := len(customer.Calls()); n != 1 {
		t.Fatalf("%d calls are left without a microphone", n)
	}
	d.must(pulse.Microphone("headset", "Headset", sing("headset", "500")))
	ear, err = pulse.Speaker("ear", "Ear")
	d.must(err)
	back = time.Now()
	d.soon("a microphone that comes back is heard", here(headset))
	t.Logf("a microphone is heard %v after it came back to a page that had none", time.Since(back))
	d.soon("its end is told", mic("open"))
	d.must(d.page.Gone("StaticText", missing))
	d.soon("the loudspeaker that comes back plays", plays(ear))
}

// missing is what an agent in a call reads whose last microphone has gone.
const missing = "No microphone: the caller hears silence."

// soon waits for something that others do.
func (d *day) soon(what string, ok func() bool) {
	d.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("never: %s\n%s\n%s", what, d.page.Said(), tail(d.phone))
		}
	}
}
