package exchange

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

// TestWhatTheBookHolds: a call is there from its first word to its end, with both sides once they talk, without digest and keys.
func TestWhatTheBookHolds(t *testing.T) {
	dir := t.TempDir()
	f := newFloor(t, func(c *Config) { c.Book = dir })
	a, b := f.phone("1001", "udp"), f.phone("1002", "udp")
	entries := func() []entry {
		var all []entry
		files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		for _, file := range files {
			var e entry
			if data, err := os.ReadFile(file); err == nil && json.Unmarshal(data, &e) == nil && e.Record.ID != "" {
				all = append(all, e)
			}
		}
		return all
	}
	crypto := strings.Replace(offer, "a=sendrecv", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\na=sendrecv", 1)
	if err := a.Dial(ctxFor(t), "c1", "1002", crypto); err != nil {
		t.Fatal(err)
	}
	in := next[sip.Incoming](b)
	b.Ring(in.Call)
	next[sip.Progress](a)
	until(t, "the call that rings is noted", func() bool {
		all := entries()
		return len(all) == 1 && len(all[0].Rings) == 1 && strings.HasPrefix(all[0].Invite, "INVITE ") && all[0].A == nil && all[0].Caller == "1001"
	})
	if err := b.Answer(ctxFor(t), in.Call, reply); err != nil {
		t.Fatal(err)
	}
	next[sip.Answered](a)
	until(t, "the call that is answered is noted", func() bool {
		all := entries()
		return len(all) == 1 && all[0].A != nil && all[0].B != nil && all[0].Invite == "" && all[0].B.Terminal == "1002" && all[0].A.Every > 0
	})
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // written anew meanwhile
		}
		if text := string(data); strings.Contains(text, "inline:") {
			t.Errorf("keys reached the disk: %s", text)
		}
		if about, err := os.Stat(file); err == nil && about.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", file, about.Mode())
		}
	}
	a.Hangup(ctxFor(t), "c1")
	next[sip.Ended](b)
	f.record()
	until(t, "the call that is over is forgotten", func() bool { return len(entries()) == 0 })
}

// TestABookOfNonsenseKeepsNobodyFromStarting: half a file, a strange one, a call whose phone is gone.
func TestABookOfNonsenseKeepsNobodyFromStarting(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"half.1.json": `{"record":{"id":"x`, "empty.1.json": "", "other.1.json": `{"record":{}}`, "phones.3.json": `{"1001":[{"source":7}]}`, "x.1.json.new": "{", "unnumbered.json": "{}",
		"gone.1.json":  `{"record":{"id":"gone","queue":"Support","began":"2026-01-01T00:00:00Z"},"caller":"nobody","queue":"7000","a":{"callId":"gone"}}`,
		"stale.6.json": `{"record":{"id":"st`, "stale.5.json": `{"record":{"id":"stale","from":"090","began":"2026-01-01T00:00:00Z"},"caller":"trunk","queue":"7000","invite":"INVITE sip:x SIP/2.0\r\n\r\n","from":"127.0.0.1:9"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := newFloor(t, func(c *Config) { c.Book = dir })
	for range 2 {
		if r := f.record(); r.Why != whyRestart || r.Code != 503 || r.Result != "refused" {
			t.Errorf("record %+v", r)
		}
	}
	a, b := f.phone("1001", "udp"), f.phone("1002", "udp")
	connect(t, a, b, "1002")
}

// TestWhoWasToldToTryAgainKeepsItsPlace: the center ends while callers wait and starts anew; who calls again within half a minute
// waits since it came first.
func TestWhoWasToldToTryAgainKeepsItsPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := newFloor(t, func(c *Config) { c.Book = dir })
	customer := f.phone("trunk", "udp")
	if err := customer.Dial(ctxFor(t), "c1", "7000", offer); err != nil {
		t.Fatal(err)
	}
	next[sip.Progress](customer)
	f.stop()
	if e := next[sip.Failed](customer); e.Code != 503 {
		t.Fatalf("told %d", e.Code)
	}
	first := f.record()

	f = newFloor(t, func(c *Config) { c.Book = dir })
	customer = f.phone("trunk", "udp")
	came := func(call string) time.Time {
		if err := customer.Dial(ctxFor(t), call, "7000", offer); err != nil {
			t.Fatal(err)
		}
		next[sip.Progress](customer)
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.waiting[len(f.waiting)-1].came
	}
	if at := came("c2"); !at.Equal(first.Began) {
		t.Errorf("it waits since %v, came first at %v", at, first.Began)
	}
	if at := came("c3"); at.Equal(first.Began) {
		t.Error("a second call has the place too")
	}
}

// TestAPhoneIsCalledAfterARestart: one by UDP, which has not noticed; one by TCP only when it comes back.
func TestAPhoneIsCalledAfterARestart(t *testing.T) {
	now := time.Now()
	b := newBindings(func() time.Time { return now })
	udp, tcp := netip.MustParseAddrPort("127.0.0.1:5071"), netip.MustParseAddrPort("127.0.0.1:5072")
	for at, network := range map[netip.AddrPort]string{udp: "udp", tcp: "tcp"} {
		if _, err := b.update(network, binding{callID: network, cseq: 1, epoch: 3, network: network, source: at}, true, []change{{contact: "sip:x@" + at.String(), expires: 60}}); err != nil {
			t.Fatal(err)
		}
	}
	all, version := b.noted(0)
	if _, same := b.noted(version); same != version {
		t.Error("nothing has changed, and it is written again")
	}
	heir := newBindings(func() time.Time { return now.Add(30 * time.Second) })
	heir.takeUp(all)
	if got := heir.lookup("udp"); len(got) != 1 || got[0].source != udp || got[0].epoch != 3 || !heir.knows(udp) {
		t.Errorf("by UDP: %+v", got)
	}
	if got := heir.lookup("tcp"); len(got) != 0 {
		t.Errorf("by TCP: %+v", got)
	}
	late := newBindings(func() time.Time { return now.Add(61 * time.Second) })
	late.takeUp(all)
	if got := late.lookup("udp"); len(got) != 0 || late.knows(udp) {
		t.Errorf("expired: %+v", got)
	}
}

func BenchmarkBook(b *testing.B) {
	book, err := openBook(b.TempDir(), testLog())
	if err != nil {
		b.Fatal(err)
	}
	e := entry{Record: CallRecord{ID: "x"}, Invite: strings.Repeat(offer, 8)}
	p := page{name: "x"}
	for b.Loop() {
		if err := book.write(&p, e); err != nil {
			b.Fatal(err)
		}
	}
	book.tear(p)
}
