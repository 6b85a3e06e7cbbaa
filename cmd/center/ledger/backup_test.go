package ledger

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// fill writes a log of so many events or some more, single changes and batches, small and large, a subject more than once, and returns its end.
func fill(t testing.TB, l *Ledger, n int) (at Seq) {
	t.Helper()
	last := map[string]Seq{}
	for i := 0; int(at) < n; i++ {
		agent := fmt.Sprint("agent.a", i%7)
		ws := []Write{write(agent, last[agent], fmt.Sprintf(`{"n":%d,"text":"座席 <&> "}`, i))}
		for j := range []int{0, 2, 150}[i%3] {
			ws = append(ws, write(fmt.Sprintf("seat.s%d-%d", i, j), 0, `null`))
		}
		at = commit(t, l, fmt.Sprint("op", i), ws...)
		last[agent] = at - Seq(len(ws)-1)
	}
	return at
}

func events(t testing.TB, l *Ledger, last Seq) (all []Event) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := l.Follow(ctx, 0, func(e Event) {
		if all = append(all, e); e.Seq >= last {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return all
}

func sameLog(t testing.TB, got, want []Event) {
	t.Helper()
	if len(got) < len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i, w := range want {
		g, _ := json.Marshal(got[i])
		if w, _ := json.Marshal(w); !bytes.Equal(g, w) {
			t.Fatalf("event %d is %s, was %s", i+1, g, w)
		}
	}
}

func backup(t testing.TB, l *Ledger) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := l.Backup(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func quiet(done, all Seq) {}

func TestABackupRestoresEveryEventAtItsPlace(t *testing.T) {
	dir := t.TempDir()
	old := open(t, dir)
	last := fill(t, old, 900) // more than one portion
	file := backup(t, old)
	if made, err := LastBackup(dir); err != nil || made.IsZero() {
		t.Fatalf("stamp %v %v", made, err)
	}
	want := events(t, old, last)

	l := open(t, t.TempDir())
	sum, err := l.Restore(t.Context(), bytes.NewReader(file), quiet)
	if err != nil || sum.Seq != last {
		t.Fatalf("restored %+v: %v", sum, err)
	}
	sameLog(t, events(t, l, last), want)
	e, _, _ := l.Last(t.Context(), "agent.a1")
	if next := commit(t, l, "next", write("agent.a1", e.Seq, `1`)); next != last+1 {
		t.Fatalf("the log goes on at %d, want %d", next, last+1)
	}
	if _, err := l.Restore(t.Context(), bytes.NewReader(file), quiet); !errors.Is(err, ErrNotEmpty) {
		t.Fatalf("a second restore: %v", err)
	}
}

func TestAnEmptyLogHasABackupToo(t *testing.T) {
	file := backup(t, open(t, t.TempDir()))
	l := open(t, t.TempDir())
	if sum, err := l.Restore(t.Context(), bytes.NewReader(file), quiet); err != nil || sum.Seq != 0 {
		t.Fatalf("%+v %v", sum, err)
	}
}

func TestADamagedBackupIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	src := open(t, t.TempDir())
	fill(t, src, 300)
	file := backup(t, src)
	plainText := unpack(t, file)
	lines := strings.SplitAfter(strings.TrimSuffix(plainText, "\n"), "\n")
	without := func(i int) string { return strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "") }
	for _, tc := range []struct {
		name string
		file []byte
	}{
		{"half a file", file[:len(file)/2]},
		{"the last bytes are missing", file[:len(file)-3]},
		{"the foot is missing", pack(t, without(len(lines)-1))},
		{"an event is missing", pack(t, without(7))},
		{"the head is missing", pack(t, without(0))},
		{"a bit of an event is another", pack(t, strings.Replace(plainText, `"n":2`, `"n":4`, 1))},
		{"nothing", nil},
		{"something else", []byte("PK\x03\x04 a zip perhaps")},
		{"of a newer center", pack(t, strings.Replace(plainText, `"backup":1`, `"backup":2`, 1))},
		{"something follows", pack(t, plainText+"{}\n")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := open(t, t.TempDir())
			if _, err := l.Restore(t.Context(), bytes.NewReader(tc.file), quiet); err == nil {
				t.Fatal("was restored")
			} else {
				t.Log(err)
			}
			if _, at, err := l.Load(t.Context(), ""); err != nil || at != 0 {
				t.Fatalf("%d events were written: %v", at, err)
			}
		})
	}
}

