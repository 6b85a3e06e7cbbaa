package media_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"zaseki/media"
	"zaseki/media/hear"
)

// tone is a second of a whole number of Hz at 8 kHz, which repeats without a seam.
func tone(hz int) []int16 {
	pcm := make([]int16, 8000)
	for i := range pcm {
		pcm[i] = int16(7000 * math.Sin(2*math.Pi*float64(hz)*float64(i)/8000))
	}
	return pcm
}

// heardAt is how strong a tone is in a sound at 8 kHz, in dB of a tone() as it was made; the strongest within 5 Hz, since a
// browser stretches time a little.
func heardAt(pcm []int16, hz int) float64 {
	best := 1e-3
	for f := float64(hz) - 5; f <= float64(hz)+5; f += 0.5 {
		var re, im float64
		for i, s := range pcm {
			w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(pcm)))
			re += w * float64(s) * math.Cos(2*math.Pi*f*float64(i)/8000)
			im += w * float64(s) * math.Sin(2*math.Pi*f*float64(i)/8000)
		}
		best = max(best, 4*math.Hypot(re, im)/float64(len(pcm)))
	}
	return 20 * math.Log10(best/7000)
}

// tones are what somebody hears, the tones that must be in it, and those that must not.
type tones struct {
	who           string
	pcm           []int16
	there, absent []int
}

// wrong says what is not as it must be.
func (h tones) wrong() (list []string) {
	for _, hz := range h.there {
		if d := heardAt(h.pcm, hz); d < -3 || d > 2 {
			list = append(list, fmt.Sprintf("%s hears %d Hz at %.1f dB", h.who, hz, d))
		}
	}
	for _, hz := range h.absent {
		if d := heardAt(h.pcm, hz); d > -30 {
			list = append(list, fmt.Sprintf("%s hears %d Hz at %.1f dB", h.who, hz, d))
		}
	}
	return list
}

// holds a sound against its tones.
func holds(t *testing.T, who string, pcm []int16, there, absent []int) {
	t.Helper()
	for _, w := range (tones{who, pcm, there, absent}).wrong() {
		t.Error(w)
	}
}

// hears records until all hear what they must: twice on a machine that keeps time.
func hears(t *testing.T, when string, record func() []tones) {
	t.Helper()
	var list []string
	if !hear.Tries(2, func() bool {
		list = nil
		for _, h := range record() {
			list = append(list, h.wrong()...)
		}
		return len(list) == 0
	}) {
		t.Errorf("%s: %s", when, strings.Join(list, "; "))
	}
}

// together is what robots hear while a page plays, a second each, and what it plays.
func together(t *testing.T, tab context.Context, all []robot) (robots [][]int16, page []int16) {
	t.Helper()
	ears(0, all)
	page = played(t, tab, 2*time.Second)[7200:]
	for _, r := range all {
		heard := r.ear.take()
		robots = append(robots, heard[max(0, len(heard)-8000):])
	}
	return robots, page
}

// robot is a far end with a voice of its own.
type robot struct {
	name string
	e    *media.Engine
	hz   int
	ear  *ear
}

// robots are far ends in calls with near, each with another codec and tone.
func robots(t *testing.T, near *media.Engine, sec media.Security, codecs ...string) []robot {
	t.Helper()
	var all []robot
	for i, c := range codecs {
		r := robot{name: string(rune('a' + i)), hz: 600 + 200*i, ear: &ear{}}
		r.e, _ = engine(t, media.Config{Codecs: []string{c}})
		encrypted(t, near, r.name, r.e, "robot", sec)
		r.e.Play("robot", &voice{pcm: tone(r.hz)})
		r.e.Listen("robot", r.ear.hear)
		all = append(all, r)
	}
	return all
}

// encrypted lets a call two with that security on both ends.
func encrypted(t *testing.T, a *media.Engine, lineA string, b *media.Engine, lineB string, sec media.Security) {
	t.Helper()
	offer, err := a.OpenLine(lineA, loopback, sec)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.AnswerLine(lineB, loopback, offer, sec)
	if err != nil {
		t.Fatalf("%v\n%s", err, offer)
	}
	if err := a.SetAnswer(lineA, answer); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
}

