package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/static"
	"zaseki/web/socket"
	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// TestASlowPageGetsTheNewest: reliability (D6), (D10): what a page cannot take is replaced by what is newer.
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
	says(t, c, "floor.watch", `{"on":true,"floor":"2"}`)
	wantOf(t, r, wire.WatchFloor{On: true}, wire.WatchFloor{On: true, Floor: "2"})
	says(t, c, "floor.watch", `{"on":false}`)
	says(t, c, "call.dial", `{"number":"1"}`) // heard after it
	r.next(t)
	wantOf(t, r, wire.WatchFloor{})

	says(t, c, "floor.watch", `{"on":true,"floor":"`+strings.Repeat("x", 65)+`"}`)
	hears(t, c, func(no wire.Refused) bool { return no.Problem.Code == wire.ProblemNoRow })
	says(t, c, "floor.watch", `{"on":true,"mine":true}`)
	wantOf(t, r, wire.WatchFloor{On: true, Mine: true})
	c.Close(socket.Normal, "")
	wantOf(t, r, wire.WatchFloor{}) // who is gone watches nothing
}

// wantOf is what the phone is asked to show, in that order.
func wantOf(t *testing.T, r *rig, want ...wire.WatchFloor) {
	t.Helper()
	for _, want := range want {
		select {
		case got := <-r.wants:
			if got != want {
				t.Fatalf("asked for %+v, want %+v", got, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("nobody asks for %+v", want)
		}
	}
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
	t.Parallel()
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

func TestFilesAreAskedAboutAndNotSentTwice(t *testing.T) {
	r := start(t)
	for path, kind := range map[string]string{"/js/main.js": "text/javascript", "/js/later/help.js": "text/javascript", "/css/all.css": "text/css", "/i18n/ja.json": "application/json", "/icons/zaseki.svg": "image/svg+xml", "/favicon.ico": "image/svg+xml"} {
		first := r.do(t, "GET", path, "", nil, false)
		if first.StatusCode != 200 || !strings.HasPrefix(first.Header.Get("Content-Type"), kind) || !strings.Contains(first.Header.Get("Cache-Control"), "no-cache") {
			t.Errorf("%s: %d %v", path, first.StatusCode, first.Header)
		}
		again := r.do(t, "GET", path, "", map[string]string{"If-None-Match": first.Header.Get("ETag")}, false)
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
	for _, path := range []string{"/static.go", "/js/types.d.ts", "/js/dom.js", "/js/view/call.js", "/css/base.css", "/test/package.json", "/../static.go", "/js/../static.go", "/js/"} {
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

// TestATakenPortIsAnErrorUnlessItIsTheUsualOne: reliability (E4).
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

func TestTheChosenLanguageIsInThePageAtOnce(t *testing.T) {
	lang := "system"
	s, err := New(Config{Addr: "127.0.0.1:0", Agent: newDesk(), Lang: func() string { return lang }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.ln.Close()
	tags := map[string]bool{}
	for _, row := range []struct{ chosen, root string }{{"system", `<html lang="en">`}, {"ja", `<html lang="ja" data-lang="ja">`}, {"en", `<html lang="en" data-lang="en">`}, {`x"><script>`, `<html lang="en">`}} {
		lang = row.chosen
		for _, place := range []string{"/", "/settings", "/calls"} {
			w := httptest.NewRecorder()
			s.routes().ServeHTTP(w, httptest.NewRequest(http.MethodGet, place, nil))
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), row.root) {
				t.Errorf("%s in %s: %d", place, row.chosen, w.Code)
			}
			tags[w.Header().Get("ETag")] = true
		}
	}
	if len(tags) != 3 {
		t.Errorf("three pages have the tags %v", tags)
	}
	w := httptest.NewRecorder()
	s.routes().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/index.htmlja", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("the page of a language by its name: %d", w.Code)
	}
}

// enclosed is what stands in the page's data block of that name, read as a browser reads it: up to the next end of a script.
func enclosed(t *testing.T, page, name string, into any) (lang string, there bool) {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="`+name+`"`)
	tag, rest, _ := strings.Cut(rest, ">")
	text, _, end := strings.Cut(rest, "</script")
	if !ok || !end {
		t.Fatalf("no %s in %s", name, page)
	}
	if text == "" {
		return "", false
	}
	if strings.ContainsAny(text, "<") {
		t.Errorf("%s may end or turn into a comment: %s", name, text)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	lang, _, _ = strings.Cut(strings.TrimPrefix(tag, ` lang="`), `"`)
	return lang, true
}

func TestThePageBringsItsWords(t *testing.T) {
	chosen := ""
	s, err := New(Config{Addr: "127.0.0.1:0", Agent: newDesk(), Lang: func() string { return chosen }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.ln.Close()
	for _, row := range []struct{ query, chosen, accept, want string }{
		{"", "", "", "en"}, {"", "", "ja,en;q=0.5", "ja"}, {"", "", "fr-CH, fr;q=0.9", "en"}, {"", "en", "ja", "en"}, {"?lang=ja", "en", "en", "ja"}, {"?lang=../x", "ja", "en", "ja"},
	} {
		chosen = row.chosen
		ask := httptest.NewRequest(http.MethodGet, "/"+row.query, nil)
		ask.Header.Set("Accept-Language", row.accept)
		w := httptest.NewRecorder()
		s.routes().ServeHTTP(w, ask)
		words := map[string]string{}
		if lang, _ := enclosed(t, w.Body.String(), "words", &words); lang != row.want || words["app.name"] == "" || words["signin.go"] != static.Say(row.want, "signin.go", nil) {
			t.Errorf("%+v: words in %q: %d of them", row, lang, len(words))
		}
	}
}

// TestOnlyWhoHasASessionIsToldWithThePage: how the phone is stands in the page itself, for nobody else, and nothing that somebody calls
// himself ends the place where it stands.
func TestOnlyWhoHasASessionIsToldWithThePage(t *testing.T) {
	r := start(t)
	rude := "</script><!--<script>\u2028"
	r.desk.show(wire.Snapshot{Rev: 7, Phase: wire.PhaseIn, Account: rude})
	for _, row := range []struct {
		session bool
		phase   string
		ahead   bool
	}{{false, wire.PhaseIn, false}, {true, wire.PhaseIn, true}, {true, wire.PhaseOut, false}} {
		r.desk.show(wire.Snapshot{Rev: 7, Phase: row.phase, Account: rude})
		body, err := io.ReadAll(r.do(t, "GET", "/", "", nil, row.session).Body)
		if err != nil {
			t.Fatal(err)
		}
		var e wire.Envelope
		if _, told := enclosed(t, string(body), "phone", &e); told != row.session {
			t.Errorf("%+v: told: %t", row, told)
		}
		if row.session {
			said, err := wire.ParsePanel(e)
			if now, ok := said.(wire.Snapshot); err != nil || !ok || now.Phase != row.phase || now.Account != rude {
				t.Errorf("%+v: %v, %v", row, said, err)
			}
		}
		if ahead := strings.Contains(string(body), `<link rel="modulepreload" href="/js/inside.js">`); ahead != row.ahead {
			t.Errorf("%+v: the inside is asked for ahead: %t", row, ahead)
		}
	}
}

func TestWhoShowsThePhoneIsToldAtOnceHowItIs(t *testing.T) {
	r := start(t)
	r.desk.show(wire.Snapshot{Rev: 7, Phase: wire.PhaseIn})
	head := map[string]string{"Origin": r.own, "Content-Type": "application/json"}
	token := strings.Split(r.URL(), "#")[1]
	for _, row := range []struct {
		body string
		code int
	}{{`{"token":"` + token + `","show":true}`, 200}, {`{"token":"` + token + `"}`, 204}, {`{"token":"wrong","show":true}`, 403}} {
		resp := r.do(t, "POST", "/session", row.body, head, false)
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != row.code || (len(resp.Cookies()) == 1) != (row.code < 300) {
			t.Errorf("%d, not %d: %s, %v", resp.StatusCode, row.code, body, err)
		}
		if row.code != 200 {
			if strings.Contains(string(body), "snapshot") {
				t.Errorf("%d tells %s", row.code, body)
			}
			continue
		}
		var e wire.Envelope
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		said, err := wire.ParsePanel(e)
		if now, ok := said.(wire.Snapshot); err != nil || !ok || now.Rev != 7 {
			t.Errorf("%s: %v", body, err)
		}
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
		p := &page{log: s.cfg.Log, floor: make(chan wire.WatchFloor, 1)}
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
