package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/sip"
)

const long = 15 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func logFor(t *testing.T) *slog.Logger {
	if os.Getenv("CENTERLOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// start opens and runs a node on free ports.
func start(t *testing.T, dir string) *Node {
	t.Helper()
	n, err := New(Config{Data: dir, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Log: logFor(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("node ended: %v", err)
		}
	})
	return n
}

func floor(t *testing.T) roster.Setup {
	t.Helper()
	s, _, err := ReadSetup("../testdata/floor.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAFreshNodeHasAnAdministratorOnlyOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n, err := New(Config{Data: dir, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	account, code, first := n.Admin()
	if account == "" || len(code) < 16 || !first {
		t.Fatalf("first start: %q %q %v", account, code, first)
	}
	if err := n.Apply(t.Context(), floor(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Data: dir, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0"}); !errors.Is(err, ErrRunning) {
		t.Fatalf("a second center on the same data: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	if account, code, first := again.Admin(); account != "admin" || code != "" || first {
		t.Fatalf("second start: %q %q %v", account, code, first)
	}
	if got := len(again.Roster().People()); got != 9 {
		t.Fatalf("%d accounts after the restart", got)
	}
}

// browser is somebody with a cookie jar.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func open(t *testing.T, n *Node) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &browser{t, n.HTTP(), &http.Client{Jar: jar, Transport: tr, Timeout: long}}
}

func (b *browser) do(method, path string, body string, change func(*http.Request)) (int, string, http.Header) {
	b.t.Helper()
	req, err := http.NewRequest(method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(req)
	}
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(got), res.Header
}

func (b *browser) signIn(account, password string) (int, string) {
	in, err := json.Marshal(map[string]string{"account": account, "password": password})
	if err != nil {
		b.t.Fatal(err)
	}
	code, body, _ := b.do("POST", "/api/v1/admin/session", string(in), nil)
	return code, body
}

func TestTheAdministratorSeesTheCenterWholeAndChangesIt(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir())
	if err := n.Apply(t.Context(), floor(t)); err != nil {
		t.Fatal(err)
	}
	b := open(t, n)
	account, code, _ := n.Admin()
	if got, body := b.signIn(account, "wrong-password"); got != 401 || !strings.Contains(body, "signin.refused") {
		t.Fatalf("wrong password: %d %s", got, body)
	}
	if got, body := b.signIn(account, code); got != 200 || !strings.Contains(body, `"role":"administrator"`) {
		t.Fatalf("signed in: %d %s", got, body)
	}
	if got, body, _ := b.do("GET", "/admin/accounts?lang=ja", "", nil); got != 200 || !strings.Contains(body, `lang="ja"`) {
		t.Fatalf("page: %d %s", got, body)
	}
	if got, body, _ := b.do("POST", "/api/v1/admin/accounts", `{"account":"../x","name":"x","password":"short","role":"king"}`, nil); got != 422 || !strings.Contains(body, `"field":"role"`) {
		t.Fatalf("a wrong account: %d %s", got, body)
	}
	for path, body := range map[string]string{
		"/api/v1/admin/accounts":  `{"account":"inoue","name":"井上","password":"a-long-password","role":"agent"}`,
		"/api/v1/admin/terminals": `{"extension":"1201","type":"desk","name":"Hall","secret":"a-long-secret"}`,
		"/api/v1/admin/seats":     `{"id":"9","floor":"1","x":4,"y":0}`,
	} {
		if got, said, _ := b.do("POST", path, body, nil); got != 201 {
			t.Errorf("%s: %d %s", path, got, said)
		}
	}
	if got, said, _ := b.do("POST", "/api/v1/admin/accounts/inoue/password", `{"password":"another-long-one"}`, nil); got != 200 {
		t.Errorf("password: %d %s", got, said)
	}
	var o struct {
		Accounts, Terminals, Seats []map[string]any
	}
	_, body, _ := b.do("GET", "/api/v1/admin/overview", "", nil)
	if err := json.Unmarshal([]byte(body), &o); err != nil || len(o.Accounts) != 10 || len(o.Terminals) != 11 || len(o.Seats) != 9 {
		t.Fatalf("overview: %v %s", err, body)
	}
	if strings.Contains(body, "argon2") || strings.Contains(body, "a-long-secret") {
		t.Fatal("the overview holds a secret")
	}
	b.do("DELETE", "/api/v1/admin/session", "", nil)
	if got, _, _ := b.do("GET", "/api/v1/admin/overview", "", nil); got != 401 {
		t.Fatalf("after signing out: %d", got)
	}
}

func TestStrangersGetNothing(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir())
	if err := n.Apply(t.Context(), floor(t)); err != nil {
		t.Fatal(err)
	}
	account, code, _ := n.Admin()
	signed, agent := open(t, n), open(t, n)
	if got, _ := signed.signIn(account, code); got != 200 {
		t.Fatal(got)
	}
	if got, body := agent.signIn("baba", "baba-change-me"); got != 403 || !strings.Contains(body, "forbidden") {
		t.Fatalf("an agent signed in to the admin pages: %d %s", got, body)
	}
	set := func(header, value string) func(*http.Request) {
		return func(r *http.Request) {
			if header == "Host" {
				r.Host = value
				return
			}
			r.Header.Set(header, value)
		}
	}
	seat := `{"id":"99","floor":"1","x":0,"y":0}`
	rows := []struct {
		name, method, path, body string
		who                      *browser
		change                   func(*http.Request)
		want                     int
	}{
		{"a foreign Host", "GET", "/", "", signed, set("Host", "evil.example"), 421},
		{"a Host with another port", "GET", "/", "", signed, set("Host", "127.0.0.1:1"), 421},
		{"a Host that begins like ours", "GET", "/", "", signed, set("Host", "127.0.0.1.evil.example"), 421},
		{"a foreign Host on the API", "POST", "/api/v1/admin/seats", seat, signed, set("Host", "evil.example"), 421},
		{"a foreign Origin", "POST", "/api/v1/admin/seats", seat, signed, set("Origin", "https://evil.example"), 403},
		{"Origin null", "POST", "/api/v1/admin/seats", seat, signed, set("Origin", "null"), 403},
		{"another port's page", "POST", "/api/v1/admin/seats", seat, signed, set("Origin", "http://127.0.0.1:1"), 403},
		{"a cross-site form", "POST", "/api/v1/admin/seats", "id=99&floor=1&x=0&y=0", signed, set("Sec-Fetch-Site", "cross-site"), 403},
		{"a same-site form", "POST", "/api/v1/admin/seats", "id=99&floor=1&x=0&y=0", signed, set("Sec-Fetch-Site", "same-site"), 403},
		{"a change by GET", "GET", "/api/v1/admin/import", "", signed, nil, 405},
		{"no session", "POST", "/api/v1/admin/seats", seat, agent, nil, 401},
		{"no session, backup", "GET", "/api/v1/admin/backup", "", agent, nil, 401},
		{"no session, reports", "GET", "/api/v1/reports/calls", "", agent, nil, 401},
		{"a made-up bearer", "GET", "/api/v1/admin/overview", "", agent, set("Authorization", "Bearer x"), 401},
		{"an empty bearer", "GET", "/api/v1/admin/overview", "", agent, set("Authorization", "Bearer "), 401},
		{"a made-up cookie", "GET", "/api/v1/admin/overview", "", agent, set("Cookie", "center=x"), 401},
		{"too much", "POST", "/api/v1/admin/seats", `{"id":"` + strings.Repeat("x", 2<<20) + `"}`, signed, nil, 400},
		{"an unknown field", "POST", "/api/v1/admin/seats", `{"id":"99","flor":"1"}`, signed, nil, 400},
		{"our own origin", "POST", "/api/v1/admin/seats", seat, signed, set("Origin", n.HTTP()), 201},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if got, body, _ := r.who.do(r.method, r.path, r.body, r.change); got != r.want {
				t.Fatalf("%d, want %d: %.200s", got, r.want, body)
			}
		})
	}
	_, _, h := signed.do("GET", "/", "", nil)
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"} {
		if h.Get(name) != want {
			t.Errorf("%s is %q", name, h.Get(name))
		}
	}
	if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("content policy %q", csp)
	}
}

