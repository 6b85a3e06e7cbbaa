package cmd_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/report"
	"zaseki/tray/desktop"
)

// Chapters B to D of the manual: update, leaving, status.

// told has the center tell of a newer phone. There is a file of that many bytes when it is signed.
func (m *manual) told(notice, version, url string, file []byte) {
	m.Helper()
	system := runtime.GOOS + "/" + runtime.GOARCH
	sum := fmt.Sprintf("%x", sha256.Sum256(file))
	signed := ed25519.Sign(m.sign, fmt.Appendf(nil, "zaseki %s %s %s\n", version, system, sum))
	m.set(map[string]any{"latest": map[string]any{"version": version, "notice": notice, "files": map[string]string{system: url},
		"hashes": map[string]string{system: sum}, "signs": map[string]string{system: base64.StdEncoding.EncodeToString(signed)}}})
}

// updateDialog (B1): comes up by itself, once, and offers nothing but to know it.
func (m *manual) updateDialog(bool) {
	m.work("On break")
	m.told("dialog", "91.0.0", "https://127.0.0.1:9/none.deb", nil)
	m.must(m.page.Wait("StaticText", "Version 91.0.0 of the phone is available. Please update it."))
	if m.page.Has("button", "OK") {
		m.Error("this generation downloads nothing")
	}
	m.must(m.page.Click("button", "Close"))
	m.must(m.page.Gone("dialog", "Update"))
}

// updateMark (B2): ⓘ in the line on top, and nothing comes up by itself.
func (m *manual) updateMark(bool) {
	m.work("On break")
	m.told("mark", "92.0.0", "https://127.0.0.1:9/none.deb", nil)
	m.must(m.page.Wait("button", "Version 92.0.0 is available"))
	if m.page.Has("dialog", "Update") {
		m.Error("the notice of a mark comes up by itself")
	}
	m.must(m.page.Click("button", "Version 92.0.0 is available"))
	m.must(m.page.Wait("StaticText", "Version 92.0.0 of the phone is available. Please update it."))
	m.must(m.page.Click("button", "Close"))
}

// updateLoads (B3): mark, OK, download, folder; what is not ours never gets there. In a call it cannot be begun.
func (m *manual) updateLoads(bool) {
	m.work("On break")
	installer := []byte(strings.Repeat("an installer ", 1000))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(installer) }))
	defer server.Close()
	m.trusts(server)
	m.told("", "93.0.0", server.URL+"/zaseki.deb", installer)
	m.must(m.page.Click("button", "Version 93.0.0 is available"))
	m.must(m.page.Click("button", "OK"))
	m.must(m.page.Wait("StaticText", "Version 93.0.0 is checked and lies in…"))
	m.must(m.page.Click("button", "Close"))
	desktop.Eventually(m.T, "the folder", func() bool {
		data, _ := os.ReadFile(m.opened)
		return slices.Contains(strings.Split(string(data), "\n"), filepath.Join(m.dir, "Downloads"))
	})
	files, err := filepath.Glob(filepath.Join(m.dir, "Downloads", "zaseki-93.0.0-*.deb"))
	m.must(err)
	if len(files) != 1 {
		m.Errorf("there lies %q", files)
	}

	m.told("", "93.1.0", server.URL+"/zaseki.deb", []byte("something else"))
	m.must(m.page.Click("button", "Version 93.1.0 is available"))
	m.must(m.page.Click("button", "OK"))
	m.must(m.page.Wait("StaticText", "The file is not the one that was published…"))
	m.must(m.page.Click("button", "Close"))

	line := m.inCall()
	m.told("", "93.2.0", server.URL+"/zaseki.deb", installer)
	m.must(m.page.Click("button", "Version 93.2.0 is available"))
	m.must(m.page.Wait("StaticText", "Version 93.2.0 is available. It can be downloaded when the call is over."))
	if m.page.Has("button", "OK") { // found when it can be pressed
		m.Error("an update can be begun in a call")
	}
	m.must(m.page.Click("button", "Later"))
	m.over()
	m.gone(line)
}

