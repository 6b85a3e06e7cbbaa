package exchange

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"zaseki/media"
	hearing "zaseki/media/hear"
	"zaseki/sip"
)

// script is a running sipp.
type script struct {
	t    *testing.T
	cmd  *exec.Cmd
	said bytes.Buffer
}

func (f *floor) sipp(scenario string, args ...string) *script {
	f.t.Helper()
	tool := sipp(f.t)
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	f.t.Cleanup(cancel)
	s := &script{t: f.t, cmd: exec.CommandContext(ctx, tool, append([]string{f.x.Addr(), "-sf", "testdata/" + scenario, "-i", "127.0.0.1",
		"-nostdin", "-trace_err", "-error_file", "/dev/stderr"}, args...)...)}
	s.cmd.Env = append(os.Environ(), "TERM=dumb")
	s.cmd.Stdout, s.cmd.Stderr = &s.said, &s.said
	if err := s.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (s *script) ends() {
	s.t.Helper()
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("sipp: %v\n%s", err, s.said.String())
	}
}

func only5(c *Config) { c.Digests = []string{"MD5"} } // sipp looks at the first challenge only

// TestCallersWaitWhileTheCenterEnds: reliability C2. A center that ends tells every caller who waits to try again.
func TestCallersWaitWhileTheCenterEnds(t *testing.T) {
	const callers = 20
	f := newFloor(t, only5)
	s := f.sipp("waits.xml", "-s", "7000", "-m", strconv.Itoa(callers), "-l", strconv.Itoa(callers), "-r", "50")
	comes(t, "all wait", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.waiting) == callers
	})
	f.stop()
	s.ends()
	for range callers {
		if r := f.record(); r.Code != 503 || r.Queue != "Support" {
			t.Fatalf("record %+v", r)
		}
	}
}

// TestABurstOfCallersWaitsInItsOrder: a provider that was held up sends them all at once, and each is judged on a goroutine of its own.
func TestABurstOfCallersWaitsInItsOrder(t *testing.T) {
	const callers = 50
	f := newFloor(t, stands(Outside{Trunks: []Provider{{User: "trunk", Account: "trunk", Domain: "p", Accept: nets("127.0.0.1/32"), Numbers: map[string]string{"*": "7000"}}}}))
	r := f.raw()
	for i := range callers {
		number := fmt.Sprintf("03%04d", i)
		_, err := fmt.Fprintf(r.conn, "INVITE sip:7000@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]s;rport\r\nFrom: <sip:%[3]s@p>;tag=x\r\nTo: <sip:7000@%[1]s>\r\n"+
			"Call-ID: %[3]s\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%[2]s>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", domain, r.conn.LocalAddr(), number)
		if err != nil {
			t.Fatal(err)
		}
	}
	var came []time.Time
	comes(t, "all wait", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		came = nil
		for _, w := range f.waiting {
			came = append(came, w.came)
		}
		return len(came) == callers
	})
	slices.SortFunc(came, time.Time.Compare)
	for _, c := range f.x.Calls() {
		if at := slices.Index(came, c.Began); fmt.Sprintf("03%04d", at) != c.From {
			t.Errorf("%s waits as number %d", c.From, at)
		}
	}
}

// TestCallersWithMusicAreAllBroughtToAgents: twenty real callers, four agents; none is lost, and each agent has one at a time.
func TestCallersWithMusicAreAllBroughtToAgents(t *testing.T) {
	const callers = 20
	f := newFloor(t, only5)
	f.be(QueueState{Music: true})
	agents := []*speaker{f.speaker("1001", 41000), f.speaker("1002", 41010), f.speaker("1003", 41020), f.speaker("1005", 41030)}
	s := f.sipp("customer.xml", "-s", "7000", "-mp", "42000", "-m", strconv.Itoa(callers), "-l", strconv.Itoa(callers), "-r", "50")
	comes(t, "all wait", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.waiting) == callers
	})
	var all sync.WaitGroup
	for _, a := range agents {
		all.Go(func() {
			for range callers / len(agents) {
				f.available(a.user)
				call := a.take().Call
				comes(t, "the agent hears the caller", func() bool { to, sends := a.sound(call); return sends && to != "" })
				a.Hangup(ctxFor(t), call)
			}
		})
	}
	all.Wait()
	s.ends()
	had := map[string]int{}
	for range callers {
		r := f.record()
		had[r.Account]++
		if r.Result != "answered" || len(r.Offers) != 1 {
			t.Fatalf("record %+v", r)
		}
	}
	if len(had) != len(agents) {
		t.Fatalf("%v", had)
	}
}

