package main

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/media/sealed"
	"zaseki/web/wire"
)

// sealKey is what this phone's recordings are sealed with.
func (p *phone) sealKey() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.policy.Key
}

// lay puts a recording of an earlier start into the phone's folder and gives its path.
func lay(t *testing.T, p *phone, letter string, key []byte) string {
	t.Helper()
	if err := os.MkdirAll(p.kept.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	id := "20261121-" + strings.Repeat(letter, 26)
	w, err := sealed.Create(p.kept.path(id), key, sealed.Info{ID: id, Call: "c", Account: "somebody", Began: time.Now()})
	if err == nil {
		err = w.Write([]byte{1, 0, 0, 0, 5, 0x20, 0, 0, 0x27, 0x10})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p.kept.path(id) // no end: that start was killed
}

func there(path string) bool { _, err := os.Stat(path); return err == nil }

// within waits for what other goroutines do with the disk.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func noticed(code string) func(wire.Snapshot) bool {
	return func(s wire.Snapshot) bool {
		return slices.ContainsFunc(s.Notices, func(n wire.Notice) bool { return n.ID == code })
	}
}

// TestWhatLiesHereGoesToItsCenterOnly: whoever signs in hands over what an earlier start left, but for what is another center's;
// what the center cannot open is kept beside, and said.
func TestWhatLiesHereGoesToItsCenterOnly(t *testing.T) {
	n, _ := site(t, roster.SitePolicy{Record: wire.RecordAsked, Days: 90})
	p, _, until := atCenter(t, n, quiet, nil)
	other, err := sealed.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	good, foreign, bad := lay(t, p, "A", p.sealKey()), lay(t, p, "B", other.PublicKey().Bytes()), lay(t, p, "C", p.sealKey())
	data, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-5] ^= 1
	empty := p.kept.path("20261121-" + strings.Repeat("D", 26))
	for path, text := range map[string][]byte{bad: data, empty: []byte("ZASEKI")} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.kept.look()
	until("told of the one that does not open", noticed(wire.ProblemRecordDamaged))
	within(t, "handed over", func() bool { return !there(good) && !there(empty) })
	if !there(foreign) || there(bad) || !there(bad+refusedSuffix) {
		t.Error("of the others something is lost or sent")
	}
}

// TestNothingIsHandedOverDuringACall: the network is the call's.
func TestNothingIsHandedOverDuringACall(t *testing.T) {
	if testing.Short() {
		t.Skip("a call: not with -short")
	}
	n, _ := site(t, roster.SitePolicy{Record: wire.RecordAsked})
	p, _, until := atCenter(t, n, quiet, nil)
	p.agent.Post(wire.Dial{Number: demoEcho})
	in := until("talking", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallTalking })
	path := lay(t, p, "A", p.sealKey())
	p.kept.look()
	<-time.After(time.Second)
	if !there(path) {
		t.Fatal("sent beside a call")
	}
	p.agent.Post(wire.HangUp{Call: in.Calls[0].ID})
	within(t, "handed over after the call", func() bool { return !there(path) })
}