func TestThreeLinesHearEachOtherInRealTime(t *testing.T) {
	media.Long(t)
	for name, sec := range map[string]media.Security{"plain": {}, "SRTP": {Policy: media.PolicyRequired, Keys: true}} {
		t.Run(name, func(t *testing.T) { threeLines(t, sec) })
	}
}

func threeLines(t *testing.T, sec media.Security) {
	near, _ := engine(t, media.Config{})
	all := robots(t, near, sec, "G722", "PCMU", "PCMA")
	if st := near.Stats("a"); (st.Secure != "") != (sec.Policy != "") {
		t.Errorf("secured by %q", st.Secure)
	}
	near.Mix("a", "b", "c")
	pass(time.Second)
	var list []string
	if !hear.Tries(1, func() bool {
		list = nil
		for i, heard := range ears(time.Second, all) {
			list = append(list, whole(all, i, heard)...)
		}
		return len(list) == 0
	}) {
		t.Error(list)
	}
	near.Mix()
	near.Focus("a")
	pass(200 * time.Millisecond)
	all[1].ear.take()
	pass(200 * time.Millisecond)
	if l := hear.Level(all[1].ear.take()); l > 10 {
		t.Errorf("the conference is over, yet b hears level %.0f", l)
	}
}

// whole says what is wrong with what one of them heard of all others in a second.
func whole(all []robot, i int, heard []int16) (list []string) {
	if len(heard) < 7000 {
		return []string{fmt.Sprintf("%s heard %d samples in a second", all[i].name, len(heard))}
	}
	others := []int{}
	for j, o := range all {
		if i != j {
			others = append(others, o.hz)
		}
	}
	list = tones{all[i].name, heard[:len(heard)/160*160], others, []int{all[i].hz}}.wrong()
	if gaps := hear.Gaps(heard, 8000, 5*time.Millisecond, 300); len(gaps) > 0 {
		list = append(list, fmt.Sprintf("%s hears gaps %v", all[i].name, gaps))
	}
	return list
}

// clapper is silent but for one loud frame in fifteen, and knows when it made it.
type clapper struct {
	mu   sync.Mutex
	n    int
	when time.Time
}

func (c *clapper) Next(frame []int16) bool {
	clear(frame)
	if c.n++; c.n%15 == 0 {
		for i := range frame {
			frame[i] = int16(12000 * (1 - 2*(i/4%2)))
		}
		c.mu.Lock()
		c.when = time.Now()
		c.mu.Unlock()
	}
	return true
}

func TestMixerIsLateByItsJitterBufferAndNoMore(t *testing.T) {
	if testing.Short() {
		t.Skip("six seconds of claps: not with -short")
	}
	for _, codec := range []string{"PCMU", "G722"} {
		t.Run(codec, func(t *testing.T) {
			near, _ := engine(t, media.Config{})
			all := robots(t, near, media.Security{}, codec, codec)
			machine := hear.WatchMachine()
			defer machine.End()
			clap := &clapper{}
			near.Mix("a", "b")
			var mu sync.Mutex
			var late []time.Duration
			all[0].e.Play("robot", clap)
			all[1].e.Play("robot", &voice{pcm: make([]int16, 160)})
			all[1].e.Listen("robot", func(pcm []int16) {
				if slices.Max(pcm) < 4000 {
					return
				}
				clap.mu.Lock()
				defer clap.mu.Unlock()
				if !clap.when.IsZero() {
					mu.Lock()
					late = append(late, time.Since(clap.when))
					mu.Unlock()
					clap.when = time.Time{}
				}
			})
			count := func() int {
				mu.Lock()
				defer mu.Unlock()
				return len(late)
			}
			until(t, "nine claps", 10*time.Second, func() bool { return count() >= 9 })
			mu.Lock()
			defer mu.Unlock()
			slices.Sort(late)
			median := late[len(late)/2]
			busy := machine.Late()
			t.Logf("%s: median %v of %v, the machine late by %v", codec, median, late, busy)
			// 40 ms are held back, one frame is waited for at most, and half of one for the pacer.
			if median > 70*time.Millisecond+busy {
				t.Errorf("a clap comes after %v", median)
			}
		})
	}
}

