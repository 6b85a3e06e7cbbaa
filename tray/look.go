package tray

import "zaseki/web/wire"

// Mood is what the icon tells at a glance, by colour and by shape.
type Mood int

const (
	MoodOut  Mood = iota // a bare grey seat: signed out
	MoodIn               // a seat on orange (PRODUCT A12)
	MoodRing             // a bell on red
	MoodCall             // a handset on red
	moods
)

// Look is one of the eight icons.
type Look struct {
	Mood Mood
	Lock bool // the voice of this call is encrypted; at rest: the terminal is (PRODUCT A16)
}

func look(s wire.Snapshot) Look {
	call, up := active(s)
	_, rings := s.Ringing()
	switch {
	case rings && up:
		return Look{Mood: MoodRing, Lock: call.Secure}
	case rings:
		return Look{Mood: MoodRing, Lock: s.Me != nil && s.Me.Encrypted}
	case up:
		return Look{Mood: MoodCall, Lock: call.Secure}
	case s.Phase == wire.PhaseIn:
		return Look{Mood: MoodIn, Lock: s.Me != nil && s.Me.Encrypted}
	}
	return Look{}
}
