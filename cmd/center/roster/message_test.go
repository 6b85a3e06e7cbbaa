package roster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// mailbox is what the phone has.
func (p *phone) mailbox() wire.Messages { m, _ := last[wire.Messages](p); return m }

// mailOf is what an account has at the center.
func (c *center) mailOf(account string, now time.Time) wire.Messages {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.view.mailbox(account, now)
}

func (p *phone) texts() (all []string) {
	for _, m := range p.mailbox().List {
		all = append(all, m.Text)
	}
	return all
}

func TestAMessageReachesWhomItIsFor(t *testing.T) {
	c := newCenter(t, nil, grouped)
	in := map[string]*phone{}
	for i, account := range []string{"alice", "bob", "carol", "dave"} {
		in[account] = newPhone(t, c, account, "pc"+account).in(fmt.Sprint(2001+i), wire.StatusAway, "")
	}
	root := newPhone(t, c, "root", "pcroot").in("2099", "", "")
	has := func(text string, want ...string) {
		t.Helper()
		for _, account := range want {
			eventually(t, account+" has "+text, func() bool { return slices.Contains(in[account].texts(), text) })
		}
		for account, p := range in {
			if !slices.Contains(want, account) && slices.Contains(p.texts(), text) {
				t.Errorf("%s has %s", account, text)
			}
		}
	}
	must(t, in["alice"].ask(wire.SendMessage{To: "bob", Text: "hello\u202e\x00 there\r\nline"}))
	has("hello there\nline", "alice", "bob")
	must(t, in["carol"].ask(wire.SendMessage{Group: "day", Text: "to the day", Urgent: true}))
	has("to the day", "alice", "bob", "carol")
	must(t, root.ask(wire.SendMessage{Text: "to all"}))
	has("to all", "alice", "bob", "carol", "dave")
	id := in["dave"].mailbox().List[0].ID
	must(t, in["dave"].ask(wire.SendMessage{To: "root", Text: "an answer", ReplyTo: id}))
	eventually(t, "the administrator has the answer", func() bool {
		m := root.mailbox().List
		return len(m) == 2 && m[1].Text == "an answer" && m[1].ReplyTo == id && m[1].Name == "Dave"
	})
	long := strings.Repeat("長", wire.MessageMost)
	must(t, in["alice"].ask(wire.SendMessage{To: "bob", Text: long}))
	for i, r := range []struct {
		by   *phone
		m    wire.SendMessage
		want string
	}{
		{in["alice"], wire.SendMessage{To: "dave", Text: "x"}, wire.ProblemMessageFar},
		{in["dave"], wire.SendMessage{To: "alice", Text: "x", ReplyTo: "1"}, wire.ProblemMessageFar}, // which dave does not have
		{in["alice"], wire.SendMessage{To: "alice", Text: "x"}, wire.ProblemSelf},
		{in["alice"], wire.SendMessage{To: "nobody", Text: "x"}, wire.ProblemNoRow},
		{in["alice"], wire.SendMessage{Group: "day", Text: "x"}, wire.ProblemForbidden},
		{in["carol"], wire.SendMessage{Group: "night", Text: "x"}, wire.ProblemForbidden},
		{in["carol"], wire.SendMessage{Text: "x"}, wire.ProblemForbidden},
		{root, wire.SendMessage{Group: "none", Text: "x"}, wire.ProblemNoRow},
		{in["bob"], wire.SendMessage{To: "alice", Text: " \u202e\n"}, wire.ProblemMessage},
		{in["bob"], wire.SendMessage{To: "alice", Text: strings.Repeat("x", 10_000)}, wire.ProblemMessage},
	} {
		t.Log("row", i)
		wantProblem(t, r.by.ask(r.m), r.want)
	}
	for range 40 { // more than a person writes
		if err := in["bob"].ask(wire.SendMessage{To: "alice", Text: "flood"}); err != nil {
			wantProblem(t, err, wire.ProblemLimited)
			return
		}
	}
	t.Error("nothing stops a flood")
}

func TestTheSenderLearnsWhoHasRead(t *testing.T) {
	a, b, _ := twoNodes(t, Timing{})
	s := setup()
	grouped(&s)
	must(t, b.Apply(t.Context(), s, "test"))
	carol := newPhone(t, b, "carol", "pc3").in("2003", wire.StatusAway, "")
	alice := newPhone(t, a, "alice", "pc1").in("2001", wire.StatusAway, "")
	must(t, carol.ask(wire.SendMessage{Group: "day", Text: "one"}))
	eventually(t, "alice has it, at the other node", func() bool { return len(alice.texts()) == 1 })
	if m := alice.mailbox().List[0]; m.Mine || m.Read || m.Seen != 0 || m.Sent != 0 || m.ToName != "Day" || m.Name != "Carol" {
		t.Fatalf("alice has %+v", m)
	}
	id := alice.mailbox().List[0].ID
	must(t, alice.ask(wire.ReadMessages{UpTo: "99999999"})) // no more than there is
	eventually(t, "alice has read it", func() bool { m := alice.mailbox(); return m.Read == id && m.List[0].Read })
	eventually(t, "carol knows", func() bool {
		m := carol.mailbox().List[0]
		return m.Mine && m.Sent == 2 && m.Seen == 1 && slices.Equal(m.Readers, []string{"Alice 山田"})
	})
	bob := newPhone(t, a, "bob", "pc2").in("2002", wire.StatusAway, "") // was signed out
	eventually(t, "it has waited for bob", func() bool { return len(bob.texts()) == 1 && !bob.mailbox().List[0].Read })
	must(t, bob.ask(wire.ReadMessages{UpTo: id}))
	eventually(t, "carol knows of both", func() bool { return carol.mailbox().List[0].Seen == 2 })
	wantProblem(t, bob.ask(wire.ReadMessages{UpTo: "x"}), wire.ProblemNoRow)
}

