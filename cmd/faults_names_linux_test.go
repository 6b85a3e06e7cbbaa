package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// bareCaller calls by UDP with whatever name, as a provider that checks nothing would pass it on.
type bareCaller struct {
	t    *testing.T
	conn *net.UDPConn
	n    int
}

func newBareCaller(t *testing.T, server string) *bareCaller {
	t.Helper()
	to, err := net.ResolveUDPAddr("udp", server)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 8, 9)}, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &bareCaller{t: t, conn: conn}
}

// call rings the queue; cancel ends that.
func (b *bareCaller) call(name string) (cancel func()) {
	b.t.Helper()
	b.n++
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)
	here := b.conn.LocalAddr()
	head := func(method string) string {
		return fmt.Sprintf("%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKbare%d;rport\r\nMax-Forwards: 70\r\nFrom: \"%s\" <sip:%s@provider.test>;tag=b%d\r\n"+
			"To: <sip:%s@%s>\r\nCall-ID: bare-%d@provider.test\r\nCSeq: 1 %s\r\n", method, stage.Queue, stage.Domain, here, b.n, quoted, stage.Outside, b.n, stage.Queue, stage.Domain, b.n, method)
	}
	b.send(head("INVITE") + fmt.Sprintf("Contact: <sip:%s@%s>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", stage.Outside, here, len(plainOffer), plainOffer))
	return func() { b.send(head("CANCEL") + "Content-Length: 0\r\n\r\n") }
}

func (b *bareCaller) send(message string) {
	b.t.Helper()
	if _, err := b.conn.Write([]byte(message)); err != nil {
		b.t.Fatal(err)
	}
}

// names are what callers call themselves. Shows is a piece that a person must see as it stands.
var names = []struct{ name, shows string }{
	{`<img src=x onerror=hacked=1><script>hacked=1</script>`, `<img src=x onerror=hacked=1>`},
	{"\u202etoor\u202c\u2066\u200b\u200fSato", ""}, // who hides letters in the name has none
	{`&lt;b&gt;Sato&amp; {number} ${hacked=1} %s%n`, `&lt;b&gt;Sato&amp; {number}`},
	{`javascript:hacked=1//" onmouseover="hacked=1`, `onmouseover=`},
	{strings.Repeat("W", 900), "WWWW"},
}

// TestACallersNameIsTextEverywhere: callers with markup, bidi and zero-width characters, templates and 900 letters for a name ring and give
// up (issue 6: bad input; reliability (D9)). On the page, in the call list, the seat view and the desktop's note all of it is text; nothing
// runs, and nothing is wider than the window.
//
//ci:still
func TestACallersNameIsTextEverywhere(t *testing.T) {
	need(t, "chromium", "dbus-daemon")
	k := newKiosk(t)
	data, err := os.ReadFile(filepath.Join(k.dir, "floor.json"))
	k.must(err)
	var floor map[string]any
	k.must(json.Unmarshal(data, &floor))
	floor["site"].(map[string]any)["misses"] = 0 // nobody is sent away for callers who give up
	floor["terminals"] = append(floor["terminals"].([]any), map[string]any{"extension": "provider", "type": "trunk", "secret": "provider-secret",
		"trunk": map[string]any{"domain": "provider.test", "accept": []string{"127.0.8.0/24"}}})
	data, err = json.Marshal(floor)
	k.must(err)
	file := filepath.Join(k.dir, "names.json")
	k.must(os.WriteFile(file, data, 0o600))
	if out, err := exec.Command(filepath.Join(k.dir, "center"), "import", "-data", filepath.Join(k.dir, "data"), file).CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	desk := desktop.Start(t)
	k.env[0] = desk.Env()
	k.start(filepath.Join(k.dir, "phone"))
	g := &gallery{day: &day{T: t, dir: k.dir}}
	g.phone = k.phone
	g.browser, err = stage.OpenBrowser(context.Background(), filepath.Join(k.dir, "profile"), "")
	k.must(err)
	t.Cleanup(g.browser.Close)
	open := func(view string) *typist {
		p, err := g.browser.Open(stage.English(k.phone.String("panel"), view), screens[0])
		k.must(err)
		k.must(p.Before(witness))
		k.must(p.Reload())
		return &typist{gallery: &gallery{day: &day{T: t, dir: k.dir, page: p, phone: k.phone}}}
	}
	k.say("account.check", map[string]any{"account": "agent1", "password": stage.Password})
	s := k.until("step two", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseChoosing })
	k.handle.post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusAvailable, Seat: s.Choice.Seats[1].ID})
	k.until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	pages := map[string]*typist{"phone": open(""), "calls": open("calls"), "seats": open("seats")}
	caller := newBareCaller(t, k.center.String("sip"))
	for _, n := range names {
		cancel := caller.call(n.name)
		s := k.until("it rings", func(s wire.Snapshot) bool { _, ok := s.Ringing(); return ok })
		ringing, _ := s.Ringing()
		k.handle.post(wire.RingHeard{Call: ringing.ID})
		t.Logf("%.40q is %.60q", n.name, ringing.Name)
		pages["phone"].shows(n.shows)
		desktop.Eventually(t, "note of the call", func() bool {
			_, note, ok := desk.Note()
			return ok && strings.Contains(plainNote(note.Body), n.shows)
		})
		if _, note, _ := desk.Note(); strings.Contains(note.Body, "<img") || strings.ContainsAny(note.Body, "\u202e\u2066\n\r") {
			t.Errorf("the note says %q", note.Body)
		}
		for where, p := range pages {
			p.safe("ringing, " + where)
		}
		cancel()
		k.until("it rings no more", func(s wire.Snapshot) bool { return len(s.Calls) == 0 })
	}
	for where, p := range pages {
		p.must(p.page.Reload())
		if where == "calls" {
			p.shows(names[0].shows)
		}
		p.safe("afterwards, " + where)
	}
}

// plainNote is a note's body as a desktop shows it, which takes a little markup (Desktop Notifications Specification).
func plainNote(body string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&#34;", `"`, "&amp;", "&").Replace(body)
}

// shows waits for words on the page, as they stand.
func (f *typist) shows(words string) {
	f.Helper()
	quoted, err := json.Marshal(words)
	f.must(err)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		found, err := stage.Eval[bool](f.page, `document.body.textContent.includes(`+string(quoted)+`)`)
		f.must(err)
		if found {
			return
		}
		if time.Now().After(end) {
			f.Fatalf("the page does not show %q:\n%s", words, f.page.Said())
		}
	}
}
