package ledger

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lacking skips a test for which this machine lacks something; where CI is set it must be there.
func lacking(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// writer is a child process that commits until it is stopped, and says each sequence once it is acknowledged.
type writer struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	acked Seq
	said  string // what it said last besides sequences
}

func startWriter(t *testing.T, dir string, wrap ...string) *writer {
	t.Helper()
	args := append(wrap, os.Args[0])
	w := &writer{cmd: exec.Command(args[0], args[1:]...)}
	w.cmd.Env = append(os.Environ(), "LEDGER_TEST_VICTIM="+dir)
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.lines = bufio.NewScanner(out)
	t.Cleanup(w.kill)
	return w
}

func (w *writer) kill() {
	syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL) // strace and what it watches
	w.cmd.Wait()
}

// read reads until the writer has said so many sequences, or ends; a line with a letter is kept as said.
func (w *writer) read(n int) bool {
	for range n {
		if !w.lines.Scan() {
			return false
		}
		if _, err := fmt.Sscan(w.lines.Text(), &w.acked); err != nil {
			w.said = w.lines.Text()
			return false
		}
	}
	return true
}

// drain reads what it said before it died.
func (w *writer) drain() {
	for w.read(1) {
	}
}

// killed kills a writer at random moments, and looks each time whether the log has everything that was acknowledged.
func killed(t *testing.T, rounds int) {
	dir := t.TempDir()
	var acked, before Seq
	for round := range rounds {
		w := startWriter(t, dir)
		if !w.read(1 + rand.IntN(40)) {
			t.Fatalf("round %d: %s", round, w.said)
		}
		syscall.Kill(w.cmd.Process.Pid, syscall.SIGKILL)
		w.drain()
		w.cmd.Wait()
		acked = w.acked
		l, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatalf("round %d, acknowledged %d: %v", round, acked, err)
		}
		end, err := l.End(t.Context())
		if err != nil || end < acked || end <= before {
			t.Fatalf("round %d: acknowledged %d, the log ends at %d (before: %d): %v", round, acked, end, before, err)
		}
		if round == rounds-1 || round%20 == 19 {
			counted(t, l, end)
		}
		before = end
		l.Close()
	}
	t.Logf("%d kills, %d events, nothing lost", rounds, before)
}

// counted checks the whole log of a writer: each event replaces the one before, none is there twice.
func counted(t *testing.T, l *Ledger, end Seq) {
	t.Helper()
	ops := map[string]bool{}
	for i, e := range events(t, l, end) {
		if string(e.Data) != fmt.Sprint(i) || e.Seq != Seq(i+1) || ops[e.Op] {
			t.Fatalf("event %d is %s, %s", e.Seq, e.Data, e.Op)
		}
		ops[e.Op] = true
	}
}

func TestTenRandomKillsLoseNothing(t *testing.T) { killed(t, 10) }

func TestTwoHundredRandomKillsLoseNothing(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for the disk
	killed(t, 200)
}

