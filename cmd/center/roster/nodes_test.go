package roster

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// twoNodes are rosters of two nodes of one center, on one log. Whether a is lost is said by the switch.
func twoNodes(t *testing.T, timing Timing) (a, b *center, lost *atomic.Bool) {
	t.Helper()
	var log *ledger.Ledger
	tune := func(name string) func(*Config) {
		return func(c *Config) {
			c.Node, c.Timing = name, timing
			if log == nil {
				log = c.Ledger
			} else {
				c.Ledger.Close()
				c.Ledger = log
			}
		}
	}
	b = startCenter(t, t.TempDir(), tune("b"))
	if err := b.Apply(t.Context(), setup(), "test"); err != nil {
		t.Fatal(err)
	}
	a = startCenter(t, t.TempDir(), tune("a")) // stopped first
	lost = &atomic.Bool{}
	since := time.Now().UTC()
	b.KnowNodes(Nodes{Lost: func(node string) (time.Time, bool) { return since, node == "a" && lost.Load() }, Others: []string{a.url}, Lines: "a"})
	a.KnowNodes(Nodes{Lost: func(string) (time.Time, bool) { return since, false }, Others: []string{b.url}, Lines: "a"})
	return a, b, lost
}

func TestAnyNodeKnowsASessionAndAPhoneGoesToAnother(t *testing.T) {
	a, b, _ := twoNodes(t, Timing{Grace: time.Second})
	p := newPhone(t, a, "alice", "pc").in("2001", "available", "1")
	eventually(t, "the phone knows both nodes", func() bool { return slices.Equal(p.Nodes(), []string{a.url, b.url}) })
	a.stop() // which says goodbye
	if _, ok := told[uplink.Offline](p); !ok {
		eventually(t, "goodbye", func() bool { _, ok := told[uplink.Offline](p); return ok })
	}
	eventually(t, "a status that the other node takes", func() bool { return p.Ask(t.Context(), wire.SetStatus{To: "training"}) == nil })
	if got := p.now().Status; got != "training" {
		t.Fatalf("the phone shows %s", got)
	}
	if _, ok := told[uplink.Expired](p); ok {
		t.Fatal("the session ended")
	}
}

// TestTheNodeThatServesTelephonesKnowsWhoIsReadyElsewhere: calls come to agents whose phones are connected to another node.
func TestTheNodeThatServesTelephonesKnowsWhoIsReadyElsewhere(t *testing.T) {
	a, b, lost := twoNodes(t, Timing{})
	p := newPhone(t, a, "alice", "pc").in("2001", "available", "1")
	offered := func() bool {
		o, release, ok := b.Offer("7001", nil)
		release()
		return ok && o.Account == "alice"
	}
	if offered() {
		t.Fatal("a call for a phone that has said nothing of its line")
	}
	p.Report(wire.LineReport{Registered: true})
	eventually(t, "a call by the other node", offered)
	p.Report(wire.LineReport{Registered: true, Missing: []string{"mic"}})
	eventually(t, "no call without a microphone", func() bool { return !offered() })
	p.Report(wire.LineReport{Registered: true})
	eventually(t, "a call again", offered)
	lost.Store(true)
	if offered() {
		t.Fatal("a call for a phone of a node that is lost")
	}
}

func TestOnlyTheNodeOnDutyLooksAfterTheAgentsOfALostNode(t *testing.T) {
	_, b, lost := twoNodes(t, Timing{Grace: 100 * time.Millisecond, Away: 400 * time.Millisecond})
	shown := func() string {
		for _, s := range b.Floor().Seats {
			if s.ID == "1" {
				return s.Status
			}
		}
		return ""
	}
	now := time.Now().UTC()
	err := b.change(t.Context(), "test", func(d *draft) error { // a session that node a took, whose phone never came
		return d.claim(claim{account: "alice", terminal: "2001", status: "available", seat: "1", live: func(string) bool { return false },
			session: Session{ID: "s", Token: "t", Resume: "r", Node: "elsewhere", Machine: "pc", Began: now, Rotated: now, Expires: now.Add(time.Hour)}})
	})
	if err != nil {
		t.Fatal(err)
	}
	gone := func(node string) (time.Time, bool) { return now, node == "elsewhere" && lost.Load() }
	b.KnowNodes(Nodes{Lost: gone, Duty: true})
	lost.Store(true)
	b.KnowNodes(Nodes{Lost: gone, Duty: false})
	if s := shown(); s != "available" {
		t.Fatalf("a node without the duty wrote: %s", s)
	}
	b.KnowNodes(Nodes{Lost: gone, Duty: true})
	eventually(t, "the agent is lost", func() bool { return shown() == wire.StatusLost })
	eventually(t, "and away", func() bool {
		b.mu.RLock()
		defer b.mu.RUnlock()
		return b.view.agents["alice"].v.Status == "away"
	})
}

func TestWhatCannotBeWrittenIsRefusedInWords(t *testing.T) {
	t.Parallel()
	var log *ledger.Ledger
	c := startCenter(t, t.TempDir(), func(cfg *Config) {
		cfg.Ledger.Close()
		var err error
		// It wants more to be left on the disk than any disk has; that shows when it is watched.
		if log, err = ledger.Open(ledger.Config{Dir: t.TempDir(), Reserve: 1 << 62, Log: cfg.Log}); err != nil {
			t.Fatal(err)
		}
		cfg.Ledger = log
	})
	t.Cleanup(log.Close)
	t.Cleanup(c.stop)
	if err := c.Apply(t.Context(), setup(), "test"); err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, c, "alice", "pc").in("2001", "available", "1")
	ctx, cancel := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() { _ = log.Run(ctx) })
	defer watch.Wait()
	defer cancel()
	eventually(t, "the log is read-only", func() bool { return log.Health().ReadOnly != "" })
	wantProblem(t, p.ask(wire.SetStatus{To: "training"}), wire.ProblemReadOnly)
	if got := p.now().Status; got != "available" {
		t.Fatalf("the phone shows %s", got)
	}
	_, err := newPhone(t, c, "bob", "pc2").Check(t.Context(), "bob", password)
	if err != nil {
		t.Fatalf("a password can be checked without writing: %v", err)
	}
}
