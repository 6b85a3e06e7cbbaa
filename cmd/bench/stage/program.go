// Package stage is what whole-product tests and benchmarks play on: it builds and starts both programs, drives the page in a
// headless browser by role and name, and has a caller outside who speaks and listens.
package stage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Build puts the binaries of those commands ("center", "softphone") into dir. Root is the module's top.
func Build(ctx context.Context, root, dir string, commands ...string) error {
	for _, c := range commands {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, c), "./cmd/"+c)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", c, err, out)
		}
	}
	return nil
}

// Program is a started process of ours.
type Program struct {
	Line map[string]any // the JSON it printed when ready
	Took time.Duration  // from start to that line

	cmd  *exec.Cmd
	done chan struct{}
	log  lockedBuffer
}

// Start runs the binary and waits for its line of JSON, 30 seconds at most.
func Start(ctx context.Context, binary string, env []string, args ...string) (*Program, error) {
	p := &Program{cmd: exec.CommandContext(ctx, binary, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.log
	p.cmd.WaitDelay = 2 * time.Second
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line := make(chan []byte, 1)
	go func() {
		defer close(p.done)
		r := bufio.NewReader(out)
		first, _ := r.ReadBytes('\n')
		line <- first
		_, _ = io.Copy(io.Discard, r)
		_ = p.cmd.Wait()
	}()
	select {
	case first := <-line:
		p.Took = time.Since(began)
		if err := json.Unmarshal(first, &p.Line); err != nil {
			p.Kill()
			return nil, fmt.Errorf("%s said %q: %w\n%s", filepath.Base(binary), first, err, p.Log())
		}
		return p, nil
	case <-time.After(30 * time.Second):
		p.Kill()
		return nil, fmt.Errorf("%s said nothing for 30 s\n%s", filepath.Base(binary), p.Log())
	}
}

// String is a value of the ready line.
func (p *Program) String(key string) string {
	s, _ := p.Line[key].(string)
	return s
}

// PID of the process.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Log is all it wrote to stderr so far.
func (p *Program) Log() string { return p.log.String() }

// Done is closed when the process has ended.
func (p *Program) Done() <-chan struct{} { return p.done }

// Code is the exit status after Done.
func (p *Program) Code() int { return p.cmd.ProcessState.ExitCode() }

// Stop ends it as a person or the system would, by SIGTERM, and after ten seconds by force. It says whether it ended by itself.
func (p *Program) Stop() bool {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(10 * time.Second):
		p.Kill()
		return false
	}
}

// Kill pulls the plug.
func (p *Program) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
