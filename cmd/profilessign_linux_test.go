package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"zaseki/cmd/bench/stage"
	"zaseki/sip"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// Chapter A of the manual: sign-in.

// accountsAreMadeByAdministrators (A1): whom nobody made is refused, and neither page nor center lets anybody make an account.
func (m *manual) accountsAreMadeByAdministrators(bool) {
	m.must(m.page.Type("Account", "somebody"))
	m.must(m.page.Type("Password", stage.Password))
	m.must(m.page.Click("button", "Sign in"))
	m.must(m.page.Wait("StaticText", "The account or the password is not right…"))
	if words := m.eval(m.page, `document.querySelector(".signin").innerText.toLowerCase()`); strings.Contains(words, "register") || strings.Contains(words, "sign up") {
		m.Errorf("the page offers to register: %q", words)
	}
	if code, said := m.ask("/api/v1/admin/accounts", map[string]any{"account": "somebody", "name": "Somebody", "password": stage.Password}, nil); code != http.StatusUnauthorized && code != http.StatusForbidden {
		m.Errorf("a stranger makes an account: %d %s", code, said)
	}
}

// ask posts to the center as a program that is no phone.
func (m *manual) ask(path string, body, into any) (code int, said string) {
	m.Helper()
	data, err := json.Marshal(body)
	m.must(err)
	resp, err := http.Post(m.center.String("http")+path, "application/json", bytes.NewReader(data))
	m.must(err)
	defer resp.Body.Close()
	data, err = io.ReadAll(resp.Body)
	m.must(err)
	if into != nil && resp.StatusCode == http.StatusOK {
		m.must(json.Unmarshal(data, into))
	}
	return resp.StatusCode, string(data)
}

// pasted signs in with what a text file holds, line break and tab included.
func (m *manual) pasted(account, password string) {
	m.Helper()
	m.must(m.browser.Copy(account))
	m.must(m.page.Paste("Account"))
	m.must(m.browser.Copy(password))
	m.must(m.page.Paste("Password"))
	m.must(m.page.Click("button", "Sign in"))
}

const invisible = "The field holds invisible characters…"

// pastedLinesAreRemoved (A2): from either field, and blanks within a password stay.
func (m *manual) pastedLinesAreRemoved(holds bool) {
	for _, try := range []struct{ account, password string }{
		{"USER1\r\n", stage.Password}, {"US\tER1", stage.Password}, {"US\nER1", stage.Password}, {"USER1", stage.Password + "\t\r\n"}} {
		m.pasted(try.account, try.password)
		if !holds {
			m.must(m.page.Wait("StaticText", invisible))
			continue
		}
		m.known()
	}
	m.pasted("USER1", strings.ReplaceAll(stage.Password, " ", ""))
	m.must(m.page.Wait("StaticText", "The account or the password is not right…"))
}

// pastedLinesStay (A3): the message says what is wrong, and what was pasted is still there; without it the sign-in goes on.
func (m *manual) pastedLinesStay(holds bool) {
	m.pasted("USER1\r\n", stage.Password)
	if holds {
		m.must(m.page.Wait("StaticText", invisible))
		m.must(m.page.Click("button", "Sign in"))
		m.must(m.page.Wait("StaticText", invisible))
		m.pasted("USER1", stage.Password)
	}
	m.known()
}

// known waits until USER1's password was right, and goes back to the beginning.
func (m *manual) known() {
	m.Helper()
	if m.eval(m.page, onceForm) == "true" {
		m.is(m.page, phaseNow, "in")
		m.leave(m.page)
		return
	}
	m.must(m.page.Wait("heading", "Hello, User 1"))
	m.must(m.page.Click("button", "Back"))
	m.must(m.page.Wait("textbox", "Account"))
}

// oneForm (A4): who, terminal, status and seat stand on one form with one button.
func (m *manual) oneForm(holds bool) {
	m.enter(m.page, "agent1", "On break", "2")
	m.leave(m.page)
	for _, name := range []string{"Terminal", "Status", "Seat"} {
		if m.page.Has("combobox", name) != holds {
			m.Errorf("%s stands beside account and password: %t", name, !holds)
		}
	}
	if !holds {
		return
	}
	m.must(m.page.Type("Account", "agent1"))
	m.must(m.page.Type("Password", stage.Password))
	m.must(m.page.Select("Status", "Away"))
	m.must(m.page.TypeIn("combobox", "Seat", "3"))
	m.must(m.page.Click("button", "Sign in"))
	m.is(m.page, factsNow, "Account agent1 · Ext. 2001 · Seat 3")
	m.status(m.page, "Away")
	m.leave(m.page)
}

