package main

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/softphone/caller"
	"zaseki/media"
	"zaseki/web/wire"
)

// The demo's numbers.
const (
	demoDomain    = "demo.zaseki.internal"
	demoPassword  = "zaseki-demo"
	demoExtension = "2000" // of account demo
	demoEcho      = "9000" // says everything back
	demoQueue     = "7000" // the customer's: answered by the person
	demoCrowd     = "7001" // answered by the simulated colleagues
	demoOutside   = "0312345678"
)

// demo is a whole floor in one process: a center, eight colleagues at work, a customer and an echo line. Every one of them
// is the real thing: the same agent, SIP and RTP as a person's phone, without a page.
type demo struct {
	node   *node.Node
	log    *slog.Logger
	lang   string
	user   *phone // the person's
	robots []*robot

	customer, crowd, echo *caller.Caller
}

func newDemo(data, lang string, log *slog.Logger) (*demo, error) {
	quiet := slog.New(slog.DiscardHandler) // eight colleagues would fill the log of the one phone that matters
	n, err := node.New(node.Config{Data: data, HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Log: quiet})
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return &demo{node: n, log: log, lang: lang}, nil
}

// names of the colleagues, by language.
var demoNames = map[string][]string{
	"en": {"Hanako Sato", "Ichiro Suzuki", "Misaki Takahashi", "Ken Tanaka", "Yui Ito", "Daichi Watanabe", "Aoi Yamamoto", "Ren Nakamura"},
	"ja": {"佐藤 花子", "鈴木 一郎", "高橋 美咲", "田中 健", "伊藤 結衣", "渡辺 大地", "山本 葵", "中村 蓮"},
}

// demoReadings are the Japanese names in kana, by which they are found in the phonebook.
var demoReadings = [...]string{"さとう はなこ", "すずき いちろう", "たかはし みさき", "たなか けん", "いとう ゆい", "わたなべ だいち", "やまもと あおい", "なかむら れん"}

// setup is the demo's floor: two seats are free for the person, one beside each other.
func (d *demo) setup(secret string) roster.Setup {
	say := func(en, ja string) string {
		if d.lang == "ja" {
			return ja
		}
		return en
	}
	site := roster.DefaultSite()
	site.Name, site.Domain = say("Zaseki Demo", "座席デモ"), demoDomain
	site.AfterWorkSeconds = 20
	site.Policy = roster.SitePolicy{Record: wire.RecordAsked, Tone: true, Replay: true, Hear: true, Days: 90}
	s := roster.Setup{
		Site: &site,
		Accounts: []roster.AccountSetup{
			{Account: "demo", Name: say("You", "あなた"), Password: demoPassword, Terminals: []string{demoExtension}},
			{Account: "demo2", Name: say("Second you", "もう一人のあなた"), Password: demoPassword, Terminals: []string{"2010"}},
		},
		Terminals: []roster.TerminalSetup{
			{Extension: demoExtension, Account: "demo"}, {Extension: "2010", Account: "demo2"},
			{Extension: "3001", Type: "desk", Name: say("Desk phone", "卓上電話")},
			{Extension: demoEcho, Name: say("Echo line", "エコー"), Secret: roster.Plain(secret)},
			{Extension: "trunk1", Type: "trunk", Secret: roster.Plain(secret)},
			{Extension: "trunk2", Type: "trunk", Secret: roster.Plain(secret)},
		},
		Floors: []roster.FloorSetup{{ID: "1f", Name: say("First floor", "1階")}},
		Queues: []roster.QueueSetup{
			{Extension: demoQueue, Name: say("Orders", "ご注文窓口"), Agents: []string{"demo", "demo2"}},
			{Extension: demoCrowd, Name: say("Support", "サポート窓口")},
		},
		Outcomes: []roster.Outcome{
			{ID: "order", Order: 1, Name: wire.Words{"en": "Order taken", "ja": "受注"}},
			{ID: "question", Order: 2, Name: wire.Words{"en": "Question answered", "ja": "回答済み"}},
			{ID: "back", Order: 3, Name: wire.Words{"en": "Call back", "ja": "折り返し"}},
		},
	}
	for i, name := range demoNames[d.lang] {
		account, ext := fmt.Sprintf("agent%d", i+1), strconv.Itoa(2001+i)
		s.Accounts = append(s.Accounts, roster.AccountSetup{Account: account, Name: name, Password: demoPassword, Terminals: []string{ext}})
		s.Terminals = append(s.Terminals, roster.TerminalSetup{Extension: ext, Account: account})
		s.Queues[1].Agents = append(s.Queues[1].Agents, account)
		s.Contacts = append(s.Contacts, roster.Contact{Name: name, Number: ext, Reading: say("", demoReadings[i]), Company: say("Support", "サポート窓口")})
	}
	for i := range 12 {
		id := strconv.Itoa(i + 1)
		s.Seats = append(s.Seats, roster.SeatSetup{ID: id, Name: id, Floor: "1f", X: i % 4, Y: i / 4})
	}
	return s
}

