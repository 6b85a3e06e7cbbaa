package cmd_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/media/hear"
)

// attacks: a third machine, and another port of the caller's own machine, spray RTP at every port that the phone has open, and
// then malformed packets. Nothing comes back, the phone lives, and both sides still hear each other.
func (l *lab) attacks() {
	l.Helper()
	ports := udpPorts(l.T, l.phone.PID(), labAgent)
	if len(ports) < 2 {
		l.Fatalf("the phone has the ports %v open, and a call", ports)
	}
	kit, pid := filepath.Join(l.dir, "relkit"), strconv.Itoa(l.phone.PID())
	for _, attack := range [][]string{{"bleed", "-secs", "2"}, {"fuzz", "-pid", pid}} {
		var all errgroup.Group
		for _, port := range ports {
			for _, from := range []string{"thief", "pbx"} {
				all.Go(func() error {
					words := append([]string{"rtp", attack[0], "-to", net.JoinHostPort(labAgent, port)}, attack[1:]...)
					if out, err := l.at(from, kit, words...).CombinedOutput(); err != nil {
						return fmt.Errorf("%s from %s at port %s: %w\n%s", attack[0], from, port, err, out)
					}
					return nil
				})
			}
		}
		if err := all.Wait(); err != nil {
			l.Error(err)
		}
		var page, ear hear.Heard
		if !hear.Tries(1, func() bool {
			page, ear = l.hears(2 * time.Second)
			return page.Exact >= 0.99 && ear.Exact >= 0.99
		}) {
			l.Errorf("after %s: Chromium hears %+v, our ear %+v", attack[0], page, ear)
		}
	}
	l.Logf("bled and fuzzed %d ports of the phone", len(ports))
}

// udpPorts are the ports of an address on which a process receives.
func udpPorts(t *testing.T, pid int, address string) (ports []string) {
	t.Helper()
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	mine := map[string]bool{}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil {
			mine[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/udp", pid))
	if err != nil {
		t.Fatal(err)
	}
	ip := netip.MustParseAddr(address).As4()
	want := fmt.Sprintf("%02X%02X%02X%02X", ip[3], ip[2], ip[1], ip[0])
	for _, line := range strings.Split(string(table), "\n") {
		f := strings.Fields(line)
		if len(f) < 10 || !mine[f[9]] {
			continue
		}
		if host, port, _ := strings.Cut(f[1], ":"); host == want {
			n, err := strconv.ParseUint(port, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			ports = append(ports, strconv.FormatUint(n, 10))
		}
	}
	return ports
}
