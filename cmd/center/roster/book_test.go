package roster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// company are so many contacts as a company has them.
func company(n int) []Contact {
	all := make([]Contact, n)
	for i := range all {
		all[i] = Contact{Name: fmt.Sprintf("山田 太郎%d", i), Number: fmt.Sprintf("03%08d", i), Reading: "やまだ たろう", Company: "山田商事株式会社 営業部", Note: "月曜は不在"}
	}
	return all
}

func TestImportsReplaceWhoIsThereAndSayWhatTheyDo(t *testing.T) {
	c := newCenter(t, nil, nil)
	in := func(whole, dry bool, list ...Contact) BookChange {
		t.Helper()
		n, err := c.ImportContacts(t.Context(), list, whole, dry, nil, "root")
		must(t, err)
		n.Rev = 0
		return n
	}
	a, b := Contact{Name: " 山田　太郎 ", Number: "０３-1234-5678", Reading: "ﾔﾏﾀﾞ"}, Contact{Name: "Bob", Number: "1002"}
	for i, row := range []struct {
		got, want BookChange
	}{
		{in(false, true, a, b), BookChange{Added: 2}},
		{in(false, false, a, b, a), BookChange{Added: 2, Same: 1}},
		{in(false, false, a, b), BookChange{Same: 2}},
		{in(false, false, Contact{Name: "山田 太郎", Number: "0312345678", Note: "VIP"}), BookChange{Changed: 1}},
		{in(true, false, b), BookChange{Same: 1, Removed: 1}},
		{in(true, false), BookChange{Removed: 1}},
	} {
		if row.got != row.want {
			t.Errorf("%d: %+v, want %+v", i, row.got, row.want)
		}
	}
	if c.Count(KindContact) != 0 {
		t.Error("somebody is left")
	}
	in(false, false, a)
	row := c.Find(Query{Kind: KindContact, Text: "ヤマダ 5678"}).Rows[0]
	if got := row.Data.(Contact); got.Name != "山田 太郎" || got.Number != "0312345678" || got.Reading != "ヤマダ" {
		t.Errorf("kept as %+v", got)
	}
	_, err := c.ImportContacts(t.Context(), []Contact{{Name: "x", Number: "1"}, {Name: "", Number: "1"}, {Name: "x\u202e", Number: "letters and", Note: strings.Repeat("あ", 201)}}, false, false, nil, "root")
	if f := Faults(err); len(f) != 4 || f[0].Row != 1 || f[1].Row != 2 {
		t.Errorf("%v", err)
	}
	stale := c.BookRev() - 1
	_, err = c.ImportContacts(t.Context(), []Contact{b}, false, false, &stale, "root")
	wantProblem(t, err, wire.ProblemStale)
	_, err = c.ImportContacts(t.Context(), company(BookMax), false, false, nil, "root")
	wantProblem(t, err, wire.ProblemBookFull)
}

func TestTwoWhoChangeOneContactAreTold(t *testing.T) {
	c := newCenter(t, nil, nil)
	fresh := Rev("")
	one := func(note string) Setup {
		return Setup{Contacts: []Contact{{ID: "a1", Name: "Bob", Number: "1002", Note: note}}}
	}
	rev, err := c.Put(t.Context(), one(""), &fresh, "root")
	must(t, err)
	_, err = c.Put(t.Context(), one(""), &fresh, "root")
	wantProblem(t, err, wire.ProblemExists)
	_, err = c.Put(t.Context(), one("first"), &rev, "root")
	must(t, err)
	_, err = c.Put(t.Context(), one("second"), &rev, "carol")
	wantProblem(t, err, wire.ProblemStale)
	wantProblem(t, c.Remove(t.Context(), KindContact, "a1", &rev, "root"), wire.ProblemStale)
	must(t, c.Remove(t.Context(), KindContact, "a1", nil, "root"))
	wantProblem(t, c.Remove(t.Context(), KindContact, "a1", nil, "root"), wire.ProblemNoRow)
	_, err = c.Put(t.Context(), one("again"), &fresh, "root")
	must(t, err)
}

