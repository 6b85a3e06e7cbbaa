package admin_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/center/roster/mail/mailtest"
	"zaseki/static"
	"zaseki/web/wire"
)

func TestAPolicyLocksSettingsOfPhones(t *testing.T) {
	d := opened(t, "boss")
	d.visit("Policies")
	d.must(d.page.Click("link", "p"))
	d.must(d.page.Select("Look", "Dark"))
	d.must(d.page.Select("Hotkey: mute", "Set to"))
	d.must(d.page.Type("Value of: Hotkey: mute", "M"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "This setting cannot be “M”."))
	d.must(d.page.Type("Value of: Hotkey: mute", "ctrl+shift+m"))
	d.must(d.page.Click("button", "Whom does it touch?"))
	d.wants("the preview", `document.querySelector(".preview").innerText.includes("Look: The person chooses → Dark")`)
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	c := newClient(t, d.node, "boss", password)
	if said, _ := c.want(200, "GET", api+"/policies/p", nil); !strings.Contains(said, `"hotkey.mute":"Ctrl+Shift+M"`) || !strings.Contains(said, `"page.look":"dark"`) || strings.Contains(said, `"crm"`) {
		t.Error(said)
	}
	// Read again, the form shows it; what the person chooses again is gone from the policy.
	d.visit("Policies")
	d.must(d.page.Click("link", "p"))
	d.must(d.page.Select("Look", "The person chooses"))
	d.must(d.page.Type("Page of a call", "https://crm.example/{caller}?{number}"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "“{number}” is none of the choices…"))
	d.must(d.page.Type("Page of a call", "https://crm.example/{caller}"))
	d.wants("the choice", `(() => { const el = [...document.querySelectorAll("label")].find((l) => l.textContent === "Opens"); return !!el && (document.getElementById(el.htmlFor).value = "ring"); })()`)
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	said, _ := c.want(200, "GET", api+"/policies/p", nil)
	if strings.Contains(said, "page.look") || !strings.Contains(said, `"hotkey.mute":"Ctrl+Shift+M"`) || !strings.Contains(said, `"call":"https://crm.example/{caller}"`) {
		t.Error(said)
	}
}

func TestEverySettingHasItsWords(t *testing.T) {
	for _, s := range wire.AllSettings() {
		for _, lang := range []string{"en", "ja"} {
			if static.Texts(lang)["admin.setting."+s.Name] == "" {
				t.Errorf("%s has no name in %s", s.Name, lang)
			}
			for _, c := range s.Choices {
				if static.Texts(lang)["admin.choice."+s.Name+"."+c] == "" {
					t.Errorf("%s of %s has no name in %s", c, s.Name, lang)
				}
			}
		}
	}
}

