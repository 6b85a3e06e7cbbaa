package media_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/media"
	"zaseki/media/hear"
	"zaseki/web/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

// need gives the path of a program, or skips; in CI it must be there.
func need(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("browser and speech: not with -short")
	}
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// until waits for something that others do.
func until(t *testing.T, what string, within time.Duration, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// pass lets sound flow for that long.
func pass(d time.Duration) { <-time.After(d) }

// events keeps what an engine told.
type events struct {
	mu  sync.Mutex
	all []media.Event
}

func (e *events) tell(ev media.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

// count says how many events are like that.
func count[E media.Event](e *events, like func(E) bool) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, ev := range e.all {
		if ev, ok := ev.(E); ok && like(ev) {
			n++
		}
	}
	return n
}

// engine is a running engine that ends with the test.
func engine(t *testing.T, cfg media.Config) (*media.Engine, *events) {
	t.Helper()
	said := &events{}
	cfg.Tell = said.tell
	if cfg.Log == nil && testing.Verbose() {
		cfg.Log = slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	e, err := media.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e, said
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(string(b[:len(b)-1]))
	return len(b), nil
}

// connect lets a call two.
func connect(t *testing.T, a *media.Engine, lineA string, b *media.Engine, lineB string) {
	t.Helper()
	offer, err := a.OpenLine(lineA, loopback, media.Security{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.AnswerLine(lineB, loopback, offer, media.Security{})
	if err != nil {
		t.Fatalf("%v\n%s", err, offer)
	}
	if err := a.SetAnswer(lineA, answer); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
}

// ear keeps what a line hears, at 8 kHz.
type ear struct {
	mu  sync.Mutex
	pcm []int16
}

func (e *ear) hear(pcm []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pcm = append(e.pcm, pcm...)
}

// take gives what was heard so far and begins anew.
func (e *ear) take() []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	pcm := e.pcm
	e.pcm = nil
	return pcm
}

// voice speaks samples at 8 kHz, again and again.
type voice struct {
	pcm []int16
	at  int
}

func (v *voice) Next(frame []int16) bool {
	for i := range frame {
		frame[i] = v.pcm[v.at]
		v.at = (v.at + 1) % len(v.pcm)
	}
	return true
}

// speech is that text spoken, at 8 kHz and as a file for a browser's microphone.
func speech(t *testing.T, who, text string) (pcm []int16, path string) {
	t.Helper()
	tool := need(t, "espeak-ng")
	path = filepath.Join(t.TempDir(), "speech.wav")
	if out, err := exec.Command(tool, "-v", who, "-s", "150", "-w", path, text).CombinedOutput(); err != nil {
		t.Fatalf("espeak-ng: %v\n%s", err, out)
	}
	raw, rate, err := hear.ReadWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	wide := hear.Resample(raw, rate, 48000)
	if err := hear.WriteWAV(path, wide, 48000); err != nil {
		t.Fatal(err)
	}
	return hear.Resample(raw, rate, 8000), path
}

const (
	agentText    = "Thank you for calling. The quick brown fox jumps over the lazy dog, and then it sleeps for a while near the bridge."
	customerText = "Good morning. I ordered seven yellow umbrellas on Thursday, but the parcel which came holds only five of them."
)

// panel serves a page of the test's own, which loads the real sound.js.
type panel struct {
	t      *testing.T
	e      *media.Engine
	server *httptest.Server
	ctx    context.Context
	open   sync.WaitGroup // websockets, which the server does not wait for

	mu       sync.Mutex
	snapshot map[string]any
	news     chan struct{} // closed and replaced at every change
	said     []string
}

const testPage = `<!doctype html><meta charset=utf-8><title>sound</title><script type=module>
import { createSound } from "/js/sound.js";
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (what) => (globalThis.micStream = await ask(what));
if (location.search.includes("samples")) delete globalThis.RTCPeerConnection; // as some policies do
if (location.search.includes("plain")) RTCRtpSender.prototype.setParameters = async () => {}; // as in Firefox
const page = %q + (sessionStorage.n = (+sessionStorage.n || 0) + 1);
const call = (path, body) => fetch(path, { method: "POST", body: JSON.stringify(body) });
globalThis.sound = createSound({ page, send: (type, body) => call("/said?page=" + page, { type, body }),
  post: async (path, body) => { const r = await call(path, body); if (!r.ok) throw new Error(await r.text()); return r.json(); } });
const news = globalThis.news = new EventSource("/news?page=" + page);
news.addEventListener("order", (e) => { globalThis.order = JSON.parse(e.data); sound.order(order); });
news.addEventListener("snapshot", (e) => sound.show(JSON.parse(e.data)));
localStorage.setItem("zaseki.audio", "raw");
</script>`

func newPanel(t *testing.T, e *media.Engine) *panel {
	p := &panel{t: t, e: e, news: make(chan struct{}), snapshot: map[string]any{"phase": "in"}}
	mux := http.NewServeMux()
	mux.Handle("GET /js/", http.FileServerFS(os.DirFS("../static")))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, testPage, r.URL.Query().Get("page")+".")
	})
	mux.HandleFunc("GET /news", p.stream)
	mux.HandleFunc("GET /media/pcm", func(w http.ResponseWriter, r *http.Request) {
		conn, err := socket.Accept(w, r, socket.Options{CheckOrigin: func(*http.Request) bool { return true }, Raw: socket.Binary, Queue: 3})
		if err != nil {
			return
		}
		p.open.Add(1)
		defer p.open.Done()
		defer conn.Close(socket.GoingAway, "over")
		ctx, cancel := context.WithCancel(r.Context())
		defer context.AfterFunc(p.ctx, cancel)()
		defer cancel()
		if err := e.PCM(ctx, r.URL.Query().Get("page"), conn.ReadRaw, conn.PushRaw); err != nil {
			t.Logf("pcm: %v", err)
		}
	})
	mux.HandleFunc("POST /said", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.said = append(p.said, string(b))
		p.mu.Unlock()
		if m := struct{ Type string }{}; json.Unmarshal(b, &m) == nil && m.Type == "sound.claim" {
			e.Claim(r.URL.Query().Get("page"))
		}
	})
	mux.HandleFunc("POST /media/offer", func(w http.ResponseWriter, r *http.Request) {
		var ask struct {
			Page, SDP string
			Network   bool
		}
		_ = json.NewDecoder(r.Body).Decode(&ask)
		answer, err := e.Offer(r.Context(), ask.Page, ask.SDP, ask.Network)
		if err != nil {
			t.Logf("offer: %v", err)
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"sdp": answer})
	})
	p.server = httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	p.ctx = ctx
	t.Cleanup(func() {
		cancel()
		p.open.Wait()
		p.server.Close()
	})
	return p
}

