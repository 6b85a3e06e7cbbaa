package uplink

import (
	"cmp"
	"slices"
	"strconv"

	"zaseki/web/wire"
)

// messagesMost is how many a mailbox keeps, as the center does.
const messagesMost = 100

// mailCame is the mailbox, whole, after what the center said. A part without a whole before it belongs to one that was empty.
func mailCame(had *wire.Messages, said wire.Messages) wire.Messages {
	now := wire.Messages{Rev: said.Rev, Read: said.Read, Each: said.Each, List: slices.Clone(said.List)}
	if said.Part && had != nil {
		now.List = merged(had.List, said.List)
		now.Read = cmp.Or(said.Read, had.Read)
	}
	for i, m := range now.List {
		if upTo(m.ID, now.Read) || upTo(m.ID, said.Marks[m.With()]) { // what was read stays so: marks only go on
			now.List[i].Read = true
		}
	}
	return now
}

// upTo says that the message does not come after the mark; "" is none.
func upTo(id, mark string) bool {
	n, ok := number(id)
	last, marked := number(mark)
	return ok && marked && n <= last
}

// merged has each message once, in the order of their numbers.
func merged(had, said []wire.Message) []wire.Message {
	all := make([]wire.Message, 0, len(had)+len(said))
	for _, m := range had {
		if !slices.ContainsFunc(said, func(o wire.Message) bool { return o.ID == m.ID }) {
			all = append(all, m)
		}
	}
	all = append(all, said...)
	slices.SortStableFunc(all, func(a, b wire.Message) int {
		x, _ := number(a.ID)
		y, _ := number(b.ID)
		return cmp.Compare(x, y)
	})
	return all[max(0, len(all)-messagesMost):]
}

func number(id string) (uint64, bool) {
	n, err := strconv.ParseUint(id, 10, 64)
	return n, err == nil
}
