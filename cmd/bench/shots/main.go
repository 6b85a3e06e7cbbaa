// Shots takes pictures of the demo's pages, as a person walks through them: for the README, and to look at before one ships.
//
//	go run ./cmd/bench/shots FOLDER [en|ja] [light|dark] [demo|led]
//
// The first walk is through the demo, the second is a supervisor's, on a floor with a center of its own; both without that word.
// With ZASEKI_HELP=static/help the handbook's pictures are made of them, in both languages:
//
//	ZASEKI_HELP=static/help go run ./cmd/bench/shots /tmp/shots "" light
//
// It needs chromium and runs at the module's top.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/static"
)

func main() {
	args := append(os.Args[1:], "", "", "", "")
	folder, lang, scheme, which := args[0], args[1], args[2], args[3]
	if folder == "" {
		fmt.Fprintln(os.Stderr, "usage: shots FOLDER [en|ja] [light|dark] [demo|led]")
		os.Exit(2)
	}
	for _, l := range []string{"en", "ja"} {
		for _, s := range []string{"light", "dark"} {
			if (lang == "" || lang == l) && (scheme == "" || scheme == s) {
				if err := walk(folder, l, s, which); err != nil {
					fmt.Fprintln(os.Stderr, "shots:", err)
					os.Exit(1)
				}
			}
		}
	}
}

// tour is what the walks share.
type tour struct {
	page                 *stage.Page
	folder, lang, scheme string
	n                    int
	err                  error
}

// walk takes the pictures of one language in one scheme; which is one of the two walks, "" both.
func walk(folder, lang, scheme, which string) error {
	dir, err := os.MkdirTemp("", "zaseki-shots")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := stage.Build(ctx, ".", dir, "center", "softphone"); err != nil {
		return err
	}
	browser, err := stage.OpenBrowser(ctx, filepath.Join(dir, "profile"), "")
	if err != nil {
		return err
	}
	defer browser.Close()
	t := &tour{folder: folder, lang: lang, scheme: scheme}
	if which != "led" {
		t.demo(ctx, dir, browser)
	}
	if which != "demo" {
		t.led(ctx, dir, browser)
	}
	return t.err
}

// demo is the walk through the demo.
func (t *tour) demo(ctx context.Context, dir string, browser *stage.Browser) {
	phone, err := stage.Start(ctx, filepath.Join(dir, "softphone"), []string{"DBUS_SESSION_BUS_ADDRESS="},
		"-demo", "-config", filepath.Join(dir, "config"), "-panel", "127.0.0.1:0", "-no-browser", "-no-tray", "-lang", t.lang)
	if t.do(err); err != nil {
		return
	}
	defer phone.Stop()
	t.page, err = browser.Open(stage.Address(phone.String("panel"), "", t.lang), stage.View{Width: 420, Height: 860, Dark: t.scheme == "dark"})
	if t.do(err); err != nil {
		return
	}
	t.day()
	t.alone(ctx, dir, browser)
	seats, err := browser.Open(stage.Address(phone.String("panel"), "seats", t.lang), stage.View{Width: 1100, Height: 620, Dark: t.scheme == "dark"})
	if t.do(err); err != nil {
		return
	}
	time.Sleep(1500 * time.Millisecond) // the floor arrives
	t.page = seats
	t.shot("seats")
}

func (t *tour) say(key string) string { return static.Say(t.lang, key, nil) }

func (t *tour) do(step error) {
	if t.err == nil {
		t.err = step
	}
}

func (t *tour) shot(name string) {
	if t.err != nil {
		return
	}
	t.n++
	time.Sleep(500 * time.Millisecond) // transitions end
	file := filepath.Join(t.folder, fmt.Sprintf("%s-%s-%02d-%s.png", t.lang, t.scheme, t.n, name))
	t.do(t.page.Shot(file))
	if folder := os.Getenv("ZASEKI_HELP"); folder != "" && t.err == nil {
		t.do(picture(file, folder, t.lang, name))
	}
}

// day goes from sign-in to after-call work.
func (t *tour) day() {
	status := statusNames[t.lang]
	t.do(t.page.Wait("textbox", t.say("signin.account")))
	t.shot("signin")
	t.do(t.page.Type(t.say("signin.account"), "demo"))
	t.do(t.page.Type(t.say("signin.password"), "not this one"))
	t.do(t.page.Click("button", t.say("signin.go")))
	t.do(t.page.Wait("StaticText", t.say("problem.signin.refused")))
	t.shot("refused")
	t.do(t.page.Type(t.say("signin.password"), "zaseki-demo"))
	t.do(t.page.Click("button", t.say("signin.go")))
	t.do(t.page.Wait("combobox", t.say("signin.terminal")))
	t.shot("choose")
	t.do(t.page.Select(t.say("signin.seat"), "2"))
	t.do(t.page.Select(t.say("signin.status"), status["available"]))
	t.do(t.page.Click("button", t.say("signin.go")))
	t.do(t.page.Wait("button", status["available"]+"…"))
	t.shot("phone")
	t.do(t.page.Wait("button", t.say("call.answer")))
	t.shot("ringing")
	t.do(t.page.Click("button", t.say("call.answer")))
	t.do(t.page.Wait("button", t.say("call.mute")))
	time.Sleep(2 * time.Second)
	t.shot("talking")
	t.sound()
	t.do(t.page.Click("button", t.say("call.mute")))
	t.shot("muted")
	t.do(t.page.Context("button", t.say("call.hangup")))
	t.shot("menu")
	t.do(t.page.Click("menuitemradio", status["break"]))
	t.shot("in-call")
	t.two()
	t.do(t.page.Click("button", t.say("call.hangup")))
	t.do(t.page.Wait("button", status["work"]+"…"))
	t.shot("work")
	t.notes()
	t.after()
}

