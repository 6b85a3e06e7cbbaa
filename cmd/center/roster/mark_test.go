package roster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// TestAConversationIsReadByItself: an older one that nobody has opened stays unread, at the phone, over a restart and for its sender; what
// is written to everybody is a conversation as others are.
func TestAConversationIsReadByItself(t *testing.T) {
	dir := t.TempDir()
	c := startCenter(t, dir, nil)
	s := setup()
	grouped(&s)
	must(t, c.Apply(t.Context(), s, "test"))
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAway, "")
	for from, m := range map[string]wire.SendMessage{"alice": {To: "bob", Text: "from alice"}, "carol": {Group: "day", Text: "to the day"}, "root": {Text: "to all"}} {
		must(t, c.change(t.Context(), from, func(d *draft) error { return d.send(from, m, "") }))
	}
	unread := func(list []wire.Message) (all []string) {
		for _, m := range list {
			if !m.Read && !m.Mine {
				all = append(all, m.With())
			}
		}
		slices.Sort(all)
		return all
	}
	eventually(t, "bob has all", func() bool { return len(bob.mailbox().List) == 3 })
	newest := bob.mailbox().List[2]
	if !bob.mailbox().Each {
		t.Error("the center does not say that it keeps a mark for each conversation")
	}
	must(t, bob.ask(wire.ReadMessages{UpTo: newest.ID, With: newest.With()}))
	left := slices.DeleteFunc([]string{wire.Everybody, "g:day", "u:alice"}, func(with string) bool { return with == newest.With() })
	eventually(t, "the newest alone is read", func() bool { return slices.Equal(unread(bob.mailbox().List), left) })
	must(t, bob.ask(wire.ReadMessages{UpTo: newest.ID, With: "u:nobody"}))
	for account, m := range map[string]string{"alice": "u:alice", "carol": "g:day", "root": wire.Everybody} {
		box := c.mailOf(account, time.Now()).List
		i := slices.IndexFunc(box, func(o wire.Message) bool { return o.Mine })
		if want := map[bool]int{true: 1}[m == newest.With()]; box[i].Seen != want {
			t.Errorf("%s hears that %d have read it, want %d", account, box[i].Seen, want)
		}
	}
	c.stop()
	c = startCenter(t, dir, nil)
	if got := unread(c.mailOf("bob", time.Now()).List); !slices.Equal(got, left) {
		t.Errorf("after a restart %v are unread, want %v", got, left)
	}
}

