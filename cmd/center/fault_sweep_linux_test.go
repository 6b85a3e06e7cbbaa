package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestACenterKilledInItsFirstStartStartsAgain: at its n-th call of a kind, while it makes its keys, its authority, its log, its first
// administrator and its reports. (C4)
func TestACenterKilledInItsFirstStartStartsAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("starts eighty processes")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, calls := range []string{"fsync,fdatasync", "?rename,renameat,renameat2", "write,pwrite64"} {
		t.Run(calls, func(t *testing.T) {
			t.Parallel()
			kills := 0
			for n := 1; n <= 20; n++ {
				if !killedAt(t, calls, n) {
					break // it was up before its n-th
				}
				kills++
			}
			if t.Logf("%d kills", kills); kills == 0 {
				t.Error("nothing was killed")
			}
		})
	}
}

// killedAt has a center killed at the n-th such call of any of its threads, unless it is ready before; then it must start.
func killedAt(t *testing.T, calls string, n int) (killed bool) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "center")
	said := &lockedBuffer{}
	cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, n),
		os.Args[0], "-data", dir, "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "CENTER_PROCESS=1")
	cmd.Stderr, cmd.SysProcAttr = said, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for killed = true; ; {
		select {
		case <-ended:
		case <-tick.C:
			if killed && strings.Contains(said.String(), "The center is ready") {
				killed = false
				syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			}
			continue
		}
		break
	}
	if strings.Contains(said.String(), "Operation not permitted") {
		lacks(t, errors.New("not permitted: strace may not watch other processes here"))
	}
	p := start(t, dir) // fails with what it says
	p.stop()
	return killed
}
