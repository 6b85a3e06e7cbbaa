package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

const (
	// replaceTime is how long the third party has to end the consultation call before we do: those who ignore Replaces never do.
	replaceTime = time.Second
	// cancelTime is how long a consultation that rings may take to be cancelled: who rings still would hear busy.
	cancelTime = 2 * time.Second
)

// Transfer sends the far side of a call to a number (blind, RFC 5589 §6.1) and returns with the outcome: nil is done and the
// call ended, Refused says that they stay with us and nothing changed.
func (p *Phone) Transfer(ctx context.Context, call, number string) error {
	c, l, err := p.onLine(call)
	if err != nil {
		return err
	}
	target, err := dialable(number, l.account.Domain)
	if err != nil {
		return err
	}
	p.log.Info("transfer", "call", call, "peer", stack.Mask(target.User))
	return p.refer(ctx, c, l, dialog.ReferValue(target, ""))
}

// Connect brings the far sides of two calls together (attended, RFC 5589 §7): that of call gets a new call that takes the
// place of other. nil is done and both ended; Refused says that both are as they were. Who still rings cannot be replaced
// (RFC 3891 §3): other is cancelled then, and that of call is sent there blind (RFC 5589 §7.6).
func (p *Phone) Connect(ctx context.Context, call, other string) error {
	c, l, err := p.onLine(call)
	if err != nil {
		return err
	}
	consultation, err := p.call(other)
	if err != nil {
		return err
	}
	rings := !consultation.Inbound() && consultation.Cancel() == nil
	replaces := consultation.ReplacesValue()
	if !rings && replaces == "" {
		return dialog.ErrNotNow
	}
	to := consultation.Remote()
	target := sipgo.Uri{Scheme: "sip", User: stack.EscapeUser(to.User), Host: cmp.Or(to.Host, l.account.Domain)}
	p.log.Info("transfer", "call", call, "other", other, "rings", rings)
	if rings {
		await(ctx, consultation, cancelTime)
		return p.refer(ctx, c, l, dialog.ReferValue(target, ""))
	}
	if err := p.refer(ctx, c, l, dialog.ReferValue(target, replaces)); err != nil {
		return err
	}
	await(ctx, consultation, replaceTime) // who honours Replaces has it ended by the third party
	consultation.Drop()
	return nil
}

// onLine is a call and the line, which must be registered.
func (p *Phone) onLine(call string) (*dialog.Call, *line, error) {
	c, err := p.call(call)
	if err != nil {
		return nil, nil, err
	}
	l, err := p.registered()
	return c, l, err
}

// await waits for the end of a call, not for long.
func await(ctx context.Context, c *dialog.Call, long time.Duration) {
	limit := time.NewTimer(long)
	defer limit.Stop()
	select {
	case <-c.Done():
	case <-limit.C:
	case <-ctx.Done():
	}
}

// refer asks and, when it is done, hangs up unless they did.
func (p *Phone) refer(ctx context.Context, c *dialog.Call, l *line, to string) error {
	started := time.Now()
	_, err := c.Refer(ctx, dialog.ReferRequest{To: to, By: dialog.Party{User: l.account.User, Host: l.account.Domain}})
	p.log.Info("transferred", "call", c.ID(), "took", time.Since(started), "err", err)
	if err != nil {
		return refused(err)
	}
	c.Drop()
	return nil
}

// askedToTransfer remembers a REFER until Follow or RefuseTransfer.
func (p *Phone) askedToTransfer(call string, e dialog.Referred) {
	p.mu.Lock()
	p.asked[call] = e.ReferTo
	p.mu.Unlock()
	user := stack.UnescapeUser(e.URI.User)
	p.log.Info("transfer asked", "call", call, "peer", stack.Mask(user))
	p.tell(TransferAsked{Call: call, Number: user, Host: e.URI.Host, Display: e.Display, By: e.By.User, Attended: e.Replaces != ""})
}

func (p *Phone) takeAsked(call string) (dialog.ReferTo, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, ok := p.asked[call]
	delete(p.asked, call)
	return to, ok
}

// Follow does what a TransferAsked wants: we call there, under the name as, and who sent us hears by itself how that goes.
// It returns when the INVITE is out. Of the URI only the address, Replaces and Require count.
func (p *Phone) Follow(ctx context.Context, call, as, sdp string) error {
	c, l, err := p.onLine(call)
	if err != nil {
		return err
	}
	to, ok := p.takeAsked(call)
	if !ok {
		return dialog.ErrNotNow
	}
	if err := c.AcceptRefer(); err != nil {
		return fmt.Errorf("follow: %w", refused(err))
	}
	err = p.follow(ctx, l, c, to, as, sdp)
	if err != nil {
		why := Refused{Code: 503, Reason: "Service Unavailable"}
		errors.As(err, &why)
		_ = c.NotifyRefer(why.Code, why.Reason, true)
		return fmt.Errorf("follow: %w", refused(err))
	}
	return nil
}

