package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk stands for what is behind the panel: it keeps what was posted and gives out what the test sets.
type desk struct {
	posted chan wire.Command
	mu     sync.Mutex
	snap   wire.Snapshot
	pages  map[chan wire.Snapshot]bool
	floors chan wire.Floor
}

func newDesk() *desk {
	return &desk{posted: make(chan wire.Command, 1000), pages: map[chan wire.Snapshot]bool{}, floors: make(chan wire.Floor, 1)}
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

func (d *desk) WatchFloor(context.Context) (<-chan wire.Floor, func()) {
	return d.floors, func() {}
}

// voice stands for the sound engine.
type voice struct{ calls chan string }

func (v voice) Offer(_ context.Context, page, sdp string) (string, error) {
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

func start(t *testing.T) *rig {
	t.Helper()
	d, v, log := newDesk(), voice{make(chan string, 100)}, &safeBuffer{}
	s, err := New(Config{
		Addr: "127.0.0.1:0", Agent: d, Floor: d, Sound: v,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "zaseki_up 1") }),
		Log:     slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
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

func TestWhoMayAskForWhat(t *testing.T) {
	r := start(t)
	_, port, _ := net.SplitHostPort(r.Addr())
	json := "application/json"
	own := map[string]string{"Origin": r.own, "Content-Type": json}
	type head = map[string]string
	for _, row := range []struct {
		name, method, path string
		head               head
		cookie             bool
		want               int
	}{
		{"page", "GET", "/", nil, false, 200},
		{"page by name", "GET", "/", head{"Host": "localhost:" + port}, false, 200},
		{"page by the other loopback", "GET", "/", head{"Host": "[::1]:" + port}, false, 200},
		{"rebound name", "GET", "/", head{"Host": "evil.example:" + port}, true, 421},
		{"rebound name before the secret", "POST", "/session", head{"Host": "evil.example"}, false, 421},
		{"name with our address in it", "GET", "/js/main.js", head{"Host": "127.0.0.1.nip.io:" + port}, true, 421},
		{"other port", "GET", "/", head{"Host": "127.0.0.1:1"}, true, 421},
		{"no port", "GET", "/", head{"Host": "127.0.0.1"}, true, 421},
		{"trailing dot", "GET", "/", head{"Host": "127.0.0.1.:" + port}, true, 421},
		{"all addresses", "GET", "/", head{"Host": "0.0.0.0:" + port}, true, 421},
		{"mapped address", "GET", "/", head{"Host": "[::ffff:7f00:1]:" + port}, true, 421},
		{"short address", "GET", "/", head{"Host": "127.1:" + port}, true, 421},

		{"post without Origin", "POST", "/media/offer", head{"Content-Type": json}, true, 403},
		{"post from null", "POST", "/media/offer", head{"Origin": "null", "Content-Type": json}, true, 403},
		{"post from another port", "POST", "/media/offer", head{"Origin": "http://127.0.0.1:1", "Content-Type": json}, true, 403},
		{"post from a longer name", "POST", "/media/offer", head{"Origin": "http://127.0.0.1:" + port + ".evil.example", "Content-Type": json}, true, 403},
		{"post from https", "POST", "/media/offer", head{"Origin": "https://" + r.Addr(), "Content-Type": json}, true, 403},
		{"post from our other name", "POST", "/media/offer", head{"Origin": "http://localhost:" + port, "Content-Type": json}, true, 403},
		{"post the browser calls cross-site", "POST", "/media/offer", head{"Origin": r.own, "Sec-Fetch-Site": "cross-site", "Content-Type": json}, true, 403},
		{"post as a form", "POST", "/media/offer", head{"Origin": r.own, "Content-Type": "text/plain"}, true, 415},
		{"own post without session", "POST", "/media/offer", own, false, 401},
		{"own post", "POST", "/media/offer", own, true, 400},
		{"get where post is meant", "GET", "/media/offer", nil, true, 404},
		{"delete", "DELETE", "/", own, true, 405},
		{"preflight", "OPTIONS", "/media/offer", head{"Origin": "http://evil.example"}, false, 403},

		{"script fetched by a foreign page", "GET", "/js/main.js", head{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, true, 403},
		{"page in a foreign frame", "GET", "/", head{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, true, 403},
		{"followed link", "GET", "/", head{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, false, 200},
		{"script of our own", "GET", "/js/main.js", head{"Sec-Fetch-Site": "same-origin"}, false, 200},

		{"check without session", "GET", "/session/check", nil, false, 401},
		{"check", "GET", "/session/check", nil, true, 204},
		{"metrics without session", "GET", "/metrics", nil, false, 401},
		{"metrics", "GET", "/metrics", nil, true, 200},
		{"metrics with a wrong bearer", "GET", "/metrics", head{"Authorization": "Bearer x"}, false, 401},
		{"metrics with the token", "GET", "/metrics", head{"Authorization": "Bearer " + strings.Split(r.URL(), "#")[1]}, false, 200},
		{"websocket without upgrade", "GET", "/ws?page=abcdefgh", nil, true, 400},
		{"websocket without page", "GET", "/ws", nil, true, 400},
		{"seat view", "GET", "/seats", nil, false, 200},
		{"nothing", "GET", "/nosuch", nil, true, 404},
		{"source of the page by its file name", "GET", "/index.html", nil, true, 404},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := ""
			if row.method == "POST" {
				body = "{}"
			}
			resp := r.do(t, row.method, row.path, body, row.head, row.cookie)
			if resp.StatusCode != row.want {
				t.Errorf("%d, want %d", resp.StatusCode, row.want)
			}
			csp := resp.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "evil") {
				t.Errorf("policy %q", csp)
			}
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("grants %s", name)
				}
			}
		})
	}
}

