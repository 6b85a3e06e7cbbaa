package main

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/softphone/caller"
	"zaseki/media"
	"zaseki/web/wire"
)

// words is a log that may be read while it is written.
type words struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.String()
}

// site is a center with that policy and a line that speaks, on this machine; account sato has terminal 2001.
func site(t *testing.T, policy roster.SitePolicy) (n *node.Node, far *caller.Caller) {
	t.Helper()
	const secret = "the-secret-of-a-test"
	quiet := slog.New(slog.DiscardHandler)
	n, err := node.New(node.Config{Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	running.Go(func() { _ = n.Run(ctx) })
	s := roster.DefaultSite()
	s.Domain, s.Policy = demoDomain, policy
	err = n.Apply(ctx, roster.Setup{Site: &s,
		Accounts:  []roster.AccountSetup{{Account: "sato", Name: "Sato", Password: demoPassword, Terminals: []string{"2001"}}},
		Terminals: []roster.TerminalSetup{{Extension: "2001", Account: "sato"}, {Extension: demoEcho, Type: "desk", Secret: secret}}})
	if err == nil {
		far, err = caller.New(caller.Config{Server: n.SIP(), Domain: demoDomain, User: demoEcho, Secret: wire.Secret(secret), Log: quiet,
			Talk: func(c *caller.Caller, line string) { c.Sound.Play(line, speech("customer-en")) }})
	}
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = far.Run(ctx) })
	<-far.Registered()
	return n, far
}

// atCenter is a phone that is signed in there in a break, without a page.
func atCenter(t *testing.T, n *node.Node, log *slog.Logger, show func()) (p *phone, in wire.Snapshot, until func(string, func(wire.Snapshot) bool) wire.Snapshot) {
	t.Helper()
	dir := t.TempDir()
	kept, err := openSettings(dir, log)
	if err == nil {
		p, err = newPhone(phoneConfig{center: center{url: n.HTTP()}, machine: "test", log: log, codecs: []string{"PCMU"}, kept: kept, store: store{dir, log}, show: show})
	}
	if err != nil {
		t.Fatal(err)
	}
	until = running(t, p)
	p.agent.Post(wire.CheckAccount{Account: "sato", Password: demoPassword})
	s := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil })
	p.agent.Post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusBreak})
	in = until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	return p, in, until
}

// TestWhatTheSoundOfACallTells goes from a click to the instruments and back, with a real center and a real far side: recording,
// card mode, quality, the page that is missing; and what is left of it in the call list, the timeline and the log.
func TestWhatTheSoundOfACallTells(t *testing.T) {
	if testing.Short() {
		t.Skip("speech of some seconds: not with -short")
	}
	n, far := site(t, roster.SitePolicy{Record: wire.RecordAsked, Tone: true, Replay: true, Hear: true})
	var log words
	var shown atomic.Int32
	p, in, until := atCenter(t, n, slog.New(slog.NewTextHandler(&log, nil)), func() { shown.Add(1) })
	face := face{p}

	if in.Policy.Record != wire.RecordAsked || len(in.Policy.Key) > 0 || !in.Policy.Replay {
		t.Errorf("policy %+v", in.Policy)
	}
	face.Post(wire.Dial{Number: demoEcho})
	talking := until("talking", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallTalking })
	id := talking.Calls[0].ID
	call := func(ok func(wire.Call) bool) func(wire.Snapshot) bool {
		return func(s wire.Snapshot) bool { return len(s.Calls) == 1 && ok(s.Calls[0]) }
	}
	until("said that no page carries the sound", func(s wire.Snapshot) bool {
		return slices.ContainsFunc(s.Notices, func(n wire.Notice) bool { return n.ID == wire.ProblemSoundGone })
	})
	until("quality", call(func(c wire.Call) bool { return c.Quality != nil && c.Quality.In.Known }))

	var counted strings.Builder
	p.count(&counted)
	for _, want := range []string{"\nzaseki_call_mos 4.", "\nzaseki_call_loss_percent 0\n", "\nzaseki_page_webrtc 0\n"} {
		if !strings.Contains(counted.String(), want) {
			t.Errorf("the metrics lack %q:\n%s", want, &counted)
		}
	}

	face.Post(wire.Record{Call: id, On: true})
	until("recording", call(func(c wire.Call) bool { return c.Recording == wire.RecordingOn }))
	face.Post(wire.CardMode{Call: id, On: true})
	until("paused", call(func(c wire.Call) bool { return c.Card && c.Recording == wire.RecordingPaused }))
	for _, line := range far.Calls() {
		if err := far.Sound.Digits(line, "42"); err != nil {
			t.Error(err)
		}
	}
	until("digits, masked", call(func(c wire.Call) bool { return c.Received == "••" }))
	face.Post(wire.Replay{Call: id, On: true})
	until("no replay of a card number", func(s wire.Snapshot) bool { return len(s.Notices) > 0 && s.Notices[0].ID == wire.ProblemForbidden })
	face.Post(wire.CardMode{Call: id})
	until("recording again", call(func(c wire.Call) bool { return !c.Card && c.Recording == wire.RecordingOn }))
	face.Post(wire.HangUp{Call: id})
	past := until("the center has the recording", func(s wire.Snapshot) bool {
		return len(s.Calls) == 0 && len(s.History) == 1 && s.History[0].Recording == wire.RecordingSent
	}).History[0]
	if past.Quality == nil || past.Quality.MOS < 3 || past.Quality.Trend != nil {
		t.Errorf("in the list it sounded %+v", past.Quality)
	}
	if n := shown.Load(); n != 1 {
		t.Errorf("%d pages were opened", n)
	}

	lines := p.own(id)
	var told []string
	for _, l := range lines.Lines {
		if l.Kind != "sip" {
			told = append(told, l.Title)
		}
	}
	all := strings.Join(told, "|")
	for _, want := range []string{"no page carries the sound", "person: record|", "recording|", "person: card number|", "card-number mode|", "recording paused|",
		"digit received|digit received|", "card-number mode over|", "sounded: MOS 4", "recording over|", "recording handed over"} {
		if !strings.Contains(all, want) {
			t.Errorf("the timeline lacks %q: %s", want, all)
		}
	}
	if text := log.String(); strings.Count(text, `msg="call over"`) != 1 || !strings.Contains(text, "mos=4.") {
		t.Errorf("the log says\n%s", text)
	}
}

