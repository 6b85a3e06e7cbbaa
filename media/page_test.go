package media_test

import (
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"zaseki/media"
	"zaseki/media/hear"
)

func TestPageAndLineHearEachOther(t *testing.T) {
	agent, mic := speech(t, "en", agentText)
	customer, _ := speech(t, "en+f3", customerText)
	near, told := engine(t, media.Config{})
	far, farTold := engine(t, media.Config{Codecs: []string{"PCMU"}})
	p := newPanel(t, near)
	tab := p.opens(chrome(t, mic), told, "page=a")
	p.show("offered")
	until(t, "microphone is open", 5*time.Second, func() bool { return p.heard(`{"type":"mic.state","body":{"state":"open"`) })
	connect(t, near, "call", far, "robot")
	far.Play("robot", &voice{pcm: customer})
	said := &ear{}
	far.Listen("robot", said.hear)
	answered := time.Now()
	near.Focus("call")
	p.show("talking")
	until(t, "first packet", 2*time.Second, func() bool {
		return count(told, func(f media.FirstPacket) bool { return f.Out }) > 0
	})
	t.Logf("first packet after %v", time.Since(answered))
	pass(time.Second)
	same(t, "line hears page", agent, alike, said.during)
	same(t, "page hears line", customer, alike, inPage(t, tab))

	if err := near.Digits("call", "159#"); err != nil {
		t.Fatal(err)
	}
	until(t, "digits", 3*time.Second, func() bool {
		got := 0
		for _, d := range []string{"1", "5", "9", "#"} {
			got += count(farTold, func(g media.Digit) bool { return g.Digit == d })
		}
		return got == 4
	})
	t.Logf("stats %+v", near.Stats("call"))
	p.show("")
	until(t, "microphone is let go after the call", 15*time.Second, func() bool { return p.heard(`{"type":"mic.state","body":{"state":""`) })
}

func TestEveryCodecPassesThroughUntouched(t *testing.T) {
	// Opus is no waveform codec: what it gives back sounds alike, but is not alike.
	for name, least := range map[string]float64{"opus": 0.75, "G722": alike} {
		t.Run(name, func(t *testing.T) {
			c := newCall(t, name)
			pass(500 * time.Millisecond)
			if l := hear.Level(played(t, c.tab, time.Second)); l > 2 {
				t.Errorf("the silence of %s has level %.1f", name, l)
			}
			c.far.Echo("robot")
			pass(time.Second)
			same(t, "page hears its echo", c.agent, least, inPage(t, c.tab))
			if st := c.near.Stats("call"); st.Codec != name || st.Received.Lost > 2 || st.Received.Packets < 200 {
				t.Errorf("stats %+v", st)
			}
			if eval[string](t, c.tab, "sound.info().connection") != "connected" {
				t.Error("page does not know that it is connected")
			}
		})
	}
}

func TestMuteIsSilenceThatFlows(t *testing.T) {
	c := newCall(t, "PCMU")
	c.near.Mute(true)
	pass(200 * time.Millisecond)
	before := c.far.Stats("robot").Received
	c.ear.take()
	pass(time.Second)
	after := c.far.Stats("robot").Received
	if n := after.Packets - before.Packets; n < 45 || n > 55 {
		t.Errorf("%d packets in a second of mute", n)
	}
	if (after.Bytes-before.Bytes)/(after.Packets-before.Packets) != 160 {
		t.Errorf("mute changes the size of packets")
	}
	if l := hear.Level(c.ear.take()); l != 0 {
		t.Errorf("muted, yet level %.1f is heard", l)
	}
	if err := chromedp.Do(c.tab, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	pass(2 * time.Second)
	if l := hear.Level(c.ear.take()); l != 0 {
		t.Errorf("a reload takes the mute away: level %.1f", l)
	}
	c.near.Mute(false)
	same(t, "after mute", c.agent, alike, c.ear.during)
}

func TestReloadedPageIsBackWhileLineStaysAlive(t *testing.T) {
	c := newCall(t, "PCMU")
	same(t, "before", c.agent, alike, c.ear.during)
	var mu sync.Mutex
	var last time.Time
	var worst time.Duration
	c.far.Listen("robot", func(pcm []int16) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); !last.IsZero() {
			worst = max(worst, now.Sub(last))
		}
		last = time.Now()
		c.ear.hear(pcm)
	})
	machine := hear.WatchMachine()
	if err := chromedp.Do(c.tab, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	pass(3 * time.Second)
	late := machine.Late()
	machine.End()
	heard := c.ear.take()
	longest := time.Duration(0)
	for _, g := range hear.Gaps(heard, 8000, 100*time.Millisecond, 8) {
		longest = max(longest, g.Length)
	}
	mu.Lock()
	t.Logf("silence of %v, no packet for %v, the machine late by %v", longest, worst, late)
	if longest >= 2*time.Second {
		t.Errorf("the agent was away for %v", longest)
	}
	if worst > 300*time.Millisecond+2*late {
		t.Errorf("the line was without packets for %v", worst)
	}
	mu.Unlock()
	same(t, "after", c.agent, alike, c.ear.during)
}

