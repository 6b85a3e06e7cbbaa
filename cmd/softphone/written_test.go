package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// noteAtCenter waits until the center's history has that note of the account that is signed in.
func (s *shift) noteAtCenter(p *phone, want wire.HistoryCall) {
	s.Helper()
	soon(s.T, "the note is at the center", func() bool {
		past, _ := p.uplink.CallHistory(s.Context(), "")
		return slices.ContainsFunc(past.Calls, func(c wire.HistoryCall) bool { return c.Note == want.Note && c.Outcome == want.Outcome })
	})
}

// soon looks again and again, for half a minute.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for late := time.After(30 * time.Second); !ok(); {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("not within half a minute: %s", what)
		}
	}
}

// holds says whether a file has that in it.
func holds(file, words string) bool {
	data, err := os.ReadFile(file)
	return err == nil && strings.Contains(string(data), words)
}

// TestWhatIsWrittenAboutACallComesToTheCenter: during the call and after it, the newest of two, and only what the center knows.
func TestWhatIsWrittenAboutACallComesToTheCenter(t *testing.T) {
	s := newShift(t)
	s.apply(roster.Setup{Outcomes: []roster.Outcome{{ID: "sold", Name: wire.Words{"en": "Sold", "ja": "成約"}}, {ID: "later", Name: wire.Words{"en": "Later", "ja": "再連絡"}}}})
	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	until("outcomes", func(s wire.Snapshot) bool { return len(s.Desk.Outcomes) == 2 })
	p.agent.Post(wire.Dial{Number: "2002"})
	call := until("over", func(s wire.Snapshot) bool { return len(s.History) == 1 }).History[0].ID
	p.agent.Post(wire.CallNote{Call: call, Text: strings.Repeat("x", wire.NoteMax+1)})
	until("too long", told(wire.ProblemNote))
	p.agent.Post(wire.CallNote{Call: call, Text: "wants\ta call\r\nback\x00"})
	p.agent.Post(wire.CallNote{Call: call, Outcome: "later", Text: "wants a call\nback, after six"})
	got := until("there", func(s wire.Snapshot) bool { return s.History[0].Outcome == "later" && !s.History[0].Unsent })
	if got.History[0].Note != "wants a call\nback, after six" {
		t.Errorf("it is shown as %q", got.History[0].Note)
	}
	s.noteAtCenter(p, wire.HistoryCall{Outcome: "later", Note: "wants a call\nback, after six"})
	end()
}

// TestANoteOutlivesAKill: it is written while the center is away, the process is killed, and at the next sign-in of the same account,
// and of no other, the center has it.
func TestANoteOutlivesAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("a process of its own: not with -short")
	}
	s := newShift(t)
	url := s.node.HTTP()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAPhoneThatIsToBeKilled$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), "ZASEKI_TO_BE_KILLED="+s.dir, "ZASEKI_CENTER="+url)
	words, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	say, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	heard := bufio.NewScanner(words)
	for heard.Scan() && heard.Text() != "called" {
	}
	s.shut()
	if _, err := fmt.Fprintln(say, "write"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(store{s.dir, quiet}.of(url, "sato").dir, notesFile)
	soon(t, "it is kept", func() bool { return holds(file, "before the kill") })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kept as %v, %v", info, err)
	}

	s.open(strings.TrimPrefix(url, "http://"))
	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "kato", Password: demoPassword}, "")
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	if !holds(file, "before the kill") {
		t.Error("another account's sign-in has taken it away")
	}
	p.agent.Post(wire.CheckAccount{Account: "sato", Password: demoPassword})
	choice := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil }).Choice
	p.agent.Post(wire.SignIn{Terminal: choice.Terminal, Status: wire.StatusBreak, Takeover: true})
	until("in", in)
	s.noteAtCenter(p, wire.HistoryCall{Note: "before the kill"})
	soon(t, "nothing waits any more", func() bool { return !holds(file, "kill") })
	end()
}

// TestAPhoneThatIsToBeKilled is the process of TestANoteOutlivesAKill.
func TestAPhoneThatIsToBeKilled(t *testing.T) {
	dir := os.Getenv("ZASEKI_TO_BE_KILLED")
	if dir == "" {
		return // it is no test of its own
	}
	s := &shift{T: t, dir: dir}
	p, until, _ := s.start(os.Getenv("ZASEKI_CENTER"))
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	p.agent.Post(wire.Dial{Number: "2002"})
	call := until("over", func(s wire.Snapshot) bool { return len(s.History) == 1 }).History[0].ID
	soon(t, "the center knows the call", func() bool {
		past, err := p.uplink.CallHistory(t.Context(), "")
		return err == nil && len(past.Calls) == 1
	})
	fmt.Println("called")
	bufio.NewScanner(os.Stdin).Scan()
	p.agent.Post(wire.CallNote{Call: call, Text: "before the kill"})
	select {}
}