// prepare fills the center; its node must run. The callers' SIP secret lives as long as this process.
func (d *demo) prepare(ctx context.Context) error {
	secret := crand.Text()
	if err := d.node.Apply(ctx, d.setup(secret)); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	quiet := slog.New(slog.DiscardHandler)
	line := func(user, from, name string, talk func(*caller.Caller, string)) (*caller.Caller, error) {
		return caller.New(caller.Config{Server: d.node.SIP(), Domain: demoDomain, User: user, Secret: wire.Secret(secret),
			From: from, Name: name, PickUp: time.Second, Talk: talk, Heard: echoAfter, Log: quiet})
	}
	speak := func(c *caller.Caller, line string) { c.Sound.Play(line, speech("customer-"+d.lang)) }
	echo := func(c *caller.Caller, line string) { c.Sound.Echo(line) }
	var err error
	if d.customer, err = line("trunk1", demoOutside, map[string]string{"en": "Tanaka", "ja": "田中商店"}[d.lang], speak); err != nil {
		return err
	}
	if d.crowd, err = line("trunk2", "0451112222", "", speak); err != nil {
		return err
	}
	if d.echo, err = line(demoEcho, "", "", echo); err != nil {
		return err
	}
	for i := range demoNames[d.lang] {
		r, err := newRobot(d.node.HTTP(), fmt.Sprintf("agent%d", i+1), strconv.Itoa(i+3), d.lang, quiet)
		if err != nil {
			return err
		}
		d.robots = append(d.robots, r)
	}
	return nil
}

// echoAfter: after its piece a caller plays back what it hears, so that the agent knows that the microphone works.
func echoAfter(c *caller.Caller, e media.Event) {
	if e, ok := e.(media.Played); ok {
		c.Sound.Echo(e.Line)
	}
}

func (d *demo) explain(w io.Writer) {
	fmt.Fprintf(w, `
  Sign in as   demo   with password   %[1]s   (a second phone: demo2, same password).
  Take status Available: within five seconds a customer calls. In any other status only a colleague does.
  Dial %[2]s for the echo line, 2001 to 2008 for colleagues, %[3]s for an outside number.
  In a call try Record, Card number and Replay; the call list plays the recording afterwards. Settings test microphone, ring and network.

`, demoPassword, demoEcho, demoOutside)
}

// Run plays the floor until ctx ends.
func (d *demo) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range []*caller.Caller{d.customer, d.crowd, d.echo} {
		g.Go(func() error { return c.Run(ctx) })
	}
	for _, r := range d.robots {
		g.Go(func() error { return r.Run(ctx) })
	}
	g.Go(func() error { d.crowds(ctx); return nil })
	g.Go(func() error { d.direct(ctx); return nil })
	return g.Wait()
}

// crowds keeps the colleagues busy: a call every few seconds, three at most at a time.
func (d *demo) crowds(ctx context.Context) {
	for wait(ctx, 4*time.Second+rand.N(12*time.Second)) {
		if len(d.crowd.Calls()) < 3 {
			d.call(ctx, d.crowd, demoCrowd)
		}
	}
}

func (d *demo) call(ctx context.Context, c *caller.Caller, number string) {
	if _, err := c.Call(ctx, number); err != nil && ctx.Err() == nil {
		d.log.Warn("the demo's customer cannot call", "err", err)
	}
}

// direct watches the person's phone: in Available the customer calls, in any other status a colleague does, once for each.
func (d *demo) direct(ctx context.Context) {
	news, stop := d.user.agent.Watch()
	defer stop()
	var (
		snap   wire.Snapshot
		called = map[string]bool{} // statuses a colleague called in
		timer  = time.NewTimer(0)
		was    string
	)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case snap = <-news:
			now := ""
			if snap.Phase == wire.PhaseIn && snap.Line.State == "registered" && len(snap.Calls) == 0 {
				now = snap.Status.Now
			}
			if now == was {
				continue
			}
			was = now
			timer.Stop()
			switch {
			case now == wire.StatusAvailable:
				timer.Reset(2500 * time.Millisecond)
			case now != "" && now != wire.StatusWork && !called[now]:
				timer.Reset(8 * time.Second)
			}
		case <-timer.C:
			switch {
			case was == wire.StatusAvailable:
				d.call(ctx, d.customer, demoQueue)
				timer.Reset(25 * time.Second) // again, if nobody answered
			case was != "":
				called[was] = true
				d.colleague().dial(snap.Me.Terminal.Extension)
			}
		}
	}
}

// colleague is one who has nothing to do, or the first.
func (d *demo) colleague() *robot {
	for _, r := range d.robots {
		if r.idle() {
			return r
		}
	}
	return d.robots[0]
}

// wait says whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