func TestSecondPageClaimsTheSound(t *testing.T) {
	c := newCall(t, "PCMU")
	second, cancel := chromedp.NewContext(c.tab)
	t.Cleanup(cancel)
	open(t, second, c.panel.server.URL+"/?page=b")
	until(t, "second page knows that the sound is taken", 5*time.Second, func() bool {
		return eval[bool](t, second, "!!globalThis.order?.taken")
	})
	if s := eval[string](t, second, "sound.info().connection"); s != "" {
		t.Errorf("second page is %s", s)
	}
	eval[any](t, second, "sound.claim()")
	until(t, "second page owns the sound", 5*time.Second, func() bool {
		return count(c.told, func(l media.PageLive) bool { return l == media.PageLive{Page: "b.1", Live: true, Way: "webrtc"} }) > 0
	})
	until(t, "first page let go", 2*time.Second, func() bool {
		return eval[bool](t, c.tab, `order.taken && !order.owner && sound.info().connection === ""`)
	})
	pass(500 * time.Millisecond)
	same(t, "second page speaks", c.agent, alike, c.ear.during)
	cancel() // the tab is closed: the sound goes back to the first
	until(t, "first page owns the sound again", 5*time.Second, func() bool {
		return eval[bool](t, c.tab, `order.owner && sound.info().connection === "connected"`)
	})
	pass(500 * time.Millisecond)
	same(t, "first page speaks again", c.agent, alike, c.ear.during)
}

func TestPageObeysRestartAndRenewal(t *testing.T) {
	c := newCall(t, "PCMU")
	for _, order := range []string{"restart", "renew"} {
		pass(500 * time.Millisecond)
		c.ear.take()
		eval[any](t, c.tab, "sound.order(order = { ...order, "+order+": order."+order+" + 1 })")
		pass(3 * time.Second)
		heard := c.ear.take()
		var away time.Duration
		for _, g := range hear.Gaps(heard[:16000], 8000, 50*time.Millisecond, 8) {
			away = max(away, g.Length)
		}
		t.Logf("%s: silence of %v", order, away)
		if away > time.Second {
			t.Errorf("%s: silence of %v", order, away)
		}
		same(t, order, c.agent, alike, c.ear.during)
		if s := eval[string](t, c.tab, "sound.info().connection"); s != "connected" {
			t.Errorf("%s: page is %s", order, s)
		}
	}
}

func TestPageThatWasLetGoComesBack(t *testing.T) {
	_, mic := speech(t, "en", agentText)
	near, told := engine(t, media.Config{})
	p := newPanel(t, near)
	tab := p.opens(chrome(t, mic), told, "page=a")
	lives := func() int { return count(told, func(l media.PageLive) bool { return l.Live }) }
	eval[any](t, tab, "news.close()")
	until(t, "page is warm again", 10*time.Second, func() bool { return lives() == 2 })
}

