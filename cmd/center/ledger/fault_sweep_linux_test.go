package ledger

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestKilledAtAnyWriteTheLogOpensAgainWithAllThatWasAcknowledged: the process is killed at its n-th call of a kind, from the first start
// on: while the folder is made, the log is made, and events are written. (C4)
func TestKilledAtAnyWriteTheLogOpensAgainWithAllThatWasAcknowledged(t *testing.T) {
	long(t)
	if _, err := exec.LookPath("strace"); err != nil {
		lacking(t, "strace is not installed")
	}
	for _, sweep := range []struct {
		calls string
		step  int // between one kill and the next
	}{
		{"fsync,fdatasync", 2},
		{"?rename,renameat,renameat2", 1},
		{"write,pwrite64,writev,pwritev", 3},
	} {
		t.Run(sweep.calls, func(t *testing.T) {
			t.Parallel() // they mostly wait for the disk
			const points = 20
			kills, begun := 0, 0
			for i := range points {
				n := 1 + i*sweep.step
				killed, acked := killedAt(t, sweep.calls, n)
				if !killed {
					break // there are no more calls of that kind
				}
				kills++
				if acked > 0 {
					begun++
				}
			}
			if t.Logf("%d kills, %d of them after something was acknowledged", kills, begun); kills == 0 {
				t.Error("nothing was killed")
			}
		})
	}
}

// killedAt has a writer killed at the n-th such call of any of its threads, and looks at what it leaves.
func killedAt(t *testing.T, calls string, n int) (killed bool, acked Seq) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	// strace counts by thread: the kill comes a little later than asked.
	w := startWriter(t, dir, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, n))
	alive := w.read(120)
	w.drainOrKill(alive)
	acked = w.acked
	if strings.Contains(w.said, "not permitted") {
		lacking(t, "strace may not watch other processes here")
	}
	if w.said != "" {
		t.Fatalf("before %s %d: the writer said %q", calls, n, w.said)
	}
	l, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatalf("killed at %s %d, acknowledged %d: %v", calls, n, acked, err)
	}
	defer l.Close()
	end, err := l.End(t.Context())
	if err != nil || end < acked {
		t.Fatalf("killed at %s %d: acknowledged %d, the log ends at %d: %v", calls, n, acked, end, err)
	}
	if end > 0 {
		counted(t, l, end)
	}
	if e, _, err := l.Last(t.Context(), "agent.x"); err != nil {
		t.Fatal(err)
	} else if _, err := l.Commit(t.Context(), "again", []Write{write("agent.x", e.Seq, fmt.Sprint(e.Seq))}); err != nil {
		t.Fatalf("killed at %s %d: it takes no change any more: %v", calls, n, err)
	}
	return !alive, acked
}

// drainOrKill ends a writer, and reads what it said before.
func (w *writer) drainOrKill(alive bool) {
	if alive {
		syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL)
	}
	w.drain()
	w.cmd.Wait()
}
