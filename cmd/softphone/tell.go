package main

import (
	"context"
	"net/netip"
	"strconv"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/sip/dialog"
	"zaseki/tray/agent"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// tellCenter and tellLine turn news of center and line into events of the agent; tellSound is in sound.go.
func (p *phone) tellCenter(e uplink.Event) {
	switch e := e.(type) {
	case uplink.Online:
		p.agent.Post(agent.Linked{Online: true})
		p.kept.look()
	case uplink.Offline:
		p.agent.Post(agent.Linked{})
	case uplink.State:
		p.agent.Post(agent.Stated{State: e.AgentState})
	case uplink.Welcomed:
		p.agent.Post(agent.Resumed{Welcome: p.keep(e.Welcome)})
	case uplink.Notice:
		p.agent.Post(agent.Noticed{Notice: e.Notice})
	case uplink.BookChanged:
		p.agent.Post(agent.BookChanged{Rev: e.Rev})
	case uplink.SettingsAsked:
		p.agent.Post(agent.SettingsAsked{By: e.By})
	case uplink.Told:
		p.agent.Post(e.Word)
	case uplink.Revoked:
		p.agent.Post(agent.Revoked{Problem: e.Problem})
	case uplink.Expired:
		p.agent.Post(agent.Revoked{Problem: e.Problem})
	}
}

func (p *phone) tellLine(e sip.Event) {
	switch e := e.(type) {
	case sip.Registered:
		p.agent.Post(agent.Registered{At: e.At, Expires: e.At.Add(e.Expires), Secure: p.line.Secure()})
	case sip.RegisterFailed:
		p.agent.Post(agent.Unregistered{Problem: p.lineProblem(e.Code, e.Reason), Final: e.Fatal})
	case sip.LineLost:
		p.agent.Post(agent.Unregistered{Problem: p.lineProblem(0, "")})
	case sip.Incoming:
		l := p.leg(e.Call)
		l.number, l.offer = e.User, e.SDP
		called, _ := dialog.ParseParty(e.Header("P-Called-Party-ID")) // RFC 7315 §4.2
		p.agent.Post(agent.Invited{Call: e.Call, User: e.User, Host: e.Host, Name: e.Display, Mark: p.numbers().Mark(e.Header), Replaces: e.Replaces,
			Permit: e.Header(wire.PermitHeader), Check: e.Header(wire.CheckHeader), Called: called.User, Center: e.Header(wire.CallHeader)})
	case sip.Progress:
		if e.SDP != "" { // early media (RFC 3960)
			p.note("early sound", p.sound.SetAnswer(e.Call, e.SDP))
		}
		p.agent.Post(agent.Progressed{Call: e.Call, Code: e.Code})
	case sip.Answered:
		p.answered(e)
	case sip.Failed:
		p.failed(e)
	case sip.Ended:
		p.agent.Post(agent.Ended{Call: e.Call, ByPeer: e.ByPeer, Elsewhere: e.Elsewhere, Replaced: e.Replaced})
	case sip.Quiet:
		p.agent.Post(agent.Quiet{Call: e.Call})
	case sip.DigitInfo:
		p.digitHeard(e.Call, e.Digit)
	case sip.TransferAsked:
		p.agent.Post(agent.TransferAsked{Call: e.Call, Number: e.Number, Host: e.Host, Name: e.Display, By: e.By, Attended: e.Attended})
	case sip.Identity:
		p.agent.Post(agent.Renamed{Call: e.Call, Number: e.User, Host: e.Host, Name: e.Display, Mark: p.numbers().Mark(e.Header)})
	case sip.Messages:
		p.agent.Post(agent.MessagesWaiting{Voicemail: wire.Voicemail{Waiting: e.Waiting, New: e.New, Old: e.Old, Number: e.Account}})
	case sip.Lamp:
		p.agent.Post(agent.Lamp{Lamp: wire.Lamp{Number: e.Number, State: e.State}})
	case sip.Moved:
		p.moved(e.Local)
	}
}

func (p *phone) numbers() wire.Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plan
}

