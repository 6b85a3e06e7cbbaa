package node

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/softphone/caller"
	"zaseki/media"
	"zaseki/media/sealed"
	"zaseki/web/wire"
)

// TestOutOfHoursACallerLeavesAMessage: through the whole center, from the calendar to the sealed recording and the report.
func TestOutOfHoursACallerLeavesAMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("somebody has to speak")
	}
	dir := t.TempDir()
	n := start(t, dir)
	site := roster.DefaultSite()
	setup := roster.Setup{
		Site:      &site,
		Terminals: []roster.TerminalSetup{{Extension: "gw", Type: "trunk", Secret: "gw-secret-0123"}},
		Calendars: []roster.Calendar{{ID: "never", Name: "Never", Zone: "Asia/Tokyo", Hours: []roster.Hours{{Days: "mon", From: "00:00", To: "00:01"}}}},
		Queues: []roster.Queue{{Extension: "7000", Name: "Support", Calendar: "never", Language: "en",
			Rules: []roster.QueueRule{{When: "holiday", Do: "busy"}, {When: "closed", Do: "voice"}}}},
	}
	if now := time.Now().In(time.FixedZone("JST", 9*3600)); now.Weekday() == time.Monday && now.Hour() == 0 && now.Minute() <= 1 {
		setup.Calendars[0].Hours[0].Days = "tue"
	}
	if err := n.Apply(t.Context(), setup); err != nil {
		t.Fatal(err)
	}
	beeps := make(chan struct{}, 1)
	c, err := caller.New(caller.Config{Server: n.SIP(), Domain: site.Domain, User: "gw", Secret: wire.Secret("gw-secret-0123"), From: "0312345678",
		Talk: func(c *caller.Caller, line string) {
			c.Sound.Play(line, media.Tone(300, 150, 100, 0)) // syllables
			row := 0
			c.Sound.Listen(line, func(pcm []int16) {
				if n := crossings(pcm); n >= 39 && n <= 41 { // 1 kHz in 20 ms
					row++
				} else {
					row = 0
				}
				if row == 10 {
					select {
					case beeps <- struct{}{}:
					default:
					}
				}
			})
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() {
		cancel()
		<-done
	}()
	<-c.Registered()
	line, err := c.Call(t.Context(), "7000")
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-beeps:
	case <-time.After(2 * long):
		t.Fatal("no beep")
	}
	spoken := time.NewTimer(3 * time.Second)
	defer spoken.Stop()
	<-spoken.C
	if err := c.Line.Hangup(t.Context(), line); err != nil {
		t.Fatal(err)
	}
	rows := callsOf(t, n)
	if r := rows[0]; r.Result != "voice" || r.Why != "closed" || r.Queue != "Support" || r.Caller != "0312345678" || r.Message == "" {
		t.Fatalf("%+v", r)
	}
	heard(t, n, dir, rows[0].Message)
}

// crossings is how often a sound goes through zero.
func crossings(pcm []int16) (n int) {
	for i := 1; i < len(pcm); i++ {
		if (pcm[i-1] < 0) != (pcm[i] < 0) {
			n++
		}
	}
	return n
}

// callsOf waits for the first call in the report.
func callsOf(t *testing.T, n *Node) []report.CallRow {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	now := time.Now()
	query := url.Values{"from": {now.Add(-time.Hour).Format(time.RFC3339)}, "to": {now.Add(time.Hour).Format(time.RFC3339)}}
	for end := now.Add(long); ; <-time.After(20 * time.Millisecond) {
		var page struct{ Rows []report.CallRow }
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.HTTP()+"/api/v1/reports/calls?"+query.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+n.operator.Reveal())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		resp.Body.Close()
		if err != nil {
			t.Fatal(resp.Status, err)
		}
		if len(page.Rows) > 0 {
			return page.Rows
		}
		if time.Now().After(end) {
			t.Fatal("the call is not in the report")
		}
	}
}

// heard opens a message with the center's key.
func heard(t *testing.T, n *Node, dir, id string) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "recordings", id[:4], id[4:6], id[6:8], id+".rec"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := sealed.Open(f, n.seal)
	if err != nil {
		t.Fatal(err)
	}
	if i := r.Info(); i.Queue != "Support" || i.Peer != "0312345678" || !i.Inbound {
		t.Errorf("info %+v", i)
	}
	length, err := media.RecordLength(r)
	if seconds := float64(length) / media.RecordRate; err != nil || seconds < 2.5 || seconds > 8 {
		t.Errorf("%.1f s, %v", seconds, err)
	}
}
