package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheLimitOfControlGroupsIsFound(t *testing.T) {
	for name, row := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"none":                {map[string]string{"proc/self/cgroup": "0::/\n"}, 0},
		"no groups":           {nil, 0},
		"version 2":           {map[string]string{"proc/self/cgroup": "0::/user.slice/app.scope\n", "sys/fs/cgroup/user.slice/app.scope/memory.max": "67108864\n"}, 64 << 20},
		"one around":          {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1048576\n"}, 1 << 20},
		"the smaller":         {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "2097152\n", "sys/fs/cgroup/a/memory.max": "1048576\n"}, 1 << 20},
		"version 1":           {map[string]string{"proc/self/cgroup": "9:name=systemd:/\n4:memory:/box\n", "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "33554432\n"}, 32 << 20},
		"version 1, no limit": {map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"nonsense":            {map[string]string{"proc/self/cgroup": "x\n0::/../..\n", "sys/fs/cgroup/memory.max": "many\n"}, 0},
	} {
		root := t.TempDir()
		for file, text := range row.files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := memoryAllowed(root); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}

// TestAPhoneWithTooLittleMemoryEndsInWords: the real program (reliability (E17)). With 64 MiB it works; with less than it needs it ends by
// itself, with a sentence and status 1, and is not killed.
func TestAPhoneWithTooLittleMemoryEndsInWords(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the program: not with -short")
	}
	bin := filepath.Join(t.TempDir(), "softphone")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	start := func(limit string) (*exec.Cmd, io.Reader, *bytes.Buffer) {
		cmd := exec.CommandContext(t.Context(), bin, "-config", t.TempDir(), "-panel", "127.0.0.1:0", "-no-tray", "-no-browser")
		cmd.Env = append(os.Environ(), "GOMEMLIMIT="+limit)
		var words bytes.Buffer
		cmd.Stderr = &words
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd, out, &words
	}
	enough, out, _ := start("64MiB")
	var say ready
	if err := json.NewDecoder(out).Decode(&say); err != nil || say.PID != enough.Process.Pid {
		t.Fatalf("with 64 MiB: %+v, %v", say, err)
	}
	little, _, words := start("3MiB")
	done := make(chan error, 1)
	go func() { done <- little.Wait() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it goes on with 3 MiB")
	}
	if little.ProcessState.ExitCode() != 1 || !strings.Contains(words.String(), "more memory than the 3 MiB") || strings.Contains(words.String(), "goroutine ") {
		t.Errorf("status %d: %s", little.ProcessState.ExitCode(), words)
	}
	if enough.ProcessState != nil {
		t.Error("that with 64 MiB has ended, too")
	}
}
