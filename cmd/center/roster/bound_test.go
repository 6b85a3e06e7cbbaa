package roster

import (
	"errors"
	"testing"

	"zaseki/web/wire"
)

// TestATerminalThatIsNotTheAccountsAnyMore: an administrator gives the softphone that alice works with to bob, and another to alice. Her
// phone is told; her status changes go on; it moves to her own when it wants to, but not in a call. (PRODUCT A17)
func TestATerminalThatIsNotTheAccountsAnyMore(t *testing.T) {
	t.Parallel()
	c := newCenter(t, nil, func(s *Setup) { s.Terminals = append(s.Terminals, TerminalSetup{Extension: "2010", Account: "alice"}) })
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "1")
	desk := newPhone(t, c, "bob", "pc2").in("3001", wire.StatusAway, "")
	alice.connected()
	desk.connected()

	putRow(t, c, Setup{Terminals: []TerminalSetup{{Extension: "2001", Account: "bob"}}})
	alice.wantWelcome("what the center keeps", func(w wire.Welcome) bool {
		return w.Desk.Bound != nil && w.Desk.Bound.ID == "2010" && w.Me.Terminal.ID == "2001"
	})
	must(t, alice.Ask(t.Context(), wire.SetStatus{To: wire.StatusBreak})) // the status belongs to the account
	if n, w := desk.welcomes(); n > 0 && w.Desk.Bound != nil {
		t.Errorf("a desk phone belongs to nobody, and bob is told of %v", w.Desk.Bound)
	}

	alice.call(wire.CallReport{ID: "c1", Inbound: true, Outside: true}, wire.CallOffered, wire.CallTalking)
	for terminal, want := range map[string]string{"2010": wire.ProblemTerminalCall, "2002": wire.ProblemTerminalUnknown, "": wire.ProblemTerminalUnknown} {
		if err := alice.Ask(t.Context(), wire.UseTerminal{Terminal: terminal}); !errors.Is(err, wire.Problem{Code: want}) {
			t.Errorf("%q in a call: %v", terminal, err)
		}
	}
	alice.call(wire.CallReport{ID: "c1", Inbound: true, Outside: true, Result: "answered"}, wire.PhaseEnded)

	before := c.agent("alice")
	must(t, alice.Ask(t.Context(), wire.UseTerminal{Terminal: "2010"}))
	alice.wantWelcome("the own terminal", func(w wire.Welcome) bool {
		return w.Desk.Bound == nil && w.Me.Terminal.ID == "2010" && w.SIP.User == "2010" && w.Epoch > before.Epoch
	})
	if a := c.agent("alice"); a.Terminal != "2010" || a.Seat != "1" || a.Session.ID != before.Session.ID || a.Status != before.Status {
		t.Errorf("seat, status and session are not as before: %+v", a)
	}
	free, _ := c.Terminal("2001")
	if free.Account != "" {
		t.Errorf("the other terminal is held by %q still", free.Account)
	}
	must(t, desk.SignOut(t.Context()))
	newPhone(t, c, "bob", "pc3").in("2001", wire.StatusAway, "")
}

// TestAnAccountWithoutATerminalOfItsOwn: nothing can be mended from the phone, which says so.
func TestAnAccountWithoutATerminalOfItsOwn(t *testing.T) {
	c := newCenter(t, nil, nil)
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "")
	alice.connected()
	putRow(t, c, Setup{Terminals: []TerminalSetup{{Extension: "2001", Account: "bob"}}})
	alice.wantWelcome("that there is none", func(w wire.Welcome) bool { return w.Desk.Bound != nil && *w.Desk.Bound == wire.Terminal{} })
}