// TestPhonesHaveTheBookAndHearOfANewerOne on every node, and after a start.
func TestPhonesHaveTheBookAndHearOfANewerOne(t *testing.T) {
	t.Parallel()
	a, b, _ := twoNodes(t, Timing{})
	p, q := newPhone(t, a, "alice", "pc").in("2001", "away", ""), newPhone(t, b, "bob", "pc").in("2002", "away", "")
	if p.welcome.Desk.Book != 0 {
		t.Fatal("a book that nobody made")
	}
	_, err := a.ImportContacts(t.Context(), company(300), false, false, nil, "root")
	must(t, err)
	for _, p := range []*phone{p, q} {
		eventually(t, "word of the book", func() bool { e, ok := told[uplink.BookChanged](p); return ok && e.Rev == a.BookRev() })
		book, changed, err := p.Phonebook(t.Context(), 0)
		must(t, err)
		if !changed || book.Rev != a.BookRev() || len(book.Contacts) != 300 || book.Contacts[0].Company == "" {
			t.Fatalf("%v %d %d", changed, book.Rev, len(book.Contacts))
		}
		if _, changed, err = p.Phonebook(t.Context(), book.Rev); changed || err != nil {
			t.Fatalf("the same book again: %v %v", changed, err)
		}
	}
	if _, ok := told[uplink.Welcomed](p); ok {
		t.Error("phones were sent to resume for a phonebook")
	}
	res, err := http.Get(a.url + "/api/v1/phonebook")
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger: %s", res.Status)
	}
	must(t, a.Apply(t.Context(), Setup{Outcomes: []Outcome{{ID: "sold", Name: wire.Words{"en": "Sold", "ja": "成約"}, Queues: []string{"7001"}}}}, "root"))
	for _, p := range []*phone{p, q} {
		eventually(t, "new terms", func() bool {
			w, ok := told[uplink.Welcomed](p)
			return ok && len(w.Welcome.Desk.Outcomes) == 1 && w.Welcome.Desk.Outcomes[0].Queues[0] == "Support" && w.Welcome.Desk.Book == a.BookRev()
		})
	}
	wantProblem(t, a.Remove(t.Context(), KindQueue, "7001", nil, "root"), wire.ProblemInUse)
}

// TestABookOfTwentyThousandIsNoBurden to a start, nor to whoever changes one of them.
func TestABookOfTwentyThousandIsNoBurden(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 20,000 contacts")
	}
	dir := t.TempDir()
	c := startCenter(t, dir, nil)
	must(t, c.Apply(t.Context(), setup(), "test"))
	at := time.Now()
	n, err := c.ImportContacts(t.Context(), company(BookMax), true, false, nil, "root")
	must(t, err)
	if n.Added != BookMax {
		t.Fatalf("%+v", n)
	}
	t.Logf("import of %d in %v", BookMax, time.Since(at))
	id := c.Find(Query{Kind: KindContact, Most: 1}).Rows[0].ID
	at = time.Now()
	_, err = c.Put(t.Context(), Setup{Contacts: []Contact{{ID: id, Name: "Anew", Number: "1"}}}, nil, "root")
	must(t, err)
	t.Logf("one changed in %v", time.Since(at))
	at = time.Now()
	if f := c.Find(Query{Kind: KindContact, Text: "たろう 19999", Most: 100}); f.Total != 1 {
		t.Errorf("found %d", f.Total)
	}
	t.Logf("searched in %v", time.Since(at))
	c.stop()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	at = time.Now()
	again := startCenter(t, dir, nil)
	took := time.Since(at)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("started in %v, heap grew by %d kB", took, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	if again.Count(KindContact) != BookMax || took > 30*time.Second {
		t.Errorf("%d contacts after %v", again.Count(KindContact), took)
	}
	p, err := again.printed()
	must(t, err)
	t.Logf("packed for phones: %d kB", len(p.packed)>>10)
}

func TestHandsAreSeenLoweredAndToldToWhoLeads(t *testing.T) {
	a, b, _ := twoNodes(t, Timing{})
	p, boss := newPhone(t, a, "alice", "pc").in("2001", "away", "1"), newPhone(t, b, "carol", "pc").in("2003", "away", "")
	floors, _ := boss.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	hand := func(up bool) func() bool {
		return func() bool {
			select {
			case f := <-floors:
				for _, s := range f.Seats {
					if s.ID == "1" && s.Account == "alice" {
						return s.Hand.IsZero() != up
					}
				}
			default:
			}
			return false
		}
	}
	at := time.Now()
	must(t, p.RaiseHand(t.Context(), wire.RaiseHand{On: true}))
	eventually(t, "the hand in the seat view of another node", hand(true))
	if took := time.Since(at); took > time.Second {
		t.Logf("shown after %v", took) // a second is promised; measured where nothing else runs
	}
	since := p.now().Hand
	if since.IsZero() {
		t.Error("the agent's own record does not say so")
	}
	eventually(t, "a word to the supervisor", func() bool {
		n, ok := told[uplink.Notice](boss)
		return ok && n.Problem.Code == wire.ProblemHand && n.Problem.Holes["who"] == "Alice 山田"
	})
	must(t, p.RaiseHand(t.Context(), wire.RaiseHand{On: true}))
	if !p.now().Hand.Equal(since) {
		t.Error("raised twice is raised anew")
	}
	must(t, b.LowerHand(t.Context(), "alice", "carol"))
	eventually(t, "lowered", func() bool { return p.now().Hand.IsZero() })
	eventually(t, "and shown so", hand(false))
	wantProblem(t, b.LowerHand(t.Context(), "nobody", "carol"), wire.ProblemNoRow)
	must(t, p.RaiseHand(t.Context(), wire.RaiseHand{On: true}))
	must(t, p.SignOut(t.Context()))
	if !a.agent("alice").Hand.IsZero() {
		t.Error("the hand of somebody who left is up")
	}
}

