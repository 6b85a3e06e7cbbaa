package main

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/tray/agent"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// tellCenter, tellLine and tellSound turn news of the instruments into events of the agent.
func (p *phone) tellCenter(e uplink.Event) {
	switch e := e.(type) {
	case uplink.Online:
		p.agent.Post(agent.Linked{Online: true})
	case uplink.Offline:
		p.agent.Post(agent.Linked{})
	case uplink.State:
		p.agent.Post(agent.Stated{State: e.AgentState})
	case uplink.Welcomed:
		p.agent.Post(agent.Resumed{Welcome: p.keep(e.Welcome)})
	case uplink.Notice:
		p.agent.Post(agent.Noticed{Notice: e.Notice})
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
		p.agent.Post(agent.Invited{Call: e.Call, User: e.User, Host: e.Host, Name: e.Display, Mark: p.numbers().Mark(e.Header), Replaces: e.Replaces})
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
		p.agent.Post(agent.DigitHeard{Call: e.Call, Digit: e.Digit})
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
	voice, l := p.security(), p.leg(e.Call)
	if (e.Code == 488 || e.Code == 606) && voice.Policy == wire.VoiceOptional && voice.Keys && !l.forced && l.number != "" {
		l.forced, voice.Policy = true, wire.VoiceRequired
		p.jobs.Go(func() { p.dial(context.Background(), e.Call, voice) })
		return
	}
	p.agent.Post(agent.Failed{Call: e.Call, Code: e.Code, Reason: e.Reason})
}

// moved: our address is another one now. Calls that talk are offered there at once, one beside the other; what rings is answered
// from there.
func (p *phone) moved(local netip.Addr) {
	p.mu.Lock()
	calls := slices.Collect(maps.Keys(p.calls))
	p.mu.Unlock()
	p.log.Info("address changed", "local", local, "calls", len(calls))
	for _, call := range calls {
		p.jobs.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), reofferMax)
			defer cancel()
			p.journal.note(call, "phone", "our address changed")
			offer, err := p.sound.MoveOffer(call, local)
			if err == nil {
				err = p.reoffered(ctx, call, offer)
			}
			p.note("move", err)
		})
	}
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

func (p *phone) tellSound(e media.Event) {
	switch e := e.(type) {
	case media.PageLive:
		p.agent.Post(agent.SoundLive{On: e.Live})
	case media.LineSilent:
		p.agent.Post(agent.LineSilent{Call: e.Line, On: e.Silent})
	case media.Secured:
		p.secured(e)
	case media.Digit:
		p.agent.Post(agent.DigitHeard{Call: e.Line, Digit: e.Digit})
	}
}

// pageSound is the engine as the panel sees it.
type pageSound struct{ *media.Engine }

// Orders carries the engine's orders over in the panel's words, newest wins.
func (s pageSound) Orders(page string) (<-chan wire.SoundOrder, func()) {
	from, stop := s.Engine.Orders(page)
	to := make(chan wire.SoundOrder, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for o := range from {
			select {
			case <-to:
			default:
			}
			to <- wire.SoundOrder{Owner: o.Owner, Taken: o.Taken, Codec: o.Codec, Live: o.Live, Restart: o.Restart, Renew: o.Renew}
		}
	}()
	return to, func() { stop(); <-done }
}