// twoSteps (A5): the second is made of what is the account's own.
func (m *manual) twoSteps(holds bool) {
	m.password(m.page, "agent1")
	m.must(m.page.Click("button", "Sign in"))
	if !holds {
		m.is(m.page, phaseNow, "in")
		m.leave(m.page)
		return
	}
	m.must(m.page.Wait("heading", "Hello, Agent 1"))
	for _, name := range []string{"Terminal", "Status", "Seat"} {
		m.must(m.page.Wait("combobox", name))
	}
	m.must(m.page.Click("button", "Back"))
	m.must(m.page.Wait("textbox", "Account"))
}

// offered are the terminals that the form which is shown offers.
func (m *manual) offered() string {
	m.Helper()
	return m.eval(m.page, `(`+onceForm+` ? [...document.querySelectorAll("#once-terminals option")].map((o) => o.label) : [...document.querySelector("#terminal").options].map((o) => o.text)).join("|")`)
}

// terminals (A6): the own softphone, desk phones and mobiles; with a desk phone the softphone shows all and does not ring.
func (m *manual) terminals(bool) {
	const want = "2001 · this softphone|2101 · Lobby|2102 · mobile phone"
	m.must(m.page.Wait("textbox", "Account"))
	once := m.eval(m.page, onceForm) == "true"
	if !once {
		m.password(m.page, "agent1")
		m.must(m.page.Click("button", "Sign in"))
		m.must(m.page.Wait("combobox", "Terminal"))
	}
	if got := m.offered(); got != want {
		m.Errorf("offered %q, want %q", got, want)
	}
	if once {
		m.choose(m.page, "agent1", "2002", "Away", "")
		m.must(m.page.Wait("StaticText", "There is no terminal 2002 for this account…")) // somebody else's
	}
	m.must(m.page.Click("button", "Back"))
	m.choose(m.page, "agent1", "2101", "On break", "")
	m.must(m.page.Wait("StaticText", "Calls ring at 2101 · Lobby"))
	m.status(m.page, "On break")
	m.pick(m.page, "Available")
	m.status(m.page, "Available")
	m.fails(m.called("2001"))
	m.fails(m.called("2101")) // nobody stands there
	if m.page.Has("button", "Answer") {
		m.Error("the softphone rings for the desk phone")
	}
	m.leave(m.page)
	m.choose(m.page, "agent1", "2001", "Away", "") // the terminal that is preselected next time
	m.is(m.page, phaseNow, "in")
	m.leave(m.page)
}

// fails waits until nobody takes the call.
func (m *manual) fails(line string) {
	m.Helper()
	for end := time.After(desktop.Patience); ; {
		select {
		case e := <-m.outside.Events:
			if f, ok := e.(sip.Failed); ok && f.Call == line {
				return
			}
		case <-end:
			m.Fatal("the call has no end")
		}
	}
}

// statusAtSignIn (A7): the last one, but never one that takes outside calls.
func (m *manual) statusAtSignIn(bool) {
	for _, last := range []struct{ was, offered string }{{"On break", "On break"}, {"Available", "Away"}, {"VIP calls", "Away"}} {
		m.enter(m.page, "agent1", last.was, "2")
		m.leave(m.page)
		m.password(m.page, "agent1")
		if m.eval(m.page, onceForm) == "true" {
			last.offered = "On break" // the phone itself remembers the last one that takes no calls
		} else {
			m.must(m.page.Click("button", "Sign in"))
			m.must(m.page.Wait("combobox", "Terminal"))
		}
		if got := m.eval(m.page, `[...document.querySelectorAll("#status, #once-status")].find((s) => s.checkVisibility()).selectedOptions[0].text`); got != last.offered {
			m.Errorf("after %s %q is offered, want %s", last.was, got, last.offered)
		}
		m.must(m.page.Click("button", "Sign in"))
		m.is(m.page, phaseNow, "in")
		m.status(m.page, last.offered)
		m.leave(m.page)
	}
}

// takenSeat (A8): who takes it over is asked, and who had it is told.
func (m *manual) takenSeat(bool) {
	m.work("On break")
	m.choose(m.other, "agent3", "", "On break", "2")
	m.must(m.other.Wait("StaticText", "Seat 2 is taken by Agent 1 since…"))
	m.must(m.other.Click("button", "Take over from Agent 1"))
	m.is(m.other, factsNow, "Account agent3 · Ext. 2003 · Seat 2")
	m.must(m.page.Wait("StaticText", "Agent 3 has taken seat 2 over…"))
	m.is(m.page, factsNow, "Account agent1 · Ext. 2001 · Not seated")
	m.must(m.page.Click("button", "Close the notice"))
	m.leave(m.other)
	m.leave(m.page)
}

