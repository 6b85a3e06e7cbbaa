package agent

import (
	"slices"

	"zaseki/web/wire"
)

// What is not proven for a call that could ring here (PRODUCT G1): names that the center keeps calls away for, and that the seat
// view shows. Registration and heartbeat the center sees itself.
const (
	lacksPage = "page" // a page is open that carried sound, and carries none
	lacksMic  = "mic"  // its microphone is denied, missing or silent
	lacksRing = "ring" // nothing is left that could ring: the devices are gone, and no page is open
)

// lacks are those, in order. A phone without a page may take calls: ringing opens one. What a page has never proven is not missed
// of it, but what it had proven and lost.
func (s State) lacks() (missing []string) {
	if s.Pages > 0 && s.proven.sound && !s.Sound {
		missing = append(missing, lacksPage)
	}
	if s.Pages > 0 && slices.Contains([]string{"denied", "missing", "silent"}, s.Mic) {
		missing = append(missing, lacksMic)
	}
	if s.Pages == 0 && s.proven.ring && len(s.Rings) == 0 {
		missing = append(missing, lacksRing)
	}
	return missing
}

// proven is what once worked since this phone was started.
type proven struct{ sound, ring bool }

// readiness lets the center know with each word of the line what is missing, and anew when that has changed; within a call it can
// wait.
func (s State) readiness(effects []Effect) (State, []Effect) {
	s.proven.sound = s.proven.sound || s.Sound
	s.proven.ring = s.proven.ring || len(s.Rings) > 0
	missing := s.lacks()
	told := false
	for i, e := range effects {
		if r, ok := e.(ReportLine); ok {
			r.Line.Missing = missing
			effects[i], told = r, true
		}
	}
	if !told && len(s.Calls) == 0 && s.Phase == wire.PhaseIn && s.Line.State == "registered" && !slices.Equal(missing, s.missing) {
		effects, told = append(effects, ReportLine{wire.LineReport{Registered: true, Missing: missing}}), true
	}
	if told {
		s.missing = missing
	}
	return s, effects
}
