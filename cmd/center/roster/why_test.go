package roster

import (
	"fmt"
	"maps"
	"testing"
)

// TestAnOfferSaysWhyThatAgent and what the others lacked.
func TestAnOfferSaysWhyThatAgent(t *testing.T) {
	people := []Account{{Account: "aoki"}, {Account: "baba"}, {Account: "chiba"}, {Account: "doi"}, {Account: "endo"}}
	floor := func() *hall {
		return newHall(people, Queue{Extension: "7000", Name: "Support", Levels: map[string]int{"chiba": 2}}, Queue{Extension: "7001", Name: "Sales", Agents: []string{"endo"}})
	}
	for _, r := range []struct {
		name, agent, why string
		before           func(h *hall)
		passed           map[string]string
	}{
		{"the only one", "aoki", "only", func(h *hall) { h.frees("aoki", 1) },
			map[string]string{"baba": "away", "chiba": "away", "doi": "away", "endo": "away"}},
		{"free for the longest", "baba", "idle", func(h *hall) { h.frees("aoki", 5); h.frees("baba", 1) },
			map[string]string{"chiba": "away", "doi": "away", "endo": "away"}},
		{"of a better level than who was free for longer", "aoki", "skill", func(h *hall) { h.frees("chiba", 1); h.frees("aoki", 5) },
			map[string]string{"baba": "away", "doi": "away", "endo": "away"}},
		{"others are not ready, kept for a call, on a break, or signed out", "aoki", "only", func(h *hall) {
			for i, account := range []string{"aoki", "baba", "chiba"} {
				h.frees(account, 10-i)
			}
			h.links["baba"].line = false
			h.reserveLocked("chiba", 0)
			h.pauses("doi")
			delete(h.view.agents, "endo")
		}, map[string]string{"baba": "line", "chiba": "reserved", "doi": "break"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			h := floor()
			r.before(h)
			o := wantAgent(t, h.waits("7000", 0), r.agent)
			if o.Why != r.why || !maps.Equal(o.Passed, r.passed) {
				t.Fatalf("%s, passed over %v", o.Why, o.Passed)
			}
		})
	}
	t.Run("who was offered it already", func(t *testing.T) {
		h := floor()
		h.frees("aoki", 1)
		h.frees("baba", 2)
		w := h.waits("7000", 0)
		first := wantAgent(t, w, "aoki")
		w.Spare("aoki", 0)
		w.Want()
		first.Release()
		if o := wantAgent(t, w, "baba"); o.Why != "only" || o.Passed["aoki"] != "reserved" { // it was not given back yet
			t.Fatalf("%s, passed over %v", o.Why, o.Passed)
		}
		o, _, ok := h.Offer("7001", []string{"endo"})
		if ok || o.Why != "" {
			t.Fatalf("%+v", o)
		}
	})
	t.Run("a crowd is not told whole", func(t *testing.T) {
		var crowd []Account
		for i := range 300 {
			crowd = append(crowd, Account{Account: fmt.Sprint("a", i)})
		}
		h := newHall(crowd, Queue{Extension: "7000"})
		h.frees("a7", 1)
		if o := wantAgent(t, h.waits("7000", 0), "a7"); len(o.Passed) != passedMost {
			t.Fatalf("%d", len(o.Passed))
		}
	})
}
