package roster

import (
	"slices"
	"testing"
	"time"

	"zaseki/web/wire"
)

// wantFloor waits until a seat view of that floor shows these seats.
func wantFloor(t *testing.T, floors <-chan wire.Floor, only string, seats ...string) {
	t.Helper()
	var last wire.Floor
	for end := time.After(10 * time.Second); ; {
		select {
		case last = <-floors:
		case <-end:
			t.Fatalf("floor %q with %v is not shown; last %q %+v", only, seats, last.Only, last.Seats)
		}
		var ids []string
		for _, s := range last.Seats {
			ids = append(ids, s.ID)
		}
		if last.Only == only && len(ids) == len(seats) && len(last.Floors) == 2 {
			wantList(t, ids, seats...)
			return
		}
	}
}

func TestAPhoneSeesTheFloorThatItsPagesShow(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		s.Floors = append(s.Floors, FloorSetup{ID: "2", Name: "Second floor"})
		s.Seats = append(s.Seats, SeatSetup{ID: "21", Floor: "2"}, SeatSetup{ID: "22", Floor: "2", X: 1})
	})
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAvailable, "21")
	page, turn := bob.WatchFloor(t.Context(), wire.WatchFloor{On: true, Mine: true})
	defer turn(wire.WatchFloor{})
	wantFloor(t, page, "2", "21", "22")
	newPhone(t, c, "alice", "pc1").in("2001", wire.StatusBreak, "22")
	wantSeat(t, page, "22", "alice", wire.StatusBreak)

	turn(wire.WatchFloor{On: true, Floor: "1"})
	wantFloor(t, page, "1", "1", "2", "3", "10")
	second, turnSecond := bob.WatchFloor(t.Context(), wire.WatchFloor{On: true, Floor: "2"})
	wantFloor(t, second, "", "1", "2", "3", "10", "21", "22")
	wantFloor(t, page, "", "1", "2", "3", "10", "21", "22")
	turnSecond(wire.WatchFloor{})
	wantFloor(t, page, "1", "1", "2", "3", "10")

	turn(wire.WatchFloor{On: true, Floor: "pulled down"})
	wantFloor(t, page, "", "1", "2", "3", "10", "21", "22")
	carol := newPhone(t, c, "carol", "pc3").in("2003", wire.StatusAway, "")
	none, turnNone := carol.WatchFloor(t.Context(), wire.WatchFloor{On: true, Mine: true})
	defer turnNone(wire.WatchFloor{})
	wantFloor(t, none, "1", "1", "2", "3", "10") // who sits nowhere sees the first
}

func TestTheOtherFloorsAreCountedWhileOneIsShown(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		s.Floors = append(s.Floors, FloorSetup{ID: "2", Name: "Second floor"})
		s.Seats = append(s.Seats, SeatSetup{ID: "21", Floor: "2"}, SeatSetup{ID: "22", Floor: "2", X: 1})
	})
	page, turn := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusBreak, "21").WatchFloor(t.Context(), wire.WatchFloor{On: true, Mine: true})
	defer turn(wire.WatchFloor{})
	want := func(one, two wire.FloorCount) {
		t.Helper()
		var last wire.Floor
		for end := time.After(10 * time.Second); !slices.Equal(last.Counts, []wire.FloorCount{one, two}); {
			select {
			case last = <-page:
			case <-end:
				t.Fatalf("told %+v, not %+v and %+v", last.Counts, one, two)
			}
		}
		if last.Only != "2" {
			t.Fatal(last.Only)
		}
	}
	second := wire.FloorCount{Floor: "2", Seats: 2, In: 1}
	want(wire.FloorCount{Floor: "1", Seats: 4}, second)
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusBreak, "2")
	want(wire.FloorCount{Floor: "1", Seats: 4, In: 1}, second)
	must(t, alice.ask(wire.RaiseHand{On: true}))
	want(wire.FloorCount{Floor: "1", Seats: 4, In: 1, Hands: 1}, second)
}
