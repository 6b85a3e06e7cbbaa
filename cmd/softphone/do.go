package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	askTime    = 10 * time.Second       // for a sign-in or a status, answered or given up
	dropTime   = 700 * time.Millisecond // a hang-up clears the page; what is left of it goes on below
	leaveTime  = 4 * time.Second        // for the whole of a sign-out
	enrolFirst = 2 * time.Second        // between two tries for the first registration, doubled up to enrolMost
	enrolMost  = 30 * time.Second
	reofferMax = 35 * time.Second // a re-INVITE with its retries (RFC 3261 timer B is 32 s)
)

// do carries out the agent's effects: the only place that knows both calls and sound.
func (p *phone) do(ctx context.Context, e agent.Effect) {
	p.journal.decided(e)
	switch e := e.(type) {
	case agent.AskCheck, agent.AskSignIn, agent.AskStatus, agent.AskNext, agent.AskExtend:
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		p.ask(ctx, e)
	case agent.Leave:
		p.leave(ctx, e)
	case agent.Report:
		p.uplink.Report(e.Call)
	case agent.ReportLine:
		p.uplink.Report(e.Line)
	case agent.Enrol:
		p.enrol(ctx)
	case agent.Refresh:
		p.line.Refresh()
	case agent.Ring:
		p.ring(e.Call)
	case agent.Refuse:
		p.note("refuse", p.line.Reject(ctx, e.Call, e.Code, e.Reason))
	case agent.Join:
		p.join(ctx, e.Call)
	case agent.Place:
		p.place(ctx, e.Call, e.Number)
	case agent.Drop:
		p.drop(ctx, e.Call)
	case agent.Abort:
		p.drop(ctx, e.Call)
	case agent.HoldCall:
		p.hold(ctx, e.Call, e.On)
	case agent.Digits:
		p.digits(ctx, e)
	case agent.SendOn:
		p.sentOn(ctx, e.Call, p.line.Transfer(ctx, e.Call, e.Number))
	case agent.Connect:
		p.sentOn(ctx, e.Call, p.line.Connect(ctx, e.Call, e.Other))
	case agent.Follow:
		p.follow(ctx, e)
	case agent.RefuseMove:
		p.note("refuse transfer", p.line.RefuseTransfer(e.Call, 603))
	case agent.Mix:
		p.mix(ctx, e.Calls)
	case agent.Watch:
		p.line.Watch(e.Numbers)
	case agent.KeepContacts:
		p.note("keep contacts", p.cfg.store.contacts(e.Contacts))
	case agent.KeepHistory:
		p.note("keep history", p.cfg.store.history(e.History))
	case agent.AskLocal:
		limited, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		p.signInLocal(limited, e)
	case agent.Forget:
		p.sound.CloseLine(e.Call)
		p.forget(e.Call)
	case agent.Focus:
		p.sound.Focus(e.Call)
	case agent.Mute:
		p.sound.Mute(e.On)
	}
}

func (p *phone) note(what string, err error) {
	if err != nil {
		p.log.Warn(what, "err", err)
	}
}

// problem is the error in words; what has none is our own fault and is logged.
func (p *phone) problem(what string, err error) wire.Problem {
	var words wire.Problem
	if errors.As(err, &words) {
		return words
	}
	p.log.Error(what, "err", err)
	return wire.Problem{Code: wire.ProblemInternal}
}

func (p *phone) ask(ctx context.Context, e agent.Effect) {
	var err error
	to := ""
	switch e := e.(type) {
	case agent.AskCheck:
		choice, err := p.uplink.Check(ctx, e.Account, e.Password)
		if err != nil {
			p.agent.Post(agent.CheckFailed{Problem: p.problem("check", err)})
			return
		}
		p.agent.Post(agent.Checked{Choice: choice})
		return
	case agent.AskSignIn:
		p.signIn(ctx, e.SignIn)
		return
	case agent.AskStatus:
		to = e.To
		err = p.uplink.Ask(ctx, wire.SetStatus{To: e.To})
	case agent.AskNext:
		err = p.uplink.Ask(ctx, wire.SetNext{To: e.To})
	case agent.AskExtend:
		err = p.uplink.Ask(ctx, wire.ExtendWork{})
	}
	if err != nil {
		p.agent.Post(agent.AskRefused{To: to, Problem: p.problem("ask", err)})
	}
}

func (p *phone) signIn(ctx context.Context, in wire.SignIn) {
	w, err := p.uplink.SignIn(ctx, in)
	if err != nil {
		p.agent.Post(agent.EntryFailed{Problem: p.problem("sign in", err)})
		return
	}
	p.agent.Post(agent.Welcomed{Welcome: p.keep(w)})
}

// keep holds the line's account back here: the agent never sees a secret.
func (p *phone) keep(w wire.Welcome) wire.Welcome {
	p.mu.Lock()
	p.account, p.plan = w.SIP, w.Plan
	p.mu.Unlock()
	w.Token, w.Resume, w.SIP.Secret = "", "", ""
	return w
}

