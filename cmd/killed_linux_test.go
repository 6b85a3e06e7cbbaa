package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/sip"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

const (
	plainOffer  = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendrecv\r\n"
	plainAnswer = "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40002 RTP/AVP 0\r\na=sendrecv\r\n"
	plainHold   = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendonly\r\n"
)

// handset is a phone of ours without sound.
type handset struct {
	*sip.Phone
	t      *testing.T
	user   string
	events chan sip.Event
}

func newHandset(t *testing.T, server, user, transport string) *handset {
	t.Helper()
	h := &handset{t: t, user: user, events: make(chan sip.Event, 256)}
	ctx, cancel := context.WithCancel(context.Background())
	h.Phone = sip.New(sip.Config{UserAgent: "Zaseki-test", Reoffer: func(string, string) (string, error) { return plainAnswer, nil },
		Tell: func(e sip.Event) {
			select {
			case h.events <- e:
			case <-ctx.Done():
			}
		}})
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	within, end := context.WithTimeout(ctx, 10*time.Second)
	defer end()
	if err := h.Register(within, sip.Account{User: user, Domain: "pbx.test", Server: server, Transport: transport, Password: plainSecret(user + "-secret"), Expires: time.Hour}); err != nil {
		t.Fatalf("register %s: %v", user, err)
	}
	return h
}

// hears waits for an event of that kind.
func hears[E sip.Event](h *handset, within time.Duration) E {
	h.t.Helper()
	for end := time.After(within); ; {
		select {
		case e := <-h.events:
			if want, ok := e.(E); ok {
				return want
			}
		case <-end:
			h.t.Fatalf("%s heard no %T within %v", h.user, *new(E), within)
		}
	}
}

// picksUp answers the next call.
func (h *handset) picksUp() sip.Incoming {
	h.t.Helper()
	in := hears[sip.Incoming](h, 30*time.Second)
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	if err := h.Ring(in.Call); err != nil {
		h.t.Fatal(err)
	}
	if err := h.Answer(ctx, in.Call, plainAnswer); err != nil {
		h.t.Fatalf("%s answers %s: %v", h.user, in.User, err)
	}
	return in
}

// killedFloor is what the center is told: a provider that is known by its address, desk phones, an agent, two queues.
func killedFloor(t *testing.T, dir string) string {
	t.Helper()
	var terminals []map[string]any
	for _, user := range []string{"1101", "1102", "1103", "1104", "1105", "bare", "agent"} {
		terminals = append(terminals, map[string]any{"extension": user, "type": "desk", "secret": user + "-secret"})
	}
	terminals = append(terminals, map[string]any{"extension": "provider", "type": "trunk", "secret": "provider-secret",
		"trunk": map[string]any{"domain": "provider.test", "accept": []string{"127.0.8.0/24"}}})
	data, err := json.Marshal(map[string]any{
		"site":     map[string]any{"name": "Killed", "domain": "pbx.test", "afterWorkSeconds": 1, "ringSeconds": 20},
		"accounts": []map[string]any{{"account": "sato", "name": "佐藤", "password": "correct horse"}}, "terminals": terminals,
		"queues": []map[string]any{{"extension": "7000", "name": "Orders"}, {"extension": "7001", "name": "Music", "wait": "music", "language": "en"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "killed.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// becomesFree signs the agent in with that phone, Available.
func becomesFree(t *testing.T, url, terminal string) {
	t.Helper()
	u := uplink.New(uplink.Config{URL: url, Machine: "test", Version: "test", Tell: func(uplink.Event) {}})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- u.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ran })
	if _, err := u.Check(t.Context(), "sato", "correct horse"); err != nil {
		t.Fatal(err)
	}
	if _, err := u.SignIn(t.Context(), wire.SignIn{Terminal: terminal, Status: wire.StatusAvailable}); err != nil {
		t.Fatal(err)
	}
}

// callsAlive is what the center says of itself.
func callsAlive(t *testing.T, center *stage.Program, want int) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); <-tick.C {
		res, err := http.Get(center.String("http") + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		for line := range strings.Lines(string(body)) {
			if n, ok := strings.CutPrefix(line, "center_calls "); ok {
				if last = strings.TrimSpace(n); last == fmt.Sprint(want) {
					return
				}
			}
		}
	}
	t.Fatalf("%s calls are alive, want %d", last, want)
}

// sippWaits has customers call the queue, one after the other; their numbers end with these.
func sippWaits(t *testing.T, server, queue, ip string, numbers []string) *exec.Cmd {
	t.Helper()
	tool, err := exec.LookPath("sipp")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("sipp must be there in CI")
		}
		t.Skip("sipp is not installed (Debian: sip-tester)")
	}
	list := filepath.Join(t.TempDir(), "numbers.csv")
	if err := os.WriteFile(list, []byte("SEQUENTIAL\n"+strings.Join(numbers, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	n := fmt.Sprint(len(numbers))
	cmd := exec.CommandContext(ctx, tool, server, "-sf", "testdata/waiter.xml", "-inf", list, "-s", queue, "-i", ip, "-m", n, "-l", n, "-r", "25", "-aa",
		"-nostdin", "-trace_err", "-error_file", "/dev/stderr")
	cmd.Env = append(os.Environ(), "TERM=dumb")
	said := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("sipp: %s", said)
		}
	})
	return cmd
}

