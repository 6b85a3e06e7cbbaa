package uplink

import (
	"fmt"
	"slices"
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
