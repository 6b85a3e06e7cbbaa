package tray

import (
	"slices"

	"zaseki/web/wire"
)

// Mood is what the icon tells at a glance, by colour and by shape.
type Mood int

const (
	MoodOut  Mood = iota // a bare grey seat: signed out
	MoodIn               // a seat on orange (PRODUCT A12)
	MoodWait             // a dark seat on amber: signed in, but no call would get through (PRODUCT G1)
	MoodRing             // a bell on red
	MoodCall             // a handset on blue
	moods
)

// Voice is how the call in the ear sounds, by a mark on the icon.
type Voice int

const (
	VoiceFine Voice = iota // or not measured yet: no mark
	VoicePoor              // MOS 3 and below: a yellow triangle
	VoiceBad               // MOS 2 and below, or no sound at all: a red disc with a cross
	voices
)

// Look is one of the icons.
type Look struct {
	Mood   Mood
	Lock   bool  // the voice of this call is encrypted; at rest: the terminal is (PRODUCT A16)
	Voice  Voice // only with MoodCall
	Hand   bool  // ours is raised; not when signed out, and a ringing bell stays whole
	Missed bool  // calls were missed that nobody has looked at; only with MoodIn and MoodWait
}

// looks are all there are.
func looks() (all []Look) {
	for mood := range moods {
		for voice := range voices {
			if voice == VoiceFine || mood == MoodCall {
				all = append(all, Look{Mood: mood, Voice: voice})
			}
		}
	}
	also := func(badge func(*Look), on ...Mood) {
		for _, l := range all {
			if badge(&l); len(on) == 0 || slices.Contains(on, l.Mood) {
				all = append(all, l)
			}
		}
	}
	also(func(l *Look) { l.Lock = true })
	also(func(l *Look) { l.Missed = true }, MoodIn, MoodWait)
	also(func(l *Look) { l.Hand = true }, MoodIn, MoodWait, MoodCall)
	return all
}

// voice is how that call sounds (ITU-T G.107 Annex B: below 3.1 nearly all are dissatisfied). Without a page it does not at all.
func voice(s wire.Snapshot, c wire.Call) Voice {
	switch {
	case unheard(s):
		return VoiceBad
	case c.Quality == nil || c.Phase != wire.CallTalking:
		return VoiceFine
	case c.Quality.MOS <= 2:
		return VoiceBad
	case c.Quality.MOS <= 3:
		return VoicePoor
	}
	return VoiceFine
}

func look(s wire.Snapshot) Look {
	call, up := s.Active()
	_, rings := s.Ringing()
	switch {
	case rings && up:
		return Look{Mood: MoodRing, Lock: call.Secure}
	case rings:
		return Look{Mood: MoodRing, Lock: s.Me != nil && s.Me.Encrypted}
	case up:
		return Look{Mood: MoodCall, Lock: call.Secure, Voice: voice(s, call), Hand: !s.Hand.IsZero()}
	case s.Phase == wire.PhaseIn:
		return Look{Mood: pick(waits(s) == "", MoodIn, MoodWait), Lock: s.Me != nil && s.Me.Encrypted, Hand: !s.Hand.IsZero(), Missed: s.Missed > 0 || s.Unread > 0}
	}
	return Look{}
}

// waits says why no call would get through to a person who is signed in: center, line or mic; "" when nothing is known to be missing.
func waits(s wire.Snapshot) string {
	switch {
	case s.Phase != wire.PhaseIn:
	case s.Status.Shown == wire.StatusLost:
		return "center"
	case s.Line.State == "failed":
		return "line"
	case s.Pages > 0 && slices.Contains([]string{"denied", "missing", "silent"}, s.Mic):
		return "mic"
	}
	return ""
}

// unheard says that a call has no page to carry its sound.
func unheard(s wire.Snapshot) bool {
	return slices.ContainsFunc(s.Notices, func(n wire.Notice) bool { return n.ID == wire.ProblemSoundGone })
}