// seatWithoutSeatView (A9): the field is there, and 着席しない is the choice.
func (m *manual) seatWithoutSeatView(holds bool) {
	m.set(map[string]any{"seatView": false})
	m.must(m.page.Wait("textbox", "Account"))
	m.password(m.page, "agent1")
	if m.eval(m.page, onceForm) != "true" {
		m.must(m.page.Click("button", "Sign in"))
		m.must(m.page.Wait("combobox", "Terminal"))
	}
	if m.page.Has("combobox", "Seat") != holds {
		m.Errorf("the seat is asked for: %t", !holds)
	}
	if holds {
		m.must(m.page.TypeIn("combobox", "Seat", "Not seated"))
	}
	m.must(m.page.Click("button", "Sign in"))
	m.is(m.page, factsNow, "Account agent1 · Ext. 2001 · Not seated")
	m.leave(m.page)
}

// noSeatWithoutSeatView (A10): neither in the page nor at the center.
func (m *manual) noSeatWithoutSeatView(holds bool) {
	var checked struct {
		Ticket string
		Choice map[string]any
	}
	m.ask("/api/v1/check", map[string]any{"account": "agent1", "password": stage.Password, "version": wire.Version}, &checked)
	if seats, there := checked.Choice["seats"]; there || checked.Choice["seatView"] != false {
		m.Errorf("the center offers seats: %v", seats)
	}
	code, said := m.ask("/api/v1/signin", map[string]any{"ticket": checked.Ticket, "terminal": "2001", "status": "break", "seat": "2"}, nil)
	if code == http.StatusOK || !strings.Contains(said, wire.ProblemSeatUnknown) {
		m.Errorf("a seat without a seat view: %d %s", code, said)
	}
	if always := checked.Choice["profile"].(map[string]any)["seatAlways"] == true; always == holds {
		m.Errorf("the phone is told to ask for a seat all the same: %t", always)
	}
	m.set(map[string]any{"seatView": true})
}

// leftSeat (A11): who sits at 3 and signs in elsewhere without a seat is gone from every seat view; before 3.6 the seat stays occupied.
func (m *manual) leftSeat(holds bool) {
	m.enter(m.page, "agent1", "On break", "3")
	m.must(m.viewer.Wait("button", "3, Agent 1, On break…"))
	m.choose(m.other, "agent1", "", "Away", "")
	m.must(m.other.Click("button", "Take over from…"))
	m.must(m.page.Wait("textbox", "Account"))
	if holds {
		m.is(m.other, factsNow, "Account agent1 · Ext. 2001 · Not seated")
		m.must(m.viewer.Wait("button", "3, empty"))
	} else {
		m.is(m.other, factsNow, "Account agent1 · Ext. 2001 · Seat 3")
		m.must(m.viewer.Wait("button", "3, Agent 1, Away…"))
	}
	m.leave(m.other)
	m.must(m.viewer.Wait("button", "3, empty"))
}

// signedInIsSeen (A12): the center's name at the left, the account, its extension, the age of the registration; and an orange icon.
func (m *manual) signedInIsSeen(bool) {
	m.colour("grey")
	m.work("On break")
	m.colour("orange")
	m.is(m.page, factsNow, "Account agent1 · Ext. 2001 · Seat 2")
	if got := m.eval(m.page, `document.querySelector(".identity").firstElementChild.textContent`); got != "Test Center" {
		m.Errorf("at the left stands %q", got)
	}
}

func (m *manual) colour(want string) {
	m.Helper()
	desktop.Eventually(m.T, want+" icon", func() bool { return m.desk.Colour() == want })
}

