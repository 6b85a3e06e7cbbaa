package roster

import (
	"slices"
	"sync/atomic"
	"testing"

	"zaseki/web/wire"
)

func TestTheMapShowsADeskPhoneThatRegisters(t *testing.T) {
	t.Parallel()
	var registered atomic.Bool
	c := newCenter(t, func(cfg *Config) {
		cfg.Registered = func(user string) bool { return user == "3001" && registered.Load() }
	}, nil)
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAway, "")
	floors, turn := bob.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	defer turn(wire.WatchFloor{})
	alice := newPhone(t, c, "alice", "pc1").in("3001", wire.StatusAvailable, "1")
	alice.connected()
	shows := func(want ...string) {
		t.Helper()
		eventually(t, "the seat view", func() bool {
			select {
			case f := <-floors:
				i := slices.IndexFunc(f.Seats, func(s wire.SeatState) bool { return s.ID == "1" })
				return i >= 0 && f.Seats[i].Account == "alice" && slices.Equal(f.Seats[i].Missing, want)
			default:
				return false
			}
		})
	}
	shows(missingLine)
	registered.Store(true)
	shows()
	registered.Store(false)
	shows(missingLine)
}
