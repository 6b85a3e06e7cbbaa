package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zaseki/sip"
)

// party is a phone of ours, without sound; its events wait, each with its time.
type party struct {
	*sip.Phone
	name   string
	events chan happened
	end    func()
}

type happened struct {
	at    time.Time
	event sip.Event
}

type secret string

func (s secret) Reveal() string { return string(s) }

// newParty makes a phone that is not registered yet.
func newParty(ctx context.Context, name string) *party {
	p := &party{name: name, events: make(chan happened, 1000)}
	p.Phone = sip.New(sip.Config{
		UserAgent: "Zaseki/bench", Tell: func(e sip.Event) { p.events <- happened{time.Now(), e} },
		Reoffer: func(string, string) (string, error) { return p.sdp(), nil },
	})
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	p.end = func() { cancel(); <-done }
	return p
}

// sdp is an offer and an answer; nobody listens there.
func (p *party) sdp() string {
	return "v=0\r\no=" + p.name + " 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n" +
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
}

// register takes a challenge and says how long it all took.
func (p *party) register(ctx context.Context, server, network string) (time.Duration, error) {
	began := time.Now()
	err := p.Register(ctx, sip.Account{
		User: p.name, Domain: benchDomain, Server: server, Transport: network, Password: secret("pw-" + p.name), Expires: 10 * time.Minute,
		Instance: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	})
	return time.Since(began), err
}

// await waits for the next event of that type that fits, and says when it came; others are passed over.
func await[E sip.Event](p *party, fits func(E) bool) (E, time.Time, error) {
	var passed []string
	for end := time.After(15 * time.Second); ; {
		select {
		case h := <-p.events:
			if e, ok := h.event.(E); ok && fits(e) {
				return e, h.at, nil
			}
			passed = append(passed, fmt.Sprintf("%T", h.event))
		case <-end:
			var none E
			return none, time.Time{}, fmt.Errorf("%s waits for %T, had %s", p.name, none, strings.Join(passed, " "))
		}
	}
}

// ended waits for the end of that call.
func (p *party) ended(call string) error {
	_, _, err := await(p, func(e sip.Ended) bool { return e.Call == call })
	return err
}

// takes answers the next call.
func (p *party) takes(ctx context.Context) (call string, err error) {
	e, _, err := await(p, func(sip.Incoming) bool { return true })
	if err != nil {
		return "", err
	}
	return e.Call, p.Answer(ctx, e.Call, p.sdp())
}

// talks calls somebody who answers, and says how long that took.
func (p *party) talks(ctx context.Context, name, number string) (took time.Duration, err error) {
	began := time.Now()
	if err := p.Dial(ctx, name, number, p.sdp()); err != nil {
		return 0, err
	}
	_, at, err := await(p, func(e sip.Answered) bool { return e.Call == name })
	return at.Sub(began), err
}

// hangsUp ends a call and waits until it is over.
func (p *party) hangsUp(ctx context.Context, call string) error {
	if err := p.Hangup(ctx, call); err != nil {
		return err
	}
	return p.ended(call)
}
