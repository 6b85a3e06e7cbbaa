package ledger

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowCrowd has sixty people claim something for ten seconds on a store where each sync takes so long, and says how long those took who were
// told the same.
func slowCrowd(t *testing.T, sync time.Duration) (took map[string][]time.Duration) {
	t.Helper()
	long(t)
	if _, err := exec.LookPath("strace"); err != nil {
		lacking(t, "strace is not installed")
	}
	t.Parallel() // it mostly waits
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LEDGER_TEST_CROWD="+t.TempDir())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "ready") {
		t.Fatal(lines.Text())
	}
	defer slowed(t, cmd.Process.Pid, sync)()
	fmt.Fprintln(in, "go")
	took = map[string][]time.Duration{}
	for lines.Scan() {
		var what string
		var n int
		if _, err := fmt.Sscan(lines.Text(), &what, &n); err != nil {
			t.Fatal(lines.Text())
		}
		switch {
		case what == "most" && n > crowdSize+150:
			t.Errorf("%d goroutines for %d people", n, crowdSize)
		case what == "error":
			t.Error(lines.Text())
		case what == "slow" && len(took[what]) == 0:
			t.Log(lines.Text())
		}
		took[what] = append(took[what], time.Duration(n)*time.Millisecond)
	}
	for what, all := range took {
		slices.Sort(all)
		t.Logf("%d were told %s: p50 %v, p95 %v, at most %v", len(all), what, all[len(all)/2], p95(all), all[len(all)-1])
	}
	return took
}

func p95(sorted []time.Duration) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)*95/100]
}

// slowed has each sync of a process take so much longer, until stop.
func slowed(t *testing.T, pid int, by time.Duration) (stop func()) {
	t.Helper()
	tracer := exec.Command("strace", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_exit=%d", by.Microseconds()), "-p", fmt.Sprint(pid))
	attached := &firstWord{came: make(chan struct{})}
	tracer.Stderr = attached
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-attached.came:
	case <-time.After(30 * time.Second):
		t.Error("strace says nothing")
	}
	if said := attached.String(); strings.Contains(said, "not permitted") {
		lacking(t, "strace may not watch other processes here")
	}
	return func() { tracer.Process.Kill(); tracer.Wait() }
}

// TestASlowStoreTakesEverybodyInTime: each sync takes 300 ms, and sixty people want something: a change alone takes 1.2 s, and all who wait
// for it go together then. (C8)
func TestASlowStoreTakesEverybodyInTime(t *testing.T) {
	took := slowCrowd(t, 300*time.Millisecond)
	if len(took["ok"]) < 3*crowdSize || len(took["taken"]) == 0 {
		t.Error("too few were stored, or nobody was told that a seat is taken")
	}
	if len(took["unknown"]) > 0 {
		t.Error("somebody was not told whether it was stored")
	}
	if most := 4 * time.Second; p95(took["ok"]) > most || p95(took["taken"]) > most || len(took["slow"]) > len(took["ok"])/20 {
		t.Error("somebody waited too long")
	}
}

// TestAHopelessStoreSaysSo: each sync takes a second, a change four. Who is told so is told soon. (C8)
func TestAHopelessStoreSaysSo(t *testing.T) {
	took := slowCrowd(t, time.Second)
	if len(took["slow"]) == 0 || len(took["ok"]) == 0 {
		t.Error("nobody was told that the store is too slow, or nothing was stored")
	}
	if p95(took["slow"]) > mostWait+10*time.Second { // and a machine that has other things to do
		t.Error("somebody waited too long to hear it")
	}
}

// firstWord keeps what a program says, and tells when it begins to.
type firstWord struct {
	mu   sync.Mutex
	b    bytes.Buffer
	once sync.Once
	came chan struct{}
}

func (f *firstWord) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.once.Do(func() { close(f.came) })
	return f.b.Write(p)
}

func (f *firstWord) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.b.String()
}
