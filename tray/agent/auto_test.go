package agent

import (
	"testing"

	"pgregory.net/rapid"

	"zaseki/web/wire"
)

// Whatever happens in whatever order while somebody signs in, or nobody: no machine takes anything over, nothing is asked of the
// center by itself but at the start and after its pause, and every step has what its page shows.
func TestAnyOrderOfSignInKeepsTheRules(t *testing.T) {
	problems := rapid.SampledFrom([]string{wire.ProblemSignIn, wire.ProblemUnreachable, wire.ProblemCenter, wire.ProblemSeatTaken, wire.ProblemElsewhere,
		wire.ProblemTicket, wire.ProblemNoKeyring, wire.ProblemAccountOff})
	rapid.Check(t, func(t *rapid.T) {
		sc := &scene{t: nil}
		sc.begin([]string{"fresh", "account=sato", "terminal=" + rapid.SampledFrom([]string{"t2001", "gone"}).Draw(t, "terminal")})
		s := sc.s
		s.Chosen = wire.Values{wire.SetAutoSignIn: rapid.Bool().Draw(t, "auto")}
		s.Held = s.holds()
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			problem := wire.Problem{Code: problems.Draw(t, "problem")}
			choice := rapid.SampledFrom([]wire.Choice{testChoice, {}}).Draw(t, "choice")
			keep := rapid.Bool().Draw(t, "keep")
			e := rapid.SampledFrom([]Event{
				Started{Keyring: keep}, wire.CheckAccount{Account: "kato", Keep: keep}, wire.SignInOnce{CheckAccount: wire.CheckAccount{Account: "kato"}, Terminal: "2001", Seat: "x"},
				wire.Back{}, wire.SignIn{Terminal: "t2001", Takeover: keep}, Checked{Choice: choice}, Checked{Choice: choice}, Checked{Need: &wire.Need{Ways: []string{wire.WayApp}}},
				CheckFailed{problem}, EntryFailed{problem}, CodeFailed{problem}, wire.SendCode{Way: wire.WayApp}, Welcomed{wire.Welcome{Desk: wire.Desk{Keep: keep}}},
				wire.SignOut{Sure: true}, Left{}, Expired{alarmAuto}, Expired{alarmAuto}, wire.ForgetAccount{}, Filed{wire.Saved{Account: "sato"}}, wire.UseSIP{}, wire.SignOn{},
				wire.ChangeSetting{Name: wire.SetAutoSignIn, Value: keep},
			}).Draw(t, "event")
			was := s
			var effects []Effect
			s, effects = Step(s, e)
			asked := 0
			for _, f := range effects {
				switch f := f.(type) {
				case AskSignIn:
					if _, person := e.(wire.SignIn); f.SignIn.Takeover && !person {
						t.Fatalf("%+v takes over", e)
					}
					asked++
				case AskSaved:
					_, begun := e.(Started)
					if again := was.Auto != nil && e == Event(Expired{alarmAuto}); !begun && !again || !was.Held.On(wire.SetAutoSignIn) || was.Saved.Account == "" {
						t.Fatalf("%+v asks by itself in %s", e, was.Phase)
					}
					asked++
				case AskCheck, AskCode, AskLocal:
					asked++
				}
			}
			snap := s.Snapshot()
			switch {
			case asked > 1:
				t.Fatalf("%+v asks %d things", e, asked)
			case snap.Phase == wire.PhaseChoosing && snap.Choice == nil, snap.Phase == wire.PhaseProving && snap.Proof == nil, snap.Phase == wire.PhaseEntering && snap.Asked == nil:
				t.Fatalf("%+v: %s without what it shows", e, snap.Phase)
			case snap.Auto != nil && (s.in() || snap.Phase == wire.PhaseChoosing || snap.Phase == wire.PhaseBrowser):
				t.Fatalf("%+v: in %s it still goes on by itself", e, snap.Phase)
			case s.Then != nil && (s.in() || snap.Phase == wire.PhaseChoosing):
				t.Fatalf("%+v: in %s there is still something to go on with", e, snap.Phase)
			case snap.Auto != nil && snap.Phase == wire.PhaseOut && snap.Auto.Again.IsZero():
				t.Fatalf("%+v: it waits for nothing", e)
			}
		}
	})
}