func TestASecretOpensASession(t *testing.T) {
	r := start(t)
	token := strings.Split(r.URL(), "#")[1]
	once := strings.Split(r.OneTimeURL("seats"), "#")[1]
	if !strings.Contains(r.OneTimeURL("seats"), "/seats#") || len(token) < 43 {
		t.Errorf("addresses %s, %s", r.URL(), r.OneTimeURL("seats"))
	}
	for _, row := range []struct {
		name, secret string
		opens        bool
	}{
		{"empty", "", false},
		{"wrong", strings.Repeat("A", 43), false},
		{"a part", token[:42], false},
		{"longer", token + "A", false},
		{"the token", token, true},
		{"the token again", token, true},
		{"the code", once, true},
		{"the code again", once, false},
	} {
		c := r.session(t, row.secret)
		if (c != nil) != row.opens {
			t.Errorf("%s: opened is %v", row.name, c != nil)
		}
		if c != nil && (!c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Value == token) {
			t.Errorf("%s: cookie %+v", row.name, c)
		}
	}
	if s := r.log.String(); strings.Contains(s, token) || strings.Contains(s, r.jar.Value) {
		t.Error("a secret is in the log")
	}
}

func TestAPageSeesSnapshotsAndSaysCommands(t *testing.T) {
	r := start(t)
	r.show(wire.Snapshot{Rev: 1, Phase: wire.PhaseOut})
	c := r.page(t, "page-one")
	hears(t, c, func(s wire.Snapshot) bool { return s.Rev == 1 })
	r.show(wire.Snapshot{Rev: 2, Phase: wire.PhaseIn})
	hears(t, c, func(s wire.Snapshot) bool { return s.Rev == 2 && s.Phase == wire.PhaseIn })

	says(t, c, "account.check", `{"account":"sato","password":"geheim 1"}`)
	if got, ok := r.next(t).(wire.CheckAccount); !ok || got.Account != "sato" || got.Password.Reveal() != "geheim 1" {
		t.Errorf("posted %+v", got)
	}
	says(t, c, "status.set", `{"to":"break","more":1}`)
	if got := r.next(t); got != (wire.SetStatus{To: "break"}) {
		t.Errorf("posted %+v", got)
	}
	if strings.Contains(r.log.String(), "geheim") {
		t.Error("the password is in the log")
	}
}

func TestWhatIsNotUnderstoodIsRefusedAndThePageStays(t *testing.T) {
	r := start(t)
	c := r.page(t, "page-one")
	for _, kind := range []string{"nosuch", "panel.pages", "snapshot", "", strings.Repeat("x", 5000)} {
		says(t, c, kind, `{}`)
		e := hears(t, c, func(wire.Refused) bool { return true })
		if e.Problem.Code != wire.ProblemInternal {
			t.Errorf("%.20q: %+v", kind, e)
		}
	}
	says(t, c, "call.dial", `{"number":5}`)
	hears(t, c, func(wire.Refused) bool { return true })
	says(t, c, "call.dial", `{"number":"117"}`)
	if got := r.next(t); got != (wire.Dial{Number: "117"}) {
		t.Errorf("posted %+v", got)
	}
}

