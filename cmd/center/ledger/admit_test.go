package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWhoMayJoinWithAnEmptyFolder(t *testing.T) {
	for _, tc := range []struct {
		name   string
		others map[string]string
		want   verdict
	}{
		{"nobody answers", nil, wait},
		{"one is empty, one is silent", map[string]string{"b": copyNone}, wait},
		{"all are empty: the first start", map[string]string{"b": copyNone, "c": copyNone}, admit},
		{"one has the log, one is silent and may have more", map[string]string{"b": copyWell}, wait},
		{"one has the log, one is empty", map[string]string{"b": copyHas, "c": copyNone}, refuse},
		{"two have it all", map[string]string{"b": copyWell, "c": copyWell}, admit},
		{"one of two is behind, or nobody leads", map[string]string{"b": copyWell, "c": copyHas}, wait},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, why := judge(tc.others, 3); got != tc.want {
				t.Fatalf("%d, want %d: %s", got, tc.want, why)
			}
		})
	}
}

func TestTwoEmptiedMembersDoNotOutvoteTheThird(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for elections
	cfgs := trio(t, routeTLS(t))
	nodes := openAll(t, cfgs...)
	last := fill(t, nodes[1], 300)
	want := events(t, nodes[0], last)
	for _, n := range nodes {
		n.Close()
	}
	saved := t.TempDir()
	for i, name := range []string{"n1", "n2"} {
		if err := os.Rename(cfgs[i].Dir, filepath.Join(saved, name)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	errs := make([]error, 3)
	var wg sync.WaitGroup
	for i, cfg := range cfgs {
		wg.Go(func() {
			l, err := OpenContext(ctx, cfg)
			switch errs[i] = err; {
			case err == nil:
				l.Close()
			case errors.Is(err, ErrOutvote):
				cancel() // the others would wait for ever
			}
		})
	}
	wg.Wait()
	told := 0
	for i, err := range errs { // whoever is told first ends, and does not answer the other any more
		if err == nil {
			t.Errorf("%s began", cfgs[i].Cluster.Name)
		}
		if errors.Is(err, ErrOutvote) && i < 2 && strings.Contains(err.Error(), "1 of 3 members have the log (n3)") {
			told++
		}
	}
	if told == 0 {
		t.Errorf("nobody is told why: %v", errs)
	}

	// A folder comes back, and one stays lost: two have the log, and the third gets it from them.
	if err := os.RemoveAll(cfgs[0].Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(saved, "n1"), cfgs[0].Dir); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	late := make(chan *Ledger, 1)
	running.Go(func() { // it opens when the two others are well, and say so while they run
		within, cancel := context.WithTimeout(ctx, 45*time.Second)
		defer cancel()
		l, err := OpenContext(within, cfgs[1])
		if err != nil {
			t.Error(err)
		}
		late <- l
	})
	nodes = openAll(t, cfgs[0], cfgs[2])
	for _, n := range nodes {
		running.Go(func() { n.Run(ctx) })
	}
	back := <-late
	if back == nil {
		t.FailNow()
	}
	defer back.Close()
	running.Go(func() { back.Run(ctx) })
	sameLog(t, events(t, back, last), want)
	until(t, "the emptied member has all of it", 20*time.Second, func() bool { return back.copyState() == copyWell })
	if next := commit(t, back, "next", write("agent.new", 0, `1`)); next != last+1 {
		t.Fatalf("the log goes on at %d, want %d", next, last+1)
	}
}
