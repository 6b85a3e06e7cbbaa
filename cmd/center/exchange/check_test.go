package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"sync"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/sip/dialog"
)

// checked is how a check of that terminal goes, from another goroutine.
type checked struct {
	got Checked
	err error
}

func (f *floor) check(ctx context.Context, o CheckOrder) <-chan checked {
	done := make(chan checked, 1)
	go func() {
		got, err := f.x.CheckPhone(ctx, o)
		done <- checked{got, err}
	}()
	return done
}

func (f *floor) awaited(done <-chan checked) checked {
	f.t.Helper()
	select {
	case c := <-done:
		return c
	case <-time.After(2 * long):
		f.t.Fatal("the check does not end")
	}
	return checked{}
}

// returns takes the check's call and gives its sound back, by a network that may be bad.
func (k *talker) returns(id string, over *badNet) (call string) {
	k.t.Helper()
	in := next[sip.Incoming](k.phone)
	if got := in.Header(checkHeader); got != id || in.User != checkUser {
		k.t.Fatalf("%s rings with the name %q, by %q", k.user, got, in.User)
	}
	sdp := in.SDP
	if over != nil {
		sdp = over.instead(sdp, over.near)
	}
	answer, err := k.engine.AnswerLine(in.Call, here(), sdp, k.sec)
	if err != nil {
		k.t.Fatal(err)
	}
	k.engine.Echo(in.Call)
	if over != nil {
		answer = over.instead(answer, over.far)
	}
	if err := k.Answer(ctxFor(k.t), in.Call, answer); err != nil {
		k.t.Fatal(err)
	}
	return in.Call
}

// badNet stands between center and phone and loses every so many packets, each way.
type badNet struct {
	t         *testing.T
	far, near *net.UDPConn // of the center, of the phone
	mu        sync.Mutex
	to        map[*net.UDPConn]netip.AddrPort // where its other side is
}

var audioPort = regexp.MustCompile(`m=audio (\d+)`)

// newBadNet loses a packet of there from the center's side, and one of back from the phone's; 0: none, 1: all.
func newBadNet(t *testing.T, there, back int) *badNet {
	n := &badNet{t: t, to: map[*net.UDPConn]netip.AddrPort{}}
	open := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	n.far, n.near = open(), open()
	var readers sync.WaitGroup
	carry := func(from, by *net.UDPConn, every int) {
		buf := make([]byte, 2000)
		for i := 1; ; i++ {
			size, _, err := from.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			n.mu.Lock()
			to := n.to[by]
			n.mu.Unlock()
			if to.IsValid() && (every == 0 || i%every != 0) {
				_, _ = by.WriteToUDPAddrPort(buf[:size], to)
			}
		}
	}
	readers.Go(func() { carry(n.far, n.near, there) })
	readers.Go(func() { carry(n.near, n.far, back) })
	t.Cleanup(func() {
		n.far.Close()
		n.near.Close()
		readers.Wait()
	})
	return n
}

// instead writes that socket of ours into a description, and keeps where its sound is to go.
func (n *badNet) instead(sdp string, at *net.UDPConn) string {
	var port uint16
	fmt.Sscan(audioPort.FindStringSubmatch(sdp)[1], &port)
	other := n.far
	if at == n.far {
		other = n.near
	}
	n.mu.Lock()
	n.to[other] = netip.AddrPortFrom(here(), port)
	n.mu.Unlock()
	return audioPort.ReplaceAllString(sdp, fmt.Sprintf("m=audio %d", at.LocalAddr().(*net.UDPAddr).Port))
}

// TestACheckHearsItsToneComeBack: by a real call to a real phone, and nobody's history has it.
func TestACheckHearsItsToneComeBack(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	agent := f.talker("1001", 0, media.Security{})
	done := f.check(t.Context(), CheckOrder{ID: "K1", User: "1001"})
	call := agent.returns("K1", nil)
	c := f.awaited(done)
	if c.err != nil || !c.got.Heard || c.got.Secure || c.got.Ring <= 0 || c.got.Delay <= 0 || c.got.Delay > time.Second || c.got.Sent < 60 || c.got.Received < 60 || c.got.Lost != 0 {
		t.Fatalf("%+v: %v", c.got, c.err)
	}
	if e := next[sip.Ended](agent.phone); e.Call != call || !e.ByPeer {
		t.Errorf("the phone's call ended with %+v", e)
	}
	if calls := f.x.Calls(); len(calls) != 0 {
		t.Errorf("calls %+v", calls)
	}
	select {
	case r := <-f.told:
		t.Errorf("history has %+v", r)
	default:
	}
}

