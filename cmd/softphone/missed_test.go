package main

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"zaseki/cmd/center/roster"
	"zaseki/cmd/softphone/caller"
	"zaseki/sip"
	"zaseki/web/wire"
)

// stranger is a desk phone of the center that calls and is told how it went.
func (s *shift) stranger() (far *caller.Caller, told chan sip.Event) {
	s.Helper()
	const secret = "the-secret-of-a-test"
	s.apply(roster.Setup{Terminals: []roster.TerminalSetup{{Extension: "2005", Type: "desk", Secret: secret}}})
	told = make(chan sip.Event, 100)
	far, err := caller.New(caller.Config{Server: s.node.SIP(), Domain: demoDomain, User: "2005", Secret: wire.Secret(secret), Log: slog.New(slog.DiscardHandler),
		Talk: func(*caller.Caller, string) {}, Told: func(e sip.Event) { told <- e }})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = far.Run(ctx) })
	s.Cleanup(func() { cancel(); running.Wait() })
	<-far.Registered()
	return far, told
}

// TestMissedCallsAreCountedThroughTheNight: those of this phone, and those of the center while it was off, until somebody looks; for each
// account by itself.
func TestMissedCallsAreCountedThroughTheNight(t *testing.T) {
	if testing.Short() {
		t.Skip("calls that ring: not with -short")
	}
	s := newShift(t)
	far, told := s.stranger()
	ring := func(until func(string, func(wire.Snapshot) bool) wire.Snapshot) {
		line, err := far.Call(t.Context(), "2001")
		if err != nil {
			t.Fatal(err)
		}
		until("it rings", func(s wire.Snapshot) bool { _, on := s.Ringing(); return on })
		if err := far.Line.Hangup(t.Context(), line); err != nil {
			t.Fatal(err)
		}
		until("it rings no more", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
	}
	missed := func(n int) func(wire.Snapshot) bool {
		return func(s wire.Snapshot) bool { return in(s) && s.Missed == n }
	}
	sato, kato := wire.CheckAccount{Account: "sato", Password: demoPassword}, wire.CheckAccount{Account: "kato", Password: demoPassword}

	again := func(p *phone, until func(string, func(wire.Snapshot) bool) wire.Snapshot) {
		p.agent.Post(sato)
		choice := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil }).Choice
		p.agent.Post(wire.SignIn{Terminal: choice.Terminal, Status: wire.StatusBreak, Takeover: true})
	}

	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, sato, "")
	ring(until)
	until("one is missed", missed(1))
	end() // the plug: at the center the session goes on for a while

	for len(told) > 0 {
		<-told
	}
	if _, err := far.Call(t.Context(), "2001"); err != nil { // nothing is there to ring
		t.Fatal(err)
	}
	for e := range told {
		if _, refused := e.(sip.Failed); refused {
			break
		}
	}

	p, until, end = s.start(s.node.HTTP())
	s.signIn(p, until, kato, "")
	until("of another", missed(0))
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	again(p, until)
	until("two are missed", missed(2))
	p.agent.Post(wire.SeenMissed{})
	until("seen", missed(0))
	ring(until)
	until("a new one", missed(1))
	end()

	p, until, end = s.start(s.node.HTTP())
	again(p, until)
	until("the new one alone", missed(1))
	p.agent.Post(wire.SeenMissed{})
	until("seen", missed(0))
	end()
}
