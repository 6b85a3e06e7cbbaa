package admin_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/admin"
	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// phone is an uplink that answers when it is asked for its settings.
type phone struct {
	*uplink.Uplink
	mu    sync.Mutex
	asked []string
	hand  time.Time
}

func newPhone(t *testing.T, n *node.Node, account, terminal string) *phone {
	t.Helper()
	p := &phone{}
	var answers sync.WaitGroup
	p.Uplink = uplink.New(uplink.Config{URL: n.HTTP(), Machine: "pc", Version: "test", Tell: func(e uplink.Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := e.(type) {
		case uplink.State:
			p.hand = e.Hand
		case uplink.SettingsAsked:
			p.asked = append(p.asked, e.By)
			answers.Go(func() { _ = p.TellSettings(t.Context(), wire.Values{wire.SetLook: "dark", wire.SetRingVolume: 40}) })
		}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ran
		answers.Wait()
	})
	if _, err := p.Check(t.Context(), account, password); err != nil {
		t.Fatal(err)
	}
	if _, err := p.SignIn(t.Context(), wire.SignIn{Terminal: terminal, Status: wire.StatusAway, Seat: "1"}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *phone) up() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.hand.IsZero()
}

func TestAFileOfContactsIsLookedThroughBeforeItIsTaken(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	const path = api + "/phonebook/import"
	send := func(code int, query, file string, headers ...string) (out admin.BookImport) {
		t.Helper()
		said, _ := c.want(code, "POST", path+query, file, headers...)
		if err := json.Unmarshal([]byte(said), &out); err != nil {
			t.Fatal(said, err)
		}
		return out
	}
	count := func() int { return saying[struct{ Total int }](c, api+"/contacts").Total }
	const file = "名前,電話番号,色\n山田太郎,0312345678,赤\n鈴木,0398765432,\n,0311112222,\n佐藤,ひみつ,\n"
	out := send(200, "?dry=1&lang=ja", file)
	if out.Read != 4 || out.Wrong != 2 || out.Change.Added != 1 || out.Change.Changed != 1 || out.Saved || len(out.Faults) != 2 || out.Faults[0].Line != 4 || out.Faults[1].Line != 5 ||
		out.Faults[1].Field != "number" || !strings.Contains(out.Faults[1].Message, "ひみつ") || len(out.Ignored) != 1 || out.Ignored[0] != "色" {
		t.Errorf("%+v", out)
	}
	if said, _ := c.want(422, "POST", path, file); !strings.Contains(said, `"row":5`) || count() != 1 {
		t.Errorf("taken though something is wrong: %s", said)
	}
	c.want(412, "POST", path+"?skip=1&rev=1", file)
	if out = send(200, fmt.Sprintf("?skip=1&rev=%d", out.Change.Rev), file); !out.Saved || count() != 2 {
		t.Errorf("%+v", out)
	}
	var packed bytes.Buffer
	pack := gzip.NewWriter(&packed)
	fmt.Fprint(pack, "name,number\n")
	for i := range roster.BookMax {
		fmt.Fprintf(pack, "Name %d,03%08d,\n", i, i)
	}
	pack.Close()
	if out = send(200, "?whole=1", packed.String(), "Content-Encoding", "gzip"); out.Change.Added != roster.BookMax || out.Change.Removed != 2 || count() != roster.BookMax {
		t.Errorf("%+v %d", out.Change, count())
	}
	if out := send(422, "", "name,number\nOne more,1\n"); out.Saved {
		t.Error("more than there may be")
	}
	for _, bad := range []string{"", "\x00\x01", "a,b\nc,d\n", "BEGIN:VCARD\n"} {
		if said, _ := c.want(422, "POST", path+"?lang=ja", bad); !strings.Contains(said, `"book.unreadable"`) {
			t.Errorf("%q: %s", bad, said)
		}
	}
	c.want(422, "POST", path, "not packed", "Content-Encoding", "gzip")
}

func TestTheBookIsSavedWithoutFormulasAndReadAgain(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	c.want(201, "POST", api+"/contacts", `{"name":"=HYPERLINK(\"http://x\")","number":"+81312340000","note":"@SUM(1)"}`)
	for _, format := range []string{"csv", "vcf"} {
		said, _ := c.want(200, "GET", api+"/phonebook/export?format="+format, nil)
		if format == "csv" && (!strings.Contains(said, "\n\"'=HYPERLINK") && !strings.Contains(said, "\n'=HYPERLINK") || !strings.Contains(said, "'@SUM") || !strings.HasPrefix(said, "\ufeffname,number,reading,company,note\n")) {
			t.Errorf("%s", said)
		}
		again, _ := c.want(200, "POST", api+"/phonebook/import?whole=1&dry=1", said)
		if !strings.Contains(again, `"added":0,"changed":0,"removed":0,"same":2`) {
			t.Errorf("%s: %s", format, again)
		}
	}
	c.want(400, "GET", api+"/phonebook/export?format=exe", nil)
}

func TestSupervisorsChangeTheBookUnlessAPolicySaysNo(t *testing.T) {
	n := start(t, false)
	boss, carol := newClient(t, n, "boss", password), newClient(t, n, "carol", password)
	carol.want(201, "POST", api+"/contacts", `{"name":"Neu","number":"1002"}`)
	_, tag := carol.want(200, "GET", api+"/contacts/a1", nil)
	carol.want(200, "PUT", api+"/contacts/a1", `{"id":"a1","name":"山田","number":"0312345678"}`, "If-Match", tag)
	carol.want(412, "PUT", api+"/contacts/a1", `{"id":"a1","name":"山田二","number":"0312345678"}`, "If-Match", tag)
	carol.want(403, "POST", api+"/outcomes", `{"id":"x","name":{"en":"x","ja":"x"}}`)
	boss.want(200, "PUT", api+"/policies/p", `{"id":"p","name":"Sales","groups":["sales"],"set":{"book":false}}`)
	carol.want(403, "POST", api+"/contacts", `{"name":"Neu","number":"1003"}`)
	carol.want(403, "DELETE", api+"/contacts/a1", nil)
	carol.want(403, "POST", api+"/phonebook/import", "name,number\nx,1\n")
	carol.want(200, "GET", api+"/phonebook/export", nil)
	if said, _ := carol.want(200, "GET", api+"/session", nil); !strings.Contains(said, `"book":false`) {
		t.Error(said)
	}
	changes := saying[[]struct{ Actor, What string }](boss, api+"/audit?kind=book")
	if len(changes) == 0 || changes[0].Actor != "carol" {
		t.Errorf("%+v", changes)
	}
}

func TestHandsAndSettingsByTheAPI(t *testing.T) {
	n := start(t, false)
	boss, carol := newClient(t, n, "boss", password), newClient(t, n, "carol", password)
	if code, said, _ := boss.do("POST", api+"/accounts/alice/settings", nil); code != http.StatusConflict || !strings.Contains(said, `"phone.away"`) {
		t.Errorf("nobody is there: %d %s", code, said)
	}
	p := newPhone(t, n, "alice", "2001")
	waitFor(t, "a raised hand", func() bool { return p.RaiseHand(t.Context(), wire.RaiseHand{On: true}) == nil && p.up() })
	if said, _ := carol.want(200, "GET", api+"/overview?brief=1", nil); !strings.Contains(said, `"hand":"`) {
		t.Error(said)
	}
	carol.want(403, "POST", api+"/agents/bob/hand", `{"on":false}`)
	carol.want(403, "POST", api+"/agents/alice/hand", `{"on":true}`)
	carol.want(204, "POST", api+"/agents/alice/hand", `{"on":false}`)
	waitFor(t, "a lowered hand", func() bool { return !p.up() })
	carol.want(403, "POST", api+"/accounts/alice/settings", nil)
	if said, _ := boss.want(200, "POST", api+"/accounts/alice/settings", nil); !strings.Contains(said, `"page.look":"dark"`) || !strings.Contains(said, `"ring.volume":40`) {
		t.Error(said)
	}
	boss.want(404, "POST", api+"/accounts/nobody/settings", nil)
	waitFor(t, "the record of it", func() bool {
		said, _ := boss.want(200, "GET", api+"/audit?kind=capture", nil)
		return strings.Contains(said, `"actor":"boss"`) && !strings.Contains(said, "dark")
	})
	if said, _ := boss.want(200, "GET", api+"/audit?kind=agent&id=alice", nil); !strings.Contains(said, `"hand lowered"`) {
		t.Error(said)
	}
}

// TestThePhonebookInTheBrowser: a contact is made, a file of Excel looked through and taken over, and a phone's settings filled in.
func TestThePhonebookInTheBrowser(t *testing.T) {
	d := opened(t, "boss")
	shot := func(name string) {
		if shots := os.Getenv("ZASEKI_SHOTS"); shots != "" {
			d.must(d.page.Shot(filepath.Join(shots, name+".png")))
		}
	}
	d.visit("Phonebook")
	d.must(d.page.Click("link", "Add a contact"))
	d.must(d.page.Type("Name", "Dan <b>D</b>"))
	d.must(d.page.Type("Number", "no number"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "“no number” is…"))
	d.must(d.page.Type("Number", "03-9999-0000"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("heading", "Dan <b>D</b>"))
	d.visit("Phonebook")
	d.sets("#q", "やまだ")
	d.must(d.page.Wait("link", "山田太郎"))
	d.must(d.page.Gone("link", "Dan <b>D</b>"))
	d.must(d.page.Click("link", "Import…"))
	d.must(d.page.Wait("heading", "Import contacts"))
	d.files("#book-file", `[0x96, 0xbc, 0x91, 0x4f, 0x2c, 0x93, 0x64, 0x98, 0x62, 0x94, 0xd4, 0x8d, 0x86, 0x0a, 0x8d, 0xb2, 0x93, 0xa1, 0x2c, 0x30, 0x33, 0x31, 0x31, 0x31, 0x31, 0x32, 0x32, 0x32, 0x32, 0x0a, 0x2c, 0x31, 0x0a]`) // 名前,電話番号 / 佐藤,0311112222 / ,1
	d.must(d.page.Wait("button", "Import 1 contacts and leave out 1"))
	d.must(d.page.Wait("StaticText", "Read as table (CSV), Shift_JIS…"))
	shot("import-en")
	d.must(d.page.Click("button", "Import 1 contacts and leave out 1"))
	d.must(d.page.Wait("StaticText", "Imported: 1 new…"))
	d.visit("Phonebook")
	d.must(d.page.Wait("link", "佐藤"))

	newPhone(t, d.node, "alice", "2001")
	d.visit("Policies")
	d.must(d.page.Click("link", "p"))
	d.must(d.page.Wait("heading", "Take over the settings of a running phone"))
	d.sets("#capture-who", "alice")
	d.must(d.page.Click("button", "Take over"))
	d.must(d.page.Wait("StaticText", "2 settings filled in…"))
	_, err := stage.Eval[bool](d.page, `(document.querySelector(".capture").scrollIntoView(), true)`)
	d.must(err)
	shot("capture-en")
	if said, _ := newClient(t, d.node, "boss", password).want(200, "GET", api+"/policies/p", nil); strings.Contains(said, "page.look") {
		t.Error("saved before anybody said so")
	}
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	if said, _ := newClient(t, d.node, "boss", password).want(200, "GET", api+"/policies/p", nil); !strings.Contains(said, `"page.look":"dark"`) {
		t.Error(said)
	}
	d.sets("#capture-who", "bob")
	d.must(d.page.Click("button", "Take over"))
	d.must(d.page.Wait("StaticText", "The phone of Bob is not connected now…"))
}

// files puts a file of those bytes into a chooser.
func (d *desk) files(selector, bytes string) {
	d.Helper()
	_, err := stage.Eval[bool](d.page, fmt.Sprintf(`(() => { const el = document.querySelector(%q), t = new DataTransfer(); t.items.add(new File([new Uint8Array(%s)], "a.csv"));
		el.files = t.files; el.dispatchEvent(new Event("change", { bubbles: true })); return true; })()`, selector, bytes))
	d.must(err)
}