// TestAPhoneThatNeverSaysThatItRings: PRODUCT G3 with a real one that answers 100 alone.
func TestAPhoneThatNeverSaysThatItRings(t *testing.T) {
	f := newFloor(t, only5)
	r := f.raw()
	r.register(f, "1004", "Contact: <sip:1004@127.0.0.1:9>;expires=90")
	port := r.conn.LocalAddr().(*net.UDPAddr).Port // from where it registered it is called
	r.conn.Close()
	s := f.sipp("mute.xml", "-p", strconv.Itoa(port), "-m", "1")
	customer, second := f.phone("trunk", "udp"), f.phone("1001", "udp")
	f.available("1004", "1001")
	began := time.Now()
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	in := next[sip.Incoming](second)
	if took := time.Since(began); took < receiptTime || took > receiptTime+2*time.Second {
		t.Fatalf("the next agent's phone rang after %v", took)
	}
	second.Ring(in.Call)
	second.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](customer)
	s.ends() // it heard the CANCEL
	customer.Hangup(ctxFor(t), "c1")
	rec := f.record()
	if len(rec.Offers) != 2 || rec.Offers[0].Result != "silent" || rec.Offers[0].Receipt != 0 || rec.Offers[1].Result != "answered" || rec.Offers[1].Receipt == 0 {
		t.Fatalf("offers %+v", rec.Offers)
	}
	if got := f.missed(); len(got) != 0 {
		t.Fatalf("a phone's silence was counted as the agent's: %v", got)
	}
}

// TestTwoAnswerAtOnce: reliability H7. Two phones of one terminal ring; both are answered in the same moment, two hundred times.
func TestTwoAnswerAtOnce(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	f := newFloor(t, nil)
	caller, one, two := f.phone("1001", "udp"), f.phone("1004", "udp"), f.phone("1004", "tcp")
	machine := hearing.WatchMachine()
	defer machine.End()
	for i := range rounds {
		id := fmt.Sprint("c", i)
		if err := caller.Dial(ctxFor(t), id, "1004", offer); err != nil {
			t.Fatal(err)
		}
		calls := map[*phone]string{one: next[sip.Incoming](one).Call, two: next[sip.Incoming](two).Call}
		start := make(chan struct{})
		var both sync.WaitGroup
		for p, call := range calls {
			both.Go(func() {
				<-start
				p.Answer(ctxFor(t), call, reply) // one is told that it came too late, or is hung up
			})
		}
		close(start)
		next[sip.Answered](caller)
		at := time.Now()
		machine.Late()
		both.Wait()
		loser := make(chan *phone, 2)
		lost := func(p *phone) {
			for {
				select {
				case e := <-p.events:
					if ended, ok := e.(sip.Ended); ok && ended.Call == calls[p] {
						loser <- p
						return
					}
				case <-time.After(long):
					t.Error("neither was told")
					return
				}
			}
		}
		var ears sync.WaitGroup
		ears.Go(func() { lost(one) })
		ears.Go(func() { lost(two) })
		<-loser
		if took := time.Since(at) - 4*machine.Late(); took > 200*time.Millisecond { // four times somebody's turn comes until it is told
			t.Errorf("round %d: the other one was told after %v", i, took)
		}
		select {
		case <-loser:
			t.Fatalf("round %d: both were hung up", i)
		default:
		}
		caller.Hangup(ctxFor(t), id)
		ears.Wait()
		if r := f.record(); r.Result != "answered" {
			t.Fatalf("record %+v", r)
		}
	}
}

// TestTheCenterEndsWhileACallerHearsMusic: it is told by a BYE with the reason.
func TestTheCenterEndsWhileACallerHearsMusic(t *testing.T) {
	f := newFloor(t, nil)
	f.be(QueueState{Music: true})
	customer := f.talker("trunk", 0, media.Security{})
	customer.call("c1", "7000")
	next[sip.Answered](customer.phone)
	customer.wantTone(0, time.Time{})
	f.stop()
	if e := next[sip.Ended](customer.phone); !e.ByPeer {
		t.Fatalf("%+v", e)
	}
}
