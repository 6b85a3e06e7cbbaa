package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/center/node"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

const splitLab = "CENTER_TEST_LAB" // set in the process that is the test inside the laboratory

// inLab runs the test again in a network namespace of its own. True: it did, and there is nothing left to do.
func inLab(t *testing.T) bool {
	t.Helper()
	if testing.Short() {
		t.Skip("three processes in three networks, a minute")
	}
	if os.Getenv(splitLab) != "" {
		return false
	}
	for _, try := range [][]string{{"ip", "-V"}, {"nsenter", "-V"}, {"unshare", "-n", "true"}} {
		if err := exec.Command(try[0], try[1:]...).Run(); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(try, err)
			}
			t.Skip(try, err)
		}
	}
	cmd := exec.Command("unshare", "-n", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "400s")
	cmd.Env = append(os.Environ(), splitLab+"=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return true
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

// machine is a center on a machine of its own, as far as the network goes.
type machine struct {
	*process
	dir string
}

func machineAddr(i int) string { return fmt.Sprintf("10.78.0.%d", i+1) }
func machineMAC(i int) string  { return fmt.Sprintf("02:00:00:00:78:%02x", i+1) }

func (m *machine) ip(args ...string) {
	m.t.Helper()
	line := append([]string{"-t", fmt.Sprint(m.cmd.Process.Pid), "-n", "ip"}, args...)
	if out, err := exec.Command("nsenter", line...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v %s", strings.Join(line, " "), err, out)
	}
}

// machines are three centers of a fresh cluster with the floor of the example; phones are beside them, at 10.78.0.100.
func machines(t *testing.T) []*machine {
	t.Helper()
	base := t.TempDir()
	ip(t, "link", "add", "hub", "type", "bridge")
	ip(t, "addr", "add", "10.78.0.100/24", "dev", "hub")
	ip(t, "link", "set", "hub", "up")
	keys := filepath.Join(base, "keys")
	passphrase, said, code := run(t, "-data", filepath.Join(base, "a"), "keys", keys)
	if code != 0 {
		t.Fatal(said)
	}
	var peers []string
	for i, name := range []string{"a", "b", "c"} {
		peers = append(peers, "-peer", fmt.Sprintf("%s=%s:6222", name, machineAddr(i)))
	}
	var all []*machine
	var ready []func() error
	for i, name := range []string{"a", "b", "c"} {
		m := &machine{&process{t: t, err: &lockedBuffer{}}, filepath.Join(base, name)}
		if name != "a" {
			cmd := command1(t.Context(), "-data", m.dir, "adopt", keys)
			cmd.Stdin = strings.NewReader(passphrase)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
		}
		args := append([]string{"-n", "sh", "-c", `ip link set lo up; read go; exec "$@"`, "sh", os.Args[0], "-data", m.dir, "-name", name,
			"-http", machineAddr(i) + ":8443", "-sip", machineAddr(i) + ":5060"}, peers...)
		m.cmd = exec.Command("unshare", args...)
		m.cmd.Env = append(os.Environ(), "CENTER_PROCESS=1")
		m.cmd.Stderr = m.err
		m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		in, err := m.cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.cmd.Process.Kill(); m.cmd.Wait() })
		// unshare has made the namespace when its sh runs.
		until(t, "a network of its own", patience, func() bool {
			comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", m.cmd.Process.Pid))
			return err == nil && strings.TrimSpace(string(comm)) == "sh"
		})
		here, there := fmt.Sprint("v", i), fmt.Sprint("w", i)
		ip(t, "link", "add", here, "type", "veth", "peer", "name", there)
		ip(t, "link", "set", here, "master", "hub", "up")
		ip(t, "link", "set", there, "netns", fmt.Sprint(m.cmd.Process.Pid))
		m.ip("link", "set", there, "name", "eth0", "address", machineMAC(i))
		m.ip("addr", "add", machineAddr(i)+"/24", "dev", "eth0")
		m.ip("link", "set", "eth0", "up")
		fmt.Fprintln(in, "go")
		all = append(all, m)
		ready = append(ready, func() error {
			raw, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				return fmt.Errorf("no line on stdout: %w; stderr: %s", err, m.err)
			}
			go io.Copy(io.Discard, out)
			return json.Unmarshal([]byte(raw), &m.line)
		})
	}
	readyAll(t, ready...)
	until(t, "the floor is imported", patience, func() bool {
		_, _, code := run(t, "-data", all[0].dir, "import", "testdata/floor.json")
		return code == 0
	})
	for _, m := range all {
		until(t, "each node knows the floor", patience, func() bool {
			_, there := known(t, m.dir, "hara")
			return there
		})
	}
	return all
}

