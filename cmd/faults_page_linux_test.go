package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/web/wire"
)

// looker notes in a page when its connection was made and what it was told last.
const looker = `globalThis.links = [];
	globalThis.WebSocket = class extends WebSocket { constructor(...a) { super(...a);
		this.addEventListener("open", () => links.push(Date.now()));
		this.addEventListener("message", (e) => { if (typeof e.data !== "string") return; const m = JSON.parse(e.data);
			if (m.type === "sound.order") globalThis.order = m.body;
			if (m.type === "snapshot") { globalThis.snap = m.body; (globalThis.told ??= []).push([Date.now(), m.body.status?.shown, m.body.muted, m.body.calls?.[0]?.phase]); } }); } };`

// desks is a phone whose page is open twice in a real browser.
type desks struct {
	*post
	browser *stage.Browser
	pages   [2]*stage.Page
}

func newDesks(t *testing.T) *desks {
	need(t, "chromium")
	d := &desks{post: newPost(t)}
	d.start(filepath.Join(d.dir, "phone"))
	var err error
	d.browser, err = stage.OpenBrowser(context.Background(), filepath.Join(d.dir, "profile"), "")
	d.must(err)
	t.Cleanup(d.browser.Close)
	for i := range d.pages {
		d.pages[i], err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
		d.must(err)
		d.must(d.pages[i].Before(looker))
		d.must(d.pages[i].Reload())
		d.must(d.pages[i].Wait("textbox", "Account"))
	}
	return d
}

func (k *kiosk) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatalf("%v\n%s", err, tail(k.phone))
	}
}

func eval[T any](d *desks, p *stage.Page, script string) T {
	d.Helper()
	v, err := stage.Eval[T](p, script)
	d.must(err)
	return v
}

// TestTwoPagesAreOnePhone: the page is open twice (reliability (D5)). Both show the same within 200 ms, one of them carries the sound, and
// Answer pressed twice in each at the same moment is one answer and one call.
//
//ci:still
func TestTwoPagesAreOnePhone(t *testing.T) {
	d := newDesks(t)
	d.enter("agent1")
	for _, p := range d.pages {
		d.must(p.Wait("button", "Available…"))
	}
	if _, err := d.customer.Call(d.ctx, "2001"); err != nil {
		t.Fatal(err)
	}
	var pressed sync.WaitGroup
	for _, p := range d.pages {
		d.must(p.Wait("button", "Answer"))
	}
	for _, p := range d.pages {
		pressed.Go(func() {
			_, err := stage.Eval[string](p, `(() => { const b = [...document.querySelectorAll("button")].find((b) => b.checkVisibility() && /^Answer/.test(b.textContent.trim()));
				b?.click(); b?.click(); return ""; })()`)
			if err != nil {
				t.Error(err)
			}
		})
	}
	pressed.Wait()
	for _, p := range d.pages {
		d.must(p.Wait("button", "Mute"))
	}
	if s := d.snap(); len(s.Calls) != 1 || len(d.customer.Calls()) != 1 {
		t.Errorf("answered twice: %+v", s.Calls)
	}
	d.must(d.pages[0].Click("button", "Mute"))
	d.eventually("both are muted", func() bool {
		return eval[bool](d, d.pages[0], `snap.muted === true`) && eval[bool](d, d.pages[1], `snap.muted === true`)
	})
	at := func(p *stage.Page) float64 { return eval[float64](d, p, `told.find((e) => e[2] === true)[0]`) }
	apart := time.Duration(max(at(d.pages[0])-at(d.pages[1]), at(d.pages[1])-at(d.pages[0]))) * time.Millisecond
	t.Logf("the pages were told %v apart", apart)
	if apart > 200*time.Millisecond {
		t.Errorf("the pages were told %v apart, want 200 ms", apart)
	}
	owners := 0
	for _, p := range d.pages {
		if eval[bool](d, p, `order?.owner === true`) {
			owners++
		}
	}
	if owners != 1 {
		t.Errorf("%d pages carry the sound", owners)
	}
	d.must(d.pages[1].Click("button", "Hang up"))
	for _, p := range d.pages {
		d.must(p.Gone("button", "Hang up"))
	}
}

