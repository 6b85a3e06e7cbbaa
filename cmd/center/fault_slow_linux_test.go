package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// slowDown has each sync of a process take so much longer, until the test ends.
func slowDown(t *testing.T, p *process, by time.Duration) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	said := &lockedBuffer{}
	cmd := exec.Command("strace", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_exit=%d", by.Microseconds()), "-p", fmt.Sprint(p.cmd.Process.Pid))
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() })
	until(t, "strace watches", 10*time.Second, func() bool {
		if strings.Contains(said.String(), "not permitted") {
			lacks(t, errors.New(said.String()))
		}
		return strings.Contains(said.String(), "attached")
	})
}

// goroutines is how many the center has, by its own word.
func goroutines(t *testing.T, p *process) (n int) {
	t.Helper()
	res, err := http.Get(p.line.HTTP + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "\ngo_goroutines ")
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatalf("%v: %.200s", err, raw)
	}
	return n
}

// TestASlowStoreSignsPeopleInInTime: each sync takes 300 ms. Seven people sign in at once, again and again, and each is in or told in
// words within three seconds. It needs a machine that does little else. (C8)
func TestASlowStoreSignsPeopleInInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes, half a minute")
	}
	dir := filepath.Join(t.TempDir(), "center")
	p := start(t, dir)
	if _, said, code := run(t, "-data", dir, "import", "testdata/floor.json"); code != 0 {
		t.Fatal(said)
	}
	slowDown(t, p, 300*time.Millisecond)
	before := goroutines(t, p)
	var mu sync.Mutex
	var took []time.Duration
	in, told, most := 0, 0, before
	people := []string{"baba", "chiba", "doi", "endo", "fujita", "goto", "hara"}
	for round := range 4 {
		var all sync.WaitGroup
		for i, account := range people {
			all.Go(func() {
				u := uplink.New(uplink.Config{URL: p.line.HTTP, Machine: fmt.Sprintf("pc of %s", account), Version: "test", Tell: func(uplink.Event) {}})
				began := time.Now()
				_, err := u.Check(t.Context(), account, wire.Secret(account+"-change-me"))
				if err == nil {
					_, err = u.SignIn(t.Context(), wire.SignIn{Terminal: fmt.Sprint(1002 + i), Status: "away", Takeover: true})
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(began))
				var why wire.Problem
				switch {
				case err == nil:
					in++
				case errors.As(err, &why) && why.Code == wire.ProblemReadOnly:
					told++
				default:
					t.Errorf("round %d, %s: %v", round, account, err)
				}
			})
		}
		all.Wait()
		for _, account := range people { // none of them connects: the center has noticed that before they come again
			until(t, account+" is lost", patience, func() bool { return seen(t, dir, account) == wire.StatusLost })
		}
		most = max(most, goroutines(t, p))
	}
	slices.Sort(took)
	p95 := took[len(took)*95/100]
	t.Logf("%d are in, %d were told that nothing can be written; p50 %v, p95 %v; goroutines %d, at most %d", in, told, took[len(took)/2], p95, before, most)
	if p95 > 3*time.Second || in == 0 {
		t.Error("people wait too long")
	}
	if most > before+60 {
		t.Errorf("from %d goroutines to %d", before, most)
	}
}
