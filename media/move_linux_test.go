package media

import (
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ip is the command of that name, in the network namespace of this thread.
func ip(t *testing.T, words string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v %s", words, err, out)
	}
}

// TestAddressTakenAwayInACall: in a network of its own, the address of a call goes and another one comes, as with another Wi-Fi.
func TestAddressTakenAwayInACall(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ip is missing (iproute2)")
		}
		t.Skip("ip is not installed")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test, and its network with it
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no network namespace: %v", err)
		}
		t.Skipf("no network namespace: %v", err)
	}
	ip(t, "link set lo up")
	ip(t, "addr add 192.0.2.1/32 dev lo")
	ip(t, "addr add 192.0.2.9/32 dev lo")
	far := newSealed(t, &suites[0])
	far.peer = newPeer(t, "192.0.2.9:0")
	e, _ := running(t, "PCMU")
	offer := strings.NewReplacer("127.0.0.1", "192.0.2.9").Replace(lines("m=audio "+far.addr().String()[len("192.0.2.9:"):]+" RTP/SAVP 0", strings.TrimSpace(far.line.written())))
	answer, err := e.AnswerLine("a", netip.MustParseAddr("192.0.2.1"), offer, Security{PolicyRequired, true})
	if err != nil {
		t.Fatal(err)
	}
	far.agree(answer)
	l, buf := e.lines["a"], make([]byte, 1500)
	next := func(from string) packet { // the next packet of the line, opened
		t.Helper()
		l.mu.Lock()
		l.ownLocked(l.route.Load(), pcmu.silence(160), time.Now())
		l.mu.Unlock()
		_ = far.conn.SetReadDeadline(time.Now().Add(time.Second))
		n, at, err := far.conn.ReadFromUDPAddrPort(buf)
		if err != nil || at.Addr().String() != from {
			t.Fatalf("%v from %v, wanted %s", err, at, from)
		}
		b, ok := far.lock.open(buf[:n], time.Now())
		p, whole := parseRTP(b)
		if !ok || !whole {
			t.Fatalf("%d bytes cannot be opened", n)
		}
		return p
	}
	first := next("192.0.2.1")
	ip(t, "addr add 198.51.100.7/32 dev lo")
	ip(t, "addr del 192.0.2.1/32 dev lo")
	if _, err := e.MoveOffer("a", netip.MustParseAddr("198.51.100.7")); err != nil {
		t.Fatal(err)
	}
	if p := next("198.51.100.7"); p.seq != first.seq+1 || p.ssrc != first.ssrc { // before any answer
		t.Errorf("%+v after %+v", p, first)
	}
	if err := e.SetAnswer("a", offer); err != nil {
		t.Fatal(err)
	}
	if p := next("198.51.100.7"); p.seq != first.seq+2 {
		t.Errorf("%+v", p)
	}
}