// secondFactor (A13): nobody is let in without the code, also by the form of one step, whose generation did not know codes: a center
// that demands one is never given less.
func (m *manual) secondFactor(bool) {
	m.set(map[string]any{"factor": map[string]any{"agent": "required"}})
	m.choose1(m.other, "agent4")
	m.must(m.other.Click("button", "Begin"))
	m.must(m.other.Wait("image", "QR code for the authenticator app"))
	secret := m.eval(m.other, `document.querySelector(".qr-key").textContent`)
	code := func(off time.Duration) string {
		six, err := totp.GenerateCode(secret, time.Now().Add(off))
		m.must(err)
		return six
	}
	m.must(m.other.Type("Code", "000000"))
	m.must(m.other.Click("button", "Continue"))
	m.must(m.other.Wait("StaticText", "The code is not right…"))
	m.must(m.other.Type("Code", code(-30*time.Second)))
	m.must(m.other.Click("button", "Continue"))
	m.must(m.other.Wait("heading", "Your recovery codes"))
	m.must(m.other.Click("button", "I have kept them"))
	m.lastStep(m.other)
	m.leave(m.other)
	m.choose1(m.other, "agent4")
	m.must(m.other.Type("Code", code(0)))
	if m.eval(m.other, phaseNow) == "in" {
		m.Error("signed in without the code")
	}
	m.must(m.other.Click("button", "Continue"))
	m.lastStep(m.other)
	m.leave(m.other)
	m.set(map[string]any{"factor": nil})
}

// choose1 is who signs in, up to what is asked besides.
func (m *manual) choose1(p *stage.Page, account string) {
	m.Helper()
	if m.eval(p, onceForm) == "true" {
		m.choose(p, account, "", "Away", "")
		return
	}
	m.password(p, account)
	m.must(p.Click("button", "Sign in"))
}

// lastStep is terminal, status and seat, where they were not asked for before.
func (m *manual) lastStep(p *stage.Page) {
	m.Helper()
	for end := time.Now().Add(desktop.Patience); m.eval(p, phaseNow) != "in" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if m.eval(p, twoForm) == "true" && m.eval(p, phaseNow) == "choosing" {
			m.must(p.Click("button", "Sign in"))
			break
		}
	}
	m.is(p, phaseNow, "in")
}

// autoSignIn (A14), by the manual's own words in Japanese: 保存, 設定, エージェント設定, 基本設定, 起動時に自動サインインする, 起動時のステータス; the next
// start asks nobody. A policy for shared seats forbids to save.
func (m *manual) autoSignIn(bool) {
	m.leave(m.page)
	ja := m.tab("ja")
	m.must(ja.Click("checkbox", "保存"))
	ja.Close()
	m.must(m.page.Click("checkbox", "Save"))
	m.work("On break")
	ja = m.tab("ja")
	m.must(ja.Click("button", "設定"))
	m.must(ja.Wait("checkbox", "起動時に自動サインインする"))
	if got := m.eval(ja, `document.querySelector(".chapters").innerText`); !strings.Contains(got, "エージェント設定") && !ja.Has("option", "基本設定") {
		m.Errorf("the chapters are %q", got)
	}
	m.must(ja.Click("checkbox", "起動時に自動サインインする"))
	m.must(ja.Select("起動時のステータス", "研修"))
	m.keptAuto(true, "training")
	ja.Close()
	m.page.Close()
	m.phone.Stop()

	m.start()
	m.is(m.page, phaseNow, "in")
	m.is(m.page, factsNow, "Account agent1 · Ext. 2001 · Seat 2")
	m.status(m.page, "Training")
	m.colour("orange")
	ja = m.tab("ja")
	m.must(ja.Click("button", "設定"))
	m.must(ja.Click("checkbox", "起動時に自動サインインする"))
	m.keptAuto(false, "training")
	ja.Close()

	m.imports(map[string]any{"policies": []map[string]any{{"id": "shared", "name": "Shared seats", "set": map[string]any{"keep": false}}}})
	m.leave(m.page)
	m.work("On break")
	m.leave(m.page)
	m.must(m.page.Wait("textbox", "Account"))
	if m.page.Has("checkbox", "Save") {
		m.Error("the account can be saved against the policy")
	}
	m.imports(map[string]any{"policies": []map[string]any{{"id": "shared", "name": "Shared seats", "set": map[string]any{"keep": true}}}})
}

// keptAuto waits until the settings are on the disk.
func (m *manual) keptAuto(auto bool, status string) {
	m.Helper()
	desktop.Eventually(m.T, "the settings on the disk", func() bool {
		data, _ := os.ReadFile(m.dir + "/phone/softphone.json")
		return strings.Contains(string(data), `"sign.auto": true`) == auto && strings.Contains(string(data), `"sign.status": "`+status+`"`)
	})
}

// customerSystem (A15): its login comes up with the sign-in and its page with a call from outside, in one of our tabs or as the system opens
// it; that it is out of order blocks nothing.
func (m *manual) customerSystem(bool) {
	m.work("Available")
	m.popped("/login", 1)
	line := m.called(stage.Queue)
	m.must(m.page.Wait("button", "Answer"))
	m.popped("/card?from="+stage.Outside+"&to="+stage.Queue+"&by=agent1", 1)
	m.gone(line)
	m.must(m.page.Gone("button", "Answer"))
	cards := m.pops("/card?")
	m.rings("2001")
	m.must(m.page.Click("button", "Decline"))
	if n := m.pops("/card?"); n != cards {
		m.Error("a call from inside opens the customer's page")
	}
}

