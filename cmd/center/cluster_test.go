package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// freePorts are addresses of this machine that nobody listens on.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

// launch starts a center without waiting until it is ready.
func launch(t *testing.T, dir string, flags ...string) (p *process, ready func() error) {
	t.Helper()
	p = &process{t: t, err: &lockedBuffer{}}
	p.cmd = command1(context.Background(), append([]string{"-data", dir}, flags...)...)
	p.cmd.Stderr = p.err
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	return p, func() error {
		raw, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			return fmt.Errorf("no line on stdout: %w; stderr: %s", err, p.err)
		}
		p.raw = raw
		return json.Unmarshal([]byte(raw), &p.line)
	}
}

func readyAll(t *testing.T, ready ...func() error) {
	t.Helper()
	errs := make([]error, len(ready))
	var wg sync.WaitGroup
	for i, r := range ready {
		wg.Go(func() { errs[i] = r() })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// phone is an agent's uplink, and what it was told.
type phone struct {
	*uplink.Uplink
	t      *testing.T
	events chan uplink.Event
	stop   func()
	server string // where its terminal registers
}

func join(t *testing.T, base, account, terminal, seat string) *phone {
	t.Helper()
	p := &phone{t: t, events: make(chan uplink.Event, 1024)}
	p.Uplink = uplink.New(uplink.Config{URL: base, Machine: "pc of " + account, Version: "test",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Tell: func(e uplink.Event) {
			select {
			case p.events <- e:
			default:
			}
		}})
	if _, err := p.Check(t.Context(), account, wire.Secret(account+"-change-me")); err != nil {
		t.Fatal(err)
	}
	w, err := p.SignIn(t.Context(), wire.SignIn{Terminal: terminal, Status: "available", Seat: seat})
	if err != nil {
		t.Fatal(err)
	}
	p.server = w.SIP.Server
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(p.stop)
	return p
}

// wait reads events until one is as wanted.
func (p *phone) wait(what string, within time.Duration, want func(uplink.Event) bool) {
	p.t.Helper()
	end := time.After(within)
	for {
		select {
		case e := <-p.events:
			switch e := e.(type) {
			case uplink.Expired, uplink.Revoked:
				p.t.Fatalf("waiting for %s: the session ended: %+v", what, e)
			}
			if want(e) {
				return
			}
		case <-end:
			p.t.Fatalf("no %s within %v", what, within)
		}
	}
}

func online(e uplink.Event) bool  { _, ok := e.(uplink.Online); return ok }
func offline(e uplink.Event) bool { _, ok := e.(uplink.Offline); return ok }

func status(want string) func(uplink.Event) bool {
	return func(e uplink.Event) bool { s, ok := e.(uplink.State); return ok && s.Status == want }
}

// seen is the account's status as the admin side of a node says it, or what went wrong; "" it is in none.
func seen(t *testing.T, dir, account string) string {
	t.Helper()
	status, _ := known(t, dir, account)
	return status
}

// known is what the admin side of a node says of an account; there says that it knows it at all.
func known(t *testing.T, dir, account string) (status string, there bool) {
	t.Helper()
	r, err := node.FindRunning(dir)
	if err != nil {
		return err.Error(), false // it is just starting
	}
	far, err := command{o: options{data: dir}}.client(r)
	if err != nil {
		t.Fatal(err)
	}
	var raw strings.Builder
	if err := far.get(t.Context(), "/api/v1/admin/overview", &raw); err != nil {
		return err.Error(), false
	}
	var o struct {
		Accounts []struct{ Account, Status string }
	}
	if err := json.Unmarshal([]byte(raw.String()), &o); err != nil {
		t.Fatal(err)
	}
	for _, a := range o.Accounts {
		if a.Account == account {
			return a.Status, true
		}
	}
	return "", false
}

// patience is how long tests of several centers wait for what must become true, on a machine that may have much else to do: no promise, which
// are kept in the tests that end with InTime.
const patience = time.Minute

func until(t *testing.T, what string, within time.Duration, is func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// trio is a center that grew from one to three nodes while two phones were signed in.
type trio struct {
	dirs  map[string]string
	nodes map[string]*process
	flags map[string][]string
	baba  *phone
	chiba *phone
}

func (c *trio) launch(t *testing.T, name string) func() error {
	t.Helper()
	p, ready := launch(t, c.dirs[name], c.flags[name]...)
	c.nodes[name] = p
	return ready
}

func grown(t *testing.T) *trio {
	t.Helper()
	base := t.TempDir()
	old, file, keys := filepath.Join(base, "old"), filepath.Join(base, "backup"), filepath.Join(base, "keys")
	https, logs := freePorts(t, 3), freePorts(t, 3)
	solo, ready := launch(t, old, "-http", https[0], "-sip", "127.0.0.1:0")
	readyAll(t, ready)
	if _, said, code := run(t, "-data", old, "import", "testdata/floor.json"); code != 0 {
		t.Fatal(said)
	}
	c := &trio{dirs: map[string]string{}, nodes: map[string]*process{}, flags: map[string][]string{}}
	c.baba, c.chiba = join(t, solo.line.HTTP, "baba", "1002", "1"), join(t, solo.line.HTTP, "chiba", "1003", "2")
	c.baba.wait("connection", patience, online)
	c.chiba.wait("connection", patience, online)
	if err := c.baba.Ask(t.Context(), wire.SetStatus{To: "lunch"}); err != nil {
		t.Fatal(err)
	}
	solo.stop()
	c.baba.wait("goodbye", patience, offline)

	if _, said, code := run(t, "-data", old, "backup", file); code != 0 {
		t.Fatal(said)
	}
	passphrase, said, code := run(t, "-data", old, "keys", keys)
	if code != 0 {
		t.Fatal(said)
	}
	names := []string{"a", "b", "c"}
	var peers []string
	for i, name := range names {
		peers = append(peers, "-peer", name+"="+logs[i])
	}
	for i, name := range names {
		c.dirs[name] = filepath.Join(base, name)
		c.flags[name] = append([]string{"-name", name, "-http", https[i], "-sip", "127.0.0.1:0"}, peers...)
		cmd := command1(t.Context(), "-data", c.dirs[name], "adopt", keys)
		cmd.Stdin = strings.NewReader(passphrase)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	rb, rc := c.launch(t, "b"), c.launch(t, "c")
	restore := command1(t.Context(), append([]string{"-data", c.dirs["a"], "restore", file, "-name", "a"}, peers...)...)
	if out, err := restore.CombinedOutput(); err != nil || !strings.Contains(string(out), "Restored") {
		t.Fatalf("%v %s", err, out)
	}
	readyAll(t, rb, rc, c.launch(t, "a"))
	return c
}

func TestACenterGrowsToThreeAndItsPhonesFollow(t *testing.T) {
	if testing.Short() {
		t.Skip("three processes, a minute")
	}
	c := grown(t)
	for name, p := range c.nodes {
		if p.line.Admin != nil {
			t.Fatalf("node %s made another administrator: %s", name, p.raw)
		}
	}
	c.baba.wait("connection to the cluster", patience, online)
	c.baba.wait("the status of before", patience, status("lunch"))
	c.chiba.wait("connection to the cluster", patience, online)
	until(t, "all nodes see lunch", patience, func() bool {
		return seen(t, c.dirs["a"], "baba") == "lunch" && seen(t, c.dirs["b"], "baba") == "lunch" && seen(t, c.dirs["c"], "baba") == "lunch"
	})
	until(t, "the doctor sees three nodes", patience, func() bool {
		out, _, _ := run(t, "-data", c.dirs["c"], "doctor")
		return strings.Contains(out, "ok   node a") && strings.Contains(out, "ok   node b") && strings.Contains(out, "ok   node c")
	})
	if err := c.baba.Ask(t.Context(), wire.SetStatus{To: "available"}); err != nil {
		t.Fatal(err)
	}

	until(t, "the phone knows all nodes", patience, func() bool { return len(c.baba.Nodes()) == 3 })
	// A node that has just come up names its own exchange until it has heard whose it is; there a REGISTER is sent on (302).
	until(t, "all nodes know where telephones register", patience, func() bool {
		doi, endo := join(t, c.nodes["b"].line.HTTP, "doi", "1004", "4"), join(t, c.nodes["c"].line.HTTP, "endo", "1005", "5")
		for _, p := range []*phone{doi, endo} {
			if err := p.SignOut(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.stop()
		}
		return doi.server != "" && doi.server == endo.server
	})

	// Both phones are at a, the only node that they were given. It dies, and one of the phones with it.
	c.nodes["a"].cmd.Process.Kill()
	c.chiba.stop()
	c.baba.wait("loss of the node", patience, offline)
	c.baba.wait("another node", patience, online)
	until(t, "a status that is taken", patience, func() bool { return c.baba.Ask(t.Context(), wire.SetStatus{To: "lunch"}) == nil })
	until(t, "the phone that died with its node is lost", patience, func() bool { return seen(t, c.dirs["c"], "chiba") == wire.StatusLost })
	if s := seen(t, c.dirs["b"], "baba"); s != "lunch" {
		t.Fatalf("baba is %s", s)
	}

	was := c.nodes["a"].line.SIP
	fujita := join(t, c.nodes["b"].line.HTTP, "fujita", "1006", "6")
	if server := fujita.server; server == was {
		t.Fatalf("a telephone registers at %s, which is dead", server)
	}
	readyAll(t, c.launch(t, "a"))
	until(t, "the node that came back has caught up", patience, func() bool { return seen(t, c.dirs["a"], "baba") == "lunch" })
	for _, name := range []string{"a", "b", "c"} { // one after the other, as one updates a cluster
		c.nodes[name].stop()
		if name != "c" {
			readyAll(t, c.launch(t, name))
			until(t, "a phone that is served", patience, func() bool { return c.baba.Ask(t.Context(), wire.SetStatus{To: "available"}) == nil })
		}
	}
}

func TestKeysOpenOnlyWithTheirPassphraseAndReplaceNone(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	one, two, file := filepath.Join(base, "1"), filepath.Join(base, "2"), filepath.Join(base, "keys")
	passphrase, said, code := run(t, "-data", one, "keys", file)
	if code != 0 || len(strings.TrimSpace(passphrase)) < 16 {
		t.Fatalf("%q %s", passphrase, said)
	}
	adopt := func(dir, passphrase string) (string, error) {
		cmd := command1(t.Context(), "-data", dir, "adopt", file)
		cmd.Stdin = strings.NewReader(passphrase)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := adopt(two, "wrong\n"); err == nil || !strings.Contains(out, "passphrase") {
		t.Fatalf("%v %s", err, out)
	}
	for range 2 { // a second time changes nothing
		if out, err := adopt(two, passphrase); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	for _, name := range []string{"center.key", "recording.key", "ca.pem"} {
		a, err := os.ReadFile(filepath.Join(one, name))
		b, err2 := os.ReadFile(filepath.Join(two, name))
		if err != nil || err2 != nil || string(a) != string(b) {
			t.Fatalf("%s differs: %v %v", name, err, err2)
		}
		if info, _ := os.Stat(filepath.Join(two, name)); info.Mode().Perm() != 0o600 {
			t.Fatalf("%s may be read by others", name)
		}
		sealed, _ := os.ReadFile(file)
		if strings.Contains(string(sealed), string(a)) {
			t.Fatalf("%s is in the file as it is", name)
		}
	}
	three := filepath.Join(base, "3")
	if _, said, code := run(t, "-data", three, "keys", filepath.Join(base, "others")); code != 0 {
		t.Fatal(said)
	}
	if out, err := adopt(three, passphrase); err == nil || !strings.Contains(out, "already") {
		t.Fatalf("keys were replaced: %v %s", err, out)
	}
	raw, _ := os.ReadFile(file)
	raw[len(raw)-1] ^= 1
	os.WriteFile(file, raw, 0o600)
	if out, err := adopt(filepath.Join(base, "4"), passphrase); err == nil {
		t.Fatal(out)
	}
}
