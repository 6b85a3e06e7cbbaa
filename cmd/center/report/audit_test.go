package report

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
)

func TestTheAuditSaysWhoChangedWhatAndNoSecret(t *testing.T) {
	b := newBook(t)
	b.write(roster.KindAccount, "aoki", 0, roster.Account{Account: "aoki", Name: "Aoki", Role: "agent", Hash: "$argon2id$one"})
	b.write(roster.KindAccount, "aoki", 1, roster.Account{Account: "aoki", Name: "青木", Role: "agent", Hash: "$argon2id$two"})
	b.write(roster.KindSeat, "2", 2, roster.Seat{ID: "2", Floor: "1"})
	b.write(roster.KindSeat, "2", 3, roster.Seat{ID: "2", Floor: "1", Holder: "aoki", Since: day}) // no administrator's doing
	b.write(roster.KindSeat, "2", 4, roster.Seat{ID: "2", Floor: "1", X: 3, Holder: "aoki", Since: day})
	b.write(roster.KindPBX, "old", 5, roster.PBX{ID: "old", Kind: "asterisk", Sealed: []byte("sealed words")})
	b.write(roster.KindPBX, "old", 6, nil)
	b.write(roster.KindSite, "site", 7, roster.Site{Name: "One", Policy: roster.SitePolicy{Record: "asked"}})
	b.agent(8, "available")
	b.run(filepath.Join(t.TempDir(), "report.db"))
	r, _ := b.run(filepath.Join(t.TempDir(), "second.db"))
	all := AuditQuery{From: day, To: day.Add(time.Hour), Most: 100}
	changes, err := r.Audit(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(changes)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"argon2", "c2VhbGVk", "sealed words"} {
		if strings.Contains(string(data), bad) {
			t.Errorf("the audit holds %s", bad)
		}
	}
	var got []string
	for _, c := range changes {
		line := c.What + " " + c.Kind + " " + c.ID
		for _, f := range c.Fields {
			if c.What == "changed" {
				line += " " + f.Field + " " + string(f.Was) + ">" + string(f.Is)
			}
		}
		got = append(got, line)
	}
	want := []string{"added cfg site", "removed pbx old", "added pbx old", "changed seat 2 x 0>3", "added seat 2",
		`changed acct aoki name "Aoki">"青木" password "•••">"•••"`, "added acct aoki"}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] && !strings.HasPrefix(got[i], "changed agent") {
			t.Fatalf("changes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	var stored string
	if err := r.db.QueryRow("SELECT group_concat(data) || (SELECT group_concat(fields) FROM audit) FROM setting").Scan(&stored); err != nil || strings.Contains(stored, "argon2") {
		t.Errorf("the file holds a secret: %s %v", stored, err)
	}
	all.Kind, all.ID, all.Most = roster.KindSeat, "2", 1
	if changes, err = r.Audit(t.Context(), all); err != nil || len(changes) != 1 || changes[0].What != "changed" {
		t.Fatalf("%+v %v", changes, err)
	}
	all.Before = changes[0].Seq
	if changes, err = r.Audit(t.Context(), all); err != nil || len(changes) != 1 || changes[0].What != "added" {
		t.Errorf("the next page: %+v %v", changes, err)
	}
}
