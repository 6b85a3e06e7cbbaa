package cmd_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/roster/mail/mailtest"
	"zaseki/cmd/center/roster/sso/ssotest"
)

// proofs is a center that wants more than a password, and a phone whose browser is a list of what it was told to open.
type proofs struct {
	*day
	ctx    context.Context
	opened string // file: an address a line
	env    []string
}

// newProofs changes the floor's import file: site are the settings and policies, mails who has a mail address.
func newProofs(t *testing.T, site map[string]any, mails map[string]string) *proofs {
	need(t, "chromium")
	d := &day{T: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build(t, d.dir, "center", "softphone")
	file, err := stage.Floor(d.dir, nil)
	d.must(err)
	data, err := os.ReadFile(file)
	d.must(err)
	var floor map[string]any
	d.must(json.Unmarshal(data, &floor))
	for k, v := range site {
		floor["site"].(map[string]any)[k] = v
	}
	for _, a := range floor["accounts"].([]any) {
		a := a.(map[string]any)
		if m := mails[a["account"].(string)]; m != "" {
			a["mail"] = m
		}
	}
	if policies, ok := site["policies"]; ok {
		floor["policies"] = policies
		delete(floor["site"].(map[string]any), "policies")
	}
	data, err = json.Marshal(floor)
	d.must(err)
	d.must(os.WriteFile(file, data, 0o600))
	d.center, err = stage.StartCenter(ctx, filepath.Join(d.dir, "center"), d.dir, file)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })
	p := &proofs{day: d, ctx: ctx, opened: filepath.Join(d.dir, "opened"), env: []string{"DBUS_SESSION_BUS_ADDRESS="}}
	bin := filepath.Join(d.dir, "bin")
	d.must(os.Mkdir(bin, 0o700))
	d.must(os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >>'"+p.opened+"'\n"), 0o700))
	p.env = append(p.env, "PATH="+bin+":"+os.Getenv("PATH"))
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), "")
	d.must(err)
	t.Cleanup(d.browser.Close)
	return p
}

// start starts the phone of that folder and opens its page.
func (p *proofs) start(folder string) {
	p.Helper()
	var err error
	p.phone, err = stage.Start(p.ctx, filepath.Join(p.dir, "softphone"), p.env, "-config", filepath.Join(p.dir, folder),
		"-panel", "127.0.0.1:0", "-no-tray", "-center", p.center.String("http"), "-lang", "en")
	p.must(err)
	phone := p.phone
	p.Cleanup(func() { phone.Stop() })
	p.page, err = p.browser.Open(stage.English(p.phone.String("panel"), ""), stage.View{Width: 360, Height: 760})
	p.must(err)
}

// password is step one.
func (p *proofs) password(account string) {
	p.Helper()
	p.must(p.page.Type("Account", account))
	p.must(p.page.Type("Password", stage.Password))
	p.must(p.page.Click("button", "Sign in"))
}

// enter is step two.
func (p *proofs) enter() {
	p.Helper()
	p.must(p.page.Wait("combobox", "Terminal"))
	p.must(p.page.Click("button", "Sign in"))
	p.must(p.page.Wait("button", "Away…"))
}

func (p *proofs) signOut() {
	p.Helper()
	p.must(p.page.Context("button", "Away…"))
	p.must(p.page.Click("menuitem", "Sign out"))
	p.must(p.page.Wait("textbox", "Password"))
}

// look lets axe look at the page where it is installed; ZASEKI_SHOTS names a folder for pictures.
func (p *proofs) look(name string) {
	p.Helper()
	if axe, err := os.ReadFile("../static/test/node_modules/axe-core/axe.min.js"); err == nil {
		a := &access{day: p.day, axe: string(axe), faces: []face{{p.page, "en", false}}}
		a.all(name, func(face) error { return nil })
	}
	if dir := os.Getenv("ZASEKI_SHOTS"); dir != "" {
		_ = p.page.Shot(filepath.Join(dir, name+".png"))
	}
}

// openedAt waits for an address that the phone opened in the system's browser.
func (p *proofs) openedAt(part string) string {
	p.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		data, _ := os.ReadFile(p.opened)
		for line := range strings.Lines(string(data)) {
			if strings.Contains(line, part) {
				return strings.TrimSpace(line)
			}
		}
	}
	p.Fatalf("nothing with %s was opened", part)
	return ""
}

// shown is what the authenticator shows so many steps of 30 s from now.
func (p *proofs) shown(secret string, off int) string {
	p.Helper()
	six, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(off)*30*time.Second))
	p.must(err)
	return six
}

// all reads the texts of some elements.
func (p *proofs) all(selector string) []string {
	p.Helper()
	text, err := stage.Eval[string](p.page, `[...document.querySelectorAll(`+"`"+selector+"`"+`)].map((e) => e.textContent).join("\n")`)
	p.must(err)
	return strings.Split(text, "\n")
}

