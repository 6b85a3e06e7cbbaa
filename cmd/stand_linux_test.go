package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media/hear"
)

// hzOf is what everybody of a stand says all the time, in Hz: no one is a multiple of another.
var hzOf = map[string]int{"caller": 520, "agent": 740, "boss": 1130, "chief": 1660, "other": 2210, "second": 2870}

const toneLoud = 6000

// stand is a floor with supervisors: the center, a phone and a page for each who works there, callers by sipp, a tone for each.
type stand struct {
	*day
	ctx     context.Context
	people  map[string]*person
	callers map[string]*talker
}

// person is a phone with its page.
type person struct {
	*stage.Page
	name, account string
	phone         *stage.Program
}

// microphone is what the page has for one: a tone. No echo cancelling or gain is laid over what is no device.
const microphone = `navigator.mediaDevices.getUserMedia = async () => {
	const ctx = new AudioContext(), tone = new OscillatorNode(ctx, { frequency: %d }), loud = new GainNode(ctx, { gain: %g }), out = ctx.createMediaStreamDestination();
	tone.connect(loud).connect(out);
	tone.start();
	const [track] = out.stream.getAudioTracks();
	track.getSettings = () => ({});
	return out.stream;
};
`

// newStand starts center and browser; encrypted leaves terminals 2003 to 2005 as they are, else all are plain.
func newStand(t *testing.T, encrypted bool) *stand {
	need(t, "chromium", "sipp")
	d := &day{T: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build(t, d.dir, "center", "softphone")
	s := &stand{day: d, ctx: ctx, people: map[string]*person{}, callers: map[string]*talker{}}
	var err error
	d.center, err = stage.StartCenter(ctx, filepath.Join(d.dir, "center"), d.dir, s.floor(encrypted))
	d.must(err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the center:\n%s", tail(d.center))
		}
		d.center.Stop()
	})
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), "")
	d.must(err)
	t.Cleanup(d.browser.Close)
	return s
}

// floor is the test floor with one group, agent2 and agent4 its supervisors, and a provider that is known by its address.
func (s *stand) floor(encrypted bool) string {
	s.Helper()
	file, err := stage.Floor(s.dir, nil)
	s.must(err)
	data, err := os.ReadFile(file)
	s.must(err)
	var floor map[string]any
	s.must(json.Unmarshal(data, &floor))
	floor["groups"] = []map[string]any{{"id": "north", "name": "North"}}
	floor["policies"] = []map[string]any{{"id": "all", "name": "All", "set": map[string]any{"replay": true}}} // with it comes the card-number mode
	for i, one := range floor["accounts"].([]any) {
		one.(map[string]any)["groups"] = []string{"north"}
		if i == 1 || i == 3 {
			one.(map[string]any)["role"] = "supervisor"
		}
	}
	for _, one := range floor["terminals"].([]any) {
		if one := one.(map[string]any); !encrypted && one["type"] == "softphone-encrypted" {
			delete(one, "type")
		}
	}
	floor["terminals"] = append(floor["terminals"].([]any), map[string]any{"extension": "provider", "type": "trunk", "secret": "provider-secret",
		"trunk": map[string]any{"domain": "provider.test", "accept": []string{"127.0.8.0/24"}}})
	data, err = json.Marshal(floor)
	s.must(err)
	s.must(os.WriteFile(file, data, 0o600))
	return file
}

// works signs an account in with a phone and a page of its own; seat "" is none.
func (s *stand) works(name, account, status, seat string) *person {
	s.Helper()
	p := &person{name: name, account: account}
	s.Cleanup(func() {
		if s.Failed() {
			s.Logf("%s's page:\n%s\nand phone:\n%s", name, p.Said(), tail(p.phone))
		}
		p.phone.Stop()
	})
	s.starts(p, status, seat)
	return p
}