// TestAnOldMarkCountsForAllConversations until there is one of their own: of the ledger of an older center, and of a phone that names none.
func TestAnOldMarkCountsForAllConversations(t *testing.T) {
	s := setup()
	grouped(&s)
	d := newDesk(t, s)
	sends := func(from string, m wire.SendMessage) {
		t.Helper()
		_, err := d.do(nine, func(dr *draft) error { return dr.send(from, m, "") })
		must(t, err)
	}
	reads := func(said string) { // as it comes from the phone
		t.Helper()
		var m wire.ReadMessages
		must(t, json.Unmarshal([]byte(said), &m))
		_, err := d.do(nine, func(dr *draft) error { return dr.read("bob", m) })
		must(t, err)
	}
	writes := func(record string) { // as an older center keeps it
		t.Helper()
		d.seq++
		_, err := d.apply(ledger.Event{Seq: d.seq, Subject: ledger.Subject(KindMark, "bob"), Data: []byte(record)})
		must(t, err)
	}
	want := func(when, marked string, unread ...uint64) {
		t.Helper()
		var got []uint64
		for _, l := range d.mail.all {
			if d.has("bob", l.Message) && !d.mail.marks["bob"].v.covers(l.Message) {
				got = append(got, l.N)
			}
		}
		if kept, err := json.Marshal(d.mail.marks["bob"].v); err != nil || !slices.Equal(got, unread) || string(kept) != marked {
			t.Errorf("%s: %v are unread and the mark is %s, want %v and %s", when, got, kept, unread, marked)
		}
	}
	for range 2 {
		sends("alice", wire.SendMessage{To: "bob", Text: "1, 4"})
		sends("carol", wire.SendMessage{Group: "day", Text: "2, 5"})
		sends("root", wire.SendMessage{Text: "3, 6"})
	}
	writes(`{"upTo":2}`)
	want("the old record", `{"upTo":2}`, 3, 4, 5, 6)
	reads(`{"upTo":"5","with":"g:day"}`)
	want("a conversation beyond it", `{"upTo":2,"in":{"g:day":5}}`, 3, 4, 6)
	reads(`{"upTo":"4","with":"g:day"}`)
	want("it never goes back", `{"upTo":2,"in":{"g:day":5}}`, 3, 4, 6)
	reads(`{"upTo":"6","with":"all"}`)
	want("everybody is a conversation, not all of them", `{"upTo":3,"in":{"all":6,"g:day":5}}`, 4)
	before := d.mail.marks["bob"].v
	writes(`{"upTo":4}`)
	want("an old node forgets the conversations", `{"upTo":4}`, 5, 6)
	if a, b := d.mail.letter(5), d.mail.letter(4); a.seen != 0 || len(a.readers) != 0 || b.seen != 1 || !slices.Equal(b.readers, []string{"bob"}) {
		t.Errorf("then %v have read number 5, %v number 4", a.readers, b.readers)
	}
	again, err := json.Marshal(before)
	must(t, err)
	writes(string(again))
	want("as before", `{"upTo":3,"in":{"all":6,"g:day":5}}`, 4)
	reads(`{"upTo":"4"}`)
	want("an old phone reads all of them", `{"upTo":6}`)
	sends("alice", wire.SendMessage{To: "bob", Text: "7"})
	reads(`{"upTo":"7","with":"u:alice"}`)
	want("a mark without a gap is one number", `{"upTo":7}`)
}

// TestAMarkIsBounded: with more conversations than it names it goes over those that no phone shows any more, and over no others.
func TestAMarkIsBounded(t *testing.T) {
	s := setup()
	const people = 2*marksMost + 20
	for i := range people {
		s.Accounts = append(s.Accounts, AccountSetup{Account: fmt.Sprint("p", i), Name: fmt.Sprint("P", i), Hash: weakHash(password)})
	}
	d := newDesk(t, s)
	for i := range people {
		_, err := d.do(nine, func(dr *draft) error {
			return dr.send(fmt.Sprint("p", i), wire.SendMessage{To: "alice", Text: "x"}, "")
		})
		must(t, err)
		if i%20 == 0 { // which is never opened
			continue
		}
		_, err = d.do(nine, func(dr *draft) error {
			return dr.read("alice", wire.ReadMessages{UpTo: fmt.Sprint(i + 1), With: fmt.Sprint("u:p", i)})
		})
		must(t, err)
		for _, m := range d.mailbox("alice", nine).List {
			if n, _ := strconv.Atoi(m.ID); m.Read != ((n-1)%20 != 0) {
				t.Fatalf("after %d messages number %d is read: %t", i+1, n, m.Read)
			}
		}
	}
	mark := d.mail.marks["alice"].v
	if data, err := json.Marshal(mark); err != nil || len(mark.In) > marksMost || len(mark.In) < marksMost/2 || mark.UpTo == 0 || len(data) > marksMost*20 {
		t.Errorf("the mark has %d conversations after %d, %d bytes, %v", len(mark.In), mark.UpTo, len(data), err)
	}
}

// reading is what a model knows beside the center: which messages each has read.
type reading struct {
	*desk
	read map[string]map[uint64]bool
}

