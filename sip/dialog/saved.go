package dialog

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// Saved is an answered call as another process can take it up when ours ends without a word: the dialog of RFC 3261 §12, the
// session's timer and the way to the far side.
type Saved struct {
	CallID    string         `json:"callId"`
	LocalTag  string         `json:"localTag"`
	RemoteTag string         `json:"remoteTag"`
	Local     Address        `json:"local"`
	Remote    Address        `json:"remote"`
	Target    string         `json:"target"`
	Routes    []string       `json:"routes,omitempty"`
	Contact   string         `json:"contact"`
	Seq       uint32         `json:"seq"`
	Heard     uint32         `json:"heard"`
	Inbound   bool           `json:"inbound,omitempty"`
	User      string         `json:"user"`
	Party     Party          `json:"party"`
	Called    Party          `json:"called,omitzero"`
	Allow     []string       `json:"allow,omitempty"`
	SDP       string         `json:"sdp,omitempty"` // what we said last
	Every     time.Duration  `json:"every,omitempty"`
	Refresher bool           `json:"refresher,omitempty"` // of the session, we
	Network   string         `json:"network"`
	Here      netip.AddrPort `json:"here"`
	Peer      netip.AddrPort `json:"peer"`
}

// Address is a From or To without its tag.
type Address struct {
	Display string `json:"display,omitempty"`
	URI     string `json:"uri"`
}

// seqGap is more than a process says in a dialog between two notes of it: numbers may be left out (RFC 3261 §12.2.1.1), but none
// may be said twice.
const seqGap = 1000

// Save is the call as it is now. False: it has not been answered, or is over. An inbound call may be saved just before it is
// answered.
func (c *Call) Save() (s Saved, ok bool) {
	err := c.do(func() error {
		if c.phase != talking && c.phase != answering && (c.phase != ringing || !c.inbound) {
			return ErrNotNow
		}
		d, now := c.dialog, c.path.Load()
		s = Saved{
			CallID: d.callID, LocalTag: d.localTag, RemoteTag: d.remoteTag,
			Local: Address{d.local.DisplayName, d.local.Address.String()}, Remote: Address{d.remote.DisplayName, d.remote.Address.String()},
			Target: d.target.String(), Routes: d.routes, Contact: d.contact, Seq: d.seq, Heard: d.heard,
			Inbound: c.inbound, User: c.user, Party: c.remote, Called: c.called, Allow: c.allow, SDP: c.sdp,
			Every: c.session.every, Refresher: c.session.ours,
			Network: now.link.Network(), Here: now.link.LocalFor(now.peer), Peer: now.peer,
		}
		return nil
	})
	return s, err == nil
}

// Resume takes up a call that another process has saved; tell hears its events. Nothing is sent. Until the far side says something,
// or Move, its link is one that has ended.
func (ua *UA) Resume(s Saved, tell func(Event)) (*Call, error) {
	d, err := s.dialog()
	if err != nil {
		return nil, fmt.Errorf("resume %s: %w", s.CallID, err)
	}
	c := newCall(ua, s.Inbound)
	c.path.Store(&path{ua.stack.Lost(s.Network, s.Here, s.Peer), s.Peer})
	c.dialog, c.phase, c.branches = d, talking, nil
	c.remote, c.called, c.user, c.allow, c.sdp = s.Party, s.Called, s.User, s.Allow, s.SDP
	c.first = sip.NewRequest(sip.INVITE, *d.target.Clone())
	if err := ua.keep(c); err != nil {
		return nil, fmt.Errorf("resume %s: %w", s.CallID, err)
	}
	c.begin(func() func(Event) { return tell }, func() { c.keepTime(s.Every, s.Refresher) })
	return c, nil
}

func (s *Saved) dialog() (*dialog, error) {
	d := &dialog{
		callID: s.CallID, localTag: s.LocalTag, remoteTag: s.RemoteTag, routes: s.Routes, contact: s.Contact, seq: s.Seq + seqGap, heard: s.Heard,
		local:  &sip.FromHeader{DisplayName: s.Local.Display, Params: sip.NewParams()},
		remote: &sip.ToHeader{DisplayName: s.Remote.Display, Params: sip.NewParams()},
	}
	d.local.Params.Add("tag", s.LocalTag)
	if s.RemoteTag != "" {
		d.remote.Params.Add("tag", s.RemoteTag)
	}
	if s.CallID == "" || s.LocalTag == "" || !s.Peer.IsValid() {
		return nil, errors.New("not a dialog")
	}
	for _, text := range append([]string{s.CallID, s.LocalTag, s.RemoteTag, s.Local.Display, s.Remote.Display, s.Contact}, s.Routes...) {
		if !stack.Clean(text) {
			return nil, ErrUnclean
		}
	}
	return d, errors.Join(sip.ParseUri(s.Local.URI, &d.local.Address), sip.ParseUri(s.Remote.URI, &d.remote.Address), sip.ParseUri(s.Target, &d.target))
}

// Alive asks the far side whether it still has the call (OPTIONS within the dialog). Who knows nothing of it, or says nothing, has
// left: that ends the call (RFC 5057 §5.1). Any other answer is one.
func (c *Call) Alive(ctx context.Context) error {
	return c.ask(ctx, func(reply func(error)) {
		if c.phase != talking {
			reply(ErrNotNow)
			return
		}
		_, err := c.send(c.dialog.request(sip.OPTIONS), func(res *sip.Response, err error) {
			switch {
			case res != nil && res.IsProvisional():
				return
			case err == nil && (res.StatusCode == 408 || res.StatusCode == 481):
				err = &Refused{Code: res.StatusCode, Reason: res.Reason, Response: res}
				c.dead(res.StatusCode, res.Reason)
			case errors.Is(err, sip.ErrTransactionTimeout):
				c.dead(408, "Request Timeout")
			}
			reply(err)
		})
		if err != nil {
			reply(err)
		}
	})
}

// Sent is the INVITE of an outgoing call as it went out last, without its body: what Recall needs to take it back.
func (c *Call) Sent() (invite string) {
	_ = c.do(func() error { // of a call that is over there is nothing to take back
		if c.phase == calling && c.invite != nil {
			req := c.invite.Request().Clone()
			req.SetBody(nil)
			invite = req.String()
		}
		return nil
	})
	return invite
}

// Recall takes back an INVITE that another process has sent (RFC 3261 §9.1). Nobody waits for the answer.
func (ua *UA) Recall(ctx context.Context, invite, network string, peer netip.AddrPort, headers ...string) error {
	msg, err := sip.ParseMessage([]byte(invite))
	req, ok := msg.(*sip.Request)
	switch {
	case err != nil:
		return fmt.Errorf("recall: %w", err)
	case !ok || !req.IsInvite() || req.Via() == nil || req.From() == nil || req.To() == nil || req.CallID() == nil || req.CSeq() == nil:
		return errors.New("recall: not an INVITE")
	}
	link, err := ua.stack.Link(ctx, network, peer)
	if err != nil {
		return fmt.Errorf("recall: %w", err)
	}
	cancel := cancelFor(req)
	stack.AddHeaders(cancel, headers...)
	if _, err = ua.stack.Send(cancel, link, peer, func(*sip.Response, error) {}); err != nil {
		return fmt.Errorf("recall: %w", err)
	}
	return nil
}