// enrol sets up an authenticator at sign-in with the code before now's, so that those of now and after are left.
func (p *proofs) enrol() (secret string, papers []string) {
	p.Helper()
	p.must(p.page.Click("button", "Begin"))
	p.must(p.page.Wait("image", "QR code for the authenticator app"))
	secret = p.all(".qr-key")[0]
	p.look("enrol")
	p.must(p.page.Type("Code", "000000"))
	p.must(p.page.Click("button", "Continue"))
	p.must(p.page.Wait("StaticText", "The code is not right…"))
	p.must(p.page.Type("Code", p.shown(secret, -1)))
	p.must(p.page.Click("button", "Continue"))
	p.must(p.page.Wait("heading", "Your recovery codes"))
	p.look("papers")
	papers = p.all(".papers-list li")
	if len(papers) != 10 {
		p.Fatalf("recovery codes %v", papers)
	}
	p.must(p.page.Click("button", "I have kept them"))
	return secret, papers
}

// TestASecondFactorInThePages: the center demands one. It is set up on the way in, asked for with the next sign-in, wrong codes are told,
// a code of paper works once, and a trusted machine is not asked again, until the phone ends where there is no keyring.
//
//ci:still
func TestASecondFactorInThePages(t *testing.T) {
	p := newProofs(t, map[string]any{"factor": map[string]any{"agent": "required", "days": 30}}, nil)
	p.start("phone")
	p.password("agent1")
	secret, papers := p.enrol()
	p.enter()
	p.signOut()

	p.password("agent1")
	p.must(p.page.Wait("textbox", "Code"))
	p.look("code")
	p.must(p.page.Type("Code", "111111"))
	p.must(p.page.Click("button", "Continue"))
	p.must(p.page.Wait("StaticText", "The code is not right. 4 tries are left."))
	p.look("wrong")
	now := p.shown(secret, 0)
	p.must(p.page.Type("Code", now[:3]+" "+now[3:]))
	p.must(p.page.Click("button", "Continue"))
	p.enter()
	p.signOut()

	p.password("agent1")
	p.must(p.page.Click("radio", "Recovery code"))
	p.must(p.page.Type("Code", papers[0]))
	p.must(p.page.Wait("StaticText", "This machine has no keyring…"))
	p.must(p.page.Click("checkbox", "Do not ask on this machine for 30 days"))
	p.must(p.page.Click("button", "Continue"))
	p.enter()
	p.signOut()
	p.password("agent1")
	p.enter() // trusted: nobody is asked

	p.must(p.page.Click("button", "Settings"))
	p.must(p.page.Select("Chapters of the settings", "Password and second factor"))
	p.must(p.page.Wait("button", "Turn off: Authenticator app"))
	p.must(p.page.Wait("StaticText", "9 left"))
	p.look("safety")
	p.must(p.page.Click("button", "Ask there again…"))
	p.must(p.page.Wait("StaticText", "None."))
	p.must(p.page.Click("button", "Turn off: Authenticator app"))
	p.must(p.page.Type("A code of what is set up now", papers[1]))
	p.must(p.page.Click("button", "Turn off"))
	p.must(p.page.Wait("StaticText", "The center demands a second factor…"))
	p.must(p.page.Click("button", "Close the settings"))
	p.signOut()
	p.password("agent1")
	p.must(p.page.Wait("textbox", "Code"))
	if log := p.phone.Log(); strings.Contains(log, secret) || strings.Contains(log, papers[0]) {
		t.Error("the log holds a secret")
	}
}

// TestACodeByMailInThePages, with an SMTP server of the test.
//
//ci:still
func TestACodeByMailInThePages(t *testing.T) {
	post := mailtest.New(t, false)
	p := newProofs(t, map[string]any{"factor": map[string]any{"agent": "required"}, "mail": map[string]any{"server": post.Addr, "from": "center@example.jp"}},
		map[string]string{"agent1": "taro@example.jp"})
	p.start("phone")
	p.password("agent1")
	p.must(p.page.Wait("StaticText", "A code can be sent to t…@example.jp."))
	p.must(p.page.Click("button", "Send a code"))
	p.must(p.page.Wait("StaticText", "A code is on its way to t…@example.jp…"))
	p.must(p.page.Wait("StaticText", "Send again in…"))
	p.look("mail")
	p.must(p.page.Type("Code", post.Code(t)))
	p.must(p.page.Click("button", "Continue"))
	p.enter()
}

