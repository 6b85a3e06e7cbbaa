package sip

import (
	"context"
	"fmt"

	"zaseki/sip/dialog"
)

// Orphan is an answered call as another process can end it when ours is killed: what a phone notes of the calls it has. No key of
// the sound is in it.
type Orphan struct {
	User  string       `json:"user"` // of the line
	Saved dialog.Saved `json:"dialog"`
}

// Orphan is that of a call. False: it has not been answered, or is over.
func (p *Phone) Orphan(call string) (o Orphan, ok bool) {
	c, err := p.call(call)
	if err != nil {
		return o, false
	}
	l, err := p.registered()
	if err != nil {
		return o, false
	}
	o.User = l.account.User
	o.Saved, ok = c.Save()
	o.Saved.SDP = "" // it may hold keys (RFC 4568)
	return o, ok
}

// Bury ends a call that a process before this one has left (BYE, RFC 3261 §15.1.1). Its far side would hear nothing until the session's
// timer. Only the line that it was made by can; a far side that knows nothing of it any more is no error.
func (p *Phone) Bury(ctx context.Context, o Orphan) error {
	l, err := p.registered()
	if err != nil {
		return fmt.Errorf("bury: %w", err)
	}
	if o.User != l.account.User {
		return fmt.Errorf("bury: %w", ErrNoCall)
	}
	c, err := p.ua.Resume(o.Saved, func(dialog.Event) {})
	if err != nil {
		return fmt.Errorf("bury: %w", err)
	}
	if err := c.Move(l.way(), l.peer()); err != nil {
		return fmt.Errorf("bury: %w", err)
	}
	if err := refused(c.Hangup(ctx)); err != nil {
		return fmt.Errorf("bury: %w", err)
	}
	return nil
}
