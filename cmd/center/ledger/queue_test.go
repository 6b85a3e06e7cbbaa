package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

func someone(subjects ...string) *place {
	p := &place{}
	for _, s := range subjects {
		p.writes = append(p.writes, Write{Subject: s})
	}
	return p
}

func TestWhoWantsTheSameDoesNotGoTogether(t *testing.T) {
	a, b, c, d := someone("agent.a", "seat.1"), someone("agent.b", "seat.1"), someone("agent.c", "seat.2"), someone("agent.d")
	d.alone = true
	many := &place{writes: make([]Write, MaxWrites-3)}
	for i := range many.writes {
		many.writes[i].Subject = fmt.Sprint("x.", i)
	}
	f, left := together([]*place{a, b, c, d, many})
	if len(f.group) != 2 || f.group[0] != a || f.group[1] != c || len(f.rivals) != 1 || f.rivals[0] != b {
		t.Errorf("%d go together, %d wait for them", len(f.group), len(f.rivals))
	}
	if len(left) != 2 || left[0] != d || left[1] != many {
		t.Errorf("%d are left", len(left))
	}
}

// behaveSlow has the ledger take its store for a slow one until the next changes have landed.
func behaveSlow(l *Ledger, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.took = [3]time.Duration{took, took, took}
}

func TestChangesThatGoTogetherAreEachWhole(t *testing.T) {
	l := open(t, t.TempDir())
	commit(t, l, "before", write("seat.stale", 0, `1`))
	type told struct {
		who string
		n   int
		seq Seq
		err error
	}
	var all []told
	var mu sync.Mutex
	for round := range 5 {
		behaveSlow(l, 2*slowPace)
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				who := fmt.Sprintf("r%d-%d", round, i)
				ws := []Write{write("agent."+who, 0, `"`+who+`"`)}
				if i%2 == 0 {
					ws = append(ws, write("term."+who, 0, `"`+who+`"`))
				}
				switch {
				case i%10 == 0: // one of four gets it
					ws = append(ws, write(fmt.Sprint("seat.", round), 0, `"`+who+`"`))
				case i == 7:
					ws = append(ws, write("seat.stale", 0, `"`+who+`"`))
				}
				seq, err := l.Commit(t.Context(), who, ws)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, told{who, len(ws), seq, err})
			})
		}
		wg.Wait()
	}
	end, err := l.End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	log, has := events(t, l, end), map[string]int{}
	for _, e := range log {
		has[e.Op]++
	}
	refused := 0
	for _, a := range all {
		switch {
		case errors.Is(a.err, ErrConflict):
			if refused++; has[a.who] > 0 {
				t.Errorf("%s was refused and is stored", a.who)
			}
		case a.err != nil:
			t.Error(a.who, a.err)
		case has[a.who] != a.n:
			t.Errorf("%s: %d of %d are stored", a.who, has[a.who], a.n)
		default:
			for i := range a.n {
				if e := log[int(a.seq)-1-i]; e.Op != a.who {
					t.Errorf("%s was told %d, where the log has %s", a.who, a.seq, e.Op)
				}
			}
		}
	}
	if refused != 5*(3+1) {
		t.Errorf("%d were refused", refused)
	}
}

func TestWhoGivesUpInLineIsNotStored(t *testing.T) {
	l := open(t, t.TempDir())
	behaveSlow(l, time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := l.Commit(ctx, "a", []Write{write("agent.a", 0, `1`), write("term.a", 0, `1`)}) // waits for others for half a second
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	commit(t, l, "b", write("agent.b", 0, `1`), write("term.b", 0, `1`))
	if _, ok, err := l.Last(t.Context(), "agent.a"); err != nil || ok {
		t.Fatalf("it was stored: %v", err)
	}
}

func TestAHopelessStoreRefusesAtOnce(t *testing.T) {
	l := open(t, t.TempDir())
	behaveSlow(l, mostWait)
	l.line.flying = soloWidth // one is on its way, for ever
	began := time.Now()
	if _, err := l.Commit(t.Context(), "a", []Write{write("agent.a", 0, `1`)}); !errors.Is(err, ErrReadOnly) || time.Since(began) > time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	l.line.flying = 0
	l.line.took[1] = time.Millisecond // it was only held up
	commit(t, l, "b", write("agent.b", 0, `1`))
}