// TestTheNetworkTestMeasuresTheWayToTheCenter on loopback, which is good.
func TestTheNetworkTestMeasuresTheWayToTheCenter(t *testing.T) {
	if testing.Short() {
		t.Skip("five seconds of packets: not with -short")
	}
	n, _ := site(t, roster.SitePolicy{})
	p, _, until := atCenter(t, n, quiet, nil)
	p.agent.Post(wire.TestNetwork{})
	until("begun", func(s wire.Snapshot) bool { return s.Network != nil && s.Network.State == "running" })
	test := until("measured", func(s wire.Snapshot) bool { return s.Network.State != "running" }).Network
	if test.State != media.NetworkGood || test.MOS < 4 || test.RTT <= 0 || test.Problem != nil {
		t.Errorf("the way is %+v", test)
	}
}

// TestTheChosenDevicesAreKept for the next start.
func TestTheChosenDevicesAreKept(t *testing.T) {
	p, until := startLocal(t, config{})
	p.agent.Post(wire.SaveDevices{Devices: wire.Devices{Ring: []string{"Room"}, Microphone: []string{"Jabra", "Built-in"}}})
	until("chosen", func(s wire.Snapshot) bool { return len(s.Devices.Microphone) == 2 })
	for end := time.Now().Add(5 * time.Second); ; {
		c, err := readConfig(p.cfg.store.dir, quiet)
		if err == nil && slices.Equal(c.Devices.Ring, []string{"Room"}) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("kept is %+v, %v", c, err)
		}
	}
	kept, err := openSettings(p.cfg.store.dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	again, err := newPhone(phoneConfig{log: quiet, kept: kept})
	if err != nil {
		t.Fatal(err)
	}
	news, stop := again.agent.Watch()
	defer stop()
	if s := <-news; !slices.Equal(s.Devices.Microphone, []string{"Jabra", "Built-in"}) {
		t.Errorf("at the next start %+v", s.Devices)
	}
}

// TestTheFiguresTakeTheWorseDirection: what log and metrics say of a call.
func TestTheFiguresTakeTheWorseDirection(t *testing.T) {
	in, out := wire.QualityFlow{Known: true, MOS: 4}, wire.QualityFlow{Known: true, MOS: 3, Loss: 7}
	for name, row := range map[string]struct{ q, want wire.QualityFlow }{
		"both known": {worse(wire.Quality{In: in, Out: out}), out}, "the far side reports nothing": {worse(wire.Quality{In: in}), in},
		"nothing is heard": {worse(wire.Quality{Out: out}), out}, "the other way round": {worse(wire.Quality{In: out, Out: in}), out},
	} {
		if row.q != row.want {
			t.Errorf("%s: %+v", name, row.q)
		}
	}
}
