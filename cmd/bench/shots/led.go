package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/softphone/caller"
	"zaseki/static"
	"zaseki/web/wire"
)

// What a led floor has besides the people of its language.
const (
	ledDomain = "led.test"
	ledQueue  = "7000"
	ledTrunk  = "trunk1"
	ledSecret = "secret-of-the-led-floor"
)

// led is a floor with a supervisor, for what the demo has nobody to show: both programs, and a page each for the supervisor and who is led.
type led struct {
	*tour
	dir     string
	browser *stage.Browser
	center  *stage.Program
	phones  []*stage.Program
	agent   *stage.Page
	chief   *stage.Page
}

// people of the floor: the supervisor first, then the agent who is helped.
var people = map[string][]string{
	"en": {"Hanako Sato", "Ichiro Suzuki", "Misaki Takahashi", "Ken Tanaka", "Yui Ito"},
	"ja": {"佐藤 花子", "鈴木 一郎", "高橋 美咲", "田中 健", "伊藤 結衣"},
}

// statusNames are the standard ones that the walk chooses.
var statusNames = map[string]map[string]string{
	"en": {"available": "Available", "work": "After-call work", "break": "On break", "away": "Away"},
	"ja": {"available": "受付可", "work": "後作業", "break": "休憩中", "away": "離席中"},
}