// cutOff loses everything between one machine and the others, without a word to either.
func cutOff(all []*machine, alone int, whole bool) {
	for i, m := range all {
		for j := range all {
			if i == j || i != alone && j != alone {
				continue
			}
			mac := "02:00:00:00:de:ad" // nobody has it
			if whole {
				mac = machineMAC(j)
			}
			m.ip("neigh", "replace", machineAddr(j), "lladdr", mac, "dev", "eth0", "nud", "permanent")
		}
	}
}

// trust is TLS that knows the center's authority.
func (m *machine) trust() *tls.Config {
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(filepath.Join(m.dir, "ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		panic(fmt.Sprint("ca.pem: ", err))
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}
}

// enterAt is what an agent is told that wants a seat at one of the machines: in, taken, refused.
func enterAt(ctx context.Context, m *machine, account, terminal, seat string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	u := uplink.New(uplink.Config{URL: m.line.HTTP, TLS: m.trust(), Machine: "pc of " + account, Version: "test", Tell: func(uplink.Event) {}})
	_, err := u.Check(ctx, account, wire.Secret(account+"-change-me"))
	if err == nil {
		_, err = u.SignIn(ctx, wire.SignIn{Terminal: terminal, Status: "away", Seat: seat, Takeover: false})
	}
	var why wire.Problem
	switch {
	case err == nil:
		return "in", nil
	case errors.As(err, &why) && why.Code == wire.ProblemSeatTaken:
		return "taken", nil
	case errors.As(err, &why) && why.Code == wire.ProblemReadOnly:
		return "refused", nil
	}
	return "", err
}

// TestOneOfManyGetsASeatWhileTheNetworkIsSplit: at each of three centers another agent signs in for one seat, before, while and after one of
// the centers is cut off. (C6, H6)
func TestOneOfManyGetsASeatWhileTheNetworkIsSplit(t *testing.T) {
	if inLab(t) {
		return
	}
	all := machines(t)
	alone := 0
	agents := [][2]string{{"baba", "1002"}, {"chiba", "1003"}, {"doi", "1004"}, {"endo", "1005"}, {"fujita", "1006"}, {"goto", "1007"}}
	round := func(name, seat string, from int) (told map[int]string) {
		told = map[int]string{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		in := 0
		began := time.Now()
		for i, m := range all {
			a := agents[(from+i)%len(agents)]
			wg.Go(func() {
				said, err := enterAt(t.Context(), m, a[0], a[1], seat)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("%s: %s at %s: %v", name, a[0], m.dir, err)
				}
				told[i] = said
				if said == "in" {
					in++
				}
			})
		}
		wg.Wait()
		t.Logf("%s: seat %s: %v after %v", name, seat, told, time.Since(began).Round(time.Millisecond))
		if in > 1 {
			t.Errorf("%s: %d agents have seat %s", name, in, seat)
		}
		return told
	}
	round("before", "1", 0)
	at := time.Now()
	cutOff(all, alone, false)
	round("cut off", "2", 3)
	if told := round("elected", "4", 0); told[alone] == "in" {
		t.Error("the minority signed somebody in")
	}
	until(t, "the minority refuses", patience, func() bool {
		said, err := enterAt(t.Context(), all[alone], "hara", "1008", "8")
		return err == nil && said == "refused"
	})
	t.Logf("the minority refuses sign-ins %v after the cut", time.Since(at).Round(time.Millisecond))
	cutOff(all, alone, true)
	healed := time.Now()
	until(t, "it signs people in again", patience, func() bool {
		said, err := enterAt(t.Context(), all[alone], "hara", "1008", "8")
		return err == nil && said == "in"
	})
	t.Logf("it signs people in again %v after the network healed", time.Since(healed).Round(time.Millisecond))
	round("healed", "5", 3)
	until(t, "all three say the same of every seat", patience, func() bool {
		a, b, c := seats(t, all[0]), seats(t, all[1]), seats(t, all[2])
		return a != "" && a == b && b == c
	})
	t.Log(seats(t, all[0]))
}

// seats is who sits where, as a center says.
func seats(t *testing.T, m *machine) string {
	t.Helper()
	r, err := node.FindRunning(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	far, err := command{o: options{data: m.dir}}.client(r)
	if err != nil {
		t.Fatal(err)
	}
	var raw strings.Builder
	if err := far.get(t.Context(), "/api/v1/admin/overview", &raw); err != nil {
		t.Fatal(err)
	}
	var o struct {
		Accounts []struct{ Account, Seat string }
	}
	if err := json.Unmarshal([]byte(raw.String()), &o); err != nil {
		t.Fatal(err)
	}
	by := map[string]string{}
	var all []string
	for _, a := range o.Accounts {
		if a.Seat == "" {
			continue
		}
		if by[a.Seat] != "" {
			t.Fatalf("%s and %s both have seat %s", by[a.Seat], a.Account, a.Seat)
		}
		by[a.Seat] = a.Account
		all = append(all, a.Seat+" "+a.Account)
	}
	return strings.Join(all, ", ")
}
