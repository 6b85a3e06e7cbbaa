package ledger

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestOneHoldsALeaseAtATime(t *testing.T) {
	t.Parallel() // it mostly waits
	l := open(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	first, second, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	end := make(chan struct{})
	go func() {
		done <- l.Hold(ctx, "job.x", "one", 2*time.Second, func(ctx context.Context) error {
			close(first)
			<-end
			return ctx.Err()
		})
	}()
	<-first
	go func() {
		done <- l.Hold(ctx, "job.x", "two", 2*time.Second, func(ctx context.Context) error { close(second); return nil })
	}()
	select {
	case <-second:
		t.Fatal("two hold the lease")
	case <-time.After(3 * time.Second): // longer than the lease, which is renewed meanwhile
	}
	if who, err := l.Holder(ctx, "job.x"); err != nil || who != "one" {
		t.Fatalf("holder %q %v", who, err)
	}
	close(end)
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-second:
	default:
		t.Fatal("the second never had it")
	}
}

func TestALeaseThatNobodyRenewsEnds(t *testing.T) {
	t.Parallel() // it mostly waits
	l := open(t, t.TempDir())
	const ttl = 2 * time.Second
	g, err := l.take(t.Context(), tenant{name: "node.x", who: "x", mark: "x", ttl: ttl}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if g.rev, err = l.renew(t.Context(), tenant{name: "node.x", who: "x", mark: "x", ttl: ttl}, g.rev); err != nil { // must not make it everlasting
		t.Fatal(err)
	}
	renewed := time.Now()
	if _, err := l.take(t.Context(), tenant{name: "node.x", who: "y", mark: "y", ttl: ttl}, 0); !errors.Is(err, errHeld) {
		t.Fatalf("two have it: %v", err)
	}
	if all, err := l.Holders(t.Context(), "node."); err != nil || all["node.x"] != "x" {
		t.Fatalf("%v %v", all, err)
	}
	until(t, "the lease ends", 3*ttl, func() bool {
		all, err := l.Holders(t.Context(), "node.")
		return err == nil && len(all) == 0
	})
	if took := time.Since(renewed); took < ttl {
		t.Fatalf("it ended after %v", took)
	}
	if _, err := l.take(t.Context(), tenant{name: "node.x", who: "y", mark: "y", ttl: ttl}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := l.renew(t.Context(), tenant{name: "node.x", who: "x", mark: "x", ttl: ttl}, g.rev); !taken(err) {
		t.Fatalf("a lease that another has was renewed: %v", err)
	}
}

func TestALeaseThatWasOursAndStandsIsTakenAtOnce(t *testing.T) {
	l := open(t, t.TempDir())
	g, err := l.take(t.Context(), tenant{name: "job.x", who: "x", mark: "x", ttl: time.Minute}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.take(t.Context(), tenant{name: "job.x", who: "x", mark: "x", ttl: time.Minute}, g.rev-1); !errors.Is(err, errHeld) {
		t.Fatal(err) // the name alone is no proof: another process of ours may have it
	}
	again, err := l.take(t.Context(), tenant{name: "job.x", who: "x", mark: "x", ttl: time.Minute}, g.rev)
	if err != nil || again.rev <= g.rev {
		t.Fatalf("%+v %v", again, err)
	}
	l.release(t.Context(), "job.x", again.rev)
	if who, err := l.Holder(t.Context(), "job.x"); err != nil || who != "" {
		t.Fatalf("%q has what was given back: %v", who, err)
	}
	if _, err := l.take(t.Context(), tenant{name: "job.x", who: "y", mark: "y", ttl: time.Minute}, 0); err != nil {
		t.Fatal(err)
	}
}

func TestARenewalThatLandedUnheardIsKnownByItsMark(t *testing.T) {
	l := open(t, t.TempDir())
	one, two := tenant{"job.x", "0.0.0.0:8080", "one", time.Minute}, tenant{"job.x", "0.0.0.0:8080", "two", time.Minute}
	g, err := l.take(t.Context(), one, 0)
	if err != nil {
		t.Fatal(err)
	}
	unheard, err := l.renew(t.Context(), one, g.rev)
	if err != nil {
		t.Fatal(err)
	}
	never := func() bool { return false }
	if rev, err := l.settle(t.Context(), one, g.rev, never); err != nil || rev != unheard {
		t.Fatalf("%d %v", rev, err)
	}
	if _, err := l.settle(t.Context(), two, g.rev, never); err != errHeld {
		t.Fatal("a lease counts as that of another who says the same of himself")
	}
	l.release(t.Context(), "job.x", unheard)
	if _, err := l.settle(t.Context(), one, g.rev, never); err != errHeld {
		t.Fatal("a lease that was given back counts as ours")
	}
	if rev, err := l.settle(t.Context(), one, unheard+10, func() bool { return true }); err != errHeld || rev != unheard+10 {
		t.Fatalf("%d %v: its time is over", rev, err)
	}
}

func TestWorkEndsOnTimeWhileARenewalWaits(t *testing.T) {
	t.Parallel() // it mostly waits
	l := open(t, t.TempDir())
	const ttl = 1500 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended, done := make(chan time.Duration, 1), make(chan error, 1)
	go func() {
		done <- l.Hold(ctx, "job.x", "x", ttl, func(ctx context.Context) error {
			began := time.Now()
			e := l.at.Load()
			e.conn.Close() // nobody answers any more
			<-ctx.Done()
			ended <- time.Since(began)
			return ctx.Err()
		})
	}()
	if took := <-ended; took > ttl+200*time.Millisecond {
		t.Errorf("work under a lease of %v ended after %v", ttl, took)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestWorkUnderALeaseThatIsOverIsRefused(t *testing.T) {
	l := open(t, t.TempDir())
	own := &held{Context: t.Context(), began: time.Now()}
	own.extend(time.Now(), time.Hour)
	if _, err := l.Commit(own, "a", []Write{write("agent.x", 0, `1`)}); err != nil {
		t.Fatal(err)
	}
	own.extend(time.Now().Add(-time.Hour), time.Minute)                             // as after a process was frozen
	derived, cancel := context.WithTimeout(context.WithValue(own, t, t), time.Hour) // it knows nothing of its parent's time
	defer cancel()
	for i, ctx := range []context.Context{own, derived} {
		if _, err := l.Commit(ctx, "b", []Write{write("agent.x", 1, `2`)}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("context %d: err = %v", i, err)
		}
	}
}