// trusts has agent1's phone start anew as one that trusts the server's certificate.
func (m *manual) trusts(server *httptest.Server) {
	m.Helper()
	file := filepath.Join(m.dir, "server.pem")
	m.must(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	m.env = append(m.env, "SSL_CERT_FILE="+file)
	m.leave(m.page)
	m.page.Close()
	m.phone.Stop()
	m.start()
	m.work("On break")
}

// updateFails (B4): why, in words, and the details to copy.
func (m *manual) updateFails(bool) {
	m.work("On break")
	m.told("", "94.0.0", "https://127.0.0.1:9/zaseki.deb", []byte("an installer"))
	m.must(m.page.Click("button", "Version 94.0.0 is available"))
	m.must(m.page.Click("button", "OK"))
	m.must(m.page.Wait("StaticText", "The download stopped:…"))
	m.must(m.page.Click("DisclosureTriangle", "Details"))
	m.must(m.page.Wait("button", "Copy the details"))
	if words := m.eval(m.page, `document.querySelector("dialog.update .update-details").textContent`); !strings.Contains(words, "127.0.0.1:9") || !strings.Contains(words, "94.0.0") {
		m.Errorf("the details are %q", words)
	}
	m.must(m.page.Click("button", "Close"))
	m.set(map[string]any{"latest": nil})
}

// trayEndsWithExit (C1).
func (m *manual) trayEndsWithExit(bool) {
	m.work("On break")
	m.lastIsExit()
	m.leave(m.page)
	m.lastIsExit()
}

func (m *manual) lastIsExit() {
	m.Helper()
	lines := m.desk.Lines()
	if len(lines) == 0 || lines[len(lines)-1].Label != "Exit" || lines[len(lines)-1].Grey {
		m.Errorf("the tray's menu is %q", m.desk.Labels())
	}
	if !strings.HasSuffix(m.desk.Labels(), "|Exit") {
		m.Errorf("the tray's menu is %q", m.desk.Labels())
	}
}

// pageEndsWithExit (C2): anywhere on the page, by mouse and by keyboard.
func (m *manual) pageEndsWithExit(bool) {
	const last = `[...document.querySelectorAll(".menu-row")].at(-1)?.getAttribute("aria-label")`
	look := func(open func() error) {
		m.Helper()
		m.must(open())
		m.is(m.page, last, "Exit")
		m.must(m.page.Press(stage.Key{Name: "Escape", Code: 27}))
		m.is(m.page, last, "undefined")
	}
	keyboard := func() error { return m.page.Press(stage.Key{Name: "F10", Code: 121, Modifiers: 8}) }
	look(func() error { return m.page.Context("heading", "Sign in") })
	look(keyboard)
	m.work("On break")
	look(func() error { return m.page.Context("StaticText", "Test Center") })
	look(func() error { return m.page.Context("StaticText", "Center connected") })
	look(keyboard)
	look(func() error { return m.page.Click("button", "Open the menu") })
}

// closedPage (C3): nothing ends, and the first time a note says so.
func (m *manual) closedPage(bool) {
	const title = "Zaseki is still running"
	before := m.desk.Notes(title)
	m.page.Close()
	desktop.Eventually(m.T, "the note of the closed page", func() bool { return before > 0 || m.desk.Notes(title) == 1 })
	m.must(m.viewer.Wait("button", "2, Agent 1, On break…"))
	m.page = m.tab("en")
	m.is(m.page, phaseNow, "in")
	m.status(m.page, "On break")
}

// signOutAndExit (C4): each frees the seat, logs off and unregisters; in a call each asks first.
func (m *manual) signOutAndExit(bool) {
	line := m.inCall()
	for item, title := range map[string]string{"Sign out": "Sign out during the call?", "Exit": "Exit during the call?"} {
		m.must(m.page.Click("button", "Open the menu"))
		m.must(m.page.Click("menuitem", item))
		m.must(m.page.Wait("heading", title))
		m.must(m.page.Click("button", "Stay in the call"))
		m.must(m.page.Wait("button", "Hang up"))
	}
	m.must(m.page.Click("button", "Open the menu"))
	m.must(m.page.Click("menuitem", "Sign out"))
	m.must(m.page.Click("button", "End the call and sign out"))
	m.must(m.page.Wait("textbox", "Account"))
	m.gone(line)
	m.isOff("2001")
	if !m.phoneRuns() {
		m.Error("to sign out ends the phone")
	}
	m.work("On break")
	m.must(m.page.Click("button", "Open the menu"))
	m.must(m.page.Click("menuitem", "Exit"))
	select {
	case <-m.phone.Done():
	case <-time.After(desktop.Patience):
		m.Fatal("the phone does not end")
	}
	if m.phone.Code() != 0 {
		m.Errorf("exit status %d", m.phone.Code())
	}
	m.isOff("2001")
	m.page.Close()
	m.start()
}

func (m *manual) phoneRuns() bool {
	select {
	case <-m.phone.Done():
		return false
	default:
		return true
	}
}

// isOff waits until agent1's seat is free, the last status is ログオフ, and nobody is called at the extension.
func (m *manual) isOff(extension string) {
	m.Helper()
	m.must(m.viewer.Wait("button", "2, empty"))
	m.fails(m.called(extension))
	desktop.Eventually(m.T, "ログオフ at the center", func() bool { rows := m.activity(); return len(rows) > 0 && (rows[0].Out || rows[0].Status == "off") })
}

// activity is what the center's report has of agent1, the newest first.
func (m *manual) activity() []report.ActivityRow {
	m.Helper()
	var page report.Page[report.ActivityRow]
	m.must(json.Unmarshal(m.office("/api/v1/reports/activity?account=agent1"), &page))
	return page.Rows
}

// statusIsForAgents (D1).
func (m *manual) statusIsForAgents(bool) {
	m.choose1(m.other, "chief")
	m.lastStep(m.other)
	m.is(m.other, `document.querySelector(".status-box").checkVisibility()`, "false")
	m.must(m.other.Click("button", "Open the menu"))
	m.is(m.other, `document.querySelectorAll("[role=menuitemradio]").length`, "0")
	m.must(m.other.Press(stage.Key{Name: "Escape", Code: 27}))
	m.leave(m.other)
}

const (
	statusesEn = "Available|After-call work|On break|Away|VIP calls|Training"
	statusesJa = "受付可|後作業|休憩中|離席中|VIP対応|研修"
	inMenu     = `[...document.querySelectorAll("[role=menuitemradio]")].map((r) => r.getAttribute("aria-label")).join("|")`
)

// standardStatuses (D2), and after them the center's own (D3), in both languages. ログオフ is the signed-out state, which nobody picks.
func (m *manual) standardStatuses(bool) {
	m.work("On break")
	m.must(m.page.Click("button", "Open the menu"))
	m.is(m.page, inMenu, statusesEn)
	m.must(m.page.Press(stage.Key{Name: "Escape", Code: 27}))
	ja := m.tab("ja")
	m.must(ja.Click("button", "メニューを開く"))
	m.is(ja, inMenu, statusesJa)
	ja.Close()

	// What they mean: of these 受付可 alone takes outside calls.
	for _, name := range []string{"After-call work", "On break", "Away"} {
		m.pick(m.page, name)
		m.status(m.page, name)
		m.fails(m.called("2001"))
	}
	m.pick(m.page, "Available")
	m.status(m.page, "Available")
	line := m.called("2001")
	m.must(m.page.Wait("button", "Answer"))
	m.gone(line)
	m.must(m.page.Gone("button", "Answer"))
}

// ownStatuses (D3): with colour, calls or not, and longest minutes: the colleague, who signed in for training, is away since they were over.
func (m *manual) ownStatuses(bool) {
	m.status(m.colleague, "Away")
	m.work("Training")
	m.is(m.page, `document.querySelector("button.status").dataset.colour`, "violet")
	m.must(m.viewer.Wait("button", "2, Agent 1, Training…"))
	m.fails(m.called("2001"))
	m.pick(m.page, "VIP calls")
	m.status(m.page, "VIP calls")
	line := m.called(stage.Queue)
	m.must(m.page.Wait("button", "Answer"))
	m.gone(line)
	m.must(m.page.Gone("button", "Answer"))
}

// systemStatuses (D4): nobody picks them (D2 has the whole list), and every seat view shows them.
func (m *manual) systemStatuses(bool) {
	m.work("Available")
	line := m.called(stage.Queue)
	m.status(m.page, "Ringing")
	m.must(m.viewer.Wait("button", "2, Agent 1, Ringing"))
	m.must(m.page.Click("button", "Answer"))
	m.status(m.page, "On a call")
	m.must(m.viewer.Wait("button", "2, Agent 1, On a call"))
	m.over()
	m.gone(line)
	m.work("On break")
	m.dialled()
	m.status(m.page, "Outbound call")
	m.must(m.viewer.Wait("button", "2, Agent 1, Outbound call"))
	m.over()
	m.status(m.page, "On break") // D10: the status before
}

// dialled calls somebody outside, who answers.
func (m *manual) dialled() {
	m.Helper()
	m.must(m.page.Type("Number", "0398765432"))
	m.must(m.page.Click("button", "Dial"))
	m.must(m.page.Wait("button", "Hold"))
}

// insideCallsRing (D5) in every status.
func (m *manual) insideCallsRing(bool) {
	for status := range strings.SplitSeq(statusesEn, "|") {
		m.work(status)
		m.rings("2001")
		m.must(m.page.Click("button", "Decline"))
		m.must(m.page.Gone("button", "Decline"))
		m.must(m.colleague.Gone("button", "Hang up"))
		m.status(m.page, status)
	}
}

// listsOfStatuses (D6): by a right click on the phone, and by a click on the icon in the tray.
func (m *manual) listsOfStatuses(bool) {
	m.work("On break")
	m.must(m.page.Context("StaticText", "Center connected"))
	m.must(m.page.Click("menuitemradio", "Away"))
	m.status(m.page, "Away")
	m.trayTicks("Away")
	m.desk.Click("Training")
	m.status(m.page, "Training")
	m.trayTicks("Training")
}

func (m *manual) trayTicks(status string) {
	m.Helper()
	desktop.Eventually(m.T, "tick at "+status, func() bool { return strings.Contains(m.desk.Labels(), "|✓"+status+"|") })
}

// shownStatusOpensTheList (D7): before 3.6 it is no button that one can press.
func (m *manual) shownStatusOpensTheList(holds bool) {
	m.work("On break")
	if can := m.page.Has("button", "On break…"); can != holds {
		m.Errorf("the status can be pressed: %t", can)
	}
	if !holds {
		return
	}
	m.must(m.page.Click("button", "On break…"))
	m.is(m.page, inMenu, statusesEn)
	m.must(m.page.Click("menuitemradio", "Away"))
	m.status(m.page, "Away")
}

// changeInACall (D8) goes through and leaves the call alone.
func (m *manual) changeInACall(holds bool) {
	if !holds {
		return // D9 stands in its place
	}
	line := m.inCall()
	m.pick(m.page, "Away")
	m.trayTicks("Away")
	m.desk.Click("Training")
	m.trayTicks("Training")
	if m.page.Has("StaticText", "Not during a call.") || !m.page.Has("button", "Hang up") || len(m.outside.Calls()) != 1 {
		m.Errorf("the change touches the call: %v", m.outside.Calls())
	}
	m.status(m.page, "On a call")
	m.over()
	m.gone(line)
}

// noChangeInACall (D9): refused with the reason, offered as next status, which can be taken back and comes when the call is over.
func (m *manual) noChangeInACall(holds bool) {
	if !holds {
		return // D8 stands in its place
	}
	line := m.inCall()
	m.pick(m.page, "Away")
	m.must(m.page.Wait("StaticText", "Not during a call."))
	m.trayTicks("Available")
	m.must(m.page.Click("button", "Away after the call"))
	m.must(m.page.Wait("StaticText", "After the call: Away"))
	m.must(m.page.Click("button", "Cancel the next status"))
	m.must(m.page.Gone("StaticText", "After the call: Away"))
	m.pick(m.page, "Training")
	m.must(m.page.Click("button", "Training after the call"))
	m.must(m.page.Wait("StaticText", "After the call: Training"))
	m.over()
	m.status(m.page, "Training")
	m.gone(line)
}

// afterTheCall (D10): 後作業 with a countdown that is lengthened and ended; the status before after a call of our own (D4 has that one);
// and nobody who does not answer is asked twice by the same call, nor for ever.
func (m *manual) afterTheCall(bool) {
	line := m.inCall()
	m.over()
	m.gone(line)
	m.status(m.page, "After-call work")
	const left = `(([m, s]) => 60 * m + s)(document.querySelectorAll(".status-line .time")[0].textContent.split(":").map(Number)) > 61`
	m.is(m.page, left, "false")
	m.must(m.page.Click("button", "Extend"))
	m.is(m.page, left, "true")
	m.must(m.page.Click("button", "Ready"))
	m.status(m.page, "Available")

	m.set(map[string]any{"afterWorkSeconds": 1})
	line = m.inCall()
	m.over()
	m.gone(line)
	m.status(m.page, "After-call work")
	m.status(m.page, "Available")

	m.set(map[string]any{"ringSeconds": 1, "misses": 2})
	first := m.called(stage.Queue)
	m.must(m.page.Wait("button", "Answer"))
	m.must(m.page.Gone("button", "Answer"))
	m.status(m.page, "Available")
	if !slices.Contains(m.outside.Calls(), first) {
		m.Error("who was not answered waits no longer")
	}
	time.Sleep(5 * time.Second) // of what is not answered within five seconds one is counted
	second := m.called(stage.Queue)
	m.must(m.page.Wait("button", "Answer"))
	m.must(m.page.Gone("button", "Answer"))
	m.status(m.page, "Away")
	desktop.Eventually(m.T, "why one is Away, in the report", func() bool {
		rows := m.activity()
		return len(rows) > 0 && rows[0].Status == "away" && rows[0].Why == "no answer"
	})
	m.gone(first)
	m.gone(second)
	m.set(map[string]any{"ringSeconds": 10, "misses": 0, "afterWorkSeconds": 60})
}

// presenceIsALease (D11): a phone that is dead is 接続切れ for all, its call rings elsewhere, and when it is started again it has seat and
// status. One that hangs is noticed within 20 s.
func (m *manual) presenceIsALease(bool) {
	if m.generation == "3.9" { // the lease is the same in all, and takes its time
		m.lost(20*time.Second, func() { m.must(syscall.Kill(m.phone.PID(), syscall.SIGSTOP)) })
		m.must(syscall.Kill(m.phone.PID(), syscall.SIGCONT))
		m.must(m.viewer.Wait("button", "2, Agent 1, Available…")) // at the same seat, without anybody's doing
		m.must(m.page.Wait("StaticText", "Account agent1 · Ext. 2001 · Seat 2"))
	}
	m.lost(20*time.Second, m.phone.Kill)
	m.page.Close()
	m.start()
	m.enter(m.page, "agent1", "Available", "2") // nobody asks to take over: the seat is still the agent's own
	m.is(m.page, factsNow, "Account agent1 · Ext. 2001 · Seat 2")
	m.must(m.viewer.Wait("button", "2, Agent 1, Available…"))
}

// lost has the phone fall silent while a call rings there: in time all see that it is lost, and the call rings elsewhere.
func (m *manual) lost(within time.Duration, silence func()) {
	m.Helper()
	m.work("Available")
	line := m.called(stage.Queue)
	m.must(m.page.Wait("button", "Answer"))
	m.enter(m.other, "USER1", "Available", "")
	m.must(m.other.Wait("StaticText", "Line registered…"))
	if m.other.Has("button", "Answer") {
		m.Error("the call rings twice")
	}
	silence()
	began := time.Now()
	m.must(m.viewer.Wait("button", "2, Agent 1, Connection lost…"))
	took := time.Since(began)
	m.Logf("lost is seen after %v", took.Round(time.Millisecond))
	if took > within {
		m.Errorf("lost is seen after %v, want %v", took, within)
	}
	m.must(m.other.Wait("button", "Answer"))
	m.gone(line)
	m.must(m.other.Gone("button", "Answer"))
	m.leave(m.other)
}

// everyChangeIsRecorded (D12) with its time, its cause and who did it.
func (m *manual) everyChangeIsRecorded(bool) {
	m.work("On break")
	want := map[string]bool{"agent1 signed in": false, "agent1 chosen": false, "system after-call work over": false, "agent1 call ended": false}
	desktop.Eventually(m.T, "every change in the report", func() bool {
		for _, row := range m.activity() {
			if row.From.IsZero() || time.Since(row.From) > time.Hour {
				m.Fatalf("at %v: %+v", row.From, row)
			}
			if _, ok := want[row.By+" "+row.Why]; ok {
				want[row.By+" "+row.Why] = true
			}
		}
		for _, there := range want {
			if !there {
				return false
			}
		}
		return true
	})
}
