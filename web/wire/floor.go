package wire

import "slices"

// On is the seat view after the change. The one before stays as it is; seats that it did not have come last.
func (c FloorChange) On(f Floor) Floor {
	rows := make(map[string]SeatState, len(c.Seats))
	for _, s := range c.Seats {
		rows[s.ID] = s
	}
	seats := make([]SeatState, 0, len(f.Seats)+len(c.Seats))
	for _, s := range f.Seats {
		if row, ok := rows[s.ID]; ok {
			s = row
			delete(rows, s.ID)
		} else if slices.Contains(c.Gone, s.ID) {
			continue
		}
		seats = append(seats, s)
	}
	for _, s := range c.Seats {
		if _, ok := rows[s.ID]; ok {
			seats = append(seats, s)
		}
	}
	f.Rev, f.Seats, f.At = c.Rev, seats, c.At
	if c.Queues != nil {
		f.Queues = c.Queues
	}
	f.Counts = counted(f.Counts, c.Counts)
	return f
}

// counted is the counts after the change.
func counted(before, changed []FloorCount) []FloorCount {
	if len(changed) == 0 {
		return before
	}
	now := slices.Clone(before)
	for _, n := range changed {
		if i := slices.IndexFunc(now, func(o FloorCount) bool { return o.Floor == n.Floor }); i >= 0 {
			now[i] = n
		} else {
			now = append(now, n)
		}
	}
	return now
}