// TestACheckSeesWhatTheNetworkLoses: one packet in ten on the way there, one in twenty on the way back, and all of them.
func TestACheckSeesWhatTheNetworkLoses(t *testing.T) {
	for _, row := range []struct {
		name        string
		there, back int
		lost        [2]float64 // percent, of both ways together
		heard       bool
	}{
		{"there", 10, 0, [2]float64{7, 14}, true},
		{"back", 0, 20, [2]float64{3, 8}, true},
		{"nothing comes back", 0, 1, [2]float64{0, 0}, false},
		{"nothing arrives", 1, 0, [2]float64{0, 0}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFloor(t, nil)
			agent, bad := f.talker("1001", 0, media.Security{}), newBadNet(t, row.there, row.back)
			done := f.check(t.Context(), CheckOrder{ID: "K1", User: "1001"})
			agent.returns("K1", bad)
			c := f.awaited(done)
			lost := 0.0
			if n := c.got.Received + c.got.Lost; n > 0 {
				lost = 100 * float64(c.got.Lost) / float64(n)
			}
			if c.err != nil || c.got.Heard != row.heard || lost < row.lost[0] || lost > row.lost[1] {
				t.Fatalf("%.1f %% lost of %+v: %v", lost, c.got, c.err)
			}
		})
	}
}

// TestAnEncryptedTerminalIsCheckedEncrypted: over TLS and with SRTP, however its policy names it.
func TestAnEncryptedTerminalIsCheckedEncrypted(t *testing.T) {
	for _, policy := range []string{media.PolicyRequired, media.PolicyDTLS} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			served, roots := certified(t)
			f := newFloor(t, func(c *Config) { c.Secure, c.TLS = "127.0.0.1:0", served })
			agent := f.talker("2001", 0, media.Security{Policy: policy, Keys: true}, func(a *sip.Account) {
				a.Server, a.Transport, a.TLS = f.x.Secure(), "tls", &tls.Config{RootCAs: roots}
			})
			done := f.check(t.Context(), CheckOrder{ID: "K1", User: "2001", Voice: policy})
			agent.returns("K1", nil)
			if c := f.awaited(done); c.err != nil || !c.got.Heard || !c.got.Secure {
				t.Fatalf("%+v: %v", c.got, c.err)
			}
		})
	}
}

// TestACheckTellsWhyThereAreNoFigures: nobody registered, refused, silent, left for another call.
func TestACheckTellsWhyThereAreNoFigures(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	if c := f.awaited(f.check(t.Context(), CheckOrder{ID: "K0", User: "1001"})); !errors.Is(c.err, ErrNoPhone) {
		t.Errorf("without a phone: %v", c.err)
	}
	agent := f.talker("1001", 0, media.Security{})
	done := f.check(t.Context(), CheckOrder{ID: "K1", User: "1001"})
	agent.Reject(t.Context(), next[sip.Incoming](agent.phone).Call, 403, "Forbidden")
	var refused *dialog.Refused
	if c := f.awaited(done); !errors.As(c.err, &refused) || refused.Code != 403 {
		t.Errorf("refused: %v", c.err)
	}
	done = f.check(t.Context(), CheckOrder{ID: "K2", User: "1001"})
	in := next[sip.Incoming](agent.phone)
	if c := f.awaited(done); !errors.Is(c.err, ErrUnanswered) {
		t.Errorf("silent: %v", c.err)
	}
	if e := next[sip.Ended](agent.phone); e.Call != in.Call {
		t.Errorf("the silent phone hears %+v", e)
	}
	done = f.check(t.Context(), CheckOrder{ID: "K3", User: "1001"})
	call := agent.returns("K3", nil)
	if err := agent.Hangup(ctxFor(t), call); err != nil {
		t.Fatal(err)
	}
	if c := f.awaited(done); !errors.Is(c.err, ErrLeft) {
		t.Errorf("left: %v", c.err)
	}
}

// TestACheckEndsAtOnce when nobody wants it any more, whatever it is at.
func TestACheckEndsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	agent := f.talker("1001", 0, media.Security{})
	for _, answered := range []bool{false, true} {
		ctx, stop := context.WithCancel(t.Context())
		done := f.check(ctx, CheckOrder{ID: "K1", User: "1001"})
		if answered {
			agent.returns("K1", nil)
		} else {
			next[sip.Incoming](agent.phone)
		}
		stop()
		if c := f.awaited(done); !errors.Is(c.err, context.Canceled) {
			t.Errorf("stopped: %v", c.err)
		}
		next[sip.Ended](agent.phone)
	}
}

// TestNobodyElseCallsWithTheNameOfACheck: neither a terminal nor a trunk.
//
//ci:still
func TestNobodyElseCallsWithTheNameOfACheck(t *testing.T) {
	f := newFloor(t, nil)
	agent := f.phone("1001", "udp")
	for _, user := range []string{"1002", "trunk"} {
		by := f.phone(user, "udp")
		if err := by.Dial(ctxFor(t), "c1", "1001", offer, checkHeader, "K1"); err != nil {
			t.Fatal(err)
		}
		if e := next[sip.Failed](by); e.Code != 403 {
			t.Errorf("%s: %+v", user, e)
		}
	}
	agent.silent(100 * time.Millisecond)
}
