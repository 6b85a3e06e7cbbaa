package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/sip"
)

const (
	crowdDomain = "center.test"
	crowdSecret = secret("a secret of the crowd")
	crowdPace   = 20 * time.Millisecond // between two calls
)

type secret string

func (s secret) Reveal() string { return string(s) }

// line are two desk telephones: one calls the other over and over, and that one answers.
type line struct {
	t              *testing.T
	caller, called *sip.Phone
	heard          chan sip.Event // by the caller
}

func newLine(t *testing.T) *line {
	l := &line{t: t, heard: make(chan sip.Event, 1000)}
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	rings := make(chan string, 100)
	l.caller = sip.New(sip.Config{UserAgent: "test", Tell: func(e sip.Event) {
		select {
		case l.heard <- e:
		default:
		}
	}})
	l.called = sip.New(sip.Config{UserAgent: "test", Tell: func(e sip.Event) {
		if in, ok := e.(sip.Incoming); ok {
			rings <- in.Call
		}
	}})
	g.Go(func() error { return l.caller.Run(ctx) })
	g.Go(func() error { return l.called.Run(ctx) })
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case call := <-rings:
				if err := l.called.Answer(ctx, call, sdp(40002)); err != nil {
					t.Log("answer:", err)
				}
			}
		}
	})
	t.Cleanup(func() { cancel(); _ = g.Wait() })
	return l
}

func sdp(port int) string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n", port)
}

// register says to the center where both are, as telephones do that have lost it.
func (l *line) register(server string) error {
	ctx, cancel := context.WithTimeout(l.t.Context(), long)
	defer cancel()
	for user, p := range map[string]*sip.Phone{"3001": l.caller, "3002": l.called} {
		if err := p.Register(ctx, sip.Account{User: user, Domain: crowdDomain, Server: server, Transport: "udp", Password: crowdSecret}); err != nil {
			return fmt.Errorf("%s: %w", user, err)
		}
	}
	return nil
}

// call calls over and over, until it is stopped; then it gives how long each call took to be set up.
func (l *line) call() (stop func() []time.Duration) {
	ctx, cancel := context.WithCancel(l.t.Context())
	g := errgroup.Group{}
	var took []time.Duration
	g.Go(func() error {
		for n := 0; ; n++ {
			one, err := l.once(fmt.Sprintf("%s %d", time.Now().Format(time.RFC3339Nano), n))
			if err != nil {
				return err
			}
			took = append(took, one)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(crowdPace):
			}
		}
	})
	return func() []time.Duration {
		l.t.Helper()
		cancel()
		if err := g.Wait(); err != nil {
			l.t.Fatal(err)
		}
		return took
	}
}

func (l *line) once(name string) (time.Duration, error) {
	began := time.Now()
	if err := l.caller.Dial(l.t.Context(), name, "3002", sdp(40000)); err != nil {
		return 0, fmt.Errorf("call %s: %w", name, err)
	}
	took := time.Duration(0)
	for end := time.After(long); ; {
		select {
		case e := <-l.heard:
			switch e := e.(type) {
			case sip.Answered:
				took = time.Since(began)
				if err := l.caller.Hangup(l.t.Context(), e.Call); err != nil {
					return 0, err
				}
			case sip.Failed:
				return 0, fmt.Errorf("call %s: %d %s", name, e.Code, e.Reason)
			case sip.Ended:
				return took, nil
			}
		case <-end:
			return 0, fmt.Errorf("call %s: neither taken nor refused", name)
		}
	}
}