func (p *Phone) follow(ctx context.Context, l *line, c *dialog.Call, to dialog.ReferTo, as, sdp string) error {
	target := to.URI
	switch target.Scheme {
	case "tel": // our server routes numbers
		target = sipgo.Uri{Scheme: "sip", User: stack.EscapeUser(to.URI.User), Host: l.account.Domain}
	case "sips":
		if !p.Secure() {
			return Refused{Code: 416, Reason: "Unsupported URI Scheme"}
		}
	}
	out := outgoing{name: as, target: target, replaces: to.Replaces, sdp: sdp}
	for _, tag := range to.Require {
		if tag != "replaces" {
			return Refused{Code: 420, Reason: "Bad Extension"}
		}
		out.headers = append(out.headers, "Require", tag)
	}
	out.headers = append(out.headers, "Referred-By", referredBy(c.Remote()))
	out.watch = func(e dialog.Event) { report(c, e) }
	return p.invite(ctx, l, out)
}

func referredBy(who dialog.Party) string {
	uri := sipgo.Uri{Scheme: "sip", User: stack.EscapeUser(who.User), Host: who.Host}
	return "<" + uri.String() + ">"
}

// report tells who sent us how the new call goes: after our own side knows, for with a 200 the sender ends the old call, which
// must not be over here before the new one is up.
func report(c *dialog.Call, e dialog.Event) {
	switch e := e.(type) {
	case dialog.Progress:
		if e.Code >= 180 {
			_ = c.NotifyRefer(e.Code, e.Reason, false)
		}
	case dialog.Answered:
		_ = c.NotifyRefer(200, "OK", true)
	case dialog.Failed:
		_ = c.NotifyRefer(e.Code, e.Reason, true)
	}
}

// RefuseTransfer leaves the call as it is (603).
func (p *Phone) RefuseTransfer(call string, code int) error {
	c, err := p.call(call)
	if err != nil {
		return err
	}
	p.takeAsked(call)
	return refused(c.RejectRefer(code))
}

// replaced is our call that a new one replaces, by its name; "" when it replaces none. code is the refusal of a header that
// names nothing of ours.
func (p *Phone) replaced(c *dialog.Call) (name string, code int) {
	values := stack.Headers(c.Request(), "Replaces")
	switch len(values) {
	case 0:
		return "", 0
	case 1:
	default:
		return "", 400
	}
	old, code := p.ua.FindReplaced(values[0])
	if code != 0 {
		return "", code
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, known := range p.calls {
		if known == old {
			return name, 0
		}
	}
	return "", 603
}

// supersede ends the call that an answered one replaced.
func (p *Phone) supersede(call string) {
	p.mu.Lock()
	old := p.replacing[call]
	delete(p.replacing, call)
	c := p.calls[old]
	if c != nil {
		p.superseded[old] = true
	}
	p.mu.Unlock()
	if c != nil {
		c.Drop()
	}
}

// dialable is the URI of a number, user@host or SIP URI. The visual separators of a number go (RFC 3966 §5.1.1); what is none
// is refused.
func dialable(number, domain string) (sipgo.Uri, error) {
	number = strings.TrimSpace(number)
	if strings.Contains(number, "@") || hasScheme(number) {
		if !hasScheme(number) {
			number = "sip:" + number
		}
		to, err := dialog.ParseReferTo(number)
		if err != nil || to.Replaces != "" || strings.Contains(number, "?") || len(number) > 256 {
			return sipgo.Uri{}, ErrNumber
		}
		if to.URI.Scheme != "tel" {
			if to.URI.User == "" {
				return sipgo.Uri{}, ErrNumber
			}
			to.URI.User = stack.EscapeUser(stack.UnescapeUser(to.URI.User))
			return to.URI, nil
		}
		number = to.URI.User
	}
	if number != "" && strings.ContainsRune("+0123456789*#", rune(number[0])) {
		number = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(number)
	}
	if number == "" || len(number) > 64 || !stack.Clean(number) || strings.ContainsAny(number, " <>\"@;?:/\\") {
		return sipgo.Uri{}, ErrNumber
	}
	return sipgo.Uri{Scheme: "sip", User: stack.EscapeUser(number), Host: domain}, nil
}

func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	return ok && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips") || strings.EqualFold(scheme, "tel"))
}
