package uplink

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"zaseki/web/socket"
)

// TestACrowdComesBackSpread: whenever the center is back after it was down, no more than a fifth of its phones come in any second, and
// all soon. The tries are played without waiting.
func TestACrowdComesBackSpread(t *testing.T) {
	const phones = 10_000
	for _, r := range []struct {
		nodes int
		most  time.Duration
	}{{1, crowdTime}, {3, 2 * crowdTime}} {
		for _, back := range []time.Duration{300 * time.Millisecond, time.Second, 5 * time.Second, 8 * time.Second, 15 * time.Second, time.Minute, 10 * time.Minute} {
			came := make([]time.Duration, phones)
			for i := range came {
				for try := 0; came[i] < back; try++ {
					came[i] += pause(try, true, r.nodes)
				}
			}
			slices.Sort(came)
			most, from := 0, 0
			for to, at := range came {
				for at-came[from] > time.Second {
					from++
				}
				most = max(most, to-from+1)
			}
			if limit := phones / 5; r.nodes == 1 && most > limit {
				t.Errorf("back after %v: %d of %d in one second", back, most, phones)
			}
			if last := came[phones-1] - back; last > r.most {
				t.Errorf("%d nodes, back after %v: the last comes %v later", r.nodes, back, last)
			}
		}
	}
}

func TestTheFirstTryIsSoonAndSoAreTheOthersWhileNothingAnswers(t *testing.T) {
	for try := range 100 {
		if d := pause(try, false, 1+rand.N(3)); d < 100*time.Millisecond || d > 2*time.Second {
			t.Fatalf("try %d after %v", try, d)
		}
	}
	if d := pause(0, true, 1); d > 200*time.Millisecond {
		t.Fatalf("the first after %v", d)
	}
}

func TestACenterThatIsDownIsToldFromANetworkThatIs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := New(Config{URL: "http://" + l.Addr().String()}).dial(t.Context(), &session{}); !isDown(err) {
		t.Errorf("nobody listens, and that is told as %v", err)
	}
	for err, want := range map[error]bool{
		nil: false, errors.New("EOF"): false,
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}: true, &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}: false,
		fmt.Errorf("dial: %w", &socket.Refused{Status: 502}): true, &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}: false,
	} {
		if isDown(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}
