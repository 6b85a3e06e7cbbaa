package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// startLocal is a phone without a center, a page or a face, and a way to wait for what it shows.
func startLocal(t *testing.T, c config) (p *phone, until func(what string, ok func(wire.Snapshot) bool) wire.Snapshot) {
	t.Helper()
	dir := t.TempDir()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	err := writeConfig(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := openSettings(dir, log)
	if err == nil {
		p, err = newPhone(phoneConfig{log: log, codecs: []string{"PCMU"}, kept: kept, store: store{dir, log}, instance: "00000000-0000-4000-8000-000000000001"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p, running(t, p)
}

// running runs the phone until the test ends, and gives a way to wait for what it shows.
func running(t *testing.T, p *phone) func(what string, ok func(wire.Snapshot) bool) wire.Snapshot {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	news, stop := p.agent.Watch()
	t.Cleanup(func() { stop(); cancel(); <-done })
	return func(what string, ok func(wire.Snapshot) bool) wire.Snapshot {
		t.Helper()
		for end := time.After(10 * time.Second); ; {
			select {
			case s := <-news:
				if ok(s) {
					return s
				}
			case <-end:
				t.Fatalf("not within ten seconds: %s", what)
			}
		}
	}
}

// TestAServerOfItsOwnAuthorityIsTrustedOnlyByName: a center's TLS port as any PBX's. Its certificate is not known to the system:
// that is told in words, and mended by naming the authority's file.
func TestAServerOfItsOwnAuthorityIsTrustedOnlyByName(t *testing.T) {
	data := t.TempDir()
	n, err := node.New(node.Config{Data: data, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = n.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	const secret = "the-secret-of-a-test"
	site := roster.DefaultSite()
	site.Domain = demoDomain
	if err := n.Apply(ctx, roster.Setup{Site: &site, Terminals: []roster.TerminalSetup{{Extension: "3001", Type: "desk", Secret: secret}}}); err != nil {
		t.Fatal(err)
	}
	enter := wire.UseSIP{SIPForm: wire.SIPForm{Server: n.SIPS(), User: "3001", Domain: demoDomain, Transport: "tls", Voice: wire.VoiceRequired}, Password: secret}

	p, until := startLocal(t, config{})
	p.agent.Post(enter)
	refused := until("refused", func(s wire.Snapshot) bool { return s.Problem != nil })
	if refused.Problem.Code != wire.ProblemSIPStranger || refused.SIP == nil || refused.SIP.User != "3001" {
		t.Fatalf("said %v, and of the form is left %+v", refused.Problem, refused.SIP)
	}
	empty := filepath.Join(data, "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(data, "nowhere.pem"), empty} {
		p, until = startLocal(t, config{CA: file})
		p.agent.Post(enter)
		s := until("refused", func(s wire.Snapshot) bool { return s.Problem != nil })
		if s.Problem.Code != wire.ProblemSIPAuthority || s.Problem.Holes["file"] != file {
			t.Fatalf("said %v", s.Problem)
		}
	}
	p, until = startLocal(t, config{CA: filepath.Join(data, "ca.pem")})
	p.agent.Post(enter)
	in := until("in", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	if !in.Line.Secure || !in.Me.Encrypted {
		t.Errorf("the line is %+v, encrypted %t", in.Line, in.Me.Encrypted)
	}
}
