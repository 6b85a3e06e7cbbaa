package agent

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"zaseki/web/wire"
)

// Rules are what a center has set for this machine. They hold until a center says otherwise, also while nobody is signed in: what
// a company locks is not open every night.
type Rules struct {
	Locked wire.Values `json:"locked,omitempty"`
	By     string      `json:"by,omitempty"`
	Forget bool        `json:"forget,omitempty"` // no account may be kept here
}

// Kept is what this machine remembers from the last time.
type Kept struct {
	Chosen wire.Values // what this version does not know is among them, and stays
	Rules  Rules
	Saved  wire.Saved   // Can is not known before Started
	Once   *wire.Choice // see wire.Snapshot.Once
}

// Keeping is the state of a phone that remembers that.
func (s State) Keeping(k Kept) State {
	s.Chosen, s.Rules, s.Saved, s.Once = k.Chosen, k.Rules, k.Saved, k.Once
	s.Account = k.Saved.Account
	s.Held = s.holds()
	return s
}

// holds are the settings that are not as by default: what the center has set, else what was chosen.
func (s State) holds() wire.Values {
	held := wire.Values{}
	for _, set := range wire.AllSettings() {
		for _, from := range []wire.Values{s.Chosen, s.Rules.Locked} {
			if value, has := from[set.Name]; has {
				if kept, ok := set.Check(value); ok {
					held[set.Name] = kept
				}
			}
		}
	}
	return held
}

// lockedBy names who has set that setting; "" nobody.
func (s State) lockedBy(set wire.Setting) string {
	value, has := s.Rules.Locked[set.Name]
	if !has {
		return ""
	}
	if _, ok := set.Check(value); !ok {
		return ""
	}
	if s.Rules.By == "" {
		return "–"
	}
	return s.Rules.By
}

func (s State) locks() map[string]string {
	locks := map[string]string{}
	for _, set := range wire.AllSettings() {
		if who := s.lockedBy(set); who != "" {
			locks[set.Name] = who
		}
	}
	return locks
}

// settings is what a person chooses on this machine, and how it goes with it.
func (s State) settings(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.ChangeSetting:
		return s.choose(e.Name, e.Value)
	case wire.ImportSettings:
		return s.imported(e.Values)
	case SettingFailing:
		return s.failing(e), nil
	case Warned:
		return s.tell(e.Problem)
	}
	return s, nil
}

func (s State) choose(name string, value any) (State, []Effect) {
	set, ok := wire.SettingOf(name)
	if !ok {
		return s.tell(wire.Problem{Code: wire.ProblemSetting, Holes: map[string]string{"name": short(name)}})
	}
	if who := s.lockedBy(set); who != "" {
		return s.tell(wire.Problem{Code: wire.ProblemSettingLocked, Holes: map[string]string{"name": name, "who": who}})
	}
	kept, ok := set.Check(value)
	if !ok {
		return s.tell(notThat(set, value))
	}
	s.Chosen = maps.Clone(s.Chosen)
	if s.Chosen == nil {
		s.Chosen = wire.Values{}
	}
	if s.Chosen[name] = kept; reflect.DeepEqual(kept, set.Default) {
		delete(s.Chosen, name) // a later version may know a better default
	}
	s, effects := s.unnotice(wire.ProblemSetting, wire.ProblemSettingLocked, wire.ProblemSettingOrigin).settled()
	return s, append([]Effect{KeepSettings{s.Chosen}}, effects...)
}

// notThat says why a setting cannot be that: of a list of sites, which of them is none.
func notThat(set wire.Setting, value any) wire.Problem {
	if list, is := wire.Texts(value); is && set.Name == wire.SetLocalOrigins {
		for _, one := range list {
			if _, ok := wire.Origin(one); !ok {
				return wire.Problem{Code: wire.ProblemSettingOrigin, Holes: map[string]string{"origin": short(one)}}
			}
		}
	}
	return wire.Problem{Code: wire.ProblemSetting, Holes: map[string]string{"name": set.Name}}
}

// imported takes settings whole: what is not among them is as by default, what cannot be used is named. A locked one stays as it is.
// So does what only another version knows.
func (s State) imported(values wire.Values) (State, []Effect) {
	chosen, refused := wire.Values{}, []string{}
	for name, value := range s.Chosen {
		if set, known := wire.SettingOf(name); !known || s.lockedBy(set) != "" {
			chosen[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		set, known := wire.SettingOf(name)
		kept, ok := set.Check(values[name])
		switch {
		case known && ok && s.lockedBy(set) != "" && reflect.DeepEqual(kept, s.Held[name]): // it is so already
		case !known, !ok, s.lockedBy(set) != "":
			refused = append(refused, short(name))
		case !reflect.DeepEqual(kept, set.Default):
			chosen[name] = kept
		}
	}
	s.Chosen = chosen
	s, effects := s.unnotice(wire.ProblemSettingNone).settled()
	effects = append([]Effect{KeepSettings{s.Chosen}}, effects...)
	if len(refused) > 0 {
		var alarm []Effect
		s, alarm = s.tell(wire.Problem{Code: wire.ProblemSettingNone, Holes: map[string]string{"names": named(refused)}})
		effects = append(effects, alarm...)
	}
	return s, effects
}

// named is a list that a person would still read.
func named(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// ruled takes over what the center says beside calls.
func (s State) ruled(desk wire.Desk) (State, []Effect) {
	s, effects := s.bound(desk)
	if desk.Latest != nil {
		effects = append(effects, Latest{*desk.Latest})
	} else if s.Update != nil && s.Update.State != wire.UpdateLoading { // withdrawn
		effects = append(effects, Latest{})
	}
	return s, effects
}

// bound takes over what the center has set.
func (s State) bound(desk wire.Desk) (State, []Effect) {
	rules := Rules{Locked: desk.Locked, By: desk.By, Forget: !desk.Keep}
	if reflect.DeepEqual(rules, s.Rules) {
		return s, nil
	}
	s.Rules = rules
	s, effects := s.settled()
	effects = append([]Effect{KeepRules{rules}}, effects...)
	if rules.Forget && s.Saved.Account != "" {
		return s.dropSaved(effects)
	}
	return s, effects
}

// settled is the state with its settings as they hold now, and each that is another than before is to be applied. What did not work
// as it was may work as it is.
func (s State) settled() (State, []Effect) {
	was := s.Held
	s.Held = s.holds()
	var effects []Effect
	for _, set := range wire.AllSettings() {
		if !reflect.DeepEqual(heldOf(was, set), heldOf(s.Held, set)) {
			effects = append(effects, ApplySetting{set.Name, s.Held})
			s = s.failing(SettingFailing{Name: set.Name})
		}
	}
	return s, effects
}

func heldOf(v wire.Values, set wire.Setting) any {
	if value, has := v[set.Name]; has {
		return value
	}
	return set.Default
}

// failing notes that a setting does not work here, or does again.
func (s State) failing(e SettingFailing) State {
	if _, known := wire.SettingOf(e.Name); !known || e.Problem == nil && s.Failing[e.Name].Code == "" {
		return s
	}
	s.Failing = maps.Clone(s.Failing)
	if s.Failing == nil {
		s.Failing = map[string]wire.Problem{}
	}
	if e.Problem == nil {
		delete(s.Failing, e.Name)
		return s
	}
	s.Failing[e.Name] = *e.Problem
	return s
}

// started applies every setting once.
func (s State) started() []Effect {
	var effects []Effect
	for _, set := range wire.AllSettings() {
		effects = append(effects, ApplySetting{set.Name, s.Held})
	}
	return effects
}
