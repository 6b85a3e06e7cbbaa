package uplink

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"zaseki/web/wire"
)

func TestPartsOfTheMailboxArePutTogether(t *testing.T) {
	one := func(id int, text string, seen int) wire.Message {
		return wire.Message{ID: fmt.Sprint(id), Text: text, Seen: seen}
	}
	var had *wire.Messages
	for i, r := range []struct {
		said wire.Messages
		want string
	}{
		{wire.Messages{Part: true, List: []wire.Message{one(9, "a", 0)}}, "9a0-"},
		{wire.Messages{List: []wire.Message{one(8, "b", 0), one(9, "a", 0)}, Read: "8"}, "8b0r 9a0-"},
		{wire.Messages{Part: true, List: []wire.Message{one(10, "c", 0)}}, "8b0r 9a0- 10c0-"},
		{wire.Messages{Part: true, List: []wire.Message{one(9, "a", 3)}}, "8b0r 9a3- 10c0-"},
		{wire.Messages{Part: true, Read: "10"}, "8b0r 9a3r 10c0r"},
		{wire.Messages{Part: true, List: []wire.Message{one(11, "d", 0)}}, "8b0r 9a3r 10c0r 11d0-"},
		{wire.Messages{List: []wire.Message{one(11, "d", 0)}}, "11d0-"},
	} {
		now := mailCame(had, r.said)
		had = &now
		var got string
		for _, m := range now.List {
			mark := map[bool]string{true: "r", false: "-"}[m.Read]
			got += fmt.Sprintf(" %s%s%d%s", m.ID, m.Text, m.Seen, mark)
		}
		if got != " "+r.want || now.Part {
			t.Fatalf("after part %d:%s, want %s", i, got, r.want)
		}
	}
	var many wire.Messages
	for i := range 2 * messagesMost {
		many = mailCame(&many, wire.Messages{Part: true, List: []wire.Message{one(i+1, "x", 0)}})
	}
	if len(many.List) != messagesMost || many.List[0].ID != fmt.Sprint(messagesMost+1) || !slices.IsSortedFunc(many.List, func(a, b wire.Message) int { return len(a.ID) - len(b.ID) }) {
		t.Fatalf("%d messages, the first %s", len(many.List), many.List[0].ID)
	}
}

// TestConversationsAreMarkedByThemselves, by a center that keeps a mark for each; one that is older has a mark for all, and says so.
func TestConversationsAreMarkedByThemselves(t *testing.T) {
	all := []wire.Message{{ID: "1", From: "suzuki", To: "sato"}, {ID: "2", From: "suzuki", Group: "day"}, {ID: "3", From: "root"}, {ID: "4", From: "ito", To: "sato"}}
	var had *wire.Messages
	for i, r := range []struct {
		said wire.Messages
		want string // what is unread
		each bool
	}{
		{wire.Messages{Each: true, List: all}, "1 2 3 4", true},
		{wire.Messages{Each: true, Part: true, Marks: map[string]string{"u:ito": "4"}}, "1 2 3", true},
		{wire.Messages{Each: true, Part: true, Marks: map[string]string{wire.Everybody: "3", "u:nobody": "9", "g:day": "1", "": "9"}}, "1 2", true},
		{wire.Messages{Each: true, Part: true, List: []wire.Message{{ID: "5", From: "root"}}}, "1 2 5", true},
		{wire.Messages{Each: true, Part: true, Read: "1", Marks: map[string]string{"g:day": "x"}}, "2 5", true},
		{wire.Messages{List: all, Read: "2"}, "3 4", false},
		{wire.Messages{Part: true, Read: "4"}, "", false},
	} {
		now := mailCame(had, r.said)
		had = &now
		var unread []string
		for _, m := range now.List {
			if !m.Read {
				unread = append(unread, m.ID)
			}
		}
		if got := strings.Join(unread, " "); got != r.want || now.Each != r.each || now.Marks != nil {
			t.Fatalf("after part %d %q are unread, each %t, marks %v; want %q", i, got, now.Each, now.Marks, r.want)
		}
	}
}