// leave ends everything within leaveTime, whatever answers; the far side's silence must not keep a person from going home.
func (p *phone) leave(ctx context.Context, e agent.Leave) {
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	for _, call := range e.Calls {
		p.drop(ctx, call)
		p.sound.CloseLine(call)
		p.forget(call)
	}
	p.mu.Lock()
	p.stopEnrol()
	p.mu.Unlock()
	if err := p.line.Unregister(ctx); !errors.Is(err, sip.ErrNoLine) {
		p.note("unregister", err)
	}
	if !e.Revoked && !e.Local {
		p.note("sign out", p.uplink.SignOut(ctx))
	}
	p.agent.Post(agent.Left{})
}

// enrol registers the terminal. The first answer may be long in coming, so it is asked for again and again, until it is there,
// is a refusal for good, or the agent leaves; afterwards the line keeps itself.
func (p *phone) enrol(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p.mu.Lock()
	p.stopEnrol = stop
	done, a := p.registered, p.account
	p.registered = false
	p.mu.Unlock()
	if done { // who signed in at the server itself is registered; the news came before anybody heard it
		p.line.Refresh()
		return
	}
	for wait := enrolFirst; ; wait = min(2*wait, enrolMost) {
		account, err := p.sipAccount(a)
		if err == nil {
			err = p.line.Register(ctx, account)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		p.log.Warn("register", "peer", a.Server, "err", err)
		var no sip.Refused
		errors.As(err, &no)
		p.agent.Post(agent.Unregistered{Problem: p.enrolProblem(err), Final: isFinal(no.Code)})
		if isFinal(no.Code) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait/2)): // a shift that begins together does not ask together
		}
	}
}

// ring prepares the sound before it sends 180: an INVITE without a common codec, or without the encryption that is required,
// never rings.
func (p *phone) ring(call string) {
	if err := p.prepare(call); err != nil {
		p.log.Warn("offer refused", "call", call, "err", err)
		p.note("refuse", p.line.Reject(context.Background(), call, 488, "Not acceptable here"))
		p.agent.Post(agent.Failed{Call: call, Code: 488, Problem: soundProblem(err)})
		return
	}
	p.note("ring", p.line.Ring(call))
}

// prepare makes our answer to an INVITE's offer, or the offer for one that came without (RFC 3264 §5).
func (p *phone) prepare(call string) (err error) {
	l := p.leg(call)
	if l.offer != "" {
		l.answer, err = p.sound.AnswerLine(call, p.line.LocalAddr(), l.offer, p.security())
	} else {
		l.answer, err = p.sound.OpenLine(call, p.line.LocalAddr(), p.security())
	}
	return err
}

// soundProblem puts into words why a line's sound cannot be agreed; other reasons are a SIP code's.
func soundProblem(err error) wire.Problem {
	if errors.Is(err, media.ErrNotSecure) || errors.Is(err, media.ErrNoKeys) {
		return wire.Problem{Code: wire.ProblemCallSecure}
	}
	return wire.Problem{}
}

func (p *phone) join(ctx context.Context, call string) {
	l := p.leg(call)
	if l.answer == "" { // a call that goes on with another of ours never rang
		if err := p.prepare(call); err != nil {
			p.note("refuse", p.line.Reject(ctx, call, 488, "Not acceptable here"))
			p.agent.Post(agent.Failed{Call: call, Code: 488, Problem: soundProblem(err)})
			return
		}
	}
	if err := p.line.Answer(ctx, call, l.answer); err != nil {
		if ctx.Err() != nil {
			return // an Abort overtook us; it ends the call
		}
		p.agent.Post(agent.Failed{Call: call, Problem: p.problem("answer", err)})
		return
	}
	p.joined(call)
}

func (p *phone) joined(call string) {
	p.voiced(call)
	p.agent.Post(agent.Joined{Call: call})
}

// voiced tells what the sound of a call was agreed to be. The lock needs both: encrypted voice, and keys or fingerprints that
// came over an encrypted line (PRODUCT A16).
func (p *phone) voiced(call string) {
	stats := p.sound.Stats(call)
	p.agent.Post(agent.Voiced{Call: call, Codec: stats.Codec, Secure: stats.Secure != "" && p.line.Secure()})
}

func (p *phone) place(ctx context.Context, call, number string) {
	p.leg(call).number = number
	p.dial(ctx, call, p.security())
}

func (p *phone) dial(ctx context.Context, call string, voice media.Security) {
	offer, err := p.sound.OpenLine(call, p.line.LocalAddr(), voice)
	if err == nil {
		err = p.line.Dial(ctx, call, p.leg(call).number, offer)
	}
	p.notPlaced(call, err)
}

