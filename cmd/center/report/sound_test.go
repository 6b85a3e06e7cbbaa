package report

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

func TestACallIsShownWithHowItSounded(t *testing.T) {
	b := newBook(t)
	ended := func(minute int, sound *roster.Sound) {
		b.agent(minute, wire.StatusWork, func(a *roster.Agent) { a.Sound = sound })
	}
	// A call of 70 s from minute 0 on, whose phone says two seconds later how it was; one at 10 that nobody measured; and two that
	// ended within the same seconds, which their numbers tell apart.
	b.write(KindCalls, "center", 1, callAt(0, nil))
	ended(2, &roster.Sound{Call: "c1", Peer: "0312345678", Ended: day.Add(72 * time.Second), MOS: 2.5, Loss: 8.25, Jitter: 31, Delay: 210})
	b.write(KindCalls, "center", 12, callAt(10, nil))
	b.write(KindCalls, "center", 22, callAt(20, func(r *exchange.CallRecord) { r.From = "0399999999" }))
	b.write(KindCalls, "center", 23, callAt(20, func(r *exchange.CallRecord) { r.From = "0388888888" }))
	at := day.Add(20*time.Minute + 70*time.Second)
	ended(24, &roster.Sound{Call: "c2", Peer: "0388888888", Ended: at.Add(time.Second), MOS: 3.8})
	ended(25, &roster.Sound{Call: "c3", Peer: "0399999999", Ended: at.Add(3 * time.Second), MOS: 3.9})
	ended(26, nil)
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	_, body := get(t, r, "/api/v1/reports/calls?"+april1)
	var page Page[CallRow]
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Rows) != 4 {
		t.Fatal(body, err)
	}
	mos := map[string]float64{"0388888888": 3.8, "0399999999": 3.9}
	for i, c := range page.Rows {
		switch {
		case i < 2 && (c.Sound == nil || c.Sound.MOS != mos[c.Caller]):
			t.Errorf("%s: %+v", c.Caller, c.Sound)
		case i == 2 && c.Sound != nil:
			t.Errorf("nobody measured: %+v", c.Sound)
		case i == 3 && (c.Sound == nil || *c.Sound != Sound{2.5, 8.25, 31, 210}):
			t.Errorf("measured: %+v", c.Sound)
		}
	}
	_, body = get(t, r, "/api/v1/reports/calls?format=csv&"+april1)
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if !strings.HasSuffix(lines[0], "talk_seconds,mos,loss_percent,jitter_ms,delay_ms,why,message,direction,reason,outcome,note") || !strings.HasSuffix(lines[3], ",60,,,,,,,in,,,") || !strings.HasSuffix(lines[4], ",60,2.50,8.2,31,210,,,in,,,") {
		t.Errorf("%s", body)
	}
}