// failed: nobody took our call. Who refuses voice that may be encrypted wants it encrypted or not at all: it is asked once more,
// for that (measured with peers that insist on RTP/SAVP).
func (p *phone) failed(e sip.Failed) {
	voice := p.security()
	if (e.Code == 488 || e.Code == 606) && voice.Policy == wire.VoiceOptional && voice.Keys {
		if l := p.again(e.Call); l != nil {
			voice.Policy = wire.VoiceRequired
			p.jobs.Go(func() { p.redial(e.Call, l, voice) })
			return
		}
	}
	p.agent.Post(agent.Failed{Call: e.Call, Code: e.Code, Reason: e.Reason})
}

// moved: our address is another one now. Calls that talk are offered there at once, one beside the other. What rings here is
// not carried over: it ends with its link (503), for its answer would go the way its INVITE came.
func (p *phone) moved(local netip.Addr) {
	calls := p.legs()
	p.log.Info("address changed", "local", local, "calls", len(calls))
	for _, call := range calls {
		p.jobs.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), reofferMax)
			defer cancel()
			p.journal.note(call, "phone", "our address changed")
			p.note("move", p.move(ctx, call, local))
		})
	}
}

// move offers the call's sound at that address of ours, by a way that both sides look for anew.
func (p *phone) move(ctx context.Context, call string, local netip.Addr) error {
	offer, err := p.sound.MoveOffer(call, local)
	if err != nil {
		return err
	}
	return p.reoffered(ctx, call, offer)
}

// wayLost: nobody answers where the sound of a call goes. The network between may have changed: both look for another way.
func (p *phone) wayLost(call string) {
	p.journal.note(call, "phone", "no way for the sound")
	ctx, cancel := context.WithTimeout(context.Background(), reofferMax)
	defer cancel()
	p.note("look for another way", p.move(ctx, call, p.line.LocalAddr()))
}

// answered: the far side took our call. An answer without a common codec ends it at once.
func (p *phone) answered(e sip.Answered) {
	if err := p.sound.SetAnswer(e.Call, e.SDP); err != nil {
		p.log.Warn("answer unusable", "call", e.Call, "err", err)
		p.agent.Post(agent.Failed{Call: e.Call, Code: 488, Problem: soundProblem(err)})
		p.jobs.Go(func() { p.drop(context.Background(), e.Call) })
		return
	}
	p.joined(e.Call)
}

// secured: a DTLS handshake is over, some time after the call was answered. One that failed leaves a call in which nobody will
// ever hear anything.
func (p *phone) secured(e media.Secured) {
	if e.Err == nil {
		p.voiced(e.Line)
		return
	}
	p.log.Warn("voice not encrypted", "call", e.Line, "err", e.Err)
	p.jobs.Go(func() {
		p.agent.Post(agent.Failed{Call: e.Line, Problem: wire.Problem{Code: wire.ProblemCallSecure}})
		p.drop(context.Background(), e.Line)
	})
}

// lineProblem: code 0 is silence.
func (p *phone) lineProblem(code int, reason string) wire.Problem {
	p.mu.Lock()
	server := p.account.Server
	p.mu.Unlock()
	if code == 0 || code == 408 || code == 503 {
		return wire.Problem{Code: wire.ProblemSIPUnreachable, Holes: map[string]string{"server": server}}
	}
	return wire.Problem{Code: wire.ProblemSIPRefused, Holes: map[string]string{"code": strconv.Itoa(code), "reason": reason}}
}

// keepFor has the center told of a status, or a next one, that was chosen while it was away.
func (p *phone) keepFor(chosen interface{ Type() string }) {
	p.uplink.Keep(chosen, func(err error) {
		told := agent.KeptTold{}
		if err != nil {
			told.Problem = p.problem("kept status", err)
		}
		p.agent.Post(told)
	})
}
