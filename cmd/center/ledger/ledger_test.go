package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("LEDGER_TEST_VICTIM"); dir != "" {
		victim(dir)
		return
	}
	if dir := os.Getenv("LEDGER_TEST_CROWD"); dir != "" {
		crowd(dir)
		return
	}
	if cfg := os.Getenv("LEDGER_TEST_MEMBER"); cfg != "" {
		member(cfg)
		return
	}
	if err := hasten(); err != nil { // before any engine of a test, also of one that plays an outside cluster
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, err := Open(Config{Dir: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func write(subject string, expect Seq, data string) Write {
	return Write{Subject: subject, Expect: expect, By: "test", Why: "because", At: time.UnixMicro(1234567), Data: json.RawMessage(data)}
}

func commit(t testing.TB, l *Ledger, op string, ws ...Write) Seq {
	t.Helper()
	seq, err := l.Commit(t.Context(), op, ws)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestOfTwoChangesDecidedOnTheSameStateOneWins(t *testing.T) {
	l := open(t, t.TempDir())
	commit(t, l, "a", write("agent.x", 0, `1`))
	seq := commit(t, l, "b", write("agent.x", 1, `2`))
	if seq != 2 {
		t.Fatalf("seq = %d", seq)
	}
	if _, err := l.Commit(t.Context(), "c", []Write{write("agent.x", 1, `3`)}); !errors.Is(err, ErrConflict) {
		t.Fatalf("err = %v, want a conflict", err)
	}
	if _, err := l.Commit(t.Context(), "d", []Write{write("agent.y", 7, `3`)}); !errors.Is(err, ErrConflict) {
		t.Fatalf("err = %v: decided on an event that never was", err)
	}
	e, ok, err := l.Last(t.Context(), "agent.x")
	if err != nil || !ok || string(e.Data) != "2" || e.Op != "b" || e.By != "test" || e.Why != "because" || !e.At.Equal(time.UnixMicro(1234567)) {
		t.Fatalf("last = %+v %v %v", e, ok, err)
	}
}

func TestTheSameOpAgainIsStoredOnce(t *testing.T) {
	l := open(t, t.TempDir())
	one := commit(t, l, "a", write("agent.x", 0, `1`))
	if again := commit(t, l, "a", write("agent.x", 0, `1`)); again != one {
		t.Fatalf("again = %d, want %d", again, one)
	}
	batch := []Write{write("agent.x", one, `2`), write("seat.1", 0, `2`), write("term.1", 0, `2`)}
	last := commit(t, l, "b", batch...)
	commit(t, l, "c", write("agent.x", 2, `3`)) // somebody goes on before the answer is asked for again
	if again := commit(t, l, "b", batch...); again != last || last != 4 {
		t.Fatalf("again = %d, want %d = 4", again, last)
	}
}

func TestARivalClaimOfAHeldSeatStoresNoneOfItsRecords(t *testing.T) {
	l := open(t, t.TempDir())
	claim := func(who string) error {
		_, err := l.Commit(t.Context(), who, []Write{
			write("agent."+who, 0, `"`+who+`"`), write("term."+who, 0, `"`+who+`"`), write("seat.2", 0, `"`+who+`"`)})
		return err
	}
	names := []string{"a", "b", "c", "d", "e", "f"}
	won := make([]error, len(names))
	var wg sync.WaitGroup
	for i, n := range names {
		wg.Go(func() { won[i] = claim(n) })
	}
	wg.Wait()
	all, _, err := l.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	winner := ""
	for i, err := range won {
		switch {
		case err == nil && winner == "":
			winner = names[i]
		case err == nil:
			t.Fatalf("%s and %s both won", winner, names[i])
		case !errors.Is(err, ErrConflict):
			t.Fatalf("%s: %v", names[i], err)
		}
	}
	if winner == "" || len(all) != 3 || string(all["seat.2"].Data) != `"`+winner+`"` || all["agent."+winner].Seq == 0 {
		t.Fatalf("winner %q, stored %v", winner, all)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	l := open(t, t.TempDir())
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				for try := 0; ; try++ { // decide again on every conflict, as the rooms above do
					e, _, err := l.Last(t.Context(), "agent.x")
					if err != nil {
						t.Error(err)
						return
					}
					n := 0
					if e.Seq > 0 {
						_ = json.Unmarshal(e.Data, &n)
					}
					_, err = l.Commit(t.Context(), fmt.Sprint(w, i, try), []Write{write("agent.x", e.Seq, fmt.Sprint(n+1))})
					if err == nil {
						break
					}
					if !errors.Is(err, ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if e, _, _ := l.Last(t.Context(), "agent.x"); string(e.Data) != fmt.Sprint(writers*each) {
		t.Fatalf("counted %s, want %d", e.Data, writers*each)
	}
}

func TestARestartKeepsAll(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	a := commit(t, l, "a", write("agent.x", 0, `1`))
	commit(t, l, "b", write("agent.x", a, `2`), write("seat.1", 0, `"x"`))
	l.Close()
	l = open(t, dir)
	all, at, err := l.Load(t.Context(), "")
	if err != nil || at != 3 || len(all) != 2 || string(all["agent.x"].Data) != "2" {
		t.Fatalf("loaded %v at %d: %v", all, at, err)
	}
	agents, _, err := l.Load(t.Context(), "agent")
	if err != nil || len(agents) != 1 {
		t.Fatalf("agents: %v %v", agents, err)
	}
	none, _, err := l.Load(t.Context(), "floor")
	if err != nil || len(none) != 0 {
		t.Fatalf("floors: %v %v", none, err)
	}
}

func TestFollowTellsEveryEventOnceInOrder(t *testing.T) {
	l := open(t, t.TempDir())
	const n = 300
	var before []Write
	for i := range n / 3 {
		before = append(before, write(fmt.Sprint("agent.b", i), 0, `1`))
	}
	commit(t, l, "before", before...)
	ctx, cancel := context.WithCancel(t.Context())
	var got []Seq
	done := make(chan error, 1)
	go func() {
		done <- l.Follow(ctx, 10, func(e Event) {
			if got = append(got, e.Seq); e.Seq == n {
				cancel()
			}
		})
	}()
	for i := n / 3; i < n; {
		var ws []Write
		for range []int{1, 2, 17}[i%3] {
			if i++; i <= n {
				ws = append(ws, write(fmt.Sprint("agent.a", i), 0, `1`))
			}
		}
		commit(t, l, fmt.Sprint("after", i), ws...)
	}
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		cancel()
		<-done
		t.Fatalf("told %d events", len(got))
	}
	if len(got) != n-10 {
		t.Fatalf("told %d events, want %d", len(got), n-10)
	}
	for i, s := range got {
		if s != Seq(11+i) {
			t.Fatalf("place %d told %d", i, s)
		}
	}
}

func TestAStoreOfAClusterIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "MODE"), []byte("cluster east\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrMode) {
		t.Fatalf("err = %v", err)
	}
}

func TestFromStartToTheFirstDurableWriteIsShort(t *testing.T) {
	began := time.Now()
	l := open(t, t.TempDir())
	commit(t, l, "a", write("agent.x", 0, `1`))
	took := time.Since(began)
	t.Logf("took %v", took)
	if took > 2*time.Second { // far from the 26 ms of a quiet machine, but a wrong wait would show
		t.Fatalf("took %v", took)
	}
}

// victim writes until it is killed, and says each sequence only after it was acknowledged.
func victim(dir string) {
	l, err := Open(Config{Dir: dir})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	go l.Run(context.Background())
	e, _, err := l.Last(context.Background(), "agent.x")
	for seq := e.Seq; err == nil; {
		var next Seq
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		next, err = l.Commit(ctx, rand.Text(), []Write{write("agent.x", seq, fmt.Sprint(seq))})
		cancel()
		if err == nil {
			seq = next
			fmt.Println(seq)
		}
	}
	fmt.Println("error", err)
}

func FuzzSubjectAndBack(f *testing.F) {
	for _, id := range []string{"alice", "山田", "a.b", "", "=ME", "*", "a b", "user@host"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		s := Subject("agent", id)
		if strings.ContainsAny(s[len("agent."):], ".*> \t\r\n") {
			t.Fatalf("subject %q", s)
		}
		kind, back, ok := Split(s)
		if !ok || kind != "agent" || back != id {
			t.Fatalf("%q → %q → %q %v", id, s, back, ok)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"op":"a","by":"b","at":1,"data":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = decode("agent.x", 1, data)
	})
}