func numbered(from, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%04d", from+i))
	}
	return all
}

// TestTheCenterIsKilledWithCallsUpAndCallersWaiting: reliability C2, with kill -9. Two calls go on, each is ended on both sides when
// one side hangs up, also while nobody heard it; twenty callers wait on and are brought to the agent in their order, and one who had
// to call again waits where it waited.
func TestTheCenterIsKilledWithCallsUpAndCallersWaiting(t *testing.T) {
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	dir := t.TempDir()
	build(t, dir, "center")
	bin := filepath.Join(dir, "center")
	center, err := stage.StartCenter(t.Context(), bin, dir, killedFloor(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { center.Stop() }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(tail(center))
		}
	})
	server := center.String("sip")
	a1, a2 := newHandset(t, server, "1101", "udp"), newHandset(t, server, "1102", "udp")
	b1, b2 := newHandset(t, server, "1103", "tcp"), newHandset(t, server, "1104", "udp")
	agent := newHandset(t, server, "agent", "udp")
	again := newHandset(t, server, "1105", "tcp")
	calls := map[*handset]string{a1: "a", b1: "b"}
	for caller, called := range map[*handset]*handset{a1: a2, b1: b2} {
		if err := caller.Dial(t.Context(), calls[caller], called.user, plainOffer); err != nil {
			t.Fatal(err)
		}
		calls[called] = called.picksUp().Call
		hears[sip.Answered](caller, 10*time.Second)
	}
	early, later := numbered(1000, 10), numbered(2000, 10)
	first := sippWaits(t, server, "7000", "127.0.8.2", early)
	callsAlive(t, center, 12)
	if err := again.Dial(t.Context(), "again", "7000", plainOffer); err != nil {
		t.Fatal(err)
	}
	callsAlive(t, center, 13)
	second := sippWaits(t, server, "7000", "127.0.8.3", later)
	callsAlive(t, center, 23)

	center.Kill()
	go a1.Hangup(context.Background(), calls[a1]) // nobody hears it
	ended := hears[sip.Failed](again, 40*time.Second)
	if center, err = stage.Restart(t.Context(), bin, dir, center); err != nil {
		t.Fatal(err)
	}
	t.Logf("the caller by TCP was told %d", ended.Code)

	if e := hears[sip.Ended](a2, 10*time.Second); !e.ByPeer {
		t.Errorf("the side whose far side hung up meanwhile heard %+v", e)
	}
	hears[sip.Registered](again, 20*time.Second)
	if err := again.Dial(t.Context(), "again2", "7000", plainOffer); err != nil {
		t.Fatal(err)
	}
	callsAlive(t, center, 22) // the call that is up, twenty, and the one that came again

	if answer, err := b2.Reinvite(t.Context(), calls[b2], plainHold); err != nil || answer != plainAnswer {
		t.Errorf("hold in a call of the process before: %v %q", err, answer)
	}
	if err := b2.Hangup(t.Context(), calls[b2]); err != nil {
		t.Errorf("hang up a call of the process before: %v", err)
	}
	if e := hears[sip.Ended](b1, 10*time.Second); !e.ByPeer {
		t.Errorf("the side by TCP heard %+v", e)
	}

	becomesFree(t, center.String("http"), "agent")
	var order []string
	for range 21 {
		in := agent.picksUp()
		order = append(order, strings.TrimPrefix(in.User, "031234"))
		if err := agent.Hangup(t.Context(), in.Call); err != nil {
			t.Fatal(err)
		}
	}
	want := append(append(append([]string{}, early...), "1105"), later...)
	for i, number := range want {
		if at := indexOf(order, number); at < i-1 || at > i+1 {
			t.Errorf("caller %s came to the agent as number %d, waited as number %d", number, at+1, i+1)
		}
	}
	t.Logf("order: %v", order)
	for _, cmd := range []*exec.Cmd{first, second} {
		if err := cmd.Wait(); err != nil {
			t.Errorf("sipp: %v", err)
		}
	}
	callsAlive(t, center, 0)
	if left, _ := filepath.Glob(filepath.Join(dir, "data", "calls", "*.json")); len(left) > 1 { // who is registered stays
		t.Errorf("left in the book: %v", left)
	}
}

