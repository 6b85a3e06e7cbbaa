package ledger

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// child is a member's process, and what it has said.
type child struct {
	name   string
	cmd    *exec.Cmd
	orders io.WriteCloser

	mu    sync.Mutex
	lines []string
	times []time.Time // of the lines
	ended chan struct{}
}

func startMember(t *testing.T, cfg Config, wrap ...string) *child {
	t.Helper()
	return startAs(t, lent{Dir: cfg.Dir, Name: cfg.Cluster.Name, Members: cfg.Cluster.Members, Secret: cfg.Cluster.Secret, MayLose: cfg.MayLose}, 0, wrap...)
}

// startAs starts a member with namespaces of its own, if flags say so.
func startAs(t *testing.T, told lent, flags uintptr, wrap ...string) *child {
	t.Helper()
	raw, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrap, os.Args[0])
	c := &child{name: told.Name, cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), "LEDGER_TEST_MEMBER="+string(raw))
	c.cmd.Stderr = t.Output()
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Setpgid: true}
	if c.orders, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.mu.Lock()
			c.lines, c.times = append(c.lines, lines.Text()), append(c.times, time.Now())
			c.mu.Unlock()
		}
	}()
	t.Cleanup(c.kill)
	return c
}

func (c *child) kill() {
	syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	<-c.ended
	c.cmd.Wait()
}

// order has the member do something.
func (c *child) order(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(c.orders, line); err != nil {
		t.Fatal(err)
	}
}

// said counts the lines that begin so.
func (c *child) said(begin string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if strings.HasPrefix(l, begin) {
			n++
		}
	}
	return n
}

// since gives the lines that begin so and came after that moment, with the time of the first.
func (c *child) since(at time.Time, begin string) (lines []string, first time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, l := range c.lines {
		if c.times[i].After(at) && strings.HasPrefix(l, begin) {
			if lines = append(lines, l); len(lines) == 1 {
				first = c.times[i]
			}
		}
	}
	return lines, first
}

// last is whether the later of two lines is the first one.
func (c *child) last(yes, no string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range slices.Backward(c.lines) {
		switch {
		case strings.HasPrefix(l, yes):
			return true
		case strings.HasPrefix(l, no):
			return false
		}
	}
	return false
}

// more waits for so many further lines that begin so.
func (c *child) more(t *testing.T, begin string, n int, within time.Duration) {
	t.Helper()
	have := c.said(begin)
	until(t, fmt.Sprintf("%d × %q", n, begin), within, func() bool {
		if wrong, _ := c.since(time.Time{}, "error"); len(wrong) > 0 {
			t.Fatal(c.name, wrong)
		}
		return c.said(begin) >= have+n
	})
}

func TestAMemberThatIsKilledOrFrozenLosesNothingAndTakesNothing(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for elections
	cfgs := trio(t, nil)
	var kids []*child
	for i := range cfgs {
		kids = append(kids, startMember(t, cfgs[i]))
	}
	for _, k := range kids {
		k.more(t, "ack", 20, patience)
	}
	holder := func() int {
		for i, k := range kids {
			if k.said("job") > 0 {
				return i
			}
		}
		return -1
	}
	until(t, "somebody holds the lease", patience, func() bool { return holder() >= 0 })
	frozen := holder()

	// The holder freezes for longer than its lease: another takes over, and the old one wakes up without it.
	stopped := time.Now()
	kids[frozen].cmd.Process.Signal(syscall.SIGSTOP)
	took := -1
	until(t, "another takes the lease", patience, func() bool {
		for i, k := range kids {
			if i != frozen && k.said("job") >= 3 {
				took = i
			}
		}
		return took >= 0
	})
	for i, k := range kids {
		if i != frozen {
			if lines, at := k.since(stopped.Add(time.Second), "ack"); len(lines) > 0 {
				t.Logf("%s froze: %s writes after %v", kids[frozen].name, k.name, at.Sub(stopped).Round(time.Millisecond))
			}
		}
	}
	kids[frozen].cmd.Process.Signal(syscall.SIGCONT)
	kids[frozen].more(t, "ack", 10, patience)
	jobs := func() (n int) {
		for _, k := range kids {
			n += k.said("job")
		}
		return n
	}
	then := jobs()
	until(t, "whoever has the lease works on", patience, func() bool { return jobs() >= then+10 })

	// Whoever leads may be the one that is killed; the other two go on, and it comes back.
	var before []*child
	for i := range kids {
		leads := kids[i].last("leads", "follows")
		killed := time.Now()
		kids[i].kill()
		for j, k := range kids {
			if j != i {
				k.more(t, "ack", 10, patience)
				k.more(t, "seen", 2, patience)
				_, at := k.since(killed, "ack")
				t.Logf("%s was killed, leading: %v: %s writes after %v", kids[i].name, leads, k.name, at.Sub(killed).Round(time.Millisecond))
			}
		}
		before = append(before, kids[i])
		kids[i] = startMember(t, cfgs[i])
		kids[i].more(t, "ack", 5, patience)
	}
	for _, k := range kids {
		k.kill()
	}

	nodes := openAll(t, cfgs...)
	end, err := nodes[0].End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	acknowledgedAreThere(t, append(before, kids...), events(t, nodes[1], end))
}

// acknowledgedAreThere compares what the members were told with the log, and looks for anything that was done under a lease
// after another one's had begun.
func acknowledgedAreThere(t *testing.T, kids []*child, log []Event) {
	t.Helper()
	acked := 0
	for _, k := range kids {
		for _, line := range k.lines {
			var kind string
			var seq Seq
			if n, _ := fmt.Sscan(line, &kind, &seq); n < 2 || kind != "ack" && kind != "job" {
				continue
			}
			acked++
			if int(seq) > len(log) {
				t.Fatalf("member %s: event %d was acknowledged, the log ends at %d", k.name, seq, len(log))
			}
			e := log[seq-1]
			if kind == "ack" && e.Subject != "agent."+k.name || kind == "job" && !strings.Contains(line, strings.Trim(string(e.Data), `"`)) {
				t.Fatalf("member %s was told %q, the log has %s %s", k.name, line, e.Subject, e.Data)
			}
		}
	}
	var tenures []string
	begun := time.Time{} // of the newest tenure
	ops := map[string]bool{}
	for i, e := range log {
		if e.Seq != Seq(i+1) || ops[e.Op+e.Subject] {
			t.Fatalf("place %d: event %d, op %s again: %v", i+1, e.Seq, e.Op, ops[e.Op+e.Subject])
		}
		ops[e.Op+e.Subject] = true
		if !strings.HasPrefix(e.Subject, "job.") {
			continue
		}
		tenure := string(e.Data)
		if len(tenures) == 0 || tenures[len(tenures)-1] != tenure {
			if slices.Contains(tenures, tenure) {
				// What was on its way when the process froze may land later; nothing was begun later.
				if e.At.After(begun) {
					t.Fatalf("event %d: %s wrote after its lease was another's", e.Seq, tenure)
				}
				continue
			}
			tenures, begun = append(tenures, tenure), e.At
		}
	}
	t.Logf("%d events acknowledged, %d in the log, %d tenures", acked, len(log), len(tenures))
}