// rings has agent2 call that extension until it rings there, or is refused.
func (m *manual) rings(extension string) {
	m.Helper()
	m.must(m.colleague.Type("Number", extension))
	m.must(m.colleague.Click("button", "Dial"))
}

// pops counts how often a page of the customer system was asked for or opened.
func (m *manual) pops(part string) (n int) {
	m.Helper()
	data, _ := os.ReadFile(m.opened)
	m.crm.mu.Lock()
	defer m.crm.mu.Unlock()
	for _, at := range append(strings.Split(string(data), "\n"), m.crm.asked...) {
		if strings.Contains(at, part) {
			n++
		}
	}
	return n
}

// popped waits until a page of the customer system came up so often.
func (m *manual) popped(part string, least int) {
	m.Helper()
	defer func() {
		if m.Failed() {
			data, _ := os.ReadFile(m.opened)
			m.Logf("opened %s\nasked for %q", data, m.crm.asked)
		}
	}()
	desktop.Eventually(m.T, part+" of the customer system", func() bool { return m.pops(part) >= least })
}

// voiceEncryption (A16): the lock says at rest that the terminal is encrypted, and in a call that this call is; a call in plain is
// refused there, never downgraded. On a terminal in plain there is none.
func (m *manual) voiceEncryption(bool) {
	m.work("On break")
	if m.page.Has("image", "Encrypted terminal") {
		m.Error("a lock on a terminal in plain")
	}
	m.colour("orange")
	plain := m.icon()
	m.leave(m.page)
	m.enter(m.page, "agent3", "On break", "2")
	m.must(m.page.Wait("image", "Encrypted terminal"))
	desktop.Eventually(m.T, "the lock on the icon", func() bool { return m.desk.Colour() == "orange" && m.icon() != plain })
	m.rings("2003")
	m.must(m.colleague.Wait("StaticText", "The other side has no voice format or encryption…"))
	if m.page.Has("button", "Answer") {
		m.Error("an encrypted terminal rings for a call in plain")
	}
	m.must(m.colleague.Click("button", "Close the notice"))
	m.enter(m.other, "agent5", "On break", "")
	m.must(m.other.Wait("StaticText", "Line registered…"))
	m.must(m.other.Type("Number", "2003"))
	m.must(m.other.Click("button", "Dial"))
	m.must(m.page.Click("button", "Answer"))
	m.must(m.page.Wait("image", "Encrypted call"))
	m.must(m.other.Wait("image", "Encrypted call"))
	m.must(m.page.Click("button", "Hang up"))
	m.must(m.other.Gone("button", "Hang up"))
	m.leave(m.other)
	m.leave(m.page)
}

// icon is what the tray shows, as it is sent.
func (m *manual) icon() string { return fmt.Sprint(m.desk.Property("IconPixmap")) }

// otherTerminal (A17): another softphone is the account's own by now. A banner says so and mends it; the status changes all the same, since it
// is the account's.
func (m *manual) otherTerminal(bool) {
	m.work("On break")
	own := func(of, other string) {
		m.imports(map[string]any{"terminals": []map[string]any{{"extension": "2008", "account": of}, {"extension": "2001", "account": other}},
			"accounts": []map[string]any{{"account": "agent1", "name": "Agent 1", "terminals": []string{map[bool]string{true: "2008", false: "2001"}[of == "agent1"]}},
				{"account": "USER1", "name": "User 1", "terminals": []string{"2006"}}}})
	}
	own("agent1", "USER1")
	m.must(m.page.Wait("StaticText", "This phone uses extension 2001, but the center keeps extension 2008 for your account…"))
	m.pick(m.page, "Away")
	m.status(m.page, "Away")
	m.must(m.viewer.Wait("button", "2, Agent 1, Away…"))
	m.must(m.page.Click("button", "Use extension 2008"))
	m.is(m.page, factsNow, "Account agent1 · Ext. 2008 · Seat 2")
	m.must(m.page.Wait("StaticText", "Line registered…"))
	m.must(m.page.Gone("button", "Use extension 2008"))
	own("USER1", "agent1")
	m.leave(m.page)
	m.choose(m.page, "agent1", "2001", "On break", "2")
	m.is(m.page, factsNow, "Account agent1 · Ext. 2001 · Seat 2")
}
