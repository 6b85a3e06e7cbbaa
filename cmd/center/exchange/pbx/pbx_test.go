package pbx

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const long = 20 * time.Second

type secret string

func (s secret) Reveal() string { return string(s) }

// floor is who is signed in, as the test says.
type floor struct {
	mu     sync.Mutex
	all    []Agent
	tellWs []chan struct{}
	missed []string
}

func (f *floor) set(all ...Agent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = all
	for _, c := range f.tellWs {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (f *floor) watch(ctx context.Context, tell func([]Agent)) error {
	poke := make(chan struct{}, 1)
	poke <- struct{}{}
	f.mu.Lock()
	f.tellWs = append(f.tellWs, poke)
	f.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-poke:
			f.mu.Lock()
			all := slices.Clone(f.all)
			f.mu.Unlock()
			tell(all)
		}
	}
}

// run is the center with that exchange; stop is its end.
func (f *floor) run(t *testing.T, b Box) (jobs *Jobs, stop func()) {
	t.Helper()
	hold := func(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) }
	jobs = New(Config{Boxes: func() []Box { return []Box{b} }, Watch: f.watch, Hold: hold, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Missed: func(terminal, _ string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.missed = append(f.missed, terminal)
		}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- jobs.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return jobs, stop
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		if so() {
			return
		}
	}
	t.Fatalf("%s: it never came to that", what)
}

func agent(terminal, reason string, free bool) Agent {
	return Agent{Account: "a" + terminal, Name: "Agent " + terminal, Terminal: terminal, Free: free, Reason: reason, Queues: map[string]int{"7000": 1}}
}

func TestAsteriskKnowsWhoTakesCalls(t *testing.T) {
	m := newManager(t, "127.0.0.1:0")
	m.members["support PJSIP/1009"] = map[string]string{"name": "left yesterday", "membership": "dynamic", "penalty": "0", "paused": "0"}
	m.members["support PJSIP/1008"] = map[string]string{"name": "fixed", "membership": "static", "penalty": "0", "paused": "0"}
	m.members["support Local/5@x"] = map[string]string{"name": "somebody else's", "membership": "dynamic", "penalty": "0", "paused": "0"}
	m.members["sales PJSIP/1001"] = map[string]string{"name": "not our queue", "membership": "dynamic", "penalty": "0", "paused": "0"}
	others := []string{"sales PJSIP/1001 0 0", "support Local/5@x 0 0", "support PJSIP/1008 0 0"}
	var f floor
	f.set(agent("1001", "Available", true), agent("1002", "休憩中", false))
	jobs, stop := f.run(t, Box{ID: "main", Kind: Asterisk, Addr: m.addr, User: "zaseki", Secret: secret("ami-secret"), Queues: map[string]string{"7000": "support", "7001": "nowhere"}})
	shows := func(what string, want ...string) {
		t.Helper()
		want = append(slices.Clone(others), want...)
		slices.Sort(want)
		defer func() {
			if t.Failed() {
				t.Logf("Asterisk has %q", m.shows())
			}
		}()
		until(t, what+": "+strings.Join(want, ", "), func() bool { return slices.Equal(m.shows(), want) })
	}
	shows("at the start", "support PJSIP/1001 0 Available 0", "support PJSIP/1002 1 休憩中 0")
	until(t, "connected", func() bool { s := jobs.States(); return len(s) == 1 && s[0].Connected })
	m.mu.Lock()
	if i, j := slices.Index(m.acts, "QueueRemove support PJSIP/1009"), slices.Index(m.acts, "QueueAdd support PJSIP/1001 true"); i < 0 || j < i {
		t.Errorf("order of %q", m.acts)
	}
	m.mu.Unlock()

	second := agent("1002", "Available", true)
	second.Queues = map[string]int{"7000": 3}
	f.set(agent("1001", "After-call work\r\nAction: Originate", false), second)
	shows("after changes", "support PJSIP/1001 1 After-call work  Action: Originate 0", "support PJSIP/1002 0 Available 2")

	m.mu.Lock() // somebody at Asterisk's console
	m.members["support PJSIP/1001"]["paused"] = "0"
	m.tellLocked("QueueMemberPause", "support PJSIP/1001")
	delete(m.members, "support PJSIP/1002")
	m.tellLocked("QueueMemberRemoved", "support PJSIP/1002")
	m.mu.Unlock()
	shows("against others", "support PJSIP/1001 1 After-call work  Action: Originate 0", "support PJSIP/1002 0 Available 2")

	m.mu.Lock()
	m.tellLocked("AgentRingNoAnswer", "support PJSIP/1002")
	m.mu.Unlock()
	until(t, "a missed call is told", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return slices.Equal(f.missed, []string{"1002"}) })

	m.stop() // Asterisk is started anew, and has forgotten us
	again := newManager(t, m.addr)
	m, others = again, nil
	shows("after a restart", "support PJSIP/1001 1 After-call work  Action: Originate 0", "support PJSIP/1002 0 Available 2")
	f.set(second)
	shows("after signing out", "support PJSIP/1002 0 Available 2")
	stop()
	shows("the center's end changes nothing", "support PJSIP/1002 0 Available 2")
}

func TestAsteriskDoesNotLetUsIn(t *testing.T) {
	m := newManager(t, "127.0.0.1:0")
	var f floor
	f.set(agent("1001", "Available", true))
	jobs, _ := f.run(t, Box{ID: "main", Kind: Asterisk, Addr: m.addr, User: "zaseki", Secret: secret("guess"), Queues: map[string]string{"7000": "support"}})
	until(t, "the reason is shown", func() bool {
		s := jobs.States()
		return len(s) == 1 && strings.Contains(s[0].Error, "Authentication failed")
	})
	if got := m.shows(); len(got) != 0 {
		t.Errorf("members %v", got)
	}
}

func TestNoValueBeginsALine(t *testing.T) {
	for _, bad := range []string{"a\r\nAction: Originate", "a\n", "\r", "a\x00"} {
		if _, err := encode([]string{"Action", "QueueAdd", "Queue", bad}); !errors.Is(err, errUnclean) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzMessagesOfAsterisk(f *testing.F) {
	f.Add("Event: FullyBooted\r\nStatus: x\r\n\r\n")
	f.Add(":::\r\n\r\n\nResponse")
	f.Fuzz(func(t *testing.T, text string) {
		r := bufio.NewReaderSize(strings.NewReader(text), lineMost)
		for {
			m, err := readMessage(r)
			if err != nil {
				return
			}
			memberOf(m)
		}
	})
}

func FuzzAnswersOfKamailio(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","result":[{"entry":1,"size":1,"slot":[{"name":"1001","value":"1"}]}],"id":1}`))
	f.Add([]byte(`{"error":{"code":500,"message":"No such htable"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var slots []struct{ Slot []struct{ Name string } }
		_ = understand("htable.dump", 200, data, &slots)
	})
}