func TestAPhoneIsAskedForItsSettingsWhereverItIs(t *testing.T) {
	a, b, _ := twoNodes(t, Timing{})
	_, err := b.AskSettings(t.Context(), "alice", "root")
	wantProblem(t, err, wire.ProblemPhoneAway)
	_, err = b.AskSettings(t.Context(), "nobody", "root")
	wantProblem(t, err, wire.ProblemNoRow)
	p := newPhone(t, a, "alice", "pc").in("2001", "away", "")
	eventually(t, "the other node knows the phone", func() bool { return b.agent("alice").Conn == connUp })
	type answer struct {
		v   wire.Values
		err error
	}
	got := make(chan answer, 1)
	go func() {
		v, err := b.AskSettings(t.Context(), "alice", "root")
		got <- answer{v, err}
	}()
	eventually(t, "the phone is asked", func() bool { e, ok := told[uplink.SettingsAsked](p); return ok && e.By == "root" })
	must(t, p.TellSettings(t.Context(), wire.Values{wire.SetLook: "dark", wire.SetRingVolume: 55, "no.setting": "x", wire.SetLang: "Klingon"}))
	said := <-got
	v := said.v
	must(t, said.err)
	if len(v) != 2 || v.Text(wire.SetLook) != "dark" || v.Number(wire.SetRingVolume) != 55 {
		t.Errorf("%+v", v)
	}
	eventually(t, "nothing is left of it", func() bool {
		b.mu.RLock()
		defer b.mu.RUnlock()
		return len(b.view.captures) == 0
	})
	must(t, p.TellSettings(t.Context(), wire.Values{wire.SetLook: "light"})) // nobody asked
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err = b.AskSettings(ctx, "alice", "root"); err == nil { // an old phone says nothing
		t.Error("an answer from nowhere")
	}
}

func TestNotesAreOfOwnCallsAndPlain(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		s.Queues = append(s.Queues, QueueSetup{Extension: "7090", Name: "Orders"})
		s.Outcomes = []Outcome{{ID: "ordered", Name: wire.Words{"en": "Ordered", "ja": "受注"}, Queues: []string{"7090"}}, {ID: "sold", Name: wire.Words{"en": "Sold", "ja": "成約"}}, {ID: "gone", Name: wire.Words{"en": "Gone", "ja": "廃止"}}}
	})
	c.KnowCalls(func(_ context.Context, account, call string, _ time.Time) (string, bool, error) {
		return map[string]string{"yesterday": "Support", wire.CenterCall + "x@trunk": "Orders"}[call], account == "alice" && (call == "yesterday" || call == wire.CenterCall+"x@trunk"), nil
	})
	p := newPhone(t, c, "alice", "pc").in("2001", "available", "")
	last := func() Note {
		t.Helper()
		e, ok, err := c.ledger.Last(t.Context(), "note.alice")
		must(t, err)
		var n Note
		if ok {
			must(t, json.Unmarshal(e.Data, &n))
		}
		return n
	}
	p.call(wire.CallReport{ID: "now", Inbound: true, Outside: true, Peer: "0312345678"}, wire.CallTalking)
	note := wire.CallNote{Call: "now", Outcome: "sold", Text: "one\r\ntwo\x00\x1b[31m\u202e\tthree\n", At: time.Now().Add(time.Hour)}
	must(t, p.Note(t.Context(), note))
	if n := last(); n.Text != "one\ntwo[31m three" || n.Outcome != "sold" || n.At.After(time.Now()) {
		t.Errorf("%+v", n)
	}
	at := last().At
	must(t, p.Note(t.Context(), wire.CallNote{Call: "now", Text: "older", At: at.Add(-time.Minute)}))
	if n := last(); n.Outcome != "sold" {
		t.Errorf("an older one came over it: %+v", n)
	}
	must(t, p.Note(t.Context(), wire.CallNote{Call: "yesterday", Text: strings.Repeat("あ", wire.NoteMax), At: time.Now()}))
	wantProblem(t, p.Note(t.Context(), wire.CallNote{Call: "bobs", Text: "x"}), wire.ProblemNoRow)
	wantProblem(t, p.Note(t.Context(), wire.CallNote{Call: "now", Text: strings.Repeat("x", wire.NoteMax+1)}), wire.ProblemNote)
	wantProblem(t, p.Note(t.Context(), wire.CallNote{Call: "now", Outcome: "nothing"}), wire.ProblemNote)
	wantProblem(t, p.Note(t.Context(), wire.CallNote{Text: "of no call"}), wire.ProblemNote)
	must(t, p.Note(t.Context(), wire.CallNote{Call: wire.CenterCall + "x@trunk", Outcome: "ordered"}))
	err := p.Note(t.Context(), wire.CallNote{Call: "yesterday", Outcome: "ordered"})
	if wantProblem(t, err, wire.ProblemNoteQueue); err.(wire.Problem).Holes["queues"] != "Orders" {
		t.Error(err)
	}
	must(t, c.Remove(t.Context(), KindOutcome, "gone", nil, "root"))
	must(t, p.Note(t.Context(), wire.CallNote{Call: "now", Outcome: "gone"})) // it was there when the agent said it
}
