package main

import (
	"os"
	"syscall"
	"testing"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// TestAFullDiskEndsTheRecordingAndNotTheCall: that is said, and what was recorded before goes to the center.
func TestAFullDiskEndsTheRecordingAndNotTheCall(t *testing.T) {
	switch {
	case testing.Short():
		t.Skip("seconds of sound: not with -short")
	case os.Getuid() != 0 && os.Getenv("CI") != "":
		t.Fatal("only root can make a small disk")
	case os.Getuid() != 0:
		t.Skip("only root can make a small disk")
	}
	n, _ := site(t, roster.SitePolicy{Record: wire.RecordAsked})
	p, _, until := atCenter(t, n, quiet, nil)
	if err := os.MkdirAll(p.kept.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", p.kept.dir, "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no small disk here: ", err)
		}
		t.Skip("no small disk here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(p.kept.dir, syscall.MNT_DETACH) })
	p.agent.Post(wire.Dial{Number: demoEcho})
	id := until("talking", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallTalking }).Calls[0].ID
	p.agent.Post(wire.Record{Call: id, On: true})
	until("recording", func(s wire.Snapshot) bool { return s.Calls[0].Recording == wire.RecordingOn })
	s := until("told that it broke", noticed(wire.ProblemRecordDisk))
	if len(s.Calls) != 1 || s.Calls[0].Phase != wire.CallTalking {
		t.Fatalf("the call is %+v", s.Calls)
	}
	until("not recording", func(s wire.Snapshot) bool { return s.Calls[0].Recording == "" })
	if err := syscall.Mount("", p.kept.dir, "", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	p.agent.Post(wire.Record{Call: id, On: true})
	until("recording again", func(s wire.Snapshot) bool {
		return s.Calls[0].Recording == wire.RecordingOn && !noticed(wire.ProblemRecordDisk)(s)
	})
	p.agent.Post(wire.HangUp{Call: id})
	until("the center has what there was", func(s wire.Snapshot) bool {
		return len(s.History) == 1 && s.History[0].Recording == wire.RecordingSent
	})
	within(t, "and the one that broke too", func() bool { return len(p.kept.files()) == 0 })
}