func TestDeniedMicrophoneIsSaidAndTheOtherSideIsHeard(t *testing.T) {
	_, mic := speech(t, "en", agentText)
	customer, _ := speech(t, "en+f3", customerText)
	near, told := engine(t, media.Config{})
	far, _ := engine(t, media.Config{Codecs: []string{"PCMU"}})
	p := newPanel(t, near)
	p.show("talking")
	tab := chrome(t, mic, chromedp.Flag("use-fake-ui-for-media-stream", false), chromedp.Flag("deny-permission-prompts", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	open(t, tab, p.server.URL+"/?page=a")
	until(t, "denied", 20*time.Second, func() bool { return p.heard(`{"type":"mic.state","body":{"state":"denied"`) })
	until(t, "connected", 5*time.Second, func() bool { return count(told, func(l media.PageLive) bool { return l.Live }) > 0 })
	connect(t, near, "call", far, "robot")
	far.Play("robot", &voice{pcm: customer})
	near.Focus("call")
	pass(500 * time.Millisecond)
	same(t, "page hears line", customer, alike, inPage(t, tab))
	if n := far.Stats("robot").Received.Packets; n < 100 {
		t.Errorf("the line got %d packets of silence", n)
	}
	if n := eval[int](t, tab, "order.restart + order.renew"); n != 0 {
		t.Errorf("a page without microphone was restarted %d times", n)
	}
}

func TestBrowserThatCannotChooseItsCodecOffersOnlyThatOne(t *testing.T) {
	agent, mic := speech(t, "en", agentText)
	near, told := engine(t, media.Config{})
	far, _ := engine(t, media.Config{Codecs: []string{"PCMA"}})
	p := newPanel(t, near)
	p.show("talking")
	p.opens(chrome(t, mic), told, "page=a&plain")
	said := &ear{}
	for _, name := range []string{"PCMA", "PCMU"} {
		if name == "PCMU" {
			far, _ = engine(t, media.Config{Codecs: []string{name}})
		}
		connect(t, near, name, far, "robot")
		far.Listen("robot", said.hear)
		near.Focus(name)
		until(t, "the page speaks "+name, 5*time.Second, func() bool {
			return count(told, func(f media.FirstPacket) bool { return f.Out && f.Line == name }) > 0
		})
		same(t, "line hears page in "+name, agent, alike, said.during)
		near.CloseLine(name)
	}
}

// TestEchoTestByARealMicrophone: without a call the page hears itself half a second later.
func TestEchoTestByARealMicrophone(t *testing.T) {
	agent, mic := speech(t, "en", agentText)
	near, told := engine(t, media.Config{})
	p := newPanel(t, near)
	tab := p.opens(chrome(t, mic), told, "page=a")
	near.EchoPage(true)
	until(t, "microphone is open", 5*time.Second, func() bool { return p.heard(`{"type":"mic.state","body":{"state":"open"`) })
	pass(time.Second)
	same(t, "page hears itself", agent, alike, inPage(t, tab))
	if took := delay(t, tab, 900*time.Millisecond); took < 500*time.Millisecond || took > 900*time.Millisecond {
		t.Errorf("it comes back after %v", took)
	}
	near.EchoPage(false)
	until(t, "microphone is let go", 15*time.Second, func() bool { return p.heard(`{"type":"mic.state","body":{"state":""`) })
}

// TestAnotherBrowserTakesTheSound: another profile shares no storage and no locks with the first; the engine alone decides.
func TestAnotherBrowserTakesTheSound(t *testing.T) {
	c := newCall(t, "PCMU")
	_, mic := speech(t, "en", agentText)
	other := chrome(t, mic)
	open(t, other, c.panel.server.URL+"/?page=b")
	until(t, "the other knows that the sound is taken", 10*time.Second, func() bool { return eval[bool](t, other, "!!globalThis.order?.taken") })
	eval[any](t, other, "sound.claim()")
	until(t, "the first let go", 5*time.Second, func() bool {
		return eval[bool](t, c.tab, `order.taken && sound.info().connection === ""`)
	})
	until(t, "the other is connected", 5*time.Second, func() bool { return eval[string](t, other, "sound.info().connection") == "connected" })
	pass(500 * time.Millisecond)
	same(t, "the other browser speaks", c.agent, alike, c.ear.during)
	if n := eval[int](t, c.tab, "order.renew"); n > 0 {
		t.Errorf("the first was asked %d times to connect anew", n)
	}
}

// TestPermissionByThePersonAndNoClick: as people have it, without the switches that make tests easy: the microphone, once allowed,
// also lets the page play.
func TestPermissionByThePersonAndNoClick(t *testing.T) {
	agent, mic := speech(t, "en", agentText)
	customer, _ := speech(t, "en+f3", customerText)
	near, told := engine(t, media.Config{})
	far, _ := engine(t, media.Config{Codecs: []string{"PCMU"}})
	p := newPanel(t, near)
	tab := chrome(t, mic, chromedp.Flag("use-fake-ui-for-media-stream", false))
	open(t, tab, "about:blank")
	if _, err := chromedp.Call(tab, browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: "microphone"},
		Setting: browser.PermissionSettingGranted, Origin: p.server.URL}); err != nil {
		t.Fatal(err)
	}
	p.opens(tab, told, "page=a")
	p.show("offered")
	until(t, "microphone is open", 5*time.Second, func() bool { return p.heard(`{"type":"mic.state","body":{"state":"open"`) })
	connect(t, near, "call", far, "robot")
	far.Play("robot", &voice{pcm: customer})
	said := &ear{}
	far.Listen("robot", said.hear)
	near.Focus("call")
	p.show("talking")
	pass(time.Second)
	same(t, "line hears page", agent, alike, said.during)
	same(t, "page hears line", customer, alike, inPage(t, tab))
}
