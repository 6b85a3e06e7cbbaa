package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	dropTime   = 700 * time.Millisecond // a hang-up clears the page; what is left of it goes on below
	reofferMax = 35 * time.Second       // a re-INVITE with its retries (RFC 3261 timer B is 32 s)
)

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
	p.sound.Answered(call)
	p.voiced(call)
	p.agent.Post(agent.Joined{Call: call})
}

// voiced tells what the sound of a call was agreed to be. The lock needs both: encrypted voice, and keys or fingerprints that
// came over an encrypted line (PRODUCT A16).
func (p *phone) voiced(call string) {
	stats := p.sound.Stats(call)
	p.agent.Post(agent.Voiced{Call: call, Codec: stats.Codec, Secure: stats.Secure != "" && p.line.Secure()})
}

func (p *phone) place(ctx context.Context, e agent.Place) {
	l := p.leg(e.Call)
	l.number, l.permit = e.Number, e.Permit
	p.dial(ctx, e.Call, l, p.security())
}

func (p *phone) dial(ctx context.Context, call string, l *leg, voice media.Security) {
	offer, err := p.sound.OpenLine(call, p.line.LocalAddr(), voice)
	var headers []string
	if l.permit != "" {
		headers = []string{wire.PermitHeader, l.permit.Reveal()}
	}
	if err == nil {
		err = p.line.Dial(ctx, call, l.number, offer, headers...)
	}
	p.notPlaced(call, err)
}

// redial calls once more. A hang-up may overtake it, between the two calls, and find nothing to end: nobody would know of what
// rings then.
func (p *phone) redial(call string, l *leg, voice media.Security) {
	ctx := context.Background()
	p.dial(ctx, call, l, voice)
	p.mu.Lock()
	dropped := l.dropped
	p.mu.Unlock()
	if dropped {
		p.drop(ctx, call)
		p.sound.CloseLine(call)
	}
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
// nothing of the others, and when it was the only one the two go on talking as before.
func (p *phone) mix(ctx context.Context, e agent.Mix) {
	offers := map[string]string{}
	for _, call := range e.Calls {
		switch offer, needed, err := p.sound.MixOffer(call); {
		case err != nil:
			p.note("mix", err)
		case needed:
			offers[call] = offer
		}
	}
	p.mixer.Lock()
	if p.mixing = e.Calls; e.Alone == "" || offers[e.Alone] == "" {
		p.sound.Mix(e.Calls...)
	}
	p.mixer.Unlock()
	for call, offer := range offers {
		p.jobs.Go(func() {
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), reofferMax)
			defer cancel()
			if err := p.reoffered(limited, call, offer); err != nil {
				p.log.Warn("mix", "call", call, "err", err)
				p.agent.Post(agent.MixFailed{Call: call})
			} else if call == e.Alone {
				p.mixLate(e.Calls)
			}
		})
	}
}

// mixLate joins who waited for a codec, if they are still to be joined.
func (p *phone) mixLate(calls []string) {
	p.mixer.Lock()
	defer p.mixer.Unlock()
	if slices.Equal(p.mixing, calls) {
		p.sound.Mix(calls...)
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

// digits go as telephone-events (RFC 4733 §2.1); a far side that agreed none gets INFO (RFC 6086), or tones where the settings
// say so and the codec is G.711.
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
	p.dropping(call)
	ctx, cancel := context.WithTimeout(ctx, dropTime)
	defer cancel()
	switch err := p.line.Hangup(ctx, call); {
	case err == nil || ctx.Err() != nil:
	case errors.Is(err, sip.ErrNoCall): // it ended by itself, as a supervisor's leg does with the call that it takes part in
		p.log.Debug("hang up", "call", call, "err", err)
	default:
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