func (r reading) step(t *rapid.T, everybody []string) {
	who := rapid.SampledFrom(everybody).Draw(t, "who")
	upTo := rapid.Uint64Range(0, r.mail.newest()+2).Draw(t, "upTo")
	reads := func(with string) {
		_, _ = r.do(nine, func(dr *draft) error { return dr.read(who, wire.ReadMessages{UpTo: fmt.Sprint(upTo), With: with}) })
		for _, l := range r.mail.all {
			if l.N <= upTo && r.has(who, l.Message) && (with == "" || l.with() == with) {
				r.read[who][l.N] = true
			}
		}
	}
	switch rapid.SampledFrom([]string{"send", "send", "read", "read", "all", "old node"}).Draw(t, "does") {
	case "send":
		m := wire.SendMessage{Text: "x", Group: rapid.SampledFrom([]string{"", "day", "night"}).Draw(t, "group")}
		if rapid.Bool().Draw(t, "person") {
			m.Group, m.To = "", rapid.SampledFrom(everybody).Draw(t, "to")
		}
		_, _ = r.do(nine, func(dr *draft) error { return dr.send(who, m, "") })
	case "read":
		reads(rapid.SampledFrom([]string{wire.Everybody, "g:day", "g:night", "u:alice", "u:bob", "u:root", "u:nobody", "?"}).Draw(t, "with"))
	case "all":
		reads("")
	case "old node": // which knows one mark, and writes it
		m := Mark{UpTo: max(r.mail.marks[who].v.UpTo, min(upTo, r.mail.newest()))}
		_, _ = r.do(nine, func(dr *draft) error { dr.add(KindMark, who, dr.markSeq(who), &m, "messages read"); return nil })
		clear(r.read[who])
		for _, l := range r.mail.all {
			r.read[who][l.N] = l.N <= m.UpTo && r.has(who, l.Message)
		}
	}
}

// again is the view as a node makes it that starts now, from the records in any order.
func (r reading) again(t *rapid.T) *view {
	v := newView()
	v.loading = true
	var all []ledger.Event
	add := func(kind, id string, seq ledger.Seq, value any) {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ledger.Event{Seq: seq, Subject: ledger.Subject(kind, id), Data: data})
	}
	for id, a := range r.accounts {
		add(KindAccount, id, a.seq, a.v)
	}
	for _, l := range r.mail.all {
		add(KindMessage, slotOf(l.N), l.seq, l.Message)
	}
	for id, m := range r.mail.marks {
		add(KindMark, id, m.seq, m.v)
	}
	for _, e := range rapid.Permutation(all).Draw(t, "order") {
		if _, err := v.apply(e); err != nil {
			t.Fatal(err)
		}
	}
	v.loaded()
	return v
}

// TestUnreadIsAsInAModel: whatever is sent and read in whatever order, by new phones, old ones and old nodes, in each conversation as many
// are unread as were not read, and senders hear of as many readers as there are; a node that starts then says the same.
func TestUnreadIsAsInAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := setup()
		grouped(&s)
		everybody := []string{"alice", "bob", "carol", "dave", "root"}
		r := reading{newDesk(t, s), map[string]map[uint64]bool{}}
		for _, who := range everybody {
			r.read[who] = map[uint64]bool{}
		}
		check := func(v *view) {
			seen := map[uint64]int{}
			for _, who := range everybody {
				got, want := map[string]int{}, map[string]int{}
				for _, m := range v.mailbox(who, nine).List {
					if !m.Mine && !m.Read {
						got[m.With()]++
					}
				}
				for _, l := range r.mail.all {
					switch {
					case !r.has(who, l.Message):
					case r.read[who][l.N]:
						seen[l.N]++
					default:
						want[l.with()]++
					}
				}
				if mark := v.mail.marks[who].v; !maps.Equal(got, want) || len(mark.In) > marksMost {
					t.Fatalf("%s has unread %v, want %v; the mark is %+v", who, got, want, mark)
				}
			}
			for _, l := range v.mail.all {
				if n := seen[l.N]; l.seen != n || n > l.Sent || len(l.readers) != min(n, readersMost) {
					t.Fatalf("message %d: %d have read it, counted %d (%v) of %d", l.N, n, l.seen, l.readers, l.Sent)
				}
			}
		}
		for range rapid.IntRange(20, 100).Draw(t, "steps") {
			r.step(t, everybody)
			check(r.view)
		}
		check(r.again(t))
	})
}
