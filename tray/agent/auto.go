package agent

import (
	"cmp"
	"slices"
	"time"

	"zaseki/web/wire"
)

// Sign-in without a person (PRODUCT A14), and that of one form (A4): both know what step two would ask before step one is over.

const (
	autoFirst = 2 * time.Second // between two tries to reach the center, doubled up to autoMost
	autoMost  = time.Minute
)

// begun: the phone runs. Nobody is asked to sign in where that is chosen and an account is saved; once, at the start: who signs out
// stays signed out.
func (s State) begun(e Started) (State, []Effect) {
	s.Keyring, s.NoKeyring = e.Keyring, e.Why
	effects := s.started()
	switch {
	case !s.Held.On(wire.SetAutoSignIn), s.Phase != wire.PhaseOut, s.Link.URL == "", s.Saved.Account == "":
		return s, effects
	case s.Rules.Forget:
		return s.dropSaved(effects)
	case !e.Keyring:
		return s.notice("warn", s.noKeyring()), effects
	}
	s, ask := s.tryAuto()
	return s, append(effects, ask...)
}

func (s State) noKeyring() wire.Problem {
	return wire.Problem{Code: wire.ProblemNoKeyring, Holes: map[string]string{"reason": s.NoKeyring}}
}

func (s State) tryAuto() (State, []Effect) {
	s.Phase, s.Account, s.Problem, s.Auto = wire.PhaseChecking, s.Saved.Account, nil, &wire.AutoSignIn{}
	s.Then = &wire.SignIn{Terminal: s.Saved.Terminal, Status: s.Held.Text(wire.SetStartStatus), Seat: s.Saved.Seat}
	return s, []Effect{AskSaved{s.Saved.Account}}
}

// autoAgain: the pause after a center that was not reached is over.
func (s State) autoAgain() (State, []Effect) {
	switch {
	case s.Auto == nil, s.Phase != wire.PhaseOut:
		return s, nil
	case s.Saved.Account == "", !s.Held.On(wire.SetAutoSignIn): // a person thought otherwise meanwhile
		return s.byHand()
	}
	return s.tryAuto()
}

// autoFailed: it did not work. A center that is not there is asked again, ever more seldom and not by a whole shift at the same moment;
// anything else is for a person, who finds all filled in. A password that is wrong now is kept no longer.
func (s State) autoFailed(problem wire.Problem) (State, []Effect) {
	switch problem.Code {
	case wire.ProblemUnreachable, wire.ProblemCenter, wire.ProblemReadOnly: // also whatever stands before a center that starts
		wait := cmp.Or(s.AutoWait, autoFirst)
		s.AutoWait = min(2*wait, autoMost)
		wait = wait/2 + time.Duration(s.Now.UnixNano())%(wait/2)
		s.Phase, s.Choice, s.Then, s.Problem = wire.PhaseOut, nil, nil, &problem
		s.Auto = &wire.AutoSignIn{Again: s.Now.Add(wait)}
		return s, []Effect{Alarm{alarmAuto, wait}}
	}
	s.Auto, s.Then, s.AutoWait = nil, nil, 0
	s = s.notice("warn", wire.Problem{Code: wire.ProblemAutoSignIn})
	if problem.Code == wire.ProblemSignIn {
		return s.dropSaved(nil)
	}
	return s, nil
}

// byHand ends what goes on by itself: a person has taken over.
func (s State) byHand() (State, []Effect) {
	waits := s.Auto != nil && s.Phase == wire.PhaseOut
	s.Auto, s.Then, s.AutoWait = nil, nil, 0
	if waits {
		return s, []Effect{Alarm{Key: alarmAuto}}
	}
	return s, nil
}

// goOn is step two by what was known before step one. What cannot be had is asked of a person, with everything filled in.
func (s State) goOn() (State, []Effect) {
	in, problem := fit(*s.Choice, *s.Then)
	s.Then, s.Asked = nil, &in
	if problem != nil {
		s.Problem = problem
		if s.Auto != nil {
			return s.autoFailed(*problem)
		}
		return s, nil
	}
	s.Phase, s.Problem = wire.PhaseEntering, nil
	return s, []Effect{AskSignIn{in}}
}

