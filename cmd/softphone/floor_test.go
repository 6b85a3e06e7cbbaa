package main

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// TestAHandIsRaisedUntilSomebodyComes: the phone shows what the center says, also that a supervisor has been there.
func TestAHandIsRaisedUntilSomebodyComes(t *testing.T) {
	s := newShift(t)
	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "s1")
	p.agent.Post(wire.RaiseHand{On: true})
	if up := until("up", func(s wire.Snapshot) bool { return !s.Hand.IsZero() }); time.Since(up.Hand).Abs() > time.Minute {
		t.Errorf("up since %v", up.Hand)
	}
	if err := s.node.Roster().LowerHand(t.Context(), "sato", "a supervisor"); err != nil {
		t.Fatal(err)
	}
	until("down", func(s wire.Snapshot) bool { return s.Hand.IsZero() })
	end()
}

// TestThePhoneTellsItsSettingsAndThePerson: what was chosen here, without what the center has set.
func TestThePhoneTellsItsSettingsAndThePerson(t *testing.T) {
	s := newShift(t)
	s.apply(roster.Setup{Policies: []roster.Policy{{ID: "quiet", Name: "Quiet floor", Set: roster.PolicySet{Locked: wire.Values{wire.SetRingVolume: 30.0}}}}})
	p, until, end := s.start(s.node.HTTP())
	p.agent.Post(wire.ChangeSetting{Name: wire.SetRingVolume, Value: 90.0})
	p.agent.Post(wire.ChangeSetting{Name: wire.SetLook, Value: "dark"})
	p.agent.Post(wire.ChangeSetting{Name: wire.SetLocalOrigins, Value: []string{"https://crm.example.jp"}})
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	until("locked", func(s wire.Snapshot) bool { return s.Locks[wire.SetRingVolume] != "" })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got, err := s.node.Roster().AskSettings(ctx, "sato", "Tanaka")
	for errors.Is(err, wire.Problem{Code: wire.ProblemPhoneAway}) && ctx.Err() == nil { // signed in, and not connected yet
		time.Sleep(20 * time.Millisecond)
		got, err = s.node.Roster().AskSettings(ctx, "sato", "Tanaka")
	}
	if want := (wire.Values{wire.SetLook: "dark", wire.SetLocalOrigins: []any{"https://crm.example.jp"}}); err != nil || !reflect.DeepEqual(plainValues(got), plainValues(want)) {
		t.Errorf("it says %#v, %v", got, err)
	}
	until("told", func(s wire.Snapshot) bool {
		return told(wire.ProblemSettingsAsked)(s) && s.Notices[0].Problem.Holes["who"] == "Tanaka"
	})
	end()
}

// plainValues are settings with lists of one type.
func plainValues(v wire.Values) map[string]any {
	plain := map[string]any{}
	for name, value := range v {
		if list, is := wire.Texts(value); is {
			value = list
		}
		plain[name] = value
	}
	return plain
}
