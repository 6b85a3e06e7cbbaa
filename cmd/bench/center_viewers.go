package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/errgroup"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// viewing makes this program many phones of one floor: the center's URL, how many sit there, how many of them look at it, changes a second,
// how long. It says that all are there, waits for a line, and says what the viewers saw.
const (
	viewing  = "view"
	viewWord = "word of the viewers"
	viewTo   = wire.StatusBreak // what everybody changes to, from away
)

// viewResult is what the viewers saw. Times are in ms from when a phone asked for its change until a viewer's uplink had it in its floor.
type viewResult struct {
	Asked, No, Seen, Due int // see fanResult
	P50, P95, P99        float64
	Lone                 float64 // the median while one looks
	Bytes                float64 // a second that a viewer's connection brings while they change
	First                float64 // that its first floor brings
	CPU                  float64 // of one core, of all viewers' uplinks and of those who change: in an office each is a machine of its own
	Wrong                string  // the viewer whose floor is not the center's at the end, and where; "" none
}

func (r viewResult) whole() error {
	switch {
	case r.Wrong != "":
		return errors.New("a viewer ends with another floor than the center's: " + r.Wrong)
	case r.Seen < r.Due || r.No > 0 || r.Asked == 0:
		return fmt.Errorf("of %d changes %d were refused; the others were to be seen %d times, and were %d times", r.Asked, r.No, r.Due, r.Seen)
	}
	return nil
}

// hashOf is a password's, with the weakest parameters: signing in is another row.
func hashOf(password string) string {
	salt := []byte("saltsalt")
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, b64(salt), b64(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)))
}

// audience are those who look at a floor, and those of it who change.
type audience struct {
	url     string
	crowd   *crowd // the others
	viewers []*viewer
	judge   *viewer        // sits there too, and looks at the end only
	asked   []atomic.Int64 // by change: when it was asked for, ns
	changes atomic.Int64   // how many of them there are
}

// viewer is a whole uplink that looks at the floor.
type viewer struct {
	*uplink.Uplink
	all    *audience
	online chan struct{}
	once   sync.Once
	floors <-chan wire.Floor

	mu   sync.Mutex
	now  wire.Floor
	took []time.Duration // by change, in the order in which they were seen
	low  int             // all changes before it were seen
	seen map[int]bool    // of those after it
	at   map[string]int  // where an account stands in the floor
}