func TestASlowPageGetsTheNewest(t *testing.T) {
	r := start(t)
	c := r.page(t, "page-one")
	big := strings.Repeat("x", 10_000)
	const last = 3000
	for i := 1; i <= last; i++ {
		r.show(wire.Snapshot{Rev: uint64(i), Account: big})
	}
	n := 0
	hears(t, c, func(s wire.Snapshot) bool { n++; return s.Rev == last })
	if n == last {
		t.Error("every snapshot was queued")
	}
}

func TestTheSeatViewComesToWhoAsks(t *testing.T) {
	r := start(t)
	c := r.page(t, "page-one")
	r.floors <- wire.Floor{Rev: 7, Mine: "s2"}
	says(t, c, "floor.watch", `{"on":true}`)
	hears(t, c, func(f wire.Floor) bool { return f.Rev == 7 && f.Mine == "s2" })
	says(t, c, "floor.watch", `{"on":false}`)
	says(t, c, "call.dial", `{"number":"1"}`) // heard after it
	r.next(t)
}

func TestSoundHasItsOrdersAndItsOwner(t *testing.T) {
	r := start(t)
	c := r.page(t, "page-one")
	hears(t, c, func(o wire.SoundOrder) bool { return o.Owner && o.Codec == "PCMU" })
	says(t, c, "sound.claim", `{}`)
	if got := <-r.voice.calls; got != "claim page-one" {
		t.Error(got)
	}
	head := map[string]string{"Origin": r.own, "Content-Type": "application/json"}
	resp := r.do(t, "POST", "/media/offer", `{"page":"page-one","sdp":"v=0"}`, head, true)
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || !strings.Contains(string(body), `"sdp":"answer to v=0"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	for body, want := range map[string]int{
		`{"page":"page-one","sdp":"bad"}`:                                 422,
		`{"page":"../x","sdp":"v=0"}`:                                     400,
		`{"page":"page-one"}`:                                             400,
		`{"page":"page-one","sdp":"v=0"}{}`:                               400,
		`{"page":"page-one","sdp":"` + strings.Repeat("x", 70<<10) + `"}`: 413,
	} {
		if resp := r.do(t, "POST", "/media/offer", body, head, true); resp.StatusCode != want {
			t.Errorf("%.40s: %d, want %d", body, resp.StatusCode, want)
		}
	}
	// A page that says goodbye lets go at once; its tab was closed or reloaded.
	began := time.Now()
	c.Close(socket.GoingAway, "")
	if got := <-r.voice.calls; got != "gone page-one" || time.Since(began) > grace {
		t.Errorf("%s after %v", got, time.Since(began))
	}
}

func TestAPageWhoseConnectionBreaksKeepsItsSoundForAWhile(t *testing.T) {
	r := start(t)
	broken := r.page(t, "page-one")
	hears(t, broken, func(wire.SoundOrder) bool { return true })
	began := time.Now()
	broken.Close(socket.Policy, "neither closed nor reloaded")
	again := r.page(t, "page-one")
	hears(t, again, func(wire.SoundOrder) bool { return true })
	other := r.page(t, "page-two")
	other.Close(socket.Policy, "")
	if got := <-r.voice.calls; got != "gone page-two" || time.Since(began) < grace {
		t.Errorf("%s after %v: only the page that did not come back is gone, and not at once", got, time.Since(began))
	}
}

func TestTheSamePageTwiceIsOnePage(t *testing.T) {
	r := start(t)
	first := r.page(t, "page-one")
	hears(t, first, func(wire.Snapshot) bool { return true })
	second := r.page(t, "page-one")
	hears(t, second, func(wire.Snapshot) bool { return true })
	for err := error(nil); err == nil; {
		_, err = first.Read(soon(t))
		if errors.Is(err, context.DeadlineExceeded) {
			t.Error("the first connection stays")
		}
	}
	says(t, second, "call.dial", `{"number":"1"}`)
	r.next(t)
	if len(r.voice.calls) > 0 {
		t.Errorf("the page is there, but: %s", <-r.voice.calls)
	}
}

func TestTheAgentIsToldHowManyPagesAreOpen(t *testing.T) {
	r := start(t)
	count := func(want int) {
		t.Helper()
		for {
			select {
			case c := <-r.posted:
				if c == (wire.PagesChanged{Open: want}) {
					return
				}
			case <-soon(t).Done():
				t.Fatalf("never told %d", want)
			}
		}
	}
	one := r.page(t, "page-one")
	count(1)
	two := r.page(t, "page-two")
	count(2)
	one.Close(socket.GoingAway, "")
	count(1)
	two.Close(socket.GoingAway, "")
	count(0)
}

func TestAWebsocketNeedsOwnOriginAndSession(t *testing.T) {
	r := start(t)
	cookie := r.jar.Name + "=" + r.jar.Value
	for _, row := range []struct {
		name, origin, cookie, host string
		want                       int
	}{
		{"own", r.own, cookie, "", 0},
		{"no Origin", "", cookie, "", 403},
		{"foreign", "http://evil.example", cookie, "", 403},
		{"null", "null", cookie, "", 403},
		{"other port", "http://127.0.0.1:1", cookie, "", 403},
		{"no session", r.own, "", "", 401},
		{"wrong session", r.own, r.jar.Name + "=x", "", 401},
		{"rebound", "http://evil.example", cookie, "evil.example", 421},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range map[string]string{"Origin": row.origin, "Cookie": row.cookie, "Host": row.host} {
				if v != "" {
					h.Set(k, v)
				}
			}
			c, err := socket.Dial(soon(t), "ws://"+r.Addr()+"/ws?page=page-"+strings.ReplaceAll(row.name, " ", "-"), h, socket.Options{})
			if err == nil {
				c.Close(socket.GoingAway, "")
			}
			var refused *socket.Refused
			if (row.want == 0) != (err == nil) || err != nil && (!errors.As(err, &refused) || refused.Status != row.want) {
				t.Errorf("got %v, want %d", err, row.want)
			}
		})
	}
}

func TestFilesAreAskedAboutAndNotSentTwice(t *testing.T) {
	r := start(t)
	for path, kind := range map[string]string{"/js/main.js": "text/javascript", "/css/base.css": "text/css", "/i18n/ja.json": "application/json", "/icons/zaseki.svg": "image/svg+xml", "/favicon.ico": "image/svg+xml"} {
		first := r.do(t, "GET", path, "", nil, false)
		if first.StatusCode != 200 || !strings.HasPrefix(first.Header.Get("Content-Type"), kind) || !strings.Contains(first.Header.Get("Cache-Control"), "no-cache") {
			t.Errorf("%s: %d %v", path, first.StatusCode, first.Header)
		}
		again := r.do(t, "GET", path, "", map[string]string{"If-None-Match": first.Header.Get("ETag")}, false)
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
	for _, path := range []string{"/static.go", "/js/types.d.ts", "/test/package.json", "/../static.go", "/js/../static.go", "/js/"} {
		if resp := r.do(t, "GET", path, "", nil, true); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		if s, err := New(Config{Addr: addr, Agent: newDesk()}); err == nil {
			t.Errorf("%s: listens at %s", addr, s.Addr())
			_ = s.ln.Close()
		}
	}
}

func TestATakenPortIsAnErrorUnlessItIsTheUsualOne(t *testing.T) {
	first, err := New(Config{Addr: "127.0.0.1:0", Agent: newDesk()})
	if err != nil {
		t.Fatal(err)
	}
	defer first.ln.Close()
	if s, err := New(Config{Addr: first.Addr(), Agent: newDesk()}); err == nil {
		t.Errorf("listens twice at %s", s.Addr())
	}
	// However many phones run on this machine, each finds a port.
	for range 3 {
		s, err := New(Config{Agent: newDesk()})
		if err != nil {
			t.Fatal(err)
		}
		defer s.ln.Close()
	}
}

func TestTheConfiguredLanguageIsInThePage(t *testing.T) {
	s, err := New(Config{Addr: "127.0.0.1:0", Agent: newDesk(), Lang: "ja"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.ln.Close()
	if !strings.Contains(string(s.files[indexFile].data), `<html lang="ja" data-lang="ja">`) {
		t.Error("the page does not say it")
	}
}

// FuzzPage says anything to a panel: it must neither fall over nor post what a page may not say.
func FuzzPage(f *testing.F) {
	for _, s := range []string{`{"type":"call.dial","body":{"number":"1"}}`, `{"type":"panel.pages","body":{"open":9}}`, `{"type":"floor.watch","body":{"on":true}}`, `{"type":"x","op":5}`, `null`, `{"type":"signin","body":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e wire.Envelope
		if json.Unmarshal(data, &e) != nil {
			return
		}
		d := newDesk()
		s := &Server{cfg: Config{Agent: d, Log: slog.New(slog.DiscardHandler)}}
		p := &page{log: s.cfg.Log, floor: make(chan bool, 1)}
		if _, err := wire.ParsePage(e); err != nil {
			return // answered on the connection: proven above
		}
		if err := s.hear(t.Context(), p, e); err != nil {
			t.Fatal(err)
		}
		select {
		case c := <-d.posted:
			if _, ok := c.(wire.PagesChanged); ok {
				t.Fatal("a page counted the pages")
			}
		default:
		}
	})
}