// localForm is a telephone of the shift's center as of any PBX.
func localForm(server string) wire.UseSIP {
	return wire.UseSIP{SIPForm: wire.SIPForm{Server: server, User: "3001", Domain: demoDomain}, Password: demoPassword}
}

// TestACallWithoutACenterIsInTheListAfterAKill: kill -9 in a call at a PBX (reliability (E1)). The next start has the call in its list,
// with what was written during it, and the far side is hung up.
func TestACallWithoutACenterIsInTheListAfterAKill(t *testing.T) {
	k := killInACall(t, wire.CallTalking)
	if c := k.row; c.Number != "2002" || c.Result != "answered" || c.Note != "before the kill" || c.Problem == nil || c.Problem.Code != wire.ProblemCallLost {
		t.Errorf("%+v", c)
	}
	k.farUntil("the far side is hung up", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
}

// TestANoteOnACallThatIsNotAnsweredOutlivesAKill: as above, before the far side has answered.
func TestANoteOnACallThatIsNotAnsweredOutlivesAKill(t *testing.T) {
	k := killInACall(t, wire.CallAlerted)
	if c := k.row; c.Number != "2002" || c.Result != "cancelled" || c.Note != "before the kill" || c.Problem == nil || c.Problem.Code != wire.ProblemCallLost {
		t.Errorf("%+v", c)
	}
	k.far.agent.Post(wire.Decline{Call: k.call})
	k.farUntil("nobody rings any more", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
}

// killed is what is left of a call when the phone that made it, without a center, was killed, and started again.
type killed struct {
	row      wire.PastCall // in its list
	far      *phone        // the other end, and the call there
	farUntil func(what string, is func(wire.Snapshot) bool) wire.Snapshot
	call     string
}

// killInACall has a process of its own make a call, write about it as soon as it is in that phase, and be killed.
func killInACall(t *testing.T, phase string) (k killed) {
	t.Helper()
	if testing.Short() {
		t.Skip("a process of its own: not with -short")
	}
	s := newShift(t)
	s.apply(roster.Setup{Terminals: []roster.TerminalSetup{{Extension: "3001", Type: "desk", Secret: demoPassword}}})
	k.far, k.farUntil, _ = s.start(s.node.HTTP())
	s.signIn(k.far, k.farUntil, wire.CheckAccount{Account: "kato", Password: demoPassword}, "")

	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestALocalPhoneThatIsToBeKilled$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), "ZASEKI_LOCAL_TO_BE_KILLED="+dir, "ZASEKI_PBX="+s.node.SIP(), "ZASEKI_WRITES_WHEN="+phase)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	k.call = k.farUntil("it rings", func(s wire.Snapshot) bool { return len(s.Calls) == 1 }).Calls[0].ID
	if phase == wire.CallTalking {
		k.far.agent.Post(wire.Answer{Call: k.call})
	}
	soon(t, "call and note are kept", func() bool { return holds(filepath.Join(dir, orphansFile), "before the kill") })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	again := &shift{T: t, dir: dir}
	p, until, _ := again.start("")
	p.agent.Post(localForm(s.node.SIP()))
	k.row = until("the call is in the list", func(s wire.Snapshot) bool { return len(s.History) == 1 }).History[0]
	soon(t, "the list is kept", func() bool { return holds(filepath.Join(dir, historyFile), "before the kill") })
	soon(t, "the note of it is gone", func() bool { return !holds(filepath.Join(dir, orphansFile), "2002") })
	return k
}

// TestALocalPhoneThatIsToBeKilled is the process of killInACall.
func TestALocalPhoneThatIsToBeKilled(t *testing.T) {
	dir := os.Getenv("ZASEKI_LOCAL_TO_BE_KILLED")
	if dir == "" {
		return // it is no test of its own
	}
	s := &shift{T: t, dir: dir}
	p, until, _ := s.start("")
	p.agent.Post(localForm(os.Getenv("ZASEKI_PBX")))
	until("registered", in)
	p.agent.Post(wire.Dial{Number: "2002"})
	phase := os.Getenv("ZASEKI_WRITES_WHEN")
	call := until(phase, func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == phase }).Calls[0].ID
	p.agent.Post(wire.CallNote{Call: call, Text: "before the kill"})
	select {}
}
