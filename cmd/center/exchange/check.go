package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zaseki/cmd/center/exchange/voice"
	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// checkHeader names a check's call to the phone that is to take it by itself (web/wire.CheckHeader). It is the center's alone: who comes
// with one is refused.
const checkHeader = "X-Center-Check"

// checkUser is who calls then.
const checkUser = "check"

const checkAnswer = 4 * time.Second // for a phone to take the call by itself

// Errors of CheckPhone, beside dialog.Refused and voice.ErrUnheard.
var (
	ErrNoPhone    = errors.New("no phone is registered for that terminal")
	ErrUnanswered = errors.New("the phone does not answer")
	ErrLeft       = errors.New("the phone has left the call")
)

// CheckOrder is a phone to be called for its figures.
type CheckOrder struct {
	ID    string // told to the phone
	User  string // SIP user
	Voice string // how its sound is to be encrypted, a media.Policy… constant
	Keys  bool   // keys may be told without TLS
}

// Checked is what was measured.
type Checked struct {
	Ring time.Duration // from INVITE to the first answer that is not 100
	voice.Sounding
}

// unchecked refuses who calls with a check's name. False: it was refused.
func (c *conduct) unchecked() bool {
	if len(stack.Headers(c.a.call.Request(), checkHeader)) == 0 {
		return true
	}
	c.x.log.Warn("a call with the name of a check", "call", c.record.ID, "user", c.caller.User, "peer", c.a.call.Source())
	c.a.call.Reject(403, "Not Permitted")
	return false
}

// CheckPhone calls a phone that takes the call by itself and returns its sound, and measures the way. Nothing of it is a call of
// anybody's: no history has it, nobody is busy with it. It ends within a moment when ctx does, and with ctx's error.
func (x *Exchange) CheckPhone(ctx context.Context, o CheckOrder) (Checked, error) {
	phones := x.phonesOf(o.User)
	if len(phones) == 0 || phones[0].trunk {
		return Checked{}, ErrNoPhone
	}
	k := &checking{x: x, t: phones[0], line: "check " + o.ID, news: make(chan dialog.Event, 16), shut: make(chan struct{})}
	defer close(k.shut)
	if err := k.invite(ctx, o); err != nil {
		return Checked{}, err
	}
	defer x.studio.Close(k.line)
	defer k.call.Drop()
	return k.run(ctx)
}

// checking is such a call.
type checking struct {
	x    *Exchange
	t    target
	line string // at the studio
	call *dialog.Call
	news chan dialog.Event
	shut chan struct{} // closed when nobody reads news any more
	got  Checked
	from time.Time // of the INVITE
}

func (k *checking) invite(ctx context.Context, o CheckOrder) error {
	link, err := k.x.stack.Link(ctx, k.t.at.network, k.t.at.source)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoPhone, err)
	}
	sdp, err := k.x.studio.Invite(k.line, link.LocalFor(k.t.at.source).Addr(), o.Voice, o.Keys || link.Secure())
	if err != nil {
		return fmt.Errorf("%w: %w", voice.ErrUnheard, err)
	}
	k.from = time.Now()
	k.call, err = k.x.ua.Invite(ctx, dialog.InviteRequest{
		Target: k.t.uri, Network: k.t.at.network, Destination: k.t.at.source, Link: link, From: dialog.Party{User: checkUser, Host: k.x.cfg.Domain()},
		To: dialog.Party{User: k.t.uri.User, Host: k.x.cfg.Domain()}, SDP: sdp, Headers: []string{checkHeader, o.ID, markHeader, markInside},
		Tell: k.tell,
	})
	if err != nil {
		k.x.studio.Close(k.line)
		return fmt.Errorf("%w: %w", ErrNoPhone, err)
	}
	return nil
}

func (k *checking) tell(e dialog.Event) {
	select {
	case k.news <- e:
	case <-k.shut:
	}
}

// run waits for the answer, and then for what is measured.
func (k *checking) run(ctx context.Context) (Checked, error) {
	late := time.NewTimer(checkAnswer)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return k.got, ctx.Err()
		case <-late.C:
			return k.got, ErrUnanswered
		case e := <-k.news:
			if p, ok := e.(dialog.Progress); !ok || p.Code > 100 {
				k.first()
			}
			switch e := e.(type) {
			case dialog.Answered:
				return k.measure(ctx, e.SDP)
			case dialog.Failed:
				return k.got, &dialog.Refused{Code: e.Code, Reason: e.Reason}
			case dialog.Ended:
				return k.got, ErrUnanswered
			}
		}
	}
}

func (k *checking) first() {
	if k.got.Ring == 0 {
		k.got.Ring = time.Since(k.from)
	}
}

// measure lasts until it is over, or the phone leaves: it has a real call.
func (k *checking) measure(ctx context.Context, answer string) (Checked, error) {
	if err := k.x.studio.Accept(k.line, answer); err != nil {
		return k.got, fmt.Errorf("%w: %w", voice.ErrUnheard, err)
	}
	sounding, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan voice.Sounding, 1)
	go func() { done <- k.x.studio.Sound(sounding, k.line) }()
	left := false
	for {
		select {
		case k.got.Sounding = <-done:
			k.got.Secure = k.got.Secure && k.call.Link().Secure()
			if left {
				return k.got, ErrLeft
			}
			return k.got, ctx.Err()
		case e := <-k.news:
			switch e.(type) {
			case dialog.Ended:
				left = true
				stop()
			case dialog.Reoffered:
				_ = k.call.RejectReoffer(488) // it is gone, or asks again
			case dialog.Referred:
				_ = k.call.RejectRefer(603)
			}
		}
	}
}