func TestABackupOfAnOlderCenterIsRestored(t *testing.T) {
	src := open(t, t.TempDir())
	last := fill(t, src, 40)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	enc := json.NewEncoder(z)
	for _, e := range events(t, src, last) {
		enc.Encode(Line(e))
	}
	z.Close()
	l := open(t, t.TempDir())
	if _, err := l.Restore(t.Context(), bytes.NewReader(out.Bytes()[:out.Len()-9]), quiet); err == nil {
		t.Fatal("half of it was restored")
	}
	if _, err := l.Restore(t.Context(), bytes.NewReader(out.Bytes()), quiet); err != nil {
		t.Fatal(err)
	}
	sameLog(t, events(t, l, last), events(t, src, last))
}

func TestARestoreThatBrokeOffGoesOnAndNobodyOpensTheLogBefore(t *testing.T) {
	src := open(t, t.TempDir())
	last := fill(t, src, 1200)
	file := backup(t, src)
	dir := t.TempDir()
	l := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := l.Restore(ctx, bytes.NewReader(file), func(done, all Seq) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
	l.Close()
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrHalf) {
		t.Fatalf("half a log was opened: %v", err)
	}
	l, err := Open(Config{Dir: dir, Restoring: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Restore(t.Context(), bytes.NewReader(backup(t, src)), quiet); err == nil {
		t.Fatal("another backup was put behind the first half") // made at another moment: another checksum
	}
	if _, err := l.Restore(t.Context(), bytes.NewReader(file), quiet); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = open(t, dir)
	sameLog(t, events(t, l, last), events(t, src, last))
}

func TestOneNodeGrowsToThreeWithEverySequence(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for elections
	solo := open(t, t.TempDir())
	last := fill(t, solo, 2000)
	file := backup(t, solo)
	want := events(t, solo, last)
	solo.Close()

	cfgs := trio(t, routeTLS(t))
	nodes := openAll(t, cfgs...)
	begun := make(chan error, 1)
	go func() { begun <- nodes[1].Begun(t.Context()) }()
	sum, err := nodes[0].Restore(t.Context(), bytes.NewReader(file), func(done, all Seq) {
		select {
		case err := <-begun:
			t.Errorf("another member began in the middle, at %d: %v", done, err)
		default:
		}
	})
	if err != nil || sum.Seq != last {
		t.Fatalf("%+v %v", sum, err)
	}
	if err := <-begun; err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		sameLog(t, events(t, n, last), want)
	}
	// and back again
	file = backup(t, nodes[2])
	l := open(t, t.TempDir())
	if _, err := l.Restore(t.Context(), bytes.NewReader(file), quiet); err != nil {
		t.Fatal(err)
	}
	sameLog(t, events(t, l, last), want)
}

func FuzzReadBackup(f *testing.F) {
	f.Add([]byte(`{"backup":1,"seq":1}` + "\n" + `{"seq":1,"subject":"agent.x","op":"a","by":"b","at":"2026-01-01T00:00:00Z","data":1}` + "\n"))
	f.Add([]byte(`{"end":true}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var last Seq
		tell := func(l Line) error {
			if l.Seq != last+1 {
				t.Fatalf("%d after %d", l.Seq, last)
			}
			last = l.Seq
			return nil
		}
		_, _ = Read(bytes.NewReader(text), tell)
		last = 0
		_, _ = Read(bytes.NewReader(pack(t, string(text))), tell)
	})
}

func pack(t testing.TB, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll([]byte(text), nil)
}

func unpack(t testing.TB, file []byte) string {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := z.DecodeAll(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