// starts starts the phone, again if need be, and signs in on its page.
func (s *stand) starts(p *person, status, seat string) {
	s.Helper()
	var err error
	p.phone, err = stage.StartPhone(s.ctx, filepath.Join(s.dir, "softphone"), filepath.Join(s.dir, p.account), s.center.String("http"))
	s.must(err)
	p.Page, err = s.browser.Open("about:blank", stage.View{Width: 1280, Height: 900})
	s.must(err)
	s.must(p.Before(fmt.Sprintf(microphone, hzOf[p.name], toneLoud/32768.0) + hear.PageRecorder))
	s.must(p.Go(stage.English(p.phone.String("panel"), "")))
	s.must(p.Type("Account", p.account))
	s.must(p.Type("Password", stage.Password))
	s.must(p.Click("button", "Sign in"))
	s.must(p.Wait("combobox", "Terminal"))
	s.must(p.Select("Status", status))
	if seat != "" {
		s.must(p.Select("Seat", seat))
	}
	s.must(p.Click("button", "Sign in"))
	s.must(p.Wait("StaticText", "Line registered…"))
	s.people[p.name] = p
}

// calls has a customer of the provider call that number.
func (s *stand) calls(name, number string) *talker {
	s.Helper()
	ip := map[string]string{"caller": "127.0.8.31", "second": "127.0.8.32"}[name]
	from := map[string]string{"caller": "0312345678", "second": "0398765432"}[name]
	c := newTalker(s.T, s.center.String("sip"), number, from, ip, hzOf[name])
	s.callers[name] = c
	return c
}

// heard waits until exactly that is heard, as "agent<caller": twice in a row.
func (s *stand) heard(when, want string) {
	s.Helper()
	wanted := slices.Sorted(slices.Values(strings.Fields(want)))
	var got []string
	right := 0
	for end := time.Now().Add(45 * time.Second); time.Now().Before(end); {
		got = s.hearing(600 * time.Millisecond)
		if !slices.Equal(got, wanted) {
			right = 0
			continue
		}
		if right++; right == 2 {
			return
		}
	}
	s.Fatalf("%s: heard %v, want %v", when, got, wanted)
}

// hearing is who hears whom for that long; "name?" is one whose page plays nothing at all, not even silence.
func (s *stand) hearing(long time.Duration) (got []string) {
	playing := map[string]bool{}
	for name, p := range s.people {
		state, err := stage.Eval[string](p.Page, `hearing.start()`)
		playing[name] = err == nil && state == "running"
	}
	for _, c := range s.callers {
		c.forget()
	}
	time.Sleep(long) // sound takes its time
	for name, c := range s.callers {
		got = append(got, whomIn(name, c.heard())...)
	}
	for name, p := range s.people {
		if !playing[name] {
			got = append(got, name+"?")
			continue
		}
		text, err := stage.Eval[string](p.Page, `hearing.stop()`)
		if err != nil {
			got = append(got, name+"?")
			continue
		}
		pcm, err := hear.PageSound(text, 8000)
		s.must(err)
		got = append(got, whomIn(name, pcm)...)
	}
	slices.Sort(got)
	return got
}

// whomIn names whose tones are in what somebody heard: in half of the tenths of a second, for sound may slip; "?" marks one that is
// there for some of the time.
func whomIn(name string, pcm []int16) (got []string) {
	const tenth = 800
	for from, hz := range hzOf {
		in, all := 0, 0
		for at := 0; at+tenth <= len(pcm); at += tenth {
			all++
			if toneIn(pcm[at:at+tenth], hz) > toneLoud/4 {
				in++
			}
		}
		switch {
		case all > 0 && 2*in >= all:
			got = append(got, name+"<"+from)
		case in > 1:
			got = append(got, name+"<"+from+"?")
		}
	}
	return got
}

// toneIn is how loud that frequency is, at 8 kHz.
func toneIn(pcm []int16, hz int) float64 {
	var re, im float64
	for i, v := range pcm {
		hann := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(pcm)))
		turn := 2 * math.Pi * float64(hz) * float64(i) / 8000
		re += hann * float64(v) * math.Cos(turn)
		im += hann * float64(v) * math.Sin(turn)
	}
	return 4 * math.Hypot(re, im) / float64(len(pcm))
}