// sound looks at how the call sounds, records it, and hears a card number.
func (t *tour) sound() {
	quality, _, _ := strings.Cut(t.say("quality.now"), "{")
	t.do(t.page.Click("button", t.say("record.button")))
	t.do(t.page.Click("button", quality+"…"))
	t.shot("quality")
	t.do(t.page.Click("button", quality+"…"))
	t.do(t.page.Click("button", t.say("card.button")))
	t.shot("card-number")
	t.do(t.page.Click("button", t.say("card.button")))
}

// notes writes about the call that is over, and raises the hand.
func (t *tour) notes() {
	t.do(t.page.Click("tab", t.say("lower.memo")))
	t.do(t.page.Type(t.say("memo.text"), map[string]string{"en": "Two umbrellas are missing. Calls back on Monday.", "ja": "傘が2本不足。月曜日に折り返しの予定。"}[t.lang]))
	t.do(t.page.Click("button", t.say("hand.button")))
	t.do(t.page.Wait("StaticText", t.say("memo.saved")))
	t.shot("notes")
	t.do(t.page.Click("button", t.say("hand.button")))
	t.do(t.page.Click("tab", t.say("lower.dial")))
}

// after hears the call again and looks at the settings.
func (t *tour) after() {
	t.do(t.page.Click("link", t.say("tab.calls")+"…"))
	t.do(t.page.Click("button", static.Say(t.lang, "player.open", map[string]string{"name": t.customer()})))
	t.do(t.page.Wait("button", t.say("player.play")))
	t.shot("recording")
	t.do(t.page.Click("link", t.say("tab.contacts")))
	t.shot("contacts")
	t.do(t.page.Click("button", t.say("settings.title")))
	for _, chapter := range []string{"basic", "devices", "hotkeys", "look"} {
		t.chapter(chapter)
		if _, err := stage.Eval[any](t.page, `scrollTo(0, document.body.scrollHeight)`); err != nil { // sign-in stands at the bottom
			t.do(err)
		}
		t.shot("settings-" + chapter)
	}
	t.chapter("network")
	t.do(t.page.Click("button", t.say("test.network")))
	t.do(t.page.Wait("StaticText", t.say("test.network.good")))
	t.shot("network-test")
	t.do(t.page.Click("button", t.say("settings.close")))
	t.do(t.page.Click("link", t.say("tab.phone")))
}

func (t *tour) chapter(id string) {
	t.do(t.page.Select(t.say("set.chapters"), t.say("set.chapter."+id)))
}

// customer is who calls in the demo.
func (t *tour) customer() string {
	return map[string]string{"en": "Tanaka", "ja": "田中商店"}[t.lang]
}

// two asks a colleague while the customer waits, holds a conference, and looks at why.
func (t *tour) two() {
	t.do(t.page.Click("button", t.say("call.transfer")))
	t.do(t.page.Type(t.say("transfer.to"), "9000"))
	t.shot("transfer")
	t.do(t.page.Click("button", t.say("transfer.ask")))
	t.do(t.page.Wait("button", t.say("call.conference")))
	t.shot("consult")
	t.do(t.page.Click("button", t.say("call.conference")))
	t.do(t.page.Wait("button", t.say("conference.end")))
	t.shot("conference")
	t.do(t.page.Click("button", t.say("conference.end")))
	t.do(t.page.Wait("button", t.say("call.connect")))
	t.do(t.page.Click("button", t.say("call.hangup")))
	t.do(t.page.Click("link", t.say("tab.calls")+"…"))
	t.do(t.page.Click("button", static.Say(t.lang, "why.of", map[string]string{"name": t.customer()})))
	t.shot("why")
	t.do(t.page.Click("button", t.say("why.close")))
	t.shot("calls")
	t.do(t.page.Click("link", t.say("tab.phone")))
}

// alone is a phone without a center.
func (t *tour) alone(ctx context.Context, dir string, browser *stage.Browser) {
	if t.err != nil {
		return
	}
	phone, err := stage.Start(ctx, filepath.Join(dir, "softphone"), []string{"DBUS_SESSION_BUS_ADDRESS="},
		"-config", filepath.Join(dir, "alone"), "-panel", "127.0.0.1:0", "-no-browser", "-no-tray", "-lang", t.lang)
	if t.do(err); err != nil {
		return
	}
	defer phone.Stop()
	page, err := browser.Open(stage.Address(phone.String("panel"), "", t.lang), stage.View{Width: 420, Height: 860, Dark: t.scheme == "dark"})
	if t.do(err); err != nil {
		return
	}
	t.page = page
	t.do(page.Wait("textbox", t.say("field.server")))
	t.do(page.Click("DisclosureTriangle", t.say("sip.more")))
	t.shot("sip-account")
}
