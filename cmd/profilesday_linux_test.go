package cmd_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// manual is a center of one generation, agent1's phone in the tray of a desktop, the phone of agent2, who watches the seat view, and a
// third machine.
type manual struct {
	*day
	whole      *testing.T // of the generation; day's is that of the row
	generation string
	site       map[string]any
	desk       *desktop.Desktop
	env        []string
	opened     string // file: what the phone had opened by the system, a line each
	crm        *customers
	outside    *stage.Customer
	viewer     *stage.Page       // agent2's seat view
	colleague  *stage.Page       // agent2's phone
	other      *stage.Page       // the third machine's
	panels     map[string]string // by machine
	sign       ed25519.PrivateKey
}

// customers is a customer system that notes which of its pages are asked for. It is not well.
type customers struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newCustomers(t *testing.T) *customers {
	c := &customers{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, r.URL.RequestURI())
		http.Error(w, "out of order", http.StatusInternalServerError) // a failure never blocks the phone
	}))
	t.Cleanup(c.Close)
	return c
}

// newManual starts everything up to open pages: agent2 is signed in, the others are not.
func newManual(t *testing.T, generation string) *manual {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	m := &manual{sign: testsKey(), day: &day{T: t, dir: t.TempDir()}, whole: t, generation: generation, desk: desktop.Start(t), crm: newCustomers(t), panels: map[string]string{}}
	build(t, m.dir, "center")
	m.must(os.Link(keyed(t), filepath.Join(m.dir, "softphone")))
	m.surroundings(t)
	var err error
	m.center, err = stage.StartCenter(ctx, filepath.Join(m.dir, "center"), m.dir, m.floor())
	m.must(err)
	center := m.center
	t.Cleanup(func() { center.Stop() })
	m.browser, err = stage.OpenBrowser(ctx, filepath.Join(m.dir, "profile"), "")
	m.must(err)
	t.Cleanup(m.browser.Close)
	m.start()

	m.colleague = m.machine("colleague")
	m.enter(m.colleague, "agent2", "On break", "")
	m.status(m.colleague, "On break")
	m.must(m.colleague.Wait("StaticText", "Line registered…"))
	m.pick(m.colleague, "Training") // which lasts a minute: D3 sees what came then
	m.viewer, err = m.browser.Open(m.address("colleague", "seats"), stage.View{Width: 900, Height: 600})
	m.must(err)
	m.other = m.machine("other")
	m.customerSays = make([]int16, 8000)
	m.outside = m.customer()
	return m
}

func testsKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a key of tests, and of none else"))
}

// keyed builds the phone, once for all generations, with the public half of a key of ours, so that it believes releases signed by us.
func keyed(t *testing.T) (built string) {
	t.Helper()
	built = filepath.Join(os.Getenv(builtIn), "softphone-keyed")
	if _, err := os.Stat(built); err != nil {
		key := base64.StdEncoding.EncodeToString(testsKey().Public().(ed25519.PublicKey))
		cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.updateKey="+key, "-o", built, "./cmd/softphone")
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
	}
	return built
}