// agent is the tone of the page's microphone, in Hz.
const agent = 1500

// conferring is a page in a call with the first of two robots; the second waits.
func conferring(t *testing.T, query string) (near *media.Engine, tab context.Context, all []robot) {
	t.Helper()
	need(t, "chromium")
	mic := filepath.Join(t.TempDir(), "tone.wav")
	if err := hear.WriteWAV(mic, hear.Resample(slices.Repeat(tone(agent), 10), 8000, 48000), 48000); err != nil {
		t.Fatal(err)
	}
	near, told := engine(t, media.Config{})
	p := newPanel(t, near)
	p.show("talking")
	tab = chrome(t, mic)
	open(t, tab, p.server.URL+"/?page=a"+query)
	all = robots(t, near, media.Security{}, "PCMU", "G722")
	near.Focus("a")
	until(t, "the page speaks", 20*time.Second, func() bool {
		return count(told, func(f media.FirstPacket) bool { return f.Out }) > 0
	})
	return near, tab, all
}

func TestBrowserThatCannotChooseItsCodecJoinsTheConference(t *testing.T) {
	near, tab, all := conferring(t, "&plain")
	near.Mix("a", "b")
	pass(time.Second)
	hears(t, "in conference", threeTones(t, tab, all))
}

// threeTones records a conference of two robots and the page.
func threeTones(t *testing.T, tab context.Context, all []robot) func() []tones {
	return func() []tones {
		heard, page := together(t, tab, all)
		return []tones{{"a", heard[0], []int{800, agent}, []int{600}}, {"b", heard[1], []int{600, agent}, []int{800}},
			{"page", page, []int{600, 800}, []int{agent}}}
	}
}

func TestPageAndTwoLinesAreInConference(t *testing.T) {
	near, tab, all := conferring(t, "")
	near.Mix("a", "b")
	until(t, "the page speaks wide", 5*time.Second, func() bool { return eval[string](t, tab, "order.codec") == "G722" })
	pass(500 * time.Millisecond)
	hears(t, "in conference", threeTones(t, tab, all))
	all[0].ear.take()
	machine := hear.WatchMachine()
	if err := chromedp.Do(tab, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	pass(3 * time.Second)
	heard, away, cut := all[0].ear.take(), 0, 0
	for at := 0; at+800 <= len(heard); at += 800 { // 100 ms
		if heardAt(heard[at:at+800], agent) < -6 {
			away++
		}
		if heardAt(heard[at:at+800], 800) < -6 {
			cut++
		}
	}
	late := machine.Late()
	machine.End()
	t.Logf("the page is away for %d ms, the machine was late by %v", away*100, late)
	if most := int(2 * late / (100 * time.Millisecond)); away > 20+most || cut > most {
		t.Errorf("the reload takes the agent away for %d ms, and b for %d", away*100, cut*100)
	}
	hears(t, "reloaded", threeTones(t, tab, all))
	near.Mute(true)
	pass(200 * time.Millisecond)
	hears(t, "muted", func() []tones {
		return []tones{{"a", ears(500*time.Millisecond, all[:1])[0], []int{800}, []int{agent, 600}}}
	})
	near.Mute(false)
	near.CloseLine("b") // the last one is an ordinary call again
	pass(time.Second)
	hears(t, "alone", func() []tones {
		heard, page := together(t, tab, all[:1])
		return []tones{{"a", heard[0], []int{agent}, []int{600, 800}}, {"page", page, []int{600}, []int{800, agent}}}
	})
	if gone := eval[string](t, tab, "order.codec"); gone != "PCMU" {
		t.Errorf("the page still speaks %s", gone)
	}
}
