package tray

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// The tray library works once in a process, so the tests run the tray in a child: this test binary again, with this variable.
const childVar = "ZASEKI_TRAY_CHILD"

func TestMain(m *testing.M) {
	if lang := os.Getenv(childVar); lang != "" {
		os.Exit(child(lang))
	}
	goleak.VerifyTestMain(m)
}

// child runs the tray with an agent that takes snapshots from stdin, a line each, and prints what is posted and opened.
func child(lang string) int {
	ctx, stop := context.WithCancel(context.Background())
	a := &puppet{stop: stop, news: make(chan struct{})}
	go a.read(os.Stdin)
	err := Run(ctx, Config{Agent: a, Lang: lang, Off: os.Getenv("ZASEKI_TRAY_OFF") != "",
		Open: func(view string) { a.say("open " + view) },
		Log:  slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		a.say("error " + err.Error())
		return 1
	}
	a.say("end")
	return 0
}

// puppet is an agent whose strings the test holds.
type puppet struct {
	stop  func()
	quiet bool // in the test's own process nothing is printed

	mu     sync.Mutex
	newest wire.Snapshot
	news   chan struct{} // closed and replaced with every snapshot
}

func (p *puppet) read(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s wire.Snapshot
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			p.say("error " + err.Error())
			continue
		}
		p.mu.Lock()
		p.newest = s
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
	}
	p.stop()
}

func (p *puppet) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.quiet {
		fmt.Println(strings.TrimSpace(line))
	}
}

func (p *puppet) Post(c wire.Command) {
	body, _ := json.Marshal(c)
	p.say("post " + c.Type() + " " + string(body))
	if _, ok := c.(wire.Exit); ok {
		p.stop()
	}
}

func (p *puppet) Watch() (<-chan wire.Snapshot, func()) {
	ctx, stop := context.WithCancel(context.Background())
	out := make(chan wire.Snapshot)
	go func() {
		for {
			p.mu.Lock()
			s, news := p.newest, p.news
			p.mu.Unlock()
			select {
			case out <- s:
			case <-ctx.Done():
				return
			}
			select {
			case <-news:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, stop
}

// kid is a running child as the test sees it.
type kid struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	said  chan string
	ended chan error
	log   *logBuffer
}

// startKid starts the tray with that environment on top of a bare one.
func startKid(t *testing.T, lang string, env ...string) *kid {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), childVar + "=" + lang,
		"GORACE=exitcode=0 atexit_sleep_ms=0"}, env...)
	k := &kid{t: t, cmd: cmd, said: make(chan string, 100), ended: make(chan error, 1), log: &logBuffer{}}
	cmd.Stderr = k.log
	in, err := cmd.StdinPipe()
	desktop.Must(t, err)
	out, err := cmd.StdoutPipe()
	desktop.Must(t, err)
	desktop.Must(t, cmd.Start())
	k.in = in
	go k.listen(out)
	t.Cleanup(func() {
		_ = k.in.Close()
		k.end()
		if ourRace(k.log.String()) {
			t.Error("a data race of ours")
		}
		if t.Failed() {
			t.Logf("the tray's log:\n%s", k.log)
		}
	})
	return k
}

func (k *kid) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		k.said <- lines.Text()
	}
	close(k.said)
	k.ended <- k.cmd.Wait()
	close(k.ended)
}

// ourRace says whether the race detector saw two accesses of which one is our own code's. The tray library has races inside
// it (systray v1.12.2: its menu's version; godbus writes a property in place while it is sent), which nobody can guard.
func ourRace(log string) bool {
	lines := strings.Split(log, "\n")
	for i, line := range lines[:len(lines)-1] {
		access := strings.HasSuffix(line, ":") && strings.Contains(line, " at 0x") && strings.Contains(line, " by ")
		if access && strings.Contains(lines[i+1], "zaseki/") {
			return true
		}
	}
	return false
}

// show makes the agent's snapshot this one.
func (k *kid) show(s wire.Snapshot) {
	k.t.Helper()
	line, err := json.Marshal(s)
	desktop.Must(k.t, err)
	_, err = k.in.Write(append(line, '\n'))
	desktop.Must(k.t, err)
}

// hears waits for a line that the child prints.
func (k *kid) hears(want string) {
	k.t.Helper()
	late := time.After(desktop.Patience)
	for {
		select {
		case line, ok := <-k.said:
			if !ok {
				k.t.Fatalf("the tray ended without %q", want)
			}
			if line == want {
				return
			}
			k.t.Logf("said %q", line)
		case <-late:
			k.t.Fatalf("the tray never said %q", want)
		}
	}
}

// end waits for the child's end, and kills it when it does not come.
func (k *kid) end() {
	k.t.Helper()
	select {
	case err, ok := <-k.ended:
		if ok && err != nil {
			k.t.Errorf("the tray ended with %v", err)
		}
	case <-time.After(desktop.Patience):
		_ = k.cmd.Process.Kill()
		<-k.ended
		k.t.Error("the tray did not end")
	}
}

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// slow skips a test of seconds where only the short ones are asked for.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("not a short test")
	}
}

// Snapshots of a day.

func signedIn() wire.Snapshot {
	return wire.Snapshot{Rev: 2, Phase: wire.PhaseIn, Account: "u1", Me: &wire.Me{Account: "u1", Name: "Sato Yuki", Role: "agent"},
		Statuses: wire.StandardStatuses(), Pages: 1,
		Status: wire.StatusView{Now: wire.StatusBreak, Shown: wire.StatusBreak}}
}

func withCall(s wire.Snapshot, c wire.Call) wire.Snapshot {
	s.Calls = append(s.Calls[:len(s.Calls):len(s.Calls)], c)
	s.Rev++
	return s
}

func offered(id, name string) wire.Call {
	return wire.Call{ID: id, Phase: wire.CallOffered, Inbound: true, Outside: true, Number: "0312345678", Name: name}
}