func (t *tour) led(ctx context.Context, dir string, browser *stage.Browser) {
	if t.err != nil {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l := &led{tour: t, dir: filepath.Join(dir, "led"), browser: browser}
	t.do(os.MkdirAll(l.dir, 0o700))
	l.open(ctx)
	defer func() {
		for _, p := range l.phones {
			p.Stop()
		}
	}()
	if t.err != nil {
		return
	}
	defer l.center.Stop()
	line := l.call(ctx)
	l.helped()
	l.written()
	l.explained()
	l.past()
	l.away(ctx, line)
}

// open starts the center and a phone for everybody, who signs in.
func (l *led) open(ctx context.Context) {
	if l.err != nil {
		return
	}
	floor, err := l.floor()
	if l.do(err); err != nil {
		return
	}
	if l.center, err = stage.StartCenter(ctx, filepath.Join(filepath.Dir(l.dir), "center"), l.dir, floor); err != nil {
		l.do(err)
		return
	}
	for i, status := range []string{"break", "available", "away", "break", "work"} {
		page := l.enter(ctx, "agent"+strconv.Itoa(i+1), strconv.Itoa(i+1), statusNames[l.lang][status])
		switch {
		case l.err != nil:
			return
		case i == 0:
			l.chief = page
		case i == 1:
			l.agent = page
		default:
			page.Close()
		}
	}
	l.do(l.chief.Look(stage.View{Width: 1100, Height: 620, Dark: l.scheme == "dark"}))
	l.do(l.chief.Click("link", l.say("tab.seats")))
}

// floor is the import file.
func (l *led) floor() (string, error) {
	say := func(en, ja string) string { return map[string]string{"en": en, "ja": ja}[l.lang] }
	var accounts, terminals, seats []map[string]any
	for i, name := range people[l.lang] {
		account, extension := "agent"+strconv.Itoa(i+1), strconv.Itoa(2001+i)
		one := map[string]any{"account": account, "name": name, "password": stage.Password, "terminals": []string{extension}, "groups": []string{"orders"}}
		if i == 0 {
			one["role"] = "supervisor"
		}
		accounts = append(accounts, one)
		terminals = append(terminals, map[string]any{"extension": extension, "account": account})
	}
	for i := range 12 {
		seats = append(seats, map[string]any{"id": strconv.Itoa(i + 1), "floor": "1f", "x": i % 4, "y": i / 4})
	}
	data, err := json.Marshal(map[string]any{
		"site":     map[string]any{"name": say("Zaseki Center", "座席センター"), "domain": ledDomain, "afterWorkSeconds": 60},
		"accounts": accounts, "seats": seats,
		"terminals": append(terminals, map[string]any{"extension": ledTrunk, "type": "trunk", "secret": ledSecret}),
		"groups":    []map[string]any{{"id": "orders", "name": say("Orders", "受注")}},
		"floors":    []map[string]any{{"id": "1f", "name": say("First floor", "1階")}},
		"queues":    []map[string]any{{"extension": ledQueue, "name": say("Orders", "ご注文窓口"), "agents": []string{"agent2"}}},
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(l.dir, "floor.json")
	return file, os.WriteFile(file, data, 0o600)
}

// enter starts a phone and signs in through its page.
func (l *led) enter(ctx context.Context, account, seat, status string) *stage.Page {
	phone, err := stage.Start(ctx, filepath.Join(filepath.Dir(l.dir), "softphone"), []string{"DBUS_SESSION_BUS_ADDRESS="},
		"-config", filepath.Join(l.dir, account), "-panel", "127.0.0.1:0", "-no-tray", "-no-browser", "-center", l.center.String("http"), "-lang", l.lang)
	if l.do(err); err != nil {
		return nil
	}
	l.phones = append(l.phones, phone)
	page, err := l.browser.Open(stage.Address(phone.String("panel"), "", l.lang), stage.View{Width: 420, Height: 860, Dark: l.scheme == "dark"})
	if l.do(err); err != nil {
		return nil
	}
	l.do(page.Type(l.say("signin.account"), account))
	l.do(page.Type(l.say("signin.password"), stage.Password))
	l.do(page.Click("button", l.say("signin.go")))
	l.do(page.Wait("combobox", l.say("signin.seat")))
	l.do(page.Select(l.say("signin.seat"), seat))
	l.do(page.Select(l.say("signin.status"), status))
	l.do(page.Click("button", l.say("signin.go")))
	l.do(page.Wait("button", status+"…"))
	return page
}

// call has a customer call the agent, who answers.
func (l *led) call(ctx context.Context) (customer *caller.Caller) {
	customer, err := caller.New(caller.Config{Server: l.center.String("sip"), Domain: ledDomain, User: ledTrunk, Secret: wire.Secret(ledSecret),
		From: stage.Outside, Name: l.customer(), Talk: func(who *caller.Caller, line string) { who.Sound.Play(line, &stage.Tone{Hz: 440}) }})
	if l.do(err); err != nil {
		return nil
	}
	go func() { _ = customer.Run(ctx) }() // ends with the walk
	select {
	case <-customer.Registered():
	case <-time.After(20 * time.Second):
		l.do(fmt.Errorf("the customer's trunk does not register"))
		return nil
	}
	l.ring(ctx, customer)
	return customer
}

func (l *led) ring(ctx context.Context, customer *caller.Caller) {
	if l.err != nil {
		return
	}
	_, err := customer.Call(ctx, ledQueue)
	l.do(err)
	l.do(l.agent.Click("button", l.say("call.answer")))
	l.do(l.agent.Wait("button", l.say("call.mute")))
}

// on takes the picture of another page.
func (l *led) on(p *stage.Page, name string) {
	l.page = p
	l.shot(name)
}

// seat is how the agent's seat is called, from its beginning.
func (l *led) seat() string { return "2, " + people[l.lang][1] + "…" }

// helped: the hand goes up, and the supervisor listens and whispers.
func (l *led) helped() {
	l.do(l.agent.Click("button", l.say("hand.button")))
	l.do(l.chief.Wait("button", l.say("notice.close")))
	l.do(l.chief.Click("button", l.seat()))
	l.do(l.chief.Wait("menuitem", l.say("act.lower")))
	l.on(l.chief, "seat-menu")
	l.do(l.chief.Click("menuitemradio", l.say("attend.whisper")+"…"))
	l.do(l.agent.Wait("StaticText", l.whole("attend.by.whisper", 0)))
	l.do(l.chief.Wait("StaticText", l.whole("attend.whisper.now", 1)))
	l.on(l.chief, "supervising")
	l.on(l.agent, "supervised")
	l.do(l.chief.Click("button", l.say("attend.end")))
	l.do(l.agent.Gone("StaticText", l.whole("attend.by.whisper", 0)))
	l.do(l.agent.Click("button", l.say("hand.button")))
}

// whole is a sentence with the name of one of the floor.
func (l *led) whole(key string, who int) string {
	return static.Say(l.lang, key, map[string]string{"name": people[l.lang][who]})
}

// written: the two write to each other.
func (l *led) written() {
	words := map[string][2]string{"en": {"The parcel has left this morning.", "Thank you, I will tell the customer."}, "ja": {"荷物は今朝発送済みです。", "ありがとうございます。お客様にお伝えします。"}}[l.lang]
	l.do(l.chief.Click("button", l.seat()))
	l.do(l.chief.Click("menuitem", l.whole("act.message", 1)))
	l.quiet(l.chief)
	l.do(l.chief.Type(l.say("msg.text"), words[0]))
	l.do(l.chief.Click("button", l.say("msg.send")))
	l.do(l.agent.Click("button", static.Say(l.lang, "msg.title.new", map[string]string{"n": "1"})))
	l.do(l.agent.Click("button", l.whole("msg.with", 0)+"…"))
	l.do(l.agent.Wait("StaticText", words[0]))
	l.quiet(l.agent)
	l.do(l.agent.Type(l.say("msg.text"), words[1]))
	l.do(l.agent.Click("button", l.say("msg.send")))
	l.do(l.chief.Wait("StaticText", words[1]))
	l.on(l.agent, "messages")
	l.do(l.agent.Click("button", l.say("msg.back")))
	l.do(l.agent.Click("button", l.say("msg.close")))
	l.on(l.chief, "messages-wide")
	l.do(l.chief.Click("button", l.say("msg.close")))
}

// explained: the call is over, and told from its beginning.
func (l *led) explained() {
	l.do(l.agent.Click("button", l.say("call.hangup")))
	l.do(l.agent.Wait("button", statusNames[l.lang]["work"]+"…"))
	l.do(l.agent.Click("link", l.say("tab.calls")+"…"))
	l.do(l.agent.Click("button", static.Say(l.lang, "why.of", map[string]string{"name": l.customer()})))
	l.do(l.agent.Wait("heading", l.say("why.offers")))
	l.on(l.agent, "why-center")
	l.do(l.agent.Click("button", l.say("why.close")))
	l.do(l.agent.Click("link", l.say("tab.phone")))
}

// past is the floor as it was, as soon as a minute of it is known.
func (l *led) past() {
	l.until(l.chief, `await (async () => {
		const button = document.querySelector(".seat-extra > button"), looked = button.getAttribute("aria-expanded") === "true";
		if (looked) button.click();
		button.click();
		await new Promise((f) => setTimeout(f, 2000));
		return document.querySelector(".past-signs li");
	})()`)
	l.do(l.chief.Wait("slider", l.say("past.slider")))
	l.on(l.chief, "past")
	l.do(l.chief.Click("button", l.say("past.now")))
	l.do(l.chief.Click("button", l.say("seats.view.board")))
	l.do(l.chief.Wait("button", l.say("seats.board.full")))
	l.on(l.chief, "wallboard")
	l.do(l.chief.Click("button", l.say("seats.board.close")))
}

// away: the center is gone in the middle of a call.
func (l *led) away(ctx context.Context, customer *caller.Caller) {
	l.do(l.agent.Click("button", statusNames[l.lang]["work"]+"…"))
	l.do(l.agent.Click("menuitemradio", statusNames[l.lang]["available"]))
	l.do(l.agent.Wait("button", statusNames[l.lang]["available"]+"…"))
	l.ring(ctx, customer)
	if l.err != nil {
		return
	}
	l.center.Kill()
	l.until(l.agent, `document.querySelector(".gap").textContent`)
	l.on(l.agent, "gap")
}

// until waits for what a script finds on the page, two minutes at most.
func (l *led) until(p *stage.Page, script string) {
	if l.err != nil {
		return
	}
	found, err := stage.Eval[bool](p, `(async () => {
		for (const end = Date.now() + 120000; Date.now() < end; await new Promise((f) => setTimeout(f, 50))) if (`+script+`) return true;
		return false;
	})()`)
	if l.do(err); err == nil && !found {
		l.do(fmt.Errorf("never on the page: %s", script))
	}
}

// quiet closes the notices: they lie over the lower edge, where one writes.
func (l *led) quiet(p *stage.Page) {
	l.until(p, `[...document.querySelectorAll(".notice .round")].map((b) => b.click()).length === 0`)
}
