package route

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// inside says that the test runs in a network namespace of its own.
const inside = "ZASEKI_TEST_NETNS"

// TestChangesAreToldAtOnce adds and removes addresses and routes with ip(8) in a network namespace.
func TestChangesAreToldAtOnce(t *testing.T) {
	if os.Getenv(inside) == "" {
		again(t)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	told, done := make(chan time.Time, 100), make(chan struct{})
	go func() { defer close(done); Watch(ctx, func() { told <- time.Now() }) }()
	defer func() { cancel(); <-done }()
	listening(t, told)
	for _, change := range []string{
		"addr add 192.0.2.1/24 dev lo", "addr del 192.0.2.1/24 dev lo", "-6 addr add 2001:db8::1/64 dev lo nodad", "link set lo up",
		"route add 198.51.100.0/24 dev lo", "route del 198.51.100.0/24", "link set lo down",
	} {
		quiet(told)
		begun := time.Now()
		ip(t, change)
		select {
		case at := <-told:
			t.Logf("%s: told after %v", change, at.Sub(begun))
		case <-time.After(200 * time.Millisecond):
			t.Errorf("%s: not told", change)
		}
	}
}

// again runs this test once more where it may change the network.
func again(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"unshare", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	flags := "-n"
	if os.Getuid() != 0 {
		flags = "-rn"
	}
	if err := exec.Command("unshare", flags, "true").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no network namespaces: ", err)
		}
		t.Skip("no network namespaces here: ", err)
	}
	cmd := exec.Command("unshare", flags, os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "30s")
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	t.Log(string(out))
	if err != nil {
		t.Error(err)
	}
}

// listening waits until the watch hears the kernel.
func listening(t *testing.T, told chan time.Time) {
	t.Helper()
	for range 100 {
		ip(t, "addr add 203.0.113.1/32 dev lo")
		ip(t, "addr del 203.0.113.1/32 dev lo")
		select {
		case <-told:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("nothing is told")
}

// quiet waits until what went before was told.
func quiet(told chan time.Time) {
	for {
		select {
		case <-told:
		case <-time.After(3 * calm):
			return
		}
	}
}

func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}
