package media_test

import (
	"testing"
	"time"

	"zaseki/media"
)

// ears forgets what robots heard so far, and gives what they hear within the next time.
func ears(d time.Duration, all []robot) [][]int16 {
	for _, r := range all {
		r.ear.take()
	}
	pass(d)
	var heard [][]int16
	for _, r := range all {
		heard = append(heard, r.ear.take())
	}
	return heard
}

func TestSupervisorListensWhispersAndJoins(t *testing.T) {
	near, tab, all := conferring(t, "")
	const caller, supervisor = 600, 800
	for _, step := range []struct {
		name                   string
		do                     func() error
		atCaller, atSupervisor []int // heard there
		atPage                 []int
	}{
		{"listen", func() error { near.Mix("a", "b"); return near.Attend("b", media.RoleListen) }, []int{agent}, []int{caller, agent}, []int{caller}},
		{"whisper", func() error { return near.Attend("b", media.RoleWhisper) }, []int{agent}, []int{caller, agent}, []int{caller, supervisor}},
		{"card", func() error { return near.Card("a", true) }, []int{agent}, nil, []int{caller, supervisor}},
		{"join", func() error { _ = near.Card("a", false); return near.Attend("b", media.RoleJoin) }, []int{supervisor, agent}, []int{caller, agent}, []int{caller, supervisor}},
		{"listen again", func() error { return near.Attend("b", media.RoleListen) }, []int{agent}, []int{caller, agent}, []int{caller}},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		pass(500 * time.Millisecond)
		hears(t, step.name, func() []tones {
			heard, page := together(t, tab, all)
			var list []tones
			for i, there := range [][]int{step.atCaller, step.atSupervisor} {
				list = append(list, tones{all[i].name, heard[i], there, missing(there, caller, supervisor, agent)})
			}
			return append(list, tones{"page", page, step.atPage, missing(step.atPage, caller, supervisor, agent)})
		})
	}
}

// missing are those of all that are not there.
func missing(there []int, all ...int) (list []int) {
	for _, hz := range all {
		found := false
		for _, other := range there {
			found = found || other == hz
		}
		if !found {
			list = append(list, hz)
		}
	}
	return list
}

func TestBrowserHearsTheReplayBesideTheCall(t *testing.T) {
	near, tab, all := conferring(t, "")
	near.KeepReplay(true)
	pass(6 * time.Second)
	all[0].e.Play("robot", &voice{pcm: tone(1000)})
	pass(500 * time.Millisecond)
	if err := near.Replay("a", true); err != nil {
		t.Fatal(err)
	}
	page := played(t, tab, 4*time.Second)[8000:24000]
	if then, now := heardAt(page, 600), heardAt(page, 1000); then < -3 || then > 2 || now < -15 || now > -9 {
		t.Errorf("the page hears what was said at %.1f dB, and the call at %.1f", then, now)
	}
	hears(t, "during the replay", func() []tones {
		return []tones{{"the caller", ears(500*time.Millisecond, all[:1])[0], []int{agent}, []int{600, 1000}}}
	})
	if err := near.Replay("a", false); err != nil {
		t.Fatal(err)
	}
	pass(4 * time.Second) // a tone has no pause in which the seam would not be heard
	hears(t, "afterwards", func() []tones {
		return []tones{{"the page", played(t, tab, 2*time.Second)[7200:], []int{1000}, []int{600, agent}}}
	})
}