// TestAPageWhoseConnectionIsCutComesBack: the system resets every connection of the panel, in a call (reliability (D1)). Within two seconds
// the page is connected again and shows everything; what is pressed then is done once.
//
//ci:still
func TestAPageWhoseConnectionIsCutComesBack(t *testing.T) {
	need(t, "ss")
	d := newDesks(t)
	d.enter("agent1")
	d.calls("2001")
	page := d.pages[0]
	d.must(page.Wait("button", "Mute"))
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(strings.SplitN(d.phone.String("panel"), "/#", 2)[0], "http://"))
	for range 3 {
		before := eval[int](d, page, `links.length`)
		cut := time.Now()
		out, err := exec.Command("ss", "-K", "-n", "state", "established", "sport", "=", ":"+port).CombinedOutput()
		if err != nil || !strings.Contains(string(out), ":"+port) {
			mayNot(t, fmt.Sprintf("this system cuts no connections: %v %s", err, out))
		}
		d.eventually("connected again", func() bool { return eval[int](d, page, `links.length`) > before })
		took := time.Duration(eval[float64](d, page, `links.at(-1)`)-float64(cut.UnixMilli())) * time.Millisecond
		t.Logf("connected again after %v", took)
		if took > 2*time.Second {
			t.Errorf("connected again after %v, want two seconds", took)
		}
		d.must(page.Gone("button", "Connection lost…"))
	}
	d.handle = openHandle(t, d.phone.String("panel"))
	d.must(page.Click("button", "Mute"))
	d.until("muted", func(s wire.Snapshot) bool { return s.Muted })
	if s := d.snap(); len(s.Calls) != 1 || len(d.customer.Calls()) != 1 {
		t.Errorf("the call is gone: %+v", s.Calls)
	}
	d.must(page.Click("button", "Hang up"))
	d.must(page.Gone("button", "Hang up"))
}

// TestAFrozenPageCatchesUp: a page that the browser has frozen for longer than the panel waits for a sign of life (reliability (D6), where
// it is five minutes): the phone goes on meanwhile, and two seconds after the thaw the page shows what is.
//
//ci:still
func TestAFrozenPageCatchesUp(t *testing.T) {
	d := newDesks(t)
	d.enter("agent1")
	for _, p := range d.pages {
		d.must(p.Wait("button", "Available…"))
	}
	d.must(d.pages[1].Freeze(true))
	for n := range 10 {
		to := []string{wire.StatusBreak, wire.StatusAvailable}[n%2]
		began := time.Now()
		d.handle.post(wire.SetStatus{To: to})
		d.until(to, func(s wire.Snapshot) bool { return s.Status.Shown == to })
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("with a frozen page a change takes %v", took)
		}
		time.Sleep(3500 * time.Millisecond)
	}
	d.handle.post(wire.SetStatus{To: wire.StatusAway})
	d.must(d.pages[0].Wait("button", "Away…"))
	thaw := time.Now()
	d.must(d.pages[1].Freeze(false))
	d.must(d.pages[1].Wait("button", "Away…"))
	took := time.Since(thaw)
	t.Logf("the frozen page is right %v after the thaw", took)
	if took > 2*time.Second {
		t.Errorf("the frozen page is right %v after the thaw, want two seconds", took)
	}
}