func TestAFloorKeepsItsSizeAndItsSeatsAreATable(t *testing.T) {
	d := opened(t, "boss")
	c := newClient(t, d.node, "boss", password)
	d.visit("Floors and seats")
	d.must(d.page.Click("link", "1"))
	d.must(d.page.Wait("button", "Seat 2, column 1, row 0"))
	d.presses(".seat-table summary")
	d.wants("the table", `document.querySelectorAll(".seat-table tbody tr").length === 2`)
	d.sets(`[aria-label="Name of seat 2"]`, "Window")
	d.sets(`[aria-label="Column of seat Window"]`, "6")
	d.must(d.page.Wait("button", "Seat Window, column 6, row 0"))
	d.presses(".seat-table > .acts button")
	d.wants("a row more", `document.querySelectorAll(".seat-table tbody tr").length === 3`)
	d.sets(`[aria-label="Seat ID of seat 3"]`, "33")
	d.must(d.page.Click("button", "Take out 1"))
	d.wants("two rows", `document.querySelectorAll(".seat-table tbody tr").length === 2`)

	// A floor that is too small for a seat says so, and offers to bring it in.
	d.sets("#floorwidth", "4")
	d.must(d.page.Wait("StaticText", "1 seats or shapes lie outside of the floor."))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Click("button", "Save")) // of the question about the seat that goes
	d.must(d.page.Wait("StaticText", "“Window” at column 6, row 0 lies outside of the floor (4 × 0 cells)…"))
	d.sets("#floorwidth", "5")
	d.must(d.page.Click("button", "Move them inside"))
	d.must(d.page.Wait("button", "Seat Window, column 4, row 0"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	said, _ := c.want(200, "GET", api+"/floors/1/map", nil)
	if !strings.Contains(said, `"width":5`) || !strings.Contains(said, `"id":"33"`) || strings.Contains(said, `{"id":"1","name":"1",`) || !strings.Contains(said, `"name":"Window","floor":"1","x":4`) {
		t.Error(said)
	}
	// Without the page it is refused as well.
	for _, body := range []string{`{"id":"1","name":"1F","width":2}`, `{"id":"1","name":"1F","width":5000}`, `{"id":"1","name":"1F","width":5,"shapes":[{"kind":"wall","x":4,"y":0,"width":2,"height":1}]}`} {
		c.want(422, "PUT", api+"/floors/1", body)
	}
	c.want(422, "PUT", api+"/seats/33", `{"id":"33","floor":"1","x":5,"y":0}`)
}

func TestATestMailFromThePage(t *testing.T) {
	office := mailtest.New(t, false)
	d := opened(t, "boss")
	d.visit("Center settings")
	d.must(d.page.Type("Send a test mail to", "it@example.jp"))
	d.must(d.page.Click("button", "Send a test mail"))
	d.must(d.page.Wait("StaticText", "The mail was not taken…"))
	d.must(d.page.Type("Mail server (host:port)", office.Addr))
	d.must(d.page.Click("button", "Send a test mail"))
	d.must(d.page.Wait("StaticText", "Save the settings first…"))
	d.sets(`input[autocomplete="new-password"]`, "")
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	// The test server asks for no password and takes none: as long as a user is set, it says so.
	site := d.node.Roster().Site()
	site.Mail.User = ""
	if err := d.node.Apply(t.Context(), roster.Setup{Site: &site}); err != nil {
		t.Fatal(err)
	}
	d.must(d.page.Click("button", "Send a test mail"))
	d.must(d.page.Wait("StaticText", "The mail server took the mail to it@example.jp."))
	d.visit("Overview")
	d.must(d.page.Wait("StaticText", "Test mail sent…"))
	d.must(d.page.Click("link", "Warnings"))
	d.must(d.page.Wait("StaticText", "test mail by=boss…"))
}

func TestAReleaseIsCheckedAsAPhoneWouldCheckIt(t *testing.T) {
	d := opened(t, "boss")
	d.visit("Versions")
	d.must(d.page.Type("Version", "new"))
	d.must(d.page.Type("Japanese", "音が良くなりました"))
	d.must(d.page.Type("English", "Better sound"))
	d.must(d.page.Click("button", "Add a file"))
	d.must(d.page.Type("Address (https)", "http://dl.example/zaseki.msi"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "“new” is no version such as 1.2.3."))
	d.must(d.page.Type("Version", "4.0.1"))
	d.must(d.page.Click("button", "Save"))
	d.wants("a fault about the file", `/SHA-256|https:|signature/.test([...document.querySelectorAll(".fault")].map((f) => f.textContent).join(" "))`)
	d.must(d.page.Type("Address (https)", "https://dl.example/zaseki.msi"))
	d.must(d.page.Type("SHA-256, 64 hex digits", strings.Repeat("AB", 32)))
	d.must(d.page.Type("Signature (ed25519, base64)", base64.StdEncoding.EncodeToString(make([]byte, 63))))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "The signature of windows/amd64 must be…"))
	d.must(d.page.Type("Signature (ed25519, base64)", base64.StdEncoding.EncodeToString(make([]byte, 64))))
	d.must(d.page.Select("Notice", "Mark that downloads (ⓘ)"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	got := saying[struct{ Latest wire.Release }](newClient(t, d.node, "boss", password), api+"/versions").Latest
	if got.Version != "4.0.1" || got.Notes["ja"] != "音が良くなりました" || got.Hashes["windows/amd64"] != strings.Repeat("ab", 32) || len(got.Signs["windows/amd64"]) != 88 || got.Notice != "get" {
		t.Errorf("%+v", got)
	}
}

// TestTenThousandAccountsInTheBrowser: lists come a page at a time, and forms find people instead of listing them.
func TestTenThousandAccountsInTheBrowser(t *testing.T) {
	d := opened(t, "boss")
	var many roster.Setup
	began := time.Now()
	for i := range 10000 {
		many.Accounts = append(many.Accounts, roster.AccountSetup{Account: fmt.Sprintf("agent%05d", i), Name: fmt.Sprintf("佐藤 ハナコ %d", i), Hash: weakHash, Groups: []string{"sales"}})
		many.Terminals = append(many.Terminals, roster.TerminalSetup{Extension: fmt.Sprint(10000 + i), Account: fmt.Sprintf("agent%05d", i)})
	}
	if err := d.node.Apply(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	t.Logf("imported after %v", time.Since(began))
	c := newClient(t, d.node, "boss", password)
	for path, most := range map[string]time.Duration{"/accounts?limit=100": 100 * time.Millisecond, "/accounts?limit=100&q=" + "はなこ%20199": 150 * time.Millisecond, "/overview?brief=1": 150 * time.Millisecond} {
		took := time.Hour
		for range 5 { // the best: what is promised is what the center needs, not its neighbours
			began := time.Now()
			said, _ := c.want(200, "GET", api+path, nil)
			took = min(took, time.Since(began))
			if len(said) > 64<<10 {
				t.Errorf("%s: %d bytes", path, len(said))
			}
		}
		if t.Logf("%s: %v", path, took); took > most && !racing {
			t.Errorf("%s takes %v", path, took)
		}
	}
	d.visit("Accounts")
	d.must(d.page.Wait("StaticText", "100 of 10005"))
	d.must(d.page.Click("button", "Show more"))
	d.must(d.page.Wait("StaticText", "200 of 10005"))
	d.sets("#q", "ﾊﾅｺ 9999")
	d.must(d.page.Wait("StaticText", "1 found"))
	d.must(d.page.Wait("link", "agent09999"))
	d.sets("#q", "nobody at all")
	d.must(d.page.Wait("StaticText", "Nothing fits…"))
	d.visit("Queues")
	d.must(d.page.Click("link", "7000"))
	d.wants("the field that finds people", `document.querySelector(".picker input") !== null`)
	d.sets(".picker input", "agent09999")
	d.wants("what is found", `document.querySelector("datalist option[value=agent09999]") !== null`)
	d.must(d.page.Click("button", "Add"))
	d.must(d.page.Wait("button", "Take out agent09999"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	if said, _ := c.want(200, "GET", api+"/queues/7000", nil); !strings.Contains(said, `"agents":["agent09999"]`) {
		t.Error(said)
	}
	n, err := stage.Eval[int](d.page, `document.querySelectorAll("input, option, tr").length`)
	if d.must(err); n > 400 {
		t.Errorf("%d controls and rows in the browser", n)
	}
}

// weakHash is the password "password" with parameters of no strength, so that thousands are made at once.
const weakHash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + "MLRhBIr0wIxNd4IH/yQ6Og"