// TestWhyACallIsNotRecorded: a tone that cannot be sounded, and too much that waits; the call goes on.
func TestWhyACallIsNotRecorded(t *testing.T) {
	if testing.Short() {
		t.Skip("a tone that never comes: not with -short")
	}
	n, _ := site(t, roster.SitePolicy{Record: wire.RecordAsked, Tone: true})
	p, _, until := atCenter(t, n, quiet, nil)
	p.agent.Post(wire.Dial{Number: demoEcho})
	id := until("talking", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallTalking }).Calls[0].ID
	p.agent.Post(wire.Hold{Call: id, On: true})
	until("held", func(s wire.Snapshot) bool { return s.Calls[0].Phase == wire.CallHeld })
	p.agent.Post(wire.Record{Call: id, On: true})
	until("told that the tone was not heard", noticed(wire.ProblemRecordTone))
	if files := p.kept.files(); len(files) > 0 {
		t.Errorf("recorded without a tone: %v", files)
	}
	p.agent.Post(wire.Hold{Call: id})
	until("talking again", func(s wire.Snapshot) bool { return s.Calls[0].Phase == wire.CallTalking })

	much := p.kept.path("20261121-" + strings.Repeat("Z", 26))
	if err := os.MkdirAll(p.kept.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := os.WriteFile(much, nil, 0o600)
	if err == nil {
		err = os.Truncate(much, recordingsMost) // a hole: it takes no room
	}
	if err != nil {
		t.Fatal(err)
	}
	p.agent.Post(wire.Record{Call: id, On: true})
	s := until("told that too much waits", noticed(wire.ProblemRecordFull))
	if len(s.Calls) != 1 || s.Calls[0].Recording != "" {
		t.Errorf("the call is %+v", s.Calls)
	}
	if err := os.Remove(much); err != nil {
		t.Fatal(err)
	}
	p.agent.Post(wire.Record{Call: id, On: true})
	until("recorded at last", func(s wire.Snapshot) bool { return s.Calls[0].Recording == wire.RecordingOn })
	p.agent.Post(wire.Record{Call: id})
	until("no more", func(s wire.Snapshot) bool { return s.Calls[0].Recording == "" })
	p.agent.Post(wire.HangUp{Call: id})
	until("sent", func(s wire.Snapshot) bool { return len(s.History) == 1 && s.History[0].Recording == wire.RecordingSent })
}

// TestASimulatedAgentRecordsNothing: it has no folder, and says nothing about it.
func TestASimulatedAgentRecordsNothing(t *testing.T) {
	p, err := newPhone(phoneConfig{log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p.record(t.Context(), "c", true)
	if news, stop := p.agent.Watch(); len((<-news).Notices) > 0 || p.kept.dir != "" {
		stop()
		t.Fatal("it keeps something, or says that it does not")
	}
}

// TestAnOpusCallIsMadeOneThatWeCanSpeakOn: the tone must be heard by both sides before recording begins.
func TestAnOpusCallIsMadeOneThatWeCanSpeakOn(t *testing.T) {
	if testing.Short() {
		t.Skip("a call: not with -short")
	}
	n, _ := site(t, roster.SitePolicy{Record: wire.RecordAsked, Tone: true})
	err := n.Apply(t.Context(), roster.Setup{
		Accounts:  []roster.AccountSetup{{Account: "ito", Name: "Ito", Password: demoPassword, Terminals: []string{"2002"}}},
		Terminals: []roster.TerminalSetup{{Extension: "2002", Account: "ito"}}})
	if err != nil {
		t.Fatal(err)
	}
	p, until := startAt(t, n, "sato", "opus", "PCMU")
	far, untilFar := startAt(t, n, "ito", "opus", "PCMU")
	p.agent.Post(wire.Dial{Number: "2002"})
	far.agent.Post(wire.Answer{Call: untilFar("rings", func(s wire.Snapshot) bool { return len(s.Calls) == 1 }).Calls[0].ID})
	talking := until("talking", func(s wire.Snapshot) bool {
		return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallTalking && s.Calls[0].Codec != ""
	})
	if c := talking.Calls[0].Codec; c != "opus" {
		t.Fatalf("the call begins with %s", c)
	}
	id := talking.Calls[0].ID
	p.agent.Post(wire.Record{Call: id, On: true})
	until("recording", func(s wire.Snapshot) bool { return s.Calls[0].Recording == wire.RecordingOn })
	if c := p.sound.Stats(id).Codec; c != "PCMU" {
		t.Errorf("recorded with %s", c)
	}
}

// startAt is a phone with those codecs, signed in there in a break.
func startAt(t *testing.T, n *node.Node, account string, codecs ...string) (p *phone, until func(string, func(wire.Snapshot) bool) wire.Snapshot) {
	t.Helper()
	dir := t.TempDir()
	kept, err := openSettings(dir, quiet)
	if err == nil {
		p, err = newPhone(phoneConfig{center: center{url: n.HTTP()}, machine: "test", log: quiet, codecs: codecs, kept: kept, store: store{dir, quiet}})
	}
	if err != nil {
		t.Fatal(err)
	}
	until = running(t, p)
	p.agent.Post(wire.CheckAccount{Account: account, Password: demoPassword})
	s := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil })
	p.agent.Post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusBreak})
	until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	return p, until
}