// surroundings are the desktop's keyring, and its ways to open pages and folders.
func (m *manual) surroundings(t *testing.T) {
	bin := filepath.Join(m.dir, "bin")
	m.opened = filepath.Join(m.dir, "opened")
	m.must(os.MkdirAll(bin, 0o700))
	m.must(os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >>'"+m.opened+"'\n"), 0o700))
	keyringAt(t, m.desk.Address(), t.TempDir())
	m.env = []string{m.desk.Env(), "DISPLAY=", "WAYLAND_DISPLAY=", "PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + m.dir, "XDG_DOWNLOAD_DIR=" + filepath.Join(m.dir, "Downloads"), "XDG_CONFIG_HOME=" + filepath.Join(m.dir, "config")}
}

// floor is the import file: the test floor with a desk phone, a mobile, two statuses of its own and somebody who is no agent.
func (m *manual) floor() string {
	m.Helper()
	file, err := stage.Floor(m.dir, nil)
	m.must(err)
	data, err := os.ReadFile(file)
	m.must(err)
	var f map[string]any
	m.must(json.Unmarshal(data, &f))
	m.site = f["site"].(map[string]any)
	for k, v := range map[string]any{"profile": m.generation, "afterWorkSeconds": 60, "misses": 0,
		"crm": map[string]any{"login": m.crm.URL + "/login", "call": m.crm.URL + "/card?from={caller}&to={called}&by={account}", "when": "ring", "outside": true}} {
		m.site[k] = v
	}
	f["accounts"] = append(f["accounts"].([]any),
		map[string]any{"account": "USER1", "name": "User 1", "password": stage.Password, "terminals": []string{"2006"}},
		map[string]any{"account": "chief", "name": "The Chief", "password": stage.Password, "role": "supervisor", "agent": false, "terminals": []string{"2007"}})
	f["terminals"] = append(f["terminals"].([]any), map[string]any{"extension": "2006", "account": "USER1"}, map[string]any{"extension": "2007", "account": "chief"},
		map[string]any{"extension": "2101", "type": "desk", "name": "Lobby", "secret": "secret-of-2101"}, map[string]any{"extension": "2102", "type": "mobile", "secret": "secret-of-2102"})
	f["statuses"] = []wire.StatusDef{
		{ID: "vip", Name: wire.Words{"en": "VIP calls", "ja": "VIP対応"}, Class: "available", Colour: "green", Sign: "★", Pickable: true},
		{ID: "training", Name: wire.Words{"en": "Training", "ja": "研修"}, Class: "pause", Colour: "violet", Sign: "✚", Pickable: true, Minutes: 1}}
	return m.write(f)
}

func (m *manual) write(f map[string]any) string {
	m.Helper()
	data, err := json.Marshal(f)
	m.must(err)
	file := filepath.Join(m.dir, "import.json")
	m.must(os.WriteFile(file, data, 0o600))
	return file
}

// set changes settings of the center while all work, as its administrator does; nil takes one away.
func (m *manual) set(changes map[string]any) {
	m.Helper()
	for k, v := range changes {
		if m.site[k] = v; v == nil {
			delete(m.site, k)
		}
	}
	m.imports(map[string]any{"site": m.site})
}

func (m *manual) imports(f map[string]any) {
	m.Helper()
	out, err := exec.Command(filepath.Join(m.dir, "center"), "import", "-data", filepath.Join(m.dir, "data"), m.write(f)).CombinedOutput()
	if err != nil {
		m.Fatalf("import: %v\n%s", err, out)
	}
}

// start starts agent1's phone in the tray, and opens its page.
func (m *manual) start() {
	m.Helper()
	var err error
	m.phone, err = stage.Start(context.Background(), filepath.Join(m.dir, "softphone"), m.env, "-config", filepath.Join(m.dir, "phone"),
		"-panel", "127.0.0.1:0", "-center", m.center.String("http"), "-lang", "en")
	m.must(err)
	m.panels["phone"] = m.phone.String("panel")
	phone := m.phone
	m.whole.Cleanup(func() { phone.Stop() })
	m.page = m.tab("en")
}

// tab opens a page of agent1's phone.
func (m *manual) tab(lang string) *stage.Page {
	m.Helper()
	p, err := m.browser.Open(stage.Address(m.phone.String("panel"), "", lang), stage.View{Width: 460, Height: 900})
	m.must(err)
	m.is(p, `/in|out|checking/.test(`+phaseNow+`)`, "true")
	return p
}

// machine starts a phone without a tray, and opens its page.
func (m *manual) machine(name string) *stage.Page {
	m.Helper()
	phone, err := stage.StartPhone(context.Background(), filepath.Join(m.dir, "softphone"), filepath.Join(m.dir, name), m.center.String("http"))
	m.must(err)
	m.whole.Cleanup(func() { phone.Stop() })
	m.panels[name] = phone.String("panel")
	p, err := m.browser.Open(m.address(name, ""), stage.View{Width: 460, Height: 900})
	m.must(err)
	return p
}

func (m *manual) address(machine, view string) string { return stage.English(m.panels[machine], view) }

// with lets a row fail by itself.
func (m *manual) with(t *testing.T, do func()) {
	m.T = t
	defer func() { m.T = m.whole }()
	do()
}

// is waits until a script on the page gives that.
func (m *manual) is(p *stage.Page, script, want string) {
	m.Helper()
	got, err := "", error(nil)
	for end := time.Now().Add(desktop.Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got, err = stage.Eval[string](p, `String(`+script+`)`); err == nil && got == want {
			return
		}
	}
	m.Fatalf("%s is %q (%v), want %q\n%s", script, got, err, want, p.Said())
}

func (m *manual) eval(p *stage.Page, script string) string {
	m.Helper()
	got, err := stage.Eval[string](p, `String(`+script+`)`)
	m.must(err)
	return got
}

const (
	phaseNow  = `document.querySelector(".app")?.dataset.phase`
	statusNow = `document.querySelector("button.status").getAttribute("aria-label")`
	factsNow  = `document.querySelector(".facts").textContent`
	// onceForm and twoForm say whether that form is shown.
	onceForm = `document.querySelector(".once").checkVisibility()`
	twoForm  = `document.querySelector("#terminal").checkVisibility()`
)

// status waits until the page shows that status.
func (m *manual) status(p *stage.Page, name string) {
	m.Helper()
	m.is(p, statusNow, name)
}

// password fills in who signs in, on either form.
func (m *manual) password(p *stage.Page, account string) {
	m.Helper()
	m.must(p.Type("Account", account))
	m.must(p.Type("Password", stage.Password))
}

// choose asks for terminal (its extension, "" as it stands), status and seat ("" not seated) on whatever form there is, up to the last click.
func (m *manual) choose(p *stage.Page, account, terminal, status, seat string) {
	m.Helper()
	m.must(p.Wait("textbox", "Account"))
	m.password(p, account)
	if seat == "" {
		seat = "Not seated"
	}
	if m.eval(p, onceForm) == "true" {
		m.must(p.TypeIn("combobox", "Terminal", terminal+" "))
		m.must(p.TypeIn("combobox", "Seat", seat))
	} else {
		m.must(p.Click("button", "Sign in"))
		m.must(p.Wait("combobox", "Terminal"))
		if terminal != "" {
			m.must(p.Select("Terminal", terminal))
		}
		if p.Has("combobox", "Seat") {
			m.must(p.Select("Seat", seat))
		}
	}
	if status != "" {
		m.must(p.Select("Status", status))
	}
	m.must(p.Click("button", "Sign in"))
}

// enter signs in.
func (m *manual) enter(p *stage.Page, account, status, seat string) {
	m.Helper()
	m.choose(p, account, "", status, seat)
	m.is(p, phaseNow, "in")
	m.status(p, status)
}

// leave signs out, if somebody is signed in.
func (m *manual) leave(p *stage.Page) {
	m.Helper()
	if m.eval(p, phaseNow) != "in" {
		return
	}
	var err error
	for range 3 { // a menu closes when another tab comes to the front: that of the customer system, just after a sign-in
		m.must(p.Click("button", "Open the menu"))
		if err = p.Click("menuitem", "Sign out"); err == nil {
			break
		}
	}
	m.must(err)
	m.must(p.Wait("textbox", "Account"))
}

// work has agent1 signed in on seat 2 with a line, in that status.
func (m *manual) work(status string) {
	m.Helper()
	if m.eval(m.page, phaseNow) != "in" {
		m.enter(m.page, "agent1", status, "2")
	} else if m.eval(m.page, statusNow) != status {
		m.pick(m.page, status)
	}
	m.status(m.page, status)
	m.must(m.page.Wait("StaticText", "Line registered…"))
}

// pick chooses a status in the phone's menu.
func (m *manual) pick(p *stage.Page, status string) {
	m.Helper()
	m.must(p.Click("button", "Open the menu"))
	m.must(p.Click("menuitemradio", status))
}

// called rings agent1 from outside.
func (m *manual) called(number string) (line string) {
	m.Helper()
	line, err := m.outside.Call(context.Background(), number)
	m.must(err)
	return line
}

// gone hangs the line up.
func (m *manual) gone(line string) {
	m.Helper()
	_ = m.outside.Line.Hangup(context.Background(), line) // it may be over
}

// inCall has agent1 talk to somebody from outside.
func (m *manual) inCall() (line string) {
	m.Helper()
	m.work("Available")
	line = m.called(stage.Queue)
	m.must(m.page.Click("button", "Answer"))
	m.must(m.page.Wait("button", "Mute"))
	return line
}

// over hangs up, and has after-call work end.
func (m *manual) over() {
	m.Helper()
	m.must(m.page.Click("button", "Hang up"))
	m.must(m.page.Gone("button", "Hang up"))
}