// TestMessagesOutliveTheCenter, and whoever gets the name of somebody who has left has none of theirs.
func TestMessagesOutliveTheCenter(t *testing.T) {
	dir := t.TempDir()
	c := startCenter(t, dir, nil)
	s := setup()
	grouped(&s)
	must(t, c.Apply(t.Context(), s, "test"))
	send := func(from string, m wire.SendMessage) {
		t.Helper()
		must(t, c.change(t.Context(), from, func(d *draft) error { return d.send(from, m, "") }))
	}
	send("alice", wire.SendMessage{To: "bob", Text: "one"})
	send("carol", wire.SendMessage{Group: "day", Text: "two"})
	must(t, c.change(t.Context(), "bob", func(d *draft) error { return d.read("bob", wire.ReadMessages{UpTo: "1"}) }))
	must(t, c.change(t.Context(), "alice", func(d *draft) error { return d.read("alice", wire.ReadMessages{UpTo: "2"}) }))
	c.stop()
	c = startCenter(t, dir, nil)
	bob, carol := c.mailOf("bob", time.Now()), c.mailOf("carol", time.Now())
	if len(bob.List) != 2 || !bob.List[0].Read || bob.List[1].Read || len(carol.List) != 1 || carol.List[0].Seen != 1 || carol.List[0].Sent != 2 {
		t.Fatalf("bob has %+v, carol %+v", bob.List, carol.List)
	}
	send("alice", wire.SendMessage{To: "bob", Text: "three"})
	c.mu.RLock()
	n := c.view.mail.newest()
	c.mu.RUnlock()
	if n != 3 {
		t.Fatalf("the third message is number %d", n)
	}
	must(t, c.Remove(t.Context(), KindAccount, "bob", nil, "root"))
	must(t, c.Apply(t.Context(), Setup{Accounts: []AccountSetup{{Account: "bob", Name: "Another Bob", Hash: weakHash(password), Groups: []string{"day"}}}}, "root"))
	if m := c.mailOf("bob", time.Now()); len(m.List) != 0 {
		t.Fatalf("a stranger reads %+v", m.List)
	}
	send("alice", wire.SendMessage{To: "bob", Text: "four"})
	if m := c.mailOf("bob", time.Now()); len(m.List) != 1 || m.List[0].Text != "four" {
		t.Fatalf("the new one has %+v", m.List)
	}
	if m := c.mailOf("bob", time.Now().Add(messageDays+time.Hour)); len(m.List) != 0 {
		t.Fatalf("after a week there is %+v", m.List)
	}
}

// TestTheBagOfMessagesIsBounded: whatever comes in whatever order, the newest are there, in their order.
func TestTheBagOfMessagesIsBounded(t *testing.T) {
	m := newMail()
	for n := uint64(1); n <= messageSlots+500; n++ {
		e := ledger.Event{Seq: ledger.Seq(n), Subject: ledger.Subject(KindMessage, slotOf(n)), Data: []byte(`{"n":` + strconv.FormatUint(n, 10) + `,"from":"a","text":"x"}`)}
		for range 2 { // heard twice
			if _, err := m.apply(slotOf(n), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(m.all) != messageSlots || m.newest() != messageSlots+500 || m.all[0].N != 501 || m.letter(500) != nil || m.letter(501) == nil || m.in(slotOf(600)).N != 600 {
		t.Fatalf("%d messages, from %d to %d", len(m.all), m.all[0].N, m.newest())
	}
}

func FuzzMessageText(f *testing.F) {
	f.Add("hello\r\nthere", "3")
	f.Add("\u202e\u2066<img src=x>\x00", "-1")
	f.Fuzz(func(t *testing.T, text, reply string) {
		s := setup()
		d := newDesk(t, s)
		_, err := d.do(nine, func(dr *draft) error {
			return dr.send("alice", wire.SendMessage{To: "bob", Text: text, ReplyTo: reply}, "")
		})
		if err != nil {
			return
		}
		kept := d.mail.all[0].Text
		if n := len([]rune(kept)); n == 0 || n > wire.MessageMost || kept != plainText(kept) || strings.ContainsAny(kept, "\x00\r\u202a\u202e\u2066\u2069") {
			t.Fatalf("kept %q", kept)
		}
	})
}
