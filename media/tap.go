package media

import (
	"slices"
	"time"
)

// tap sees the sound of a line pass: what the network brings (out false), and what goes to the network, be it the agent's
// voice after mute, silence, a tone or a mix. It must copy what it keeps of the packet, must not block, and is called from two
// goroutines, one for each direction. Keys (telephone-events) do not come here.
type tap interface {
	tapped(out bool, c codec, p packet, now time.Time)
}

func (l *line) tapped(out bool, c codec, p packet, now time.Time) {
	if taps := l.taps.Load(); taps != nil {
		for _, t := range *taps {
			t.tapped(out, c, p, now)
		}
	}
}

// tapLocked lets t see the line's sound from now on, untapLocked no more. Whoever calls holds the engine's mutex.
func (l *line) tapLocked(t tap) {
	var list []tap
	if old := l.taps.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = append(list, t)
	l.taps.Store(&list)
}

func (l *line) untapLocked(t tap) {
	old := l.taps.Load()
	if old == nil {
		return
	}
	list := slices.DeleteFunc(slices.Clone(*old), func(other tap) bool { return other == t })
	if len(list) == 0 {
		l.taps.Store(nil)
		return
	}
	l.taps.Store(&list)
}