// fit is what is wanted in the words of what is offered. Terminal and seat may be named as people name them.
func fit(offer wire.Choice, want wire.SignIn) (wire.SignIn, *wire.Problem) {
	in := want
	if !offer.SeatView {
		in.Seat = "" // A10
	}
	t := slices.IndexFunc(offer.Terminals, func(t wire.Terminal) bool {
		w := cmp.Or(want.Terminal, offer.Terminal)
		return w == "" || w == t.ID || w == t.Extension
	})
	if t < 0 {
		return in, &wire.Problem{Code: wire.ProblemTerminalUnknown, Holes: map[string]string{"terminal": short(want.Terminal)}}
	}
	in.Terminal, in.Status = offer.Terminals[t].ID, cmp.Or(want.Status, offer.Status)
	if want.Status != "" && !slices.ContainsFunc(offer.Statuses, func(d wire.StatusDef) bool { return d.ID == want.Status }) {
		in.Status = offer.Status
		return in, &wire.Problem{Code: wire.ProblemStatusUnknown, Holes: map[string]string{"status": short(want.Status)}}
	}
	if in.Seat == "" {
		return in, nil
	}
	seat := slices.IndexFunc(offer.Seats, func(o wire.SeatOffer) bool { return in.Seat == o.ID || in.Seat == o.Name })
	if seat < 0 {
		in.Seat = ""
		return in, &wire.Problem{Code: wire.ProblemSeatUnknown, Holes: map[string]string{"seat": short(want.Seat)}}
	}
	in.Seat = offer.Seats[seat].ID
	return in, nil
}

// seatsMost is how many seats the form of one step remembers.
const seatsMost = 500

// once is what the form of one step will offer at this machine next time: what was offered now, without a word of who sits where or
// whose it was. A status that takes outside calls is never preselected (PRODUCT A7).
func (s State) once(w wire.Welcome) *wire.Choice {
	if !w.Profile.OneStep || s.Choice == nil || s.Asked == nil {
		return nil
	}
	c := *s.Choice
	c.Name, c.Profile, c.Terminal, c.Seat = "", w.Profile, s.Asked.Terminal, s.Asked.Seat
	if len(c.Statuses) == 0 { // this account has no status (PRODUCT D1); the next may be an agent's
		c.Statuses, c.Status = pickable(), wire.StatusAway
		if s.Once != nil {
			c.Statuses = s.Once.Statuses
		}
	}
	for _, d := range c.Statuses {
		if d.ID == s.Asked.Status && !d.TakesOutside() {
			c.Status = d.ID
		}
	}
	c.Seats = slices.Clone(c.Seats[:min(len(c.Seats), seatsMost)])
	for i := range c.Seats {
		c.Seats[i].By, c.Seats[i].Since = "", time.Time{}
	}
	return &c
}

// formed is the state whose form of sign-in is as the center's generation has it. Where nobody has signed in yet from this machine the
// form of one step offers the standard statuses, and terminal and seat are typed.
func (s State) formed(p wire.Profile) (State, []Effect) {
	if s.Phase == wire.PhaseIn || p.Name == "" || p.OneStep == (s.Once != nil) {
		return s, nil
	}
	s.Once = nil
	if p.OneStep {
		s.Once = &wire.Choice{Profile: p, Statuses: pickable(), Status: wire.StatusAway}
	}
	return s, []Effect{KeepOnce{s.Once}}
}

// pickable are the standard statuses that a person may choose.
func pickable() []wire.StatusDef {
	return slices.DeleteFunc(wire.StandardStatuses(), func(d wire.StatusDef) bool { return !d.Pickable })
}

// dropSaved takes the saved account out of this machine.
func (s State) dropSaved(effects []Effect) (State, []Effect) {
	s.Saved = wire.Saved{}
	return s, append(effects, DropSaved{})
}