// opens shows a page of the panel in a tab, which it gives back, and waits until it carries sound.
func (p *panel) opens(tab context.Context, told *events, query string) context.Context {
	p.t.Helper()
	open(p.t, tab, p.server.URL+"/?"+query)
	until(p.t, "page is warm", 20*time.Second, func() bool { return count(told, func(l media.PageLive) bool { return l.Live }) > 0 })
	return tab
}

// stream is the test's websocket: orders and snapshots down, and the page is gone when it ends.
func (p *panel) stream(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("page")
	orders, stop := p.e.Orders(id)
	defer p.e.Gone(id)
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	say := func(kind string, v any) {
		b, _ := json.Marshal(v)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", kind, b)
		w.(http.Flusher).Flush()
	}
	for {
		p.mu.Lock()
		snap, news := p.snapshot, p.news
		p.mu.Unlock()
		say("snapshot", snap)
		for waiting := true; waiting; {
			select {
			case <-r.Context().Done():
				return
			case o, ok := <-orders:
				if !ok {
					return
				}
				say("order", o)
			case <-news:
				waiting = false
			}
		}
	}
}

// show tells all pages what phase the calls are in; "" is no call.
func (p *panel) show(phase string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.snapshot = map[string]any{"phase": "in"}
	if phase != "" {
		p.snapshot["calls"] = []any{map[string]any{"id": "1", "phase": phase}}
	}
	close(p.news)
	p.news = make(chan struct{})
}

func (p *panel) heard(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.said {
		if strings.HasPrefix(s, what) {
			return true
		}
	}
	return false
}

// call is a page in a call with a robot, the sound flowing.
type call struct {
	near, far *media.Engine
	told      *events
	panel     *panel
	tab       context.Context
	ear       *ear
	agent     []int16
}

func newCall(t *testing.T, codecs ...string) *call {
	t.Helper()
	return newCallAt(t, "/?page=a", codecs...)
}

// newCallAt is one with the page at that address.
func newCallAt(t *testing.T, at string, codecs ...string) *call {
	t.Helper()
	agent, mic := speech(t, "en", agentText)
	c := &call{agent: agent, ear: &ear{}}
	c.near, c.told = engine(t, media.Config{})
	c.far, _ = engine(t, media.Config{Codecs: codecs})
	c.panel = newPanel(t, c.near)
	c.panel.show("talking")
	c.tab = chrome(t, mic)
	open(t, c.tab, c.panel.server.URL+at)
	connect(t, c.near, "call", c.far, "robot")
	c.far.Listen("robot", c.ear.hear)
	c.near.Focus("call")
	until(t, "the page speaks", 20*time.Second, c.speaks)
	return c
}

// speaks says that the page's voice reached the line.
func (c *call) speaks() bool {
	return count(c.told, func(f media.FirstPacket) bool { return f.Out }) > 0
}