// TestARebindingPageReadsNothing: evil.test resolves to an address of its own, where its page is loaded from the panel's port; then that
// address leads to the panel, as after a change of the name in the DNS (reliability (D8)). The page, in a real browser, gets nothing but a
// refusal from whatever it tries, by the name and by the panel's own address.
//
//ci:still
func TestARebindingPageReadsNothing(t *testing.T) {
	need(t, "chromium")
	k := newKiosk(t)
	k.start(filepath.Join(k.dir, "phone"))
	k.signIn("agent1", stage.Password)
	panel := strings.TrimPrefix(strings.SplitN(k.phone.String("panel"), "/#", 2)[0], "http://")
	_, port, _ := net.SplitHostPort(panel)
	ln, err := net.Listen("tcp", "127.0.0.66:"+port)
	if err != nil {
		t.Fatal(err)
	}
	var rebound atomic.Bool
	var running sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); running.Wait() })
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { defer conn.Close(); rebind(conn, panel, rebound.Load()) })
		}
	})
	browser, err := stage.OpenBrowserWith(context.Background(), filepath.Join(k.dir, "profile"), map[string]any{"host-resolver-rules": "MAP evil.test 127.0.0.66"})
	k.must(err)
	t.Cleanup(browser.Close)
	page, err := browser.Open("http://evil.test:"+port+"/", stage.View{})
	k.must(err)
	if title, err := stage.Eval[string](page, `document.title`); err != nil || title != "evil" {
		t.Fatalf("the evil page is %q, %v", title, err)
	}
	rebound.Store(true)
	got, err := stage.Eval[string](page, `(async () => {
		const own = "`+panel+`", told = [];
		const read = async (what, url, init) => {
			try { const r = await fetch(url, init); told.push(what + " " + r.type + " " + r.status + " " + (await r.text()).slice(0, 200)); } catch { told.push(what + " failed"); }
		};
		for (const base of ["", "http://" + own]) {
			await read("page", base + "/");
			await read("check", base + "/session/check");
			await read("metrics", base + "/metrics");
			await read("history", base + "/history");
			await read("session", base + "/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: "A".repeat(43) }) });
			await read("link", base + "/link", { method: "POST", mode: "no-cors", body: JSON.stringify({ uri: "tel:117" }) });
			await read("crm", base + "/crm/dial", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ number: "117" }) });
			await new Promise((done) => {
				const ws = new WebSocket((base ? "ws://" + own : "ws://" + location.host) + "/ws?page=evil-page-of-a-test");
				ws.onopen = () => { told.push("socket open"); ws.send(JSON.stringify({ type: "dial", body: { number: "117" } })); done(); };
				ws.onmessage = (e) => told.push("socket says " + String(e.data).slice(0, 80));
				ws.onerror = ws.onclose = () => { told.push("socket refused"); done(); };
			});
			await new Promise((done) => {
				const f = document.createElement("iframe");
				f.onload = () => { let text = "nothing"; try { text = f.contentDocument?.body.innerText ?? "nothing"; } catch {} told.push("frame " + text); done(); };
				setTimeout(done, 3000);
				f.src = base + "/";
				document.body.append(f);
			});
		}
		return JSON.stringify(told);
	})()`)
	k.must(err)
	var told []string
	k.must(json.Unmarshal([]byte(got), &told))
	if len(told) < 14 {
		t.Errorf("the page tried %d things: %q", len(told), told)
	}
	for _, line := range told {
		t.Log(line)
		fine := strings.HasSuffix(line, " failed") || strings.HasPrefix(line, "socket refused") || strings.Contains(line, " 421 misdirected request") ||
			strings.Contains(line, " 0 ") && strings.Contains(line, "opaque") || strings.HasPrefix(line, "frame ") && !strings.Contains(line, "Zaseki") && !strings.Contains(line, "Agent") ||
			strings.Contains(line, "<title>evil</title>") // its own, by a connection from before
		if !fine || strings.Contains(line, "agent1") || strings.Contains(line, "zaseki") {
			t.Errorf("the evil page got: %s", line)
		}
	}
	if s := k.snap(); len(s.Calls) > 0 || s.Ask != nil || s.Pages > 1 {
		t.Errorf("the phone did something for it: %+v %+v, %d pages", s.Calls, s.Ask, s.Pages)
	}
}

// rebind answers one connection: with the evil page, and later by handing all of it to the panel.
func rebind(conn net.Conn, panel string, later bool) {
	if !later {
		buf := make([]byte, 8192)
		if _, err := conn.Read(buf); err != nil {
			return
		}
		body := "<!doctype html><title>evil</title><body>evil"
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
		return
	}
	to, err := net.Dial("tcp", panel)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(conn, to)
		_ = conn.Close()
	}()
	_, _ = io.Copy(to, conn)
	_ = to.Close()
	<-done
}
