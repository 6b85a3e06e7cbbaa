package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"zaseki/sip"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	askTime    = 10 * time.Second // for a sign-in or a status, answered or given up
	leaveTime  = 4 * time.Second  // for the whole of a sign-out
	enrolFirst = 2 * time.Second  // between two tries for the first registration, doubled up to enrolMost
	enrolMost  = 30 * time.Second
)

// do carries out the agent's effects. It and calls.go are the only places that know both calls and sound.
func (p *phone) do(ctx context.Context, e agent.Effect) {
	p.journal.decided(e)
	switch e := e.(type) {
	case agent.AskCheck, agent.AskSaved, agent.DropCheck, agent.AskCode, agent.AskMail, agent.AskSignOn, agent.DropSignOn:
		p.prove(ctx, e)
	case agent.AskSignIn, agent.AskStatus, agent.AskNext, agent.AskExtend, agent.AskHand, agent.AskTerminal:
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		p.ask(ctx, e)
	case agent.AskAct:
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		p.act(ctx, e)
	case agent.Leave:
		p.leave(ctx, e)
	case agent.Report:
		p.uplink.Report(e.Call)
	case agent.KeepStatus:
		p.keepFor(wire.SetStatus{To: e.To})
	case agent.KeepNext:
		p.keepFor(wire.SetNext{To: e.To})
	case agent.ReportAttend:
		p.uplink.Report(e.Attend)
	case agent.ReportCheck:
		p.reportCheck(e)
	case agent.ReportLine:
		p.uplink.Report(e.Line)
	case agent.Enrol:
		p.enrol(ctx)
	case agent.Refresh:
		p.line.Refresh()
	case agent.Watch:
		p.line.Watch(e.Numbers)
	case agent.FetchBook, agent.DropBook, agent.SendNote, agent.AskPast, agent.SendSettings, agent.KeepContacts, agent.KeepMissed, agent.KeepNotes:
		p.deskEffect(ctx, e)
	case agent.KeepHistory:
		p.note("keep history", p.cfg.store.history(e.History))
	case agent.AskLocal:
		limited, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		p.signInLocal(limited, e)
	case agent.KeepDevices:
		p.remember(func(c *config) { c.Devices = e.Devices })
	case agent.KeepSettings, agent.KeepRules, agent.KeepOnce, agent.DropSaved, agent.ApplySetting, agent.Latest, agent.GetUpdate, agent.StopUpdate:
		p.machineEffect(ctx, e)
	case agent.Mix, agent.Attend, agent.Focus, agent.Mute, agent.Echo, agent.Replay, agent.Card:
		p.soundEffect(ctx, e)
	case agent.Record:
		p.record(ctx, e.Call, e.On)
	case agent.TestNetwork:
		p.testNetwork(ctx)
	case agent.OpenCRM:
		p.browse(e.URL)
	case agent.ShowPage:
		p.show()
	case agent.RaisePage:
		p.raise()
	default:
		p.callEffect(ctx, e)
	}
}

// callEffect carries out what the agent wants of one call.
func (p *phone) callEffect(ctx context.Context, e agent.Effect) {
	switch e := e.(type) {
	case agent.Ring:
		p.ring(e.Call)
	case agent.Refuse:
		p.note("refuse", p.line.Reject(ctx, e.Call, e.Code, e.Reason))
	case agent.Join:
		p.join(ctx, e.Call)
	case agent.Return:
		p.returnSound(ctx, e.Call)
	case agent.Place:
		p.place(ctx, e)
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
	case agent.Forget:
		p.sound.CloseLine(e.Call)
		p.forget(e.Call)
		p.over(e)
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
	case agent.AskTerminal:
		err = p.uplink.Ask(ctx, wire.UseTerminal{Terminal: e.Terminal})
	case agent.AskHand:
		err = p.hand(ctx, e)
	}
	if err != nil {
		p.agent.Post(agent.AskRefused{To: to, Problem: p.problem("ask", err)})
	}
}

func (p *phone) signIn(ctx context.Context, in wire.SignIn) {
	p.entering(func(e *entrant) { e.in = in })
	w, err := p.uplink.SignIn(ctx, in)
	if err != nil {
		p.agent.Post(agent.EntryFailed{Problem: p.problem("sign in", err)})
		return
	}
	news := []agent.Event{agent.Welcomed{Welcome: p.keep(w)}}
	if p.cfg.kept != nil {
		news = append(news, p.recall(w.Me.Account))
	}
	p.agent.PostAll(news...)
	p.jobs.Go(func() { p.settle(w) })
}

// keep holds back here what only the instruments need: the agent never sees a secret.
func (p *phone) keep(w wire.Welcome) wire.Welcome {
	p.mu.Lock()
	p.account, p.plan, p.probe, p.policy = w.SIP, w.Plan, w.Probe, w.Policy
	p.mu.Unlock()
	p.sound.KeepReplay(w.Policy.Replay)
	p.sound.KeepClip(w.Policy.Clip)
	p.kept.look()
	w.Token, w.Resume, w.SIP.Secret, w.Policy.Key = "", "", "", nil
	if w.Probe != nil {
		w.Probe = &wire.Probe{Addr: w.Probe.Addr}
	}
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
	p.sound.KeepReplay(false)
	p.sound.KeepClip(false)
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
	select {
	case p.out <- struct{}{}:
	default:
	}
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
