package clocktest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// teller says what time it is by both clocks, whenever it is asked.
const teller = "CLOCKTEST_TELLER"

func TestMain(m *testing.M) {
	if os.Getenv(teller) == "" {
		os.Exit(m.Run())
	}
	began := time.Now()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(time.Now().Unix(), int64(time.Since(began)))
	}
}

func TestOnlyTheWallClockOfThatProcessIsStepped(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("amd64 only")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), teller+"=1")
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
	defer func() { in.Close(); cmd.Wait() }()
	lines := bufio.NewReader(out)
	var before int64
	for _, by := range []time.Duration{0, time.Hour, -24 * time.Hour, 0} {
		if err := Step(cmd.Process.Pid, by); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(in)
		var wall, mono int64
		if _, err := fmt.Fscan(lines, &wall, &mono); err != nil {
			t.Fatal(err)
		}
		if off := time.Until(time.Unix(wall, 0).Add(-by)); off < -10*time.Second || off > 10*time.Second {
			t.Fatalf("stepped by %v: it sees %v", by, time.Unix(wall, 0))
		}
		if mono < before || time.Duration(mono) > time.Minute {
			t.Fatalf("stepped by %v: its monotonic clock stands at %v", by, time.Duration(mono))
		}
		before = mono
	}
}
