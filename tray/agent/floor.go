package agent

import (
	"maps"
	"slices"
	"time"

	"zaseki/web/wire"
)

// floor is what goes between this seat and those who run the floor: the raised hand, the terminal that they keep for the account, and the
// settings of this phone.
func (s State) floor(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn {
		return s, nil
	}
	switch e := e.(type) {
	case wire.RaiseHand:
		if s.Local {
			return s.tell(wire.Problem{Code: wire.ProblemNoCenter})
		}
		if e.On == !s.Record.Hand.IsZero() {
			return s, nil
		}
		return s, []Effect{s.hand(e)}
	case wire.UseTerminal:
		if own := s.Welcome.Desk.Bound; own == nil || own.ID == "" || own.ID != e.Terminal {
			return s, nil
		}
		return s, []Effect{AskTerminal{e.Terminal}}
	case SettingsAsked:
		if s.Local {
			return s, nil
		}
		p := wire.Problem{Code: wire.ProblemSettingsAsked, Holes: map[string]string{"who": short(e.By)}}
		return s.notice("info", p), []Effect{SendSettings{s.own()}, Alarm{p.Code, noticeStays}}
	}
	return s, nil
}

// own are the settings that this person has chosen, as far as the center leaves them the choice.
func (s State) own() wire.Values {
	own := wire.Values{}
	for _, set := range wire.AllSettings() {
		value, has := s.Chosen[set.Name]
		if !has || s.lockedBy(set) != "" {
			continue
		}
		if kept, ok := set.Check(value); ok {
			own[set.Name] = kept
		}
	}
	return own
}

const (
	originsMost  = 50               // that are remembered to have asked
	originStays  = time.Minute      // a question about an origin
	originAgain  = 10 * time.Minute // nobody answered
	originsNever = 1 << 20 * time.Hour
)

// origin: a page of a site that is not listed wants this phone to dial (PRODUCT A15). The person is asked whether its pages may; every
// other question goes before this one, and none of a policy's is asked. Who was told no asks no more until the phone is started again.
func (s State) origin(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.OriginAsks:
		if !s.mayAsk(e.Origin) {
			return s, nil
		}
		s.Ask = &wire.Question{Kind: "origin", Origin: e.Origin}
		return s, []Effect{Alarm{alarmOrigin, originStays}}
	case wire.AllowOrigin:
		if s.Ask == nil || s.Ask.Kind != "origin" || s.Ask.Origin != e.Origin {
			return s, nil
		}
		s.Ask = nil
		s, effects := s.choose(wire.SetLocalOrigins, append(slices.Clone(s.Held.List(wire.SetLocalOrigins)), e.Origin))
		return s, append([]Effect{Alarm{Key: alarmOrigin}}, effects...)
	}
	return s, nil
}

func (s State) mayAsk(origin string) bool {
	set, _ := wire.SettingOf(wire.SetLocalOrigins)
	o, ok := wire.Origin(origin)
	known := len(s.strangers) >= originsMost || s.Now.Before(s.strangers[origin])
	listed := slices.Contains(s.Held.List(wire.SetLocalOrigins), origin)
	return ok && o == origin && !known && !listed && s.Phase == wire.PhaseIn && s.Ask == nil && len(s.Calls) == 0 &&
		s.Held.On(wire.SetLocalAPI) && s.lockedBy(set) == ""
}

// unanswered: the question about an origin stood long enough.
func (s State) unanswered() State {
	if s.Ask != nil && s.Ask.Kind == "origin" {
		s = s.refused(s.Ask.Origin, originAgain)
		s.Ask = nil
	}
	return s
}

// refused is the state that is not asked about that origin for so long.
func (s State) refused(origin string, long time.Duration) State {
	s.strangers = maps.Clone(s.strangers)
	if s.strangers == nil {
		s.strangers = map[string]time.Time{}
	}
	s.strangers[origin] = s.Now.Add(long)
	return s
}

// questioned says that a question stands which no other may replace.
func (s State) questioned(but ...string) bool {
	return s.Ask != nil && s.Ask.Kind != "origin" && !slices.Contains(but, s.Ask.Kind)
}
