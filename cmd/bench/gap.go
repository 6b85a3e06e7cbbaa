package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/softphone/caller"
)

// The arguments with which this program is one of the two sides of a call whose address changes, each in a network namespace of
// its own.
const (
	moving  = "moving-side"
	echoing = "echoing-side"
)

const (
	gapServer  = "10.77.0.1"
	gapRounds  = 12
	gapStretch = 2 * time.Second // of each change, and of each stretch without one
)

// addressGap: the only address of a phone that talks goes and another comes: the longest time without sound. The base is the
// longest in as long a stretch without a change.
func (b *sipBench) addressGap() (row, error) {
	if _, err := tool("kamailio"); err != nil {
		return row{}, err
	}
	if out, err := exec.CommandContext(b.ctx, "unshare", "-n", "ip", "link").CombinedOutput(); err != nil {
		return row{}, skipped(fmt.Sprintf("needs root and network namespaces: %v %s", err, strings.TrimSpace(string(out))))
	}
	cmd, err := apart(b.ctx, moving, b.dir)
	if err != nil {
		return row{}, err
	}
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.Output()
	if err != nil {
		return row{}, err
	}
	var g gaps
	if err := json.Unmarshal(out, &g); err != nil {
		return row{}, err
	}
	return newRow("sip.address_gap", "ms", 1000, g.Changed, "as long without a change", g.Still), nil
}

// gaps are the longest times without sound, in ms.
type gaps struct{ Changed, Still []float64 }

// apart is this program in a network namespace of its own.
func apart(ctx context.Context, side, dir string) (*exec.Cmd, error) {
	self, err := os.Executable()
	return exec.CommandContext(ctx, "unshare", "-n", self, side, dir), err
}

func ip(args string) error {
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", args, err, out)
	}
	return nil
}

func steps(lines ...string) error {
	for _, l := range lines {
		if err := ip(l); err != nil {
			return err
		}
	}
	return nil
}

// moveAbout is the phone's side. It prints its gaps.
func moveAbout(ctx context.Context, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	end, err := otherEnd(ctx, args[0])
	if err != nil {
		return err
	}
	defer end()
	line := make(chan string, 1)
	p, stop, err := join(ctx, "alice", func(_ *caller.Caller, l string) { line <- l })
	if err != nil {
		return err
	}
	defer stop()
	if _, err := p.Call(ctx, "bob"); err != nil {
		return err
	}
	var heard stage.Gap
	select {
	case l := <-line:
		p.Sound.Listen(l, heard.Hear)
		p.Sound.Play(l, &stage.Tone{Hz: 440})
	case <-time.After(10 * time.Second):
		return errors.New("the echo does not answer")
	}
	var g gaps
	for i := range gapRounds + 1 {
		still, err := longest(ctx, &heard)
		if err != nil {
			return err
		}
		if i == 0 {
			continue // the sound has begun only now
		}
		g.Still = append(g.Still, still)
		if err := steps(fmt.Sprintf("addr del 10.77.0.%d/24 dev v0", i+1), fmt.Sprintf("addr add 10.77.0.%d/24 dev v0", i+2)); err != nil {
			return err
		}
		changed, err := longest(ctx, &heard)
		if err != nil {
			return err
		}
		g.Changed = append(g.Changed, changed)
	}
	return json.NewEncoder(os.Stdout).Encode(g)
}

// join registers a caller at the server.
func join(ctx context.Context, user string, talk func(*caller.Caller, string)) (c *caller.Caller, stop func(), err error) {
	c, err = caller.New(caller.Config{Server: gapServer + ":" + kamailioPort, Domain: benchDomain, User: user, Secret: secret("pw-" + user), Talk: talk})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	running := make(chan struct{})
	go func() { defer close(running); _ = c.Run(ctx) }()
	stop = func() { cancel(); <-running }
	select {
	case <-c.Registered():
		return c, stop, nil
	case <-time.After(10 * time.Second):
		stop()
		return nil, nil, fmt.Errorf("%s does not register", user)
	}
}

// otherEnd starts the other side and lays a cable there.
func otherEnd(ctx context.Context, dir string) (end func(), err error) {
	cmd, err := apart(ctx, echoing, dir)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	say, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end = func() { _ = say.Close(); _ = cmd.Wait() }
	err = steps("link set lo up", "link add v0 type veth peer name v1", "addr add 10.77.0.2/24 dev v0", "link set v0 up")
	if err == nil {
		err = away(ctx, cmd.Process.Pid)
	}
	if err == nil {
		err = ip("link set v1 netns " + strconv.Itoa(cmd.Process.Pid))
	}
	if err == nil {
		fmt.Fprintln(say, "cable")
		if word, _ := bufio.NewReader(out).ReadString('\n'); word != "ready\n" {
			err = errors.New("the other side is not there")
		}
	}
	if err != nil {
		end()
	}
	return end, err
}

// away waits until a process is in a network namespace of its own.
func away(ctx context.Context, pid int) error {
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && ctx.Err() == nil; <-tick.C {
		if theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil && theirs != ours {
			return nil
		}
	}
	return errors.New("the other side has no network namespace")
}

// echoCalls is the server with an echo line. It waits for the cable, says "ready", and ends with its standard input.
func echoCalls(ctx context.Context, args []string) error {
	words := bufio.NewReader(os.Stdin)
	if _, err := words.ReadString('\n'); err != nil {
		return err
	}
	if err := steps("link set lo up", "addr add "+gapServer+"/24 dev v1", "link set v1 up"); err != nil {
		return err
	}
	k, err := newKamailio(ctx, args[0], gapServer)
	if err != nil {
		return err
	}
	defer k.kill()
	_, stop, err := join(ctx, "bob", func(c *caller.Caller, line string) { c.Sound.Echo(line) })
	if err != nil {
		return fmt.Errorf("%w\n%s", err, k.said())
	}
	defer stop()
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, words)
	return err
}

// longest is the longest time without sound of one stretch, in ms. There must be sound at its end.
func longest(ctx context.Context, heard *stage.Gap) (float64, error) {
	heard.Longest()
	select {
	case <-time.After(gapStretch):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	gap, since := heard.Longest()
	if since > 200*time.Millisecond {
		return 0, fmt.Errorf("no sound for %v", since)
	}
	return ms(gap), nil
}
