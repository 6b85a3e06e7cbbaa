package sip

import (
	"context"
	"slices"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// lampsMax is how many numbers one phone watches.
const lampsMax = 200

// watched are the subscriptions of a line: its voice mail and its lamps.
type watched struct {
	line    *line
	numbers []string // wanted, without repetitions
	mail    *dialog.Subscription
	lamps   map[string]*dialog.Subscription
	stale   bool // the way was lost: the server may have forgotten us
}

// Watch says whose lamps we want (RFC 4235), the whole set each time; Lamp tells their states. Numbers that cannot be dialled
// are left out. The set stays when the line changes.
func (p *Phone) Watch(numbers []string) {
	p.mu.Lock()
	p.watched.numbers = nil
	for _, n := range numbers {
		if _, err := dialable(n, "x"); err == nil && !slices.Contains(p.watched.numbers, n) && len(p.watched.numbers) < lampsMax {
			p.watched.numbers = append(p.watched.numbers, n)
		}
	}
	p.mu.Unlock()
	p.rewatch()
}

// lineTold keeps the subscriptions in step with the line.
func (p *Phone) lineTold(e Event) {
	switch e.(type) {
	case Registered:
		p.rewatch()
	case LineLost, Moved:
		p.mu.Lock()
		p.watched.stale = true
		p.mu.Unlock()
		if _, there := e.(Moved); there {
			p.rewatch()
		}
	}
}

// rewatch begins what is missing, ends what is not wanted, and asks anew after the way was lost.
func (p *Phone) rewatch() {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &p.watched
	if p.line == nil {
		return
	}
	if w.line != p.line {
		w.closeLocked()
		w.line, w.lamps = p.line, map[string]*dialog.Subscription{}
		w.mail = p.subscribeLocked(w.line, sipgo.Uri{Scheme: "sip", User: stack.EscapeUser(w.line.account.User), Host: w.line.account.Domain},
			"message-summary", "application/simple-message-summary", p.mailTold)
	}
	if w.stale {
		w.stale = false
		for s := range w.all() {
			s.Renew()
		}
	}
	for number, s := range w.lamps {
		if !slices.Contains(w.numbers, number) {
			s.Close()
			delete(w.lamps, number)
		}
	}
	for _, number := range w.numbers {
		target, err := dialable(number, w.line.account.Domain)
		if err != nil || w.lamps[number] != nil {
			continue
		}
		lamp := &lamp{number: number}
		if s := p.subscribeLocked(w.line, target, "dialog", "application/dialog-info+xml", func(n dialog.Notice) { p.lampTold(lamp, n) }); s != nil {
			w.lamps[number] = s
		}
	}
}

// all are the subscriptions there are.
func (w *watched) all() func(func(*dialog.Subscription) bool) {
	return func(yield func(*dialog.Subscription) bool) {
		if w.mail != nil && !yield(w.mail) {
			return
		}
		for _, s := range w.lamps {
			if !yield(s) {
				return
			}
		}
	}
}

func (w *watched) closeLocked() {
	for s := range w.all() {
		s.Close()
	}
	w.line, w.mail, w.lamps = nil, nil, nil
}

// unwatch unsubscribes everything and waits a second for it.
func (p *Phone) unwatch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	p.mu.Lock()
	all := slices.Collect(p.watched.all())
	p.watched.closeLocked()
	p.mu.Unlock()
	for _, s := range all {
		select {
		case <-s.Done():
		case <-ctx.Done():
			return
		}
	}
}

func (p *Phone) subscribeLocked(l *line, target sipgo.Uri, event, accept string, tell func(dialog.Notice)) *dialog.Subscription {
	s, err := p.ua.Subscribe(dialog.SubscribeRequest{
		Event: event, Accept: accept, Target: target, ContactUser: l.account.User, Auth: l.auth, Tell: tell,
		From: dialog.Party{Display: l.account.Display, User: l.account.User, Host: l.account.Domain},
		Way:  func() (dialog.Way, error) { return l.wayOut() },
	})
	if err != nil {
		p.log.Debug("not watched", "event", event, "err", err)
		return nil
	}
	return s
}

// wayOut is where requests outside dialogs go, as long as the line lives.
func (l *line) wayOut() (dialog.Way, error) {
	if l.stopped() && l.way().Err() != nil {
		return dialog.Way{}, ErrNoLine
	}
	return dialog.Way{Link: l.way(), Peer: l.peer(), Route: l.routes()}, nil
}

// mailTold hears our own voice mail; a server without one is silent.
func (p *Phone) mailTold(n dialog.Notice) {
	if n.Lost {
		return
	}
	if m, ok := parseSummary(string(n.Body)); ok {
		p.tell(m)
	}
}

// outside answers requests outside dialogs. Some servers tell of voice mail without being asked.
func (p *Phone) outside(_ context.Context, in *stack.Inbound) {
	event, _ := stack.Params(stack.Header(in.Req, "Event"))
	switch {
	case in.Req.Method == sipgo.OPTIONS:
		_ = in.Answer(200, "OK", "Allow", p.stack.Allow(), "Accept", "application/sdp", "Supported", "100rel, replaces, timer")
	case in.Req.Method == sipgo.NOTIFY && strings.EqualFold(event, "message-summary"):
		m, ok := parseSummary(string(in.Req.Body()))
		if !ok {
			_ = in.Answer(400, "Bad Message Summary")
			return
		}
		_ = in.Answer(200, "OK")
		p.tell(m)
	case in.Req.Method == sipgo.NOTIFY:
		_ = in.Answer(489, "Bad Event", "Allow-Events", "refer, message-summary, dialog")
	case in.Req.Method == sipgo.REFER: // nobody makes us call out of the blue
		_ = in.Answer(603, "Decline")
	default:
		_ = in.Answer(405, "Method Not Allowed")
	}
}

// lampTold turns dialog information into a lamp.
func (p *Phone) lampTold(l *lamp, n dialog.Notice) {
	state := LampUnknown
	if n.Lost {
		*l = lamp{number: l.number, told: l.told}
	} else if err := l.take(n.Body); err != nil {
		p.log.Debug("dialog information unreadable", "err", err)
		return
	} else {
		state = l.state()
	}
	if state != l.told {
		l.told = state
		p.tell(Lamp{Number: l.number, State: state})
	}
}
