package report

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
)

// TestTheAuditSaysWhoListenedToWhom, to whom somebody wrote, and who had the seats checked; neither a permission nor a word of a message stands there.
func TestTheAuditSaysWhoListenedToWhom(t *testing.T) {
	b := newBook(t)
	at := day
	by := func(who, why, kind, id string, v any) {
		t.Helper()
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		subject := ledger.Subject(kind, id)
		at = at.Add(time.Minute)
		seq, err := b.Commit(t.Context(), at.String(), []ledger.Write{{Subject: subject, Expect: b.last[subject], By: who, Why: why, At: at, Data: data}})
		if err != nil {
			t.Fatal(err)
		}
		b.last[subject] = seq
	}
	a := roster.Attendance{Sealed: []byte("sealed words"), Account: "aoki", Mode: "listen", State: roster.AttendAsked, Session: "s1", Other: "s2"}
	by("carol", "attending asked for", roster.KindAttend, "carol", a)
	a.State = roster.AttendBegun
	by("aoki", "attending begun", roster.KindAttend, "carol", a)
	a.Mode = "whisper"
	by("carol", "attending changed", roster.KindAttend, "carol", a)
	by("carol", "message sent", roster.KindMessage, "1", roster.Message{N: 1, From: "carol", Group: "day", Text: "private words", Sent: 4})
	by("carol", "set by supervisor", roster.KindAgent, "aoki", roster.Agent{Account: "aoki", Status: "break"})
	dawn := roster.Dawn{ID: "d1", At: day, By: "carol", Floor: "3f", Seats: []string{"1", "2"}, Count: 2}
	by("carol", "check of the seats", roster.KindDawn, "check", dawn)
	dawn.Stop = true
	by("root", "check of the seats stopped", roster.KindDawn, "check", dawn)
	dawn.Ended = day.Add(time.Hour)
	by("system", "check of the seats over", roster.KindDawn, "check", dawn)
	by("system", "check of the seats", roster.KindSeatCheck, "1", roster.SeatCheck{Check: "d1", Sealed: []byte("sealed words")})
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	changes, err := r.Audit(t.Context(), AuditQuery{From: day, To: day.Add(time.Hour), Most: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		line := c.Actor + " " + c.Kind + " " + c.ID + " " + c.Why
		for _, f := range c.Fields {
			line += " " + f.Field + "=" + string(f.Is)
		}
		got = append(got, line)
	}
	want := []string{`root dawn check check of the seats stopped count=2 floor="3f"`, `carol dawn check check of the seats count=2 floor="3f"`, "carol agent aoki set by supervisor", `carol msg carol message sent group="day" sent=4`,
		`carol attend carol attending changed account="aoki" mode="whisper"`, `carol attend carol attending asked for account="aoki" mode="listen"`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("the audit has\n%s", strings.Join(got, "\n"))
	}
	var kept string
	if err := r.db.QueryRow("SELECT group_concat(fields) FROM audit").Scan(&kept); err != nil || strings.Contains(kept, "words") || strings.Contains(kept, "c2VhbGVk") {
		t.Errorf("kept %s, %v", kept, err)
	}
}
