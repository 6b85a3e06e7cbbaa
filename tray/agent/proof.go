package agent

import (
	"slices"

	"zaseki/web/wire"
)

// prove is the code step of sign-in (PRODUCT A13), and sign-in by the browser, which may lead to it too.
func (s State) prove(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.SendCode:
		if !s.answers() || !slices.Contains(s.Proof.Ways, e.Way) {
			return s, nil
		}
		return s.asking(), []Effect{AskCode(e)}

	case wire.MailCode:
		if !s.answers() || !slices.Contains(s.Proof.Ways, wire.WayMail) || s.Now.Before(s.Proof.Sent.Add(wire.MailAgain)) {
			return s, nil
		}
		return s.asking(), []Effect{AskMail(e)}

	case MailSent:
		if s.Phase == wire.PhaseProving {
			p := *s.Proof
			p.Asked, p.Sent = false, s.Now
			s.Proof = &p
		}

	case CodeFailed:
		if s.Phase == wire.PhaseProving {
			s = s.unproven(e.Problem)
			if s.Phase == wire.PhaseOut {
				s, _ = s.byHand()
			}
		}

	case wire.SignOn:
		if s.Phase == wire.PhaseOut && s.SignOn != nil {
			s, ended := s.byHand()
			s.Phase, s.Problem, s.Away = wire.PhaseBrowser, nil, ""
			return s, append(ended, AskSignOn{})
		}

	case SignOnOpened:
		if s.Phase == wire.PhaseBrowser {
			s.Away = e.URL
		}

	case SignOnOffered:
		s.SignOn = e.SignOn
		return s.formed(e.Profile)
	}
	return s, nil
}

// answers says that a code may be given now.
func (s State) answers() bool { return s.Phase == wire.PhaseProving && !s.Proof.Asked }

func (s State) asking() State {
	p := *s.Proof
	p.Asked = true
	s.Proof, s.Problem = &p, nil
	return s
}

// unproven: a code was refused. After the last try, and when it took too long, everything begins anew.
func (s State) unproven(problem wire.Problem) State {
	s.Problem = &problem
	if problem.Code == wire.ProblemTicket || problem.Code == wire.ProblemFactor && problem.Holes["left"] == "0" {
		s.Phase, s.Proof = wire.PhaseOut, nil
		return s
	}
	p := *s.Proof
	p.Asked = false
	s.Proof = &p
	return s
}

// checked: the password is right, or a code, or the provider has vouched; Need says what is missing still.
func (s State) checked(e Checked) State {
	s.Problem, s.Asked, s.Proof, s.Choice = nil, nil, nil, nil
	if e.Need != nil {
		s.Phase, s.Proof = wire.PhaseProving, &wire.Proof{Need: *e.Need, Keeps: e.Keeps}
		s.Proof.Ticket = ""
		return s
	}
	if len(e.Choice.Terminals) == 0 {
		s.Phase, s.Problem = wire.PhaseOut, &wire.Problem{Code: wire.ProblemNoTerminal}
		return s
	}
	choice := e.Choice
	s.Phase, s.Choice = wire.PhaseChoosing, &choice
	return s
}
