package media_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"zaseki/media"
	"zaseki/media/hear"
)

// alone runs the test in such a network, as a process of its own. True: it did, and there is nothing left to do.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(lonely) != "" {
		return false
	}
	for _, tool := range []string{"unshare", "ip", "chromium", "espeak-ng"} {
		need(t, tool)
	}
	if err := exec.Command("unshare", "-n", "true").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no network namespace: %v", err)
		}
		t.Skipf("no network namespace: %v", err)
	}
	cmd := exec.Command("unshare", "-n", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "240s")
	cmd.Env = append(os.Environ(), lonely+"=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return true
}

// TestPageWithoutAnyNetworkIsHeard: with nothing but lo a browser tells no address of its own. What works then is found by itself.
func TestPageWithoutAnyNetworkIsHeard(t *testing.T) {
	if alone(t) {
		return
	}
	customer, _ := speech(t, "en+f3", customerText)
	c := newCall(t, "G722")
	t.Log("the page goes by", eval[string](t, c.tab, "sound.info().way"))
	c.far.Play("robot", &voice{pcm: customer})
	same(t, "line hears page", c.agent, alike, c.ear.during)
	same(t, "page hears line", customer, alike, inPage(t, c.tab))
	c.far.Play("robot", nil)
	c.far.Echo("robot")
	if took := delay(t, c.tab, 300*time.Millisecond); took == 0 || took > 300*time.Millisecond {
		t.Errorf("from mouth to ear %v", took)
	}
	if n := eval[int](t, c.tab, "order.renew"); n > 1 {
		t.Errorf("asked %d times to connect anew", n)
	}
}

// TestPageWithoutWebRTCSpeaksByWebsocket: a browser that may not use WebRTC, on a machine without any network.
func TestPageWithoutWebRTCSpeaksByWebsocket(t *testing.T) {
	if alone(t) {
		return
	}
	customer, _ := speech(t, "en+f3", customerText)
	c := newCallAt(t, "/?page=a&samples", "PCMU")
	if way := eval[string](t, c.tab, "sound.info().way + sound.info().connection"); way != "websocketconnected" {
		t.Fatalf("the page goes by %s", way)
	}
	if count(c.told, func(l media.PageLive) bool { return l.Live && l.Way == "websocket" }) == 0 {
		t.Error("nobody was told by what way the page carries sound")
	}
	c.far.Play("robot", &voice{pcm: customer})
	same(t, "line hears page", c.agent, alike, c.ear.during)
	same(t, "page hears line", customer, alike, inPage(t, c.tab))
	c.far.Play("robot", nil)
	// In a conference, and on a line whose far end would rather have Opus.
	wide, _ := engine(t, media.Config{Codecs: []string{"opus", "G722"}})
	connect(t, c.near, "other", wide, "guest")
	if codec := c.near.Stats("other").Codec; codec != "G722" {
		t.Errorf("the second line has %s, which nobody here can speak", codec)
	}
	guest := &ear{}
	wide.Listen("guest", guest.hear)
	c.near.Mix("call", "other")
	pass(500 * time.Millisecond)
	same(t, "a guest of the conference hears page", c.agent, alike, guest.during)
	c.near.CloseLine("other")
	c.near.Mix()

	c.far.Echo("robot")
	if took := delay(t, c.tab, 300*time.Millisecond); took == 0 || took > 300*time.Millisecond {
		t.Errorf("from mouth to ear %v", took)
	}
	c.near.Mute(true)
	pass(300 * time.Millisecond)
	c.ear.take()
	pass(time.Second)
	if heard := c.ear.take(); len(heard) < 7000 || hear.Level(heard) > 1 {
		t.Errorf("muted: %d samples of level %.1f", len(heard), hear.Level(heard))
	}
	c.near.Mute(false)
	if err := chromedp.Do(c.tab, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	pass(time.Second)
	same(t, "line hears page after a reload", c.agent, alike, c.ear.during)
}

// TestPageOutlivesItsAddress: the only address of the network card goes and another comes, as with another Wi-Fi. The browser's
// socket had the old one.
func TestPageOutlivesItsAddress(t *testing.T) {
	if alone(t) {
		return
	}
	run := func(words ...string) {
		t.Helper()
		if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v %s", words, err, out)
		}
	}
	run("link", "add", "v0", "type", "veth", "peer", "name", "v1")
	run("link", "set", "v1", "up")
	run("link", "set", "v0", "up")
	run("addr", "add", "192.0.2.1/24", "dev", "v0")
	c := newCall(t, "PCMU")
	same(t, "before", c.agent, alike, c.ear.during)
	c.ear.take()
	run("addr", "add", "192.0.2.7/24", "dev", "v0")
	run("addr", "del", "192.0.2.1/24", "dev", "v0")
	pass(4 * time.Second)
	away := time.Duration(0)
	for _, g := range hear.Gaps(c.ear.take(), 8000, 100*time.Millisecond, 8) {
		away = max(away, g.Length)
	}
	t.Logf("silence of %v; asked %d times to restart, %d times to connect anew", away, eval[int](t, c.tab, "order.restart"), eval[int](t, c.tab, "order.renew"))
	if away > 2*time.Second {
		t.Errorf("the agent was away for %v", away)
	}
	same(t, "after", c.agent, alike, c.ear.during)
}