// TestAMachineIsTrustedAtTheNextStart, with the keyring of a real desktop session.
//
//ci:still
func TestAMachineIsTrustedAtTheNextStart(t *testing.T) {
	need(t, "dbus-daemon", "gnome-keyring-daemon")
	p := newProofs(t, map[string]any{"factor": map[string]any{"agent": "required", "days": 30}}, nil)
	p.env[0] = "DBUS_SESSION_BUS_ADDRESS=" + newKeyring(t, p.dir)
	p.start("phone")
	p.password("agent1")
	secret, _ := p.enrol()
	p.enter()
	p.signOut()
	p.password("agent1")
	p.must(p.page.Type("Code", p.shown(secret, 0)))
	p.must(p.page.Click("checkbox", "Do not ask on this machine for 30 days"))
	if p.page.Has("StaticText", "This machine has no keyring…") {
		t.Error("the keyring is not seen")
	}
	p.must(p.page.Click("button", "Continue"))
	p.enter()
	config := filepath.Join(p.dir, "phone", "softphone.json")
	kept := ""
	for end := time.Now().Add(10 * time.Second); !strings.Contains(kept, "agent1") && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		data, _ := os.ReadFile(config)
		kept = string(data)
	}
	if !strings.Contains(kept, `"trusted"`) {
		t.Fatalf("the settings say %s", kept)
	}
	p.signOut()
	p.page.Close()
	p.phone.Stop()

	p.start("phone")
	p.password("agent1")
	p.enter()
	p.signOut()
	p.page.Close()
	p.start("another") // another phone's folder: it was never trusted
	p.password("agent1")
	p.must(p.page.Wait("textbox", "Code"))
}

// TestAPolicyForSharedSeats: nothing is kept on the machine, whatever was ticked, and the seat view is not offered; the page says who
// wants it so.
//
//ci:still
func TestAPolicyForSharedSeats(t *testing.T) {
	p := newProofs(t, map[string]any{"factor": map[string]any{"agent": "required", "days": 30},
		"policies": []map[string]any{{"id": "shared", "name": "Shared seats", "set": map[string]any{"keep": false, "view": false}}}}, nil)
	p.start("phone")
	p.password("agent1")
	secret, _ := p.enrol()
	p.enter()
	if p.page.Has("link", "Seat view") {
		t.Error("the seat view is offered")
	}
	p.must(p.page.Click("button", "Settings"))
	p.must(p.page.Select("Chapters of the settings", "Password and second factor"))
	p.must(p.page.Wait("StaticText", "The policy of Test Center has nothing kept on this machine…"))
	p.must(p.page.Click("button", "Close the settings"))
	p.signOut()
	p.password("agent1")
	p.must(p.page.Type("Code", p.shown(secret, 0)))
	if p.page.Has("checkbox", "Do not ask on this machine for 30 days") {
		t.Error("to trust this machine is offered")
	}
	p.must(p.page.Click("button", "Continue"))
	p.enter()
	p.signOut()
	p.password("agent1")
	p.must(p.page.Wait("textbox", "Code"))
}

// TestSingleSignOnInThePages: the phone's page, the system's browser at the provider, and back.
//
//ci:still
func TestSingleSignOnInThePages(t *testing.T) {
	provider := ssotest.New(t, map[string]any{"sub": "u-1", "preferred_username": "agent1"})
	p := newProofs(t, map[string]any{"oidc": map[string]any{"issuer": provider.URL, "client": ssotest.Client, "secret": ssotest.Secret, "name": "Example ID"}}, nil)
	p.start("phone")
	p.must(p.page.Wait("button", "Sign in with Example ID"))
	p.look("sso")
	port := regexp.MustCompile(`:(\d+)/`).FindStringSubmatch(p.phone.String("panel"))[1]

	// The provider says no: told in words, on both pages.
	provider.Refuse("access_denied")
	p.must(p.page.Click("button", "Sign in with Example ID"))
	p.must(p.page.Wait("heading", "Waiting for the browser…"))
	p.look("waiting")
	there, err := p.browser.Open(p.openedAt("/auth/oidc/start"), stage.View{})
	p.must(err)
	p.must(there.Wait("heading", "Not signed in"))
	there.Close()
	p.must(p.page.Wait("StaticText", "The sign-in provider did not let you in: access_denied…"))
	provider.Refuse("")
	p.must(os.Remove(p.opened))

	// Given up: what comes back is of no use any more. A code that somebody made up neither.
	p.must(p.page.Click("button", "Sign in with Example ID"))
	late := p.openedAt("/auth/oidc/start")
	p.must(p.page.Click("button", "Cancel"))
	p.must(p.page.Wait("textbox", "Account"))
	there, err = p.browser.Open(late, stage.View{})
	p.must(err)
	p.must(there.Wait("heading", "Not signed in"))
	there.Close()
	p.must(os.Remove(p.opened))
	p.must(p.page.Click("button", "Sign in with Example ID"))
	start := p.openedAt("/auth/oidc/start")
	there, err = p.browser.Open("http://127.0.0.1:"+port+"/signed-in?code=made-up", stage.View{})
	p.must(err)
	p.must(there.Wait("heading", "Not signed in"))
	there.Close()
	if !p.page.Has("heading", "Waiting for the browser…") {
		t.Fatal("a code that somebody made up ended the sign-in")
	}

	there, err = p.browser.Open(start, stage.View{})
	p.must(err)
	p.must(there.Wait("heading", "Signed in"))
	there.Close()
	p.enter()
	p.must(p.page.Wait("StaticText", "Account agent1…"))
}
