package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

// desk stands for what is behind the panel: it keeps what was posted and gives out what the test sets.
type desk struct {
	posted chan wire.Command
	mu     sync.Mutex
	snap   wire.Snapshot
	pages  map[chan wire.Snapshot]bool
	floors chan wire.Floor
	wants  chan wire.WatchFloor
}

func newDesk() *desk {
	return &desk{posted: make(chan wire.Command, 1000), pages: map[chan wire.Snapshot]bool{}, floors: make(chan wire.Floor, 1),
		wants: make(chan wire.WatchFloor, 1000)}
}

func (d *desk) Post(c wire.Command) { d.posted <- c }

func (d *desk) Watch() (<-chan wire.Snapshot, func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ch := make(chan wire.Snapshot, 1)
	ch <- d.snap
	d.pages[ch] = true
	return ch, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.pages, ch)
	}
}

func (d *desk) show(s wire.Snapshot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.snap = s
	for ch := range d.pages {
		select {
		case <-ch:
		default:
		}
		ch <- s
	}
}

func (d *desk) WatchFloor(_ context.Context, want wire.WatchFloor) (<-chan wire.Floor, func(wire.WatchFloor)) {
	d.wants <- want
	return d.floors, func(want wire.WatchFloor) { d.wants <- want }
}

// voice stands for the sound engine.
type voice struct{ calls chan string }

func (v voice) Offer(_ context.Context, page, sdp string, network bool) (string, error) {
	if network {
		sdp += " by network"
	}
	if sdp == "bad" {
		return "", errors.New("no codec")
	}
	return "answer to " + sdp, nil
}

func (v voice) Orders(page string) (<-chan wire.SoundOrder, func()) {
	ch := make(chan wire.SoundOrder, 1)
	ch <- wire.SoundOrder{Owner: true, Codec: "PCMU"}
	return ch, func() {}
}
func (v voice) Claim(page string) { v.calls <- "claim " + page }
func (v voice) Gone(page string)  { v.calls <- "gone " + page }
func (v voice) Stats(page string, s wire.SoundStats) {
	v.calls <- fmt.Sprintf("stats %s %v", page, s)
}

// PCM gives every message back.
func (v voice) PCM(ctx context.Context, page string, read func(context.Context) ([]byte, error), write func([]byte) error) error {
	v.calls <- "pcm " + page
	for {
		b, err := read(ctx)
		if err != nil {
			return err
		}
		if err := write(b); err != nil {
			return err
		}
	}
}

type rig struct {
	*Server
	*desk
	voice voice
	log   *safeBuffer
	own   string // our origin
	jar   *http.Cookie
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func start(t *testing.T) *rig { return startWith(t, func(*Config) {}) }

func startWith(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	d, v, log := newDesk(), voice{make(chan string, 100)}, &safeBuffer{}
	cfg := Config{
		Addr: "127.0.0.1:0", Agent: d, Floor: d, Sound: v,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "zaseki_up 1") }),
		Log:     slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	change(&cfg)
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	r := &rig{Server: s, desk: d, voice: v, log: log, own: "http://" + s.Addr()}
	r.jar = r.session(t, strings.Split(s.URL(), "#")[1])
	if r.jar == nil {
		t.Fatal("the panel's own URL opens no session")
	}
	return r
}

// session posts a secret and gives the cookie, or nil when it was refused.
func (r *rig) session(t *testing.T, secret string) *http.Cookie {
	t.Helper()
	resp := r.do(t, "POST", "/session", `{"token":"`+secret+`"}`, map[string]string{"Origin": r.own, "Content-Type": "application/json"}, false)
	if resp.StatusCode != http.StatusNoContent {
		return nil
	}
	return resp.Cookies()[0]
}

// do asks and reads the whole answer; the body stands in the answer's Body again.
func (r *rig) do(t *testing.T, method, path, body string, head map[string]string, cookie bool) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.own+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range head {
		if k == "Host" {
			req.Host = v
			continue
		}
		req.Header.Set(k, v)
	}
	if cookie {
		req.AddCookie(&http.Cookie{Name: r.jar.Name, Value: r.jar.Value})
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp
}

func (r *rig) page(t *testing.T, id string) *socket.Conn {
	t.Helper()
	h := http.Header{"Origin": {r.own}, "Cookie": {r.jar.Name + "=" + r.jar.Value}}
	c, err := socket.Dial(soon(t), "ws://"+r.Addr()+"/ws?page="+id, h, socket.Options{ReadLimit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(socket.GoingAway, "") })
	return c
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// hears reads until a message of that type comes for which ok is true.
func hears[T any](t *testing.T, c *socket.Conn, ok func(T) bool) T {
	t.Helper()
	for {
		e, err := c.Read(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		m, err := wire.ParsePanel(e)
		if err != nil {
			t.Fatal(err)
		}
		if v, is := m.(T); is && ok(v) {
			return v
		}
	}
}

func says(t *testing.T, c *socket.Conn, kind, body string) {
	t.Helper()
	if err := c.Write(soon(t), wire.Envelope{Type: kind, Op: "op", Body: json.RawMessage(body)}); err != nil {
		t.Fatal(err)
	}
}

// next is the next command that is not the count of pages.
func (r *rig) next(t *testing.T) wire.Command {
	t.Helper()
	for {
		select {
		case c := <-r.posted:
			if _, count := c.(wire.PagesChanged); !count {
				return c
			}
		case <-soon(t).Done():
			t.Fatal("no command came")
		}
	}
}
