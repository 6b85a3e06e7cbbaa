package agent

import (
	"slices"
	"strings"
	"time"

	"zaseki/web/wire"
)

const (
	pageAgain = 15 * time.Second // between two pages that are opened to carry the sound of a call
	heardMax  = 64               // DTMF digits received that are shown, the last ones
)

// sound: microphone, mute and pages.
func (s State) sound(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.Mute:
		s.Muted, s.MutedTalk = e.On, s.MutedTalk && e.On
		return s, []Effect{Mute{s.silent()}}
	case wire.MicState:
		return s.microphone(e), nil
	case wire.PagesChanged:
		s.Pages = e.Open
		if s.Pages == 0 && s.Echo {
			s.Echo = false
			return s, []Effect{Echo{false}}
		}
	case SoundLive:
		s.Sound, s.Way = e.On, e.Way
		if e.On {
			s = s.unnotice(wire.ProblemNoPage).soundBack()
		}
	case SoundGone:
		if e.Back {
			return s.soundBack(), nil
		}
		if len(s.Calls) == 0 && s.aside.ours == nil || s.Gone {
			return s, nil
		}
		s.Gone = true
		return s.unnotice(wire.ProblemNoPage).notice("error", wire.Problem{Code: wire.ProblemSoundGone}).showPage()
	case MutedTalk:
		s.MutedTalk = e.On && s.Muted && len(s.Calls) > 0
	}
	return s, nil
}

// microphone is what the page that owns the sound says of it; the notice goes as soon as it is better.
func (s State) microphone(e wire.MicState) State {
	s.Mic, s.MicLabel = e.State, short(e.Label)
	s = s.unnotice(wire.ProblemMicDenied, wire.ProblemMicMissing, wire.ProblemMicSilent)
	switch e.State {
	case "denied":
		return s.notice("error", wire.Problem{Code: wire.ProblemMicDenied})
	case "missing":
		return s.notice("error", wire.Problem{Code: wire.ProblemMicMissing})
	case "silent":
		return s.notice("warn", wire.Problem{Code: wire.ProblemMicSilent})
	}
	return s
}

// showPage opens a page when the sound of a call has none: at once, though a frozen one may still be open, and again when none
// came up. Where the page is there and only lacks its microphone, another one would lack it too.
func (s State) showPage() (State, []Effect) {
	again := !s.Shown.IsZero() && s.Now.Sub(s.Shown) < pageAgain
	switch {
	case !s.Gone, s.Pages > 0 && (s.Mic == "denied" || s.Mic == "missing"):
		return s, nil
	case again:
		return s, []Effect{Alarm{alarmPage, pageAgain - s.Now.Sub(s.Shown)}}
	}
	s.Shown = s.Now
	return s, []Effect{ShowPage{}, Alarm{alarmPage, pageAgain}}
}

// showAgain: the page that was opened had its time.
func (s State) showAgain() (State, []Effect) {
	if s.Pages > 0 {
		return s, nil
	}
	return s.showPage()
}

// soundBack: a page carries sound again, or there is nothing to carry any more.
func (s State) soundBack() State {
	s.Gone = false
	return s.unnotice(wire.ProblemSoundGone)
}

// voice is what the sound says of one call.
func (s State) voice(e Event) State {
	switch e := e.(type) {
	case Voiced:
		return s.heardOf(e.Call, func(c *wire.Call) { c.Codec, c.Secure = e.Codec, e.Secure })
	case LineSilent:
		return s.heardOf(e.Call, func(c *wire.Call) { c.Silent = e.On })
	case Unheard:
		return s.heardOf(e.Call, func(c *wire.Call) { c.Unheard = e.On })
	case Still:
		return s.heardOf(e.Call, func(c *wire.Call) { c.Still = e.On })
	case Replaying:
		return s.heardOf(e.Call, func(c *wire.Call) { c.Replaying = e.On })
	case DigitHeard:
		return s.heardOf(e.Call, func(c *wire.Call) {
			heard := []rune(c.Received + masked(c, e.Digit))
			c.Received = string(heard[max(0, len(heard)-heardMax):])
		})
	case Measured:
		if s.call(e.Call) < 0 {
			return s
		}
		s = s.noted(e.Call, func(n *note) { n.tally = n.tally.with(e.Quality) })
		return s.heardOf(e.Call, func(c *wire.Call) { c.Quality = &e.Quality })
	}
	return s
}

// heardOf is the state with that call changed, if it is still there.
func (s State) heardOf(id string, change func(*wire.Call)) State {
	if i := s.call(id); i >= 0 {
		return s.with(i, change)
	}
	return s
}

// masked is what may be shown of digits: none while a card number is said.
func masked(c *wire.Call, digits string) string {
	if c.Card {
		return strings.Repeat("•", len(digits))
	}
	return digits
}

// devices are the person's choices on this machine, and what tries them out. No test goes on beside a call.
func (s State) devices(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.SaveDevices:
		s.Devices = wire.Devices{Microphone: labels(e.Microphone), Speaker: labels(e.Speaker), Ring: labels(e.Ring)}
		return s, []Effect{KeepDevices{s.Devices}}
	case RingDevices:
		s.Rings = labels(e.Names)
	case wire.EchoTest:
		if e.On == s.Echo || e.On && (len(s.Calls) > 0 || s.aside.ours != nil) {
			return s, nil
		}
		s.Echo = e.On
		return s, []Effect{Echo{e.On}}
	case wire.RingTest:
		if len(s.Calls) > 0 {
			return s, nil
		}
		s.RingTest = true
		return s, []Effect{Alarm{alarmRing, ringTest}}
	case wire.TestNetwork:
		return s.testNetwork()
	case NetworkTested:
		if s.Network == nil || s.Network.State != "running" {
			return s, nil // of an earlier sign-in
		}
		if e.Test.At.IsZero() {
			e.Test.At = s.Now
		}
		s.Network = &e.Test
	}
	return s, nil
}

// ringTest is how long RingTest rings.
const ringTest = 3 * time.Second

// untested ends what is tried out as soon as there is a call.
func (s State) untested() (State, []Effect) {
	if len(s.Calls) == 0 && s.aside.ours == nil {
		return s, nil
	}
	var effects []Effect
	if s.Echo {
		s.Echo, effects = false, append(effects, Echo{false})
	}
	if s.RingTest {
		s.RingTest, effects = false, append(effects, Alarm{Key: alarmRing})
	}
	return s, effects
}

func (s State) testNetwork() (State, []Effect) {
	switch {
	case s.Phase != wire.PhaseIn, s.Network != nil && s.Network.State == "running":
		return s, nil
	case s.Welcome.Probe == nil:
		s.Network = &wire.NetworkTest{State: "failed", Problem: &wire.Problem{Code: wire.ProblemNoProbe}, At: s.Now}
		return s, nil
	}
	s.Network = &wire.NetworkTest{State: "running", At: s.Now}
	return s, []Effect{TestNetwork{}}
}

// labelsMax is how many devices of a kind are remembered.
const labelsMax = 16

// labels are names of devices as a page or the system gives them, each once.
func labels(names []string) (kept []string) {
	for _, name := range names {
		if name = short(name); name != "" && !slices.Contains(kept, name) && len(kept) < labelsMax {
			kept = append(kept, name)
		}
	}
	return kept
}
