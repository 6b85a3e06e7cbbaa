package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/report"
)

// TestACallsQualityIsInTheReport: what phone and browser measured of a call stands beside it in the center's report.
func TestACallsQualityIsInTheReport(t *testing.T) {
	d := newDay(t, nil)
	customer := d.customer()
	d.signIn("agent1", "Available", "1")
	d.must(d.page.Wait("StaticText", "Line registered…"))
	_, err := customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	d.must(d.page.Wait("StaticText", "Good")) // the live chart's word, after five seconds
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Gone("button", "Hang up"))

	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		rows := d.callReport()
		if len(rows) == 1 && rows[0].Sound != nil {
			if s := rows[0].Sound; s.MOS < 3 || s.MOS > 4.5 || s.Loss > 20 || s.Delay < 30 || s.Delay > 1000 || rows[0].Account != "agent1" {
				t.Errorf("the report says %+v: %+v", rows[0], s)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the report has %+v", rows)
		}
	}
}

// callReport is today's calls, as the administrator sees them.
func (d *day) callReport() []report.CallRow {
	d.Helper()
	jar, err := cookiejar.New(nil)
	d.must(err)
	admin := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	defer admin.CloseIdleConnections()
	who, _ := d.center.Line["admin"].(map[string]any)
	account, _ := who["account"].(string)
	code, _ := who["code"].(string)
	in, err := json.Marshal(map[string]string{"account": account, "password": code})
	d.must(err)
	answer, err := admin.Post(d.center.String("http")+"/api/v1/admin/session", "application/json", bytes.NewReader(in))
	d.must(err)
	d.must(answer.Body.Close())
	answer, err = admin.Get(d.center.String("http") + "/api/v1/reports/calls")
	d.must(err)
	text, err := io.ReadAll(answer.Body)
	d.must(errors.Join(err, answer.Body.Close()))
	var page report.Page[report.CallRow]
	if err := json.Unmarshal(text, &page); err != nil {
		d.Fatalf("report: %v: %s", err, text)
	}
	return page.Rows
}