// notPlaced tells why a call of ours could not be sent.
func (p *phone) notPlaced(call string, err error) {
	var refused sip.Refused
	switch {
	case err == nil:
	case errors.As(err, &refused):
		p.agent.Post(agent.Failed{Call: call, Code: refused.Code, Reason: refused.Reason})
	case soundProblem(err).Code != "":
		p.agent.Post(agent.Failed{Call: call, Problem: soundProblem(err)})
	default:
		p.agent.Post(agent.Failed{Call: call, Problem: p.problem("dial", err)})
	}
}

// follow calls where the far side of a call sends us.
func (p *phone) follow(ctx context.Context, e agent.Follow) {
	offer, err := p.sound.OpenLine(e.New, p.line.LocalAddr(), p.security())
	if err == nil {
		p.leg(e.New)
		err = p.line.Follow(ctx, e.Call, e.New, offer)
	}
	p.notPlaced(e.New, err)
}

// sentOn tells how a transfer ended.
func (p *phone) sentOn(ctx context.Context, call string, err error) {
	var refused sip.Refused
	switch {
	case err == nil:
		p.agent.Post(agent.SentOn{Call: call})
	case errors.As(err, &refused):
		p.agent.Post(agent.SendOnFailed{Call: call, Code: refused.Code, Reason: refused.Reason})
	case ctx.Err() != nil: // hung up meanwhile
	default:
		p.agent.Post(agent.SendOnFailed{Call: call, Problem: p.problem("transfer", err)})
	}
}

// mix joins calls and page. A call whose codec cannot be mixed is offered another one meanwhile; until that is agreed it hears
// nothing.
func (p *phone) mix(ctx context.Context, calls []string) {
	p.sound.Mix(calls...)
	for _, call := range calls {
		offer, needed, err := p.sound.MixOffer(call)
		if err != nil || !needed {
			p.note("mix", err)
			continue
		}
		p.jobs.Go(func() {
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), reofferMax)
			defer cancel()
			if err := p.reoffered(limited, call, offer); err != nil {
				p.log.Warn("mix", "call", call, "err", err)
				p.agent.Post(agent.MixFailed{Call: call, Problem: wire.Problem{Code: wire.ProblemConference, Holes: map[string]string{"number": p.leg(call).number}}})
			}
		})
	}
}

// reoffered carries an offer of the sound to the far side and its answer back.
func (p *phone) reoffered(ctx context.Context, call, offer string) error {
	answer, err := p.line.Reinvite(ctx, call, offer)
	if err != nil {
		return err
	}
	return p.sound.SetAnswer(call, answer)
}

// digits go as telephone-events; a far side that agreed none gets INFO (RFC 4733 §2.1, RFC 6086).
func (p *phone) digits(ctx context.Context, e agent.Digits) {
	err := p.sound.Digits(e.Call, e.Digits)
	if !errors.Is(err, media.ErrNoDigits) {
		p.note("digits", err)
		return
	}
	for _, digit := range e.Digits {
		if err := p.line.Info(ctx, e.Call, string(digit)); err != nil {
			p.note("digits", err)
			return
		}
	}
}

// drop hangs up. The page is cleared soon, though the far side may never answer our BYE; the line repeats it below.
func (p *phone) drop(ctx context.Context, call string) {
	ctx, cancel := context.WithTimeout(ctx, dropTime)
	defer cancel()
	if err := p.line.Hangup(ctx, call); err != nil && ctx.Err() == nil {
		p.log.Warn("hang up", "call", call, "err", err)
	}
	p.agent.Post(agent.Ended{Call: call})
}

func (p *phone) hold(ctx context.Context, call string, on bool) {
	limited, cancel := context.WithTimeout(ctx, reofferMax)
	defer cancel()
	if err := p.reinvite(limited, call, on); err != nil {
		if ctx.Err() != nil {
			return // the call was hung up meanwhile
		}
		p.agent.Post(agent.HoldFailed{Call: call, Problem: p.problem("hold", err)})
		return
	}
	p.agent.Post(agent.HoldDone{Call: call, On: on})
}

func (p *phone) reinvite(ctx context.Context, call string, hold bool) error {
	offer, err := p.sound.HoldOffer(call, hold)
	if err != nil {
		return err
	}
	if err = p.reoffered(ctx, call, offer); err != nil {
		if _, back := p.sound.HoldOffer(call, !hold); back != nil { // the session stays as it was (RFC 3261 §14.1)
			p.log.Warn("hold taken back", "call", call, "err", back)
		}
	}
	return err
}

// reoffer answers a re-INVITE of the far side; an empty offer asks for ours.
func (p *phone) reoffer(call, offer string) (string, error) {
	if offer == "" {
		return p.sound.HoldOffer(call, false)
	}
	answer, err := p.sound.Reanswer(call, offer)
	if err == nil {
		p.agent.Post(agent.PeerHeld{Call: call, On: media.Holds(offer)})
	}
	return answer, err
}