func indexOf(all []string, one string) int {
	for i, v := range all {
		if v == one {
			return i
		}
	}
	return -100
}

// TestTheCenterIsKilledWhileCallersHearMusic: two who hear it, by UDP and by TCP, hear it again and are brought to the agent, whose
// phone rang for the first of them when it happened. A real foreign phone's call keeps its sound.
func TestTheCenterIsKilledWhileCallersHearMusic(t *testing.T) {
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	if _, err := exec.LookPath("baresip"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("baresip must be there in CI")
		}
		t.Skip("baresip is not installed (Debian: baresip-core)")
	}
	dir := t.TempDir()
	build(t, dir, "center")
	bin := filepath.Join(dir, "center")
	center, err := stage.StartCenter(t.Context(), bin, dir, killedFloor(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { center.Stop() }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(tail(center))
		}
	})
	server := center.String("sip")
	bare := newBaresip(t, server, "bare-secret", "")
	desk := newDeskphoneBy(t, sip.Account{Server: server, Transport: "udp", Password: plainSecret("agent-secret")})
	mark := bare.mark()
	bare.order("dial", "sip:agent@pbx.test")
	bare.sees("CALL_ESTABLISHED", mark)
	desk.becomes("", "")
	desk.hears("baresip's tone")

	agent := newHandset(t, server, "1101", "udp")
	becomesFree(t, center.String("http"), "1101")
	first, second := newHandset(t, server, "1102", "udp"), newHandset(t, server, "1103", "tcp")
	for _, h := range []*handset{first, second} {
		if err := h.Dial(t.Context(), h.user, "7001", plainOffer); err != nil {
			t.Fatal(err)
		}
		if h == first { // its call goes to the agent at once
			in := hears[sip.Incoming](agent, 10*time.Second)
			if err := agent.Ring(in.Call); err != nil {
				t.Fatal(err)
			}
			continue
		}
		hears[sip.Answered](h, 10*time.Second)
	}
	callsAlive(t, center, 3)

	center.Kill()
	desk.hears("baresip's tone while the center is away")
	if center, err = stage.Restart(t.Context(), bin, dir, center); err != nil {
		t.Fatal(err)
	}
	if e := hears[sip.Ended](agent, 10*time.Second); !e.Elsewhere {
		t.Errorf("what rang for the process before ended with %+v", e)
	}
	for i, want := range []string{"1102", "1103"} {
		in := agent.picksUp()
		if in.User != want {
			t.Errorf("number %d is %s, want %s", i, in.User, want)
		}
		if in.User == "1102" {
			hears[sip.Answered](first, 10*time.Second)
		}
		if err := agent.Hangup(t.Context(), in.Call); err != nil {
			t.Fatal(err)
		}
		who := map[string]*handset{"1102": first, "1103": second}[in.User]
		if e := hears[sip.Ended](who, 10*time.Second); !e.ByPeer {
			t.Errorf("%s heard %+v", in.User, e)
		}
	}
	desk.hears("baresip's tone after the center came back")
	mark = bare.mark()
	desk.mu.Lock()
	call := desk.phase[""]
	desk.mu.Unlock()
	if err := desk.line.Hangup(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	bare.sees("CALL_CLOSED", mark)
	callsAlive(t, center, 0)
}
