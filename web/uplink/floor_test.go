package uplink

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

// wing is a websocket that hears what floors a phone asks for, as a center does; what is shown is the test's.
type wing struct {
	t     *testing.T
	conns chan *socket.Conn
	asked chan wire.WatchFloor
	conn  *socket.Conn
}

func newWing(t *testing.T) (*wing, *Uplink) {
	w := &wing{t: t, conns: make(chan *socket.Conn, 8), asked: make(chan wire.WatchFloor, 64)}
	srv := httptest.NewServer(http.HandlerFunc(w.serve))
	u := New(Config{URL: srv.URL})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- u.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; srv.Close() })
	u.enter(&session{token: "t", ended: make(chan struct{})})
	w.connected()
	return w, u
}

func (w *wing) serve(rw http.ResponseWriter, r *http.Request) {
	conn, err := socket.Accept(rw, r, socket.Options{Subprotocols: []string{subprotocol}})
	if err != nil {
		w.t.Error(err)
		return
	}
	w.conns <- conn
	defer conn.Close(socket.Normal, "")
	for {
		e, err := conn.Read(context.Background()) // until it is closed
		if err != nil {
			return
		}
		if m, err := wire.ParsePhone(e); err != nil {
			w.t.Error(err)
		} else if m, ok := m.(wire.WatchFloor); ok {
			w.asked <- m
		}
	}
}

const soon = 5 * time.Second

func (w *wing) connected() {
	w.t.Helper()
	select {
	case w.conn = <-w.conns:
	case <-time.After(soon):
		w.t.Fatal("the phone does not come")
	}
}

func (w *wing) wantAsked(want wire.WatchFloor) {
	w.t.Helper()
	select {
	case got := <-w.asked:
		if got != want {
			w.t.Fatalf("asked for %+v, want %+v", got, want)
		}
	case <-time.After(soon):
		w.t.Fatalf("nobody asks for %+v", want)
	}
}

func (w *wing) say(m message) {
	w.t.Helper()
	if err := send(w.t.Context(), w.conn, "", m); err != nil {
		w.t.Fatal(err)
	}
}

// shown waits for a seat view of that revision; one of another floor is an error.
func shown(t *testing.T, floors <-chan wire.Floor, only string, rev uint64) wire.Floor {
	t.Helper()
	for end := time.After(soon); ; {
		select {
		case f := <-floors:
			if f.Only != only {
				t.Fatalf("shown %q, want %q", f.Only, only)
			}
			if f.Rev == rev {
				return f
			}
		case <-end:
			t.Fatalf("rev %d of %q is not shown", rev, only)
		}
	}
}

func floorOf(only string, rev uint64, seats ...string) wire.Floor {
	f := wire.Floor{Rev: rev, Only: only}
	for _, s := range seats {
		f.Seats = append(f.Seats, wire.SeatState{ID: s})
	}
	return f
}

func on(floor string) wire.WatchFloor { return wire.WatchFloor{On: true, Floor: floor} }

func TestTheCenterIsAskedForWhatThePagesShow(t *testing.T) {
	w, u := newWing(t)
	first, turnFirst := u.WatchFloor(t.Context(), on("1"))
	w.wantAsked(on("1"))
	w.say(floorOf("1", 1, "a", "b"))
	shown(t, first, "1", 1)
	w.say(wire.FloorChange{Rev: 2, Seats: []wire.SeatState{{ID: "b", Account: "bob"}}})
	if f := shown(t, first, "1", 2); len(f.Seats) != 2 || f.Seats[0].ID != "a" || f.Seats[1].Account != "bob" {
		t.Fatalf("after a change: %+v", f.Seats)
	}

	same, turnSame := u.WatchFloor(t.Context(), on("1"))
	shown(t, same, "1", 2) // what is there already; the center is not asked again
	other, turnOther := u.WatchFloor(t.Context(), on("2"))
	w.wantAsked(on(""))
	w.say(floorOf("1", 3, "a", "b")) // on its way still
	shown(t, first, "1", 3)
	w.say(floorOf("", 4, "a", "b", "c"))
	shown(t, first, "", 4)
	shown(t, same, "", 4)
	shown(t, other, "", 4) // not floor 1 before

	turnFirst(wire.WatchFloor{})
	turnSame(on("2"))
	w.wantAsked(on("2"))
	w.say(floorOf("2", 5, "c"))
	shown(t, other, "2", 5)
	turnOther(wire.WatchFloor{})
	turnOther(on("7")) // it has ended
	turnSame(wire.WatchFloor{})
	w.wantAsked(wire.WatchFloor{})
	if _, open := <-other; open {
		t.Fatal("open after the end")
	}
}

func TestWhatIsWatchedIsAskedForOnEveryConnection(t *testing.T) {
	w, u := newWing(t)
	floors, turn := u.WatchFloor(t.Context(), on("2"))
	defer turn(wire.WatchFloor{})
	w.wantAsked(on("2"))
	w.say(floorOf("2", 900, "c"))
	shown(t, floors, "2", 900)
	w.conn.Close(socket.GoingAway, "")
	w.connected()
	w.wantAsked(on("2"))
	w.say(wire.FloorChange{Rev: 901})
	w.say(floorOf("2", 3, "d")) // a new center counts anew
	if f := shown(t, floors, "2", 3); len(f.Seats) != 1 || f.Seats[0].ID != "d" {
		t.Fatalf("%+v", f)
	}
}

func TestTheOwnFloorFollowsTheOwnSeat(t *testing.T) {
	w, u := newWing(t)
	mine := wire.WatchFloor{On: true, Mine: true}
	floors, turn := u.WatchFloor(t.Context(), mine)
	defer turn(wire.WatchFloor{})
	w.wantAsked(mine)
	w.say(floorOf("1", 1, "a"))
	shown(t, floors, "1", 1)
	w.say(wire.AgentState{Seat: "c", Rev: 5})
	w.wantAsked(mine)
	w.say(floorOf("2", 6, "c"))
	for end := time.After(soon); ; {
		select {
		case f := <-floors:
			if f.Only == "2" && f.Mine == "c" {
				return
			}
		case <-end:
			t.Fatal("the own floor is not shown")
		}
	}
}

func TestWhoLooksAgainAtOnceIsShownTheWhole(t *testing.T) {
	u := New(Config{URL: "http://127.0.0.1:1"})
	asks := func(want *wire.WatchFloor) {
		t.Helper()
		if _, got := u.unsent(); (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Fatalf("asks for %+v, want %+v", got, want)
		}
	}
	one := on("1")
	_, turn := u.WatchFloor(t.Context(), one)
	asks(&one)
	u.floorCame(floorOf("1", 1, "a"))
	asks(nil)
	turn(wire.WatchFloor{})
	u.floorChanged(wire.FloorChange{Rev: 2}) // passed over
	_, turn = u.WatchFloor(t.Context(), one)
	asks(&one) // though it was never told that nobody looks
	asks(nil)
	turn(wire.WatchFloor{})
	asks(&wire.WatchFloor{})
	asks(nil)
}