func joinView(ctx context.Context, args []string) error {
	if len(args) != 5 {
		return errors.New("view URL SEATS VIEWERS CHANGES-A-SECOND TIME")
	}
	seats, err1 := strconv.Atoi(args[1])
	viewers, err2 := strconv.Atoi(args[2])
	changes, err3 := strconv.Atoi(args[3])
	stretch, err4 := time.ParseDuration(args[4])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	rest := seats - viewers - 1
	a := &audience{url: args[0], crowd: &crowd{first: viewers + 1, phones: make([]*fan, rest), blind: true}, asked: make([]atomic.Int64, rest)}
	debug.SetGCPercent(400) // two hundred phones in one process make the garbage of as many
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	defer a.crowd.leave()
	if err := a.come(ctx, viewers, &running); err != nil {
		return err
	}
	r, err := a.measure(ctx, changes, stretch)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// come has everybody sit down. Nobody looks yet.
func (a *audience) come(ctx context.Context, viewers int, running *sync.WaitGroup) error {
	if err := a.crowd.come(ctx, a.url, running); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i := range viewers + 1 {
		v := &viewer{all: a, online: make(chan struct{}), seen: map[int]bool{}}
		v.Uplink = uplink.New(uplink.Config{URL: a.url, Machine: "bench", Version: "bench", Tell: v.tell})
		a.viewers = append(a.viewers, v)
		running.Go(func() { _ = v.Run(ctx) }) // until the end
		g.Go(func() error { return v.sitDown(gctx, i) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	a.viewers, a.judge = a.viewers[:viewers], a.viewers[viewers]
	return a.crowd.quiet(ctx)
}

func (v *viewer) tell(e uplink.Event) {
	if _, ok := e.(uplink.Online); ok {
		v.once.Do(func() { close(v.online) })
	}
}

func (v *viewer) sitDown(ctx context.Context, i int) error {
	for {
		_, err := v.Check(ctx, fanAccount(i), viewWord)
		if err == nil {
			_, err = v.SignIn(ctx, wire.SignIn{Terminal: strconv.Itoa(100_000 + i), Status: wire.StatusAway, Seat: fanAccount(i)})
		}
		if err == nil {
			break
		}
		if !errors.Is(err, wire.Problem{Code: wire.ProblemReadOnly}) { // a disk that cannot keep up: a phone asks again
			return fmt.Errorf("%s: %w", fanAccount(i), err)
		}
	}
	select {
	case <-v.online:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// look has the viewer watch, and waits until the whole floor is there.
func (v *viewer) look(ctx context.Context, running *sync.WaitGroup) error {
	v.floors, _ = v.WatchFloor(ctx, wire.WatchFloor{On: true, Floor: fanFloor(0, viewSeats)})
	select {
	case f := <-v.floors:
		v.shows(f, time.Now())
	case <-ctx.Done():
		return ctx.Err()
	}
	running.Go(func() {
		for f := range v.floors {
			v.shows(f, time.Now())
		}
	})
	return nil
}

// shows notes which changes that were asked for stand in that floor.
func (v *viewer) shows(f wire.Floor, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = f
	for k := v.low; k < int(v.all.changes.Load()); k++ {
		if v.seen[k] || v.rowLocked(fanAccount(v.all.crowd.first+k)).Status != viewTo {
			continue
		}
		v.seen[k] = true
		v.took = append(v.took, now.Sub(time.Unix(0, v.all.asked[k].Load())))
	}
	for ; v.seen[v.low]; v.low++ {
		delete(v.seen, v.low)
	}
}

// rowLocked is where an account sits.
func (v *viewer) rowLocked(account string) wire.SeatState {
	if i, ok := v.at[account]; ok && i < len(v.now.Seats) && v.now.Seats[i].Account == account {
		return v.now.Seats[i]
	}
	v.at = make(map[string]int, len(v.now.Seats))
	for i, s := range v.now.Seats {
		v.at[s.Account] = i
	}
	if i, ok := v.at[account]; ok {
		return v.now.Seats[i]
	}
	return wire.SeatState{}
}

// measure has one look, and then all.
func (a *audience) measure(ctx context.Context, perSecond int, stretch time.Duration) (r viewResult, err error) {
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer running.Wait()
	defer stop()
	if err := a.viewers[0].look(ctx, &running); err != nil {
		return r, err
	}
	if err := a.change(ctx, perSecond, viewLone, 1); err != nil {
		return r, err
	}
	r.Lone = a.took(0.5)
	lone := int(a.changes.Load())
	began, err := heard()
	if err != nil {
		return r, err
	}
	for _, v := range a.viewers[1:] {
		if err := v.look(ctx, &running); err != nil {
			return r, err
		}
	}
	now, err := heard()
	if err != nil {
		return r, err
	}
	r.First = (now - began) / float64(len(a.viewers)-1)
	for _, v := range a.viewers { // the others have what the one saw in their first floor
		v.mu.Lock()
		v.took, v.low, v.seen = nil, lone, map[int]bool{}
		v.mu.Unlock()
	}
	fmt.Println(crowdThere)
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return r, err
	}
	if began, err = heard(); err != nil {
		return r, err
	}
	used, err := cpuOf(os.Getpid())
	if err != nil {
		return r, err
	}
	since := time.Now()
	if err := a.change(ctx, perSecond, stretch, len(a.viewers)); err != nil {
		return r, err
	}
	if now, err = heard(); err != nil {
		return r, err
	}
	spent, err := cpuOf(os.Getpid())
	if err != nil {
		return r, err
	}
	took := time.Since(since).Seconds()
	r.Bytes, r.CPU = (now-began)/took/float64(len(a.viewers)), (spent-used).Seconds()/took
	r.Asked, r.No = int(a.changes.Load())-lone, int(a.crowd.no.Load())
	r.Due = (r.Asked - r.No) * len(a.viewers)
	r.P50, r.P95, r.P99, r.Seen = a.took(0.5), a.took(0.95), a.took(0.99), a.seen()
	r.Wrong, err = a.compare(ctx)
	return r, err
}

// change has one phone after the other ask for another status, each once, until those who look have seen them or crowdTail is over.
func (a *audience) change(ctx context.Context, perSecond int, stretch time.Duration, viewers int) error {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	first, had := int(a.changes.Load()), a.seen()
	last := first + int(stretch.Seconds()*float64(perSecond))
	if last > len(a.asked) {
		return fmt.Errorf("%d changes, and %d phones to change", last, len(a.asked))
	}
	for k := first; k < last; k++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		a.asked[k].Store(time.Now().UnixNano())
		a.changes.Store(int64(k + 1))
		if err := a.crowd.phones[k].say(ctx, fmt.Sprint("view ", k), wire.SetStatus{To: viewTo}); err != nil {
			return err
		}
	}
	for end := time.Now().Add(crowdTail); a.seen()-had < (last-first-int(a.crowd.no.Load()))*viewers && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// seen is how many times a change was seen.
func (a *audience) seen() (n int) {
	for _, v := range a.viewers {
		v.mu.Lock()
		n += len(v.took)
		v.mu.Unlock()
	}
	return n
}

// took is a quantile of the times, ms.
func (a *audience) took(q float64) float64 {
	var all []float64
	for _, v := range a.viewers {
		v.mu.Lock()
		for _, d := range v.took {
			all = append(all, ms(d))
		}
		v.mu.Unlock()
	}
	return quantile(all, q)
}

// compare says which viewer's floor differs from what the center tells somebody who has just begun to look, and where; at rest, so it waits
// for what is on its way.
func (a *audience) compare(ctx context.Context) (wrong string, err error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(crowdTail); ; {
		if wrong, err = a.differs(ctx); err != nil || wrong == "" || time.Now().After(end) {
			return wrong, err
		}
		select {
		case <-ctx.Done():
			return wrong, ctx.Err()
		case <-tick.C:
		}
	}
}

func (a *audience) differs(ctx context.Context) (string, error) {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	if err := a.judge.look(ctx, &running); err != nil {
		return "", err
	}
	want := rowsBySeat(a.judge)
	for i, v := range a.viewers {
		got := rowsBySeat(v)
		if len(got) != len(want) {
			return fmt.Sprintf("viewer %d has %d seats of %d", i, len(got), len(want)), nil
		}
		for id, s := range want {
			if !reflect.DeepEqual(s, got[id]) {
				return fmt.Sprintf("viewer %d has seat %s as %+v, the center as %+v", i, id, got[id], s), nil
			}
		}
	}
	return "", nil
}

// rowsBySeat is the floor as a viewer has it.
func rowsBySeat(v *viewer) map[string]wire.SeatState {
	v.mu.Lock()
	defer v.mu.Unlock()
	rows := make(map[string]wire.SeatState, len(v.now.Seats))
	for _, s := range v.now.Seats {
		rows[s.ID] = s
	}
	return rows
}

// heard is how many bytes this process has read: it has nothing to read but what the center sends (proc(5), io).
func heard() (float64, error) {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, err
	}
	lines := slices.Collect(strings.Lines(string(data)))
	if len(lines) == 0 {
		return 0, errors.New("/proc/self/io is empty")
	}
	return strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(lines[0], "rchar:")), 64)
}