func TestAFullDiskMakesTheLogReadOnlyUntilThereIsRoom(t *testing.T) {
	if os.Geteuid() != 0 {
		lacking(t, "needs root, to mount a small disk")
	}
	t.Parallel() // it mostly waits
	dir := t.TempDir()
	if err := syscall.Mount("small", dir, "tmpfs", 0, "size=24m"); err != nil {
		lacking(t, "mount: "+err.Error())
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	for _, tc := range []struct {
		name    string
		reserve uint64
	}{
		{"noticed before", 8 << 20},
		{"noticed by the engine", 1}, // nothing is kept free: a write fails
	} {
		t.Run(tc.name, func(t *testing.T) {
			sub, ballast := filepath.Join(dir, fmt.Sprint(tc.reserve)), filepath.Join(dir, "ballast")
			l, err := Open(Config{Dir: sub, Reserve: tc.reserve})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			defer func() { cancel(); <-done }()
			acked := commit(t, l, "first", write("agent.x", 0, `0`))

			fillDisk(t, ballast)
			blob := `"` + strings.Repeat("x", 64<<10) + `"`
			var refused error
			for i := 0; refused == nil && i < 2000; i++ {
				within, stop := context.WithTimeout(ctx, 10*time.Second)
				var seq Seq
				if seq, refused = l.Commit(within, fmt.Sprint("op", i), []Write{write("agent.x", acked, blob)}); refused == nil {
					acked = seq
				}
				stop()
			}
			if !errors.Is(refused, ErrReadOnly) {
				t.Fatalf("the disk is full and the answer is %v", refused)
			}
			began := time.Now()
			if _, err := l.Commit(ctx, "while full", []Write{write("agent.y", 0, `1`)}); !errors.Is(err, ErrReadOnly) || time.Since(began) > time.Second {
				t.Fatalf("after %v: %v", time.Since(began), err)
			}
			if h := l.Health(); h.ReadOnly == "" {
				t.Fatal("health says nothing")
			} else {
				t.Log(h.ReadOnly)
			}

			os.Remove(ballast)
			until(t, "changes are taken again", patience, func() bool { return l.Health().ReadOnly == "" })
			e, ok, err := l.Last(ctx, "agent.x")
			if err != nil || !ok || e.Seq < acked {
				t.Fatalf("acknowledged %d, found %d: %v", acked, e.Seq, err)
			}
			if _, err := l.Commit(ctx, "after", []Write{write("agent.x", e.Seq, `1`)}); err != nil {
				t.Fatalf("after there was room: %v", err)
			}
		})
	}
}

func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 4096; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

func TestAfterAFailedSyncNothingIsAcknowledged(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		lacking(t, "strace is not installed")
	}
	dir := t.TempDir()
	l, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	trace := filepath.Join(t.TempDir(), "trace")
	w := startWriter(t, dir)
	if !w.read(20) {
		t.Fatal(w.said)
	}
	// From the tenth sync from now on the disk is broken.
	tracer := exec.Command("strace", "-f", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=10+", "-p", fmt.Sprint(w.cmd.Process.Pid))
	var said bytes.Buffer
	tracer.Stderr = &said
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { tracer.Process.Kill(); tracer.Wait() }()
	w.drain()
	if !strings.Contains(w.said, "cannot be written") {
		if strings.Contains(said.String(), "not permitted") {
			lacking(t, "strace may not watch other processes here")
		}
		t.Fatalf("the writer said %q; strace: %s", w.said, said.String())
	}
	raw, _ := os.ReadFile(trace)
	good, bad := strings.Count(string(raw), "= 0\n"), strings.Count(string(raw), "(INJECTED)")
	t.Logf("acknowledged %d, %d syncs worked, %d failed; it said %q", w.acked, good, bad, w.said)
	if bad == 0 {
		t.Fatal("no sync failed")
	}
}

func TestADamagedStoreIsNotOpenedAsIfNothingWereMissing(t *testing.T) {
	whole := t.TempDir()
	l, err := Open(Config{Dir: whole})
	if err != nil {
		t.Fatal(err)
	}
	last := fill(t, l, 300)
	l.Close()
	blocks := func(t *testing.T, dir string) string {
		all, err := filepath.Glob(filepath.Join(dir, "store", "jetstream", "*", "streams", "*", "msgs", "*.blk"))
		if err != nil || len(all) == 0 {
			t.Fatalf("%v %v", all, err)
		}
		return all[0]
	}
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
	}{
		{"the file is cut off", func(t *testing.T, dir string) {
			b := blocks(t, dir)
			info, _ := os.Stat(b)
			if err := os.Truncate(b, info.Size()/2); err != nil {
				t.Fatal(err)
			}
		}},
		{"a bit in the middle is another", func(t *testing.T, dir string) {
			b := blocks(t, dir)
			raw, _ := os.ReadFile(b)
			raw[len(raw)/2] ^= 4
			os.WriteFile(b, raw, 0o600)
		}},
		{"the last bytes are zero", func(t *testing.T, dir string) {
			b := blocks(t, dir)
			raw, _ := os.ReadFile(b)
			clear(raw[len(raw)-300:])
			os.WriteFile(b, raw, 0o600)
		}},
		{"the events are gone", func(t *testing.T, dir string) { os.Remove(blocks(t, dir)) }},
		{"the store is gone", func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, "store")) }},
		{"the index is gone and a bit is another", func(t *testing.T, dir string) {
			b := blocks(t, dir)
			os.Remove(filepath.Join(filepath.Dir(b), "index.db"))
			raw, _ := os.ReadFile(b)
			raw[len(raw)/3] ^= 1
			os.WriteFile(b, raw, 0o600)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			tc.spoil(t, dir)
			l, err := Open(Config{Dir: dir})
			if err == nil {
				defer l.Close()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				if _, _, err = l.Load(ctx, ""); err == nil { // as every start does
					seen := Seq(0)
					err = l.Follow(ctx, 0, func(e Event) {
						if seen = e.Seq; seen == last {
							cancel()
						}
					})
					if seen == last {
						t.Fatal("all events are there: the test did no damage")
					}
				}
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("the answer is %v", err)
			}
			t.Log(err)
		})
	}
}
