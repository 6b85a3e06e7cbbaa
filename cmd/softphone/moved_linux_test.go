package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/softphone/caller"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// roleOf says which part of the test a process plays in a network namespace of its own.
const roleOf = "ZASEKI_TEST_ROLE"

const (
	movedServer = "10.77.0.1"
	movedSecret = "the-secret-of-a-test"
)

// TestACallOutlivesAChangeOfAddress: the phone's only address goes and another comes, in a network namespace with the center in
// another one. The line is registered again and the call's sound goes on both ways within a second; afterwards the far side can
// still hang up.
func TestACallOutlivesAChangeOfAddress(t *testing.T) {
	switch os.Getenv(roleOf) {
	case "server":
		serveMoved(t)
	case "phone":
		phoneMoves(t)
	default:
		apart(t)
	}
}

// apart runs the test again where it may change the network.
func apart(t *testing.T) {
	if testing.Short() {
		t.Skip("network namespaces: not with -short")
	}
	if err := exec.Command("unshare", "-n", "ip", "link").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no network namespaces: %v", err)
		}
		t.Skipf("no network namespaces: %v", err)
	}
	cmd := exec.Command("unshare", "-n", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "90s")
	cmd.Env = append(os.Environ(), roleOf+"=phone")
	out, err := cmd.CombinedOutput()
	t.Log(string(out))
	if err != nil {
		t.Error(err)
	}
}

func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// serveMoved is the center with an echo line, on the other end of the cable. It ends with its standard input; a line there
// hangs the echo up.
func serveMoved(t *testing.T) {
	words := bufio.NewReader(os.Stdin)
	if _, err := words.ReadString('\n'); err != nil { // the cable is there
		t.Fatal(err)
	}
	ip(t, "link set lo up")
	ip(t, "addr add "+movedServer+"/24 dev v1")
	ip(t, "link set v1 up")
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	n, err := node.New(node.Config{Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: movedServer + ":5060", Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = n.Run(ctx) })
	site := roster.DefaultSite()
	site.Domain = demoDomain
	err = n.Apply(ctx, roster.Setup{Site: &site, Terminals: []roster.TerminalSetup{
		{Extension: "3001", Type: "desk", Secret: movedSecret}, {Extension: demoEcho, Type: "desk", Secret: movedSecret},
	}})
	if err != nil {
		t.Fatal(err)
	}
	echo, err := caller.New(caller.Config{Server: n.SIP(), Domain: demoDomain, User: demoEcho, Secret: wire.Secret(movedSecret), Log: quiet,
		Talk: func(c *caller.Caller, line string) { c.Sound.Echo(line) }})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = echo.Run(ctx) })
	<-echo.Registered()
	os.Stdout.WriteString("ready\n")
	_, _ = words.ReadString('\n')
	for _, line := range echo.Calls() {
		_ = echo.Line.Hangup(ctx, line)
	}
	_, _ = io.Copy(io.Discard, words)
}

// otherEnd starts the server in a namespace of its own and lays a cable there.
func otherEnd(t *testing.T) (say io.Writer) {
	t.Helper()
	server := exec.Command("unshare", "-n", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.timeout", "80s")
	server.Env = append(os.Environ(), roleOf+"=server")
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = server.Wait() })
	ip(t, "link set lo up")
	ip(t, "link add v0 type veth peer name v1")
	ip(t, "addr add 10.77.0.2/24 dev v0")
	ip(t, "link set v0 up")
	pid := strconv.Itoa(server.Process.Pid)
	soon(t, "the server has its namespace", func() bool { // unshare may still be on its way there
		ours, _ := os.Readlink("/proc/self/ns/net")
		theirs, _ := os.Readlink("/proc/" + pid + "/ns/net")
		return theirs != "" && ours != theirs
	})
	ip(t, "link set v1 netns "+pid)
	_, _ = io.WriteString(in, "cable\n")
	for lines := bufio.NewScanner(out); ; {
		if !lines.Scan() {
			t.Fatal("the server is not there")
		}
		if lines.Text() == "ready" {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return in
}

func phoneMoves(t *testing.T) {
	server := otherEnd(t)
	p, until := startLocal(t, config{})
	p.agent.Post(wire.UseSIP{SIPForm: wire.SIPForm{Server: movedServer, User: "3001", Domain: demoDomain, Transport: "udp", Voice: wire.VoiceOff}, Password: movedSecret})
	until("signed in", func(s wire.Snapshot) bool { return s.Local && s.Line.State == "registered" })
	p.agent.Post(wire.Dial{Number: demoEcho})
	talking := until("the echo answers", func(s wire.Snapshot) bool { _, ok := s.Talking(); return ok })
	call := talking.Calls[0].ID
	var heard stage.Gap
	p.sound.Listen(call, heard.Hear)
	p.sound.Play(call, &stage.Tone{Hz: 440})
	flows := func() bool { return heard.Since() < 200*time.Millisecond }
	soon(t, "the echo is heard before anything changes", flows)
	heard.Longest() // what was before it counts for nothing

	for i, change := range [][]string{
		{"addr del 10.77.0.2/24 dev v0", "addr add 10.77.0.3/24 dev v0"},
		{"addr del 10.77.0.3/24 dev v0", "addr add 10.77.0.4/24 dev v0"},
	} {
		for _, step := range change {
			ip(t, step)
		}
		pass(t, 3*time.Second) // in which the way to the new address is found, and proves itself
		soon(t, "sound is back", flows)
		gap, _ := heard.Longest()
		t.Logf("change %d: sound was gone for %v", i+1, gap)
		if gap > time.Second {
			t.Errorf("change %d: sound was gone for %v; a second is promised", i+1, gap)
		}
	}
	_, _ = io.WriteString(server, "hang up\n")
	until("the far side's hang-up arrives at the new address", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
	p.agent.Post(agent.Event(wire.Exit{Sure: true}))
	<-p.agent.Done()
}