func TestHealthReadinessAndFigures(t *testing.T) {
	n := start(t, t.TempDir())
	b := open(t, n)
	until(t, func() bool { code, _, _ := b.do("GET", "/readyz", "", nil); return code == 200 })
	if code, body, _ := b.do("GET", "/healthz", "", nil); code != 200 || body != "ok\n" {
		t.Fatal(code, body)
	}
	if code, body, _ := b.do("GET", "/metrics", "", nil); code != 200 || !strings.Contains(body, "center_registrations 0\n") {
		t.Fatal(code, body)
	}
}

// until polls for what another goroutine brings about.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	end := time.NewTimer(long)
	defer end.Stop()
	for !ok() {
		select {
		case <-end.C:
			t.Fatal("it never came true")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

type secret string

func (s secret) Reveal() string { return string(s) }

func TestACallOfTwoTerminalsIsInTheReports(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir())
	if err := n.Apply(t.Context(), floor(t)); err != nil {
		t.Fatal(err)
	}
	events := make(chan sip.Event, 32)
	phone := func(user, password string, tell func(sip.Event)) *sip.Phone {
		p := sip.New(sip.Config{UserAgent: "test", Log: logFor(t), Tell: tell})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		a := sip.Account{User: user, Domain: "center.internal", Server: n.SIP(), Transport: "udp", Password: secret(password), Expires: time.Minute}
		if err := p.Register(t.Context(), a); err != nil {
			t.Fatalf("register %s: %v", user, err)
		}
		return p
	}
	desk := phone("1101", "change-this-desk-secret", func(e sip.Event) { events <- e })
	trunk := phone("trunk", "change-this-trunk-secret", func(sip.Event) {})
	const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
	if err := trunk.Dial(t.Context(), "c1", "1101", sdp); err != nil {
		t.Fatal(err)
	}
	for call := ""; call == ""; {
		select {
		case e := <-events:
			if in, ok := e.(sip.Incoming); ok {
				call = in.Call
				if err := desk.Answer(t.Context(), call, sdp); err != nil {
					t.Fatal(err)
				}
				if err := desk.Hangup(t.Context(), call); err != nil {
					t.Fatal(err)
				}
			}
		case <-time.After(long):
			t.Fatal("the desk phone does not ring")
		}
	}
	b := open(t, n)
	account, code, _ := n.Admin()
	b.signIn(account, code)
	until(t, func() bool {
		_, body, _ := b.do("GET", "/api/v1/reports/calls", "", nil)
		return strings.Contains(body, `"called":"1101"`) && strings.Contains(body, `"result":"answered"`)
	})
	if code, body, h := b.do("GET", "/api/v1/reports/calls?format=csv", "", nil); code != 200 || !strings.Contains(body, "1101") || !strings.HasPrefix(h.Get("Content-Type"), "text/csv") {
		t.Fatal(code, body)
	}
}

func TestHistoryGoesOnAfterARestartAndBesideAnotherNode(t *testing.T) {
	n, err := New(Config{Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	first := n.history.write(exchange.CallRecord{ID: "1", Ended: time.Now()}, 0)
	second := n.history.write(exchange.CallRecord{ID: "2", Ended: time.Now()}, 0) // knows nothing of the first
	if first == 0 || second != first+1 {
		t.Fatalf("written at %d and %d", first, second)
	}
}
