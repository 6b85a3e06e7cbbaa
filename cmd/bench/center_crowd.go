package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

// crowding makes this program many phones: the center's URL, the first one's number, how many, changes a second, how long, to which
// status. It says that all are there, waits for a line, and says what they saw.
const (
	crowding   = "crowd"
	crowdThere = "there"

	crowdDials = 64               // at once
	crowdQuiet = 2 * time.Second  // without a word: all that came with the connections has been told
	crowdTail  = 15 * time.Second // at most, for the last changes to arrive
)

// fanResult is what a crowd saw. Times are in ms from when a phone asked for its change.
type fanResult struct {
	Asked int // changes
	No    int // of them that the center refused, since it could not keep them in time
	Seen  int // times that one was seen by somebody, until the crowd waited no longer
	Due   int // times that those it took should have been
	P50   float64
	P99   float64
	CPU   float64 // of one core, of the crowd from the first change on
}

// share is how much of what was to be seen was seen, percent.
func (r fanResult) share() float64 { return 100 * float64(r.Seen) / float64(max(1, r.Due)) }

func (r fanResult) whole() error {
	if r.Seen < r.Due || r.No > 0 {
		return fmt.Errorf("of %d changes %d were refused; the others were to be seen %d times, and were %d times", r.Asked, r.No, r.Due, r.Seen)
	}
	return nil
}

// crowd are the phones.
type crowd struct {
	first  int // number of phones[0]
	phones []*fan
	asked  []atomic.Int64 // by phone: when it asked for the change that is on its way, ns; 0: none
	status []byte         // how a row shows that change
	heard  atomic.Int64   // when anything came last, ns
	seen   atomic.Int64
	no     atomic.Int64 // changes that were refused
	ending atomic.Bool
	blind  bool // they watch nothing
}

// fan is one of them.
type fan struct {
	conn *socket.Conn
	seen [fanSeats]bool // whose change, by seat of the floor
	took []time.Duration
}

func joinCrowd(ctx context.Context, args []string) error {
	if len(args) != 6 {
		return errors.New("crowd URL FIRST PHONES CHANGES-A-SECOND TIME STATUS")
	}
	first, err1 := strconv.Atoi(args[1])
	phones, err2 := strconv.Atoi(args[2])
	changes, err3 := strconv.Atoi(args[3])
	stretch, err4 := time.ParseDuration(args[4])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	c := &crowd{first: first, phones: make([]*fan, phones), asked: make([]atomic.Int64, phones), status: []byte(`"status":"` + args[5] + `"`)}
	var reading sync.WaitGroup
	defer reading.Wait()
	defer c.leave()
	if err := c.come(ctx, args[0], &reading); err != nil {
		return err
	}
	if err := c.quiet(ctx); err != nil {
		return err
	}
	fmt.Println(crowdThere)
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	began := time.Now()
	used, err := cpuOf(os.Getpid())
	if err != nil {
		return err
	}
	asked, err := c.change(ctx, changes, stretch, args[5])
	if err != nil {
		return err
	}
	now, err := cpuOf(os.Getpid())
	if err != nil {
		return err
	}
	took := time.Since(began)
	c.leave()
	reading.Wait()
	r := c.result(asked)
	r.CPU = (now - used).Seconds() / took.Seconds()
	return json.NewEncoder(os.Stdout).Encode(r)
}

// come connects all of them; each takes up its session, as a phone that was away does, and watches the floor that it sits on.
func (c *crowd) come(ctx context.Context, url string, reading *sync.WaitGroup) error {
	trust := &tls.Config{InsecureSkipVerify: true} // the center's own authority: the phones are not the matter here
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, MaxIdleConnsPerHost: crowdDials}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(crowdDials)
	var mu sync.Mutex
	for i := range c.phones {
		g.Go(func() error {
			token, err := takeUp(ctx, client, url, fanResume(c.first+i))
			for errors.Is(err, wire.Problem{Code: wire.ProblemReadOnly}) { // a disk that cannot keep up with the crowd: a phone asks again
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(time.Second):
				}
				token, err = takeUp(ctx, client, url, fanResume(c.first+i))
			}
			if err != nil {
				return err
			}
			header := http.Header{"Authorization": {"Bearer " + token}}
			conn, err := socket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/api/v1/ws", header, socket.Options{
				Subprotocols: []string{"center.v1"}, ReadLimit: 4 << 20, PingEvery: 4 * time.Second, PongWait: 30 * time.Second, WriteWait: 30 * time.Second, TLS: trust,
			})
			if err != nil {
				return err
			}
			f := &fan{conn: conn}
			mu.Lock()
			c.phones[i] = f
			mu.Unlock()
			reading.Go(func() { c.read(ctx, f) })
			if err := f.say(ctx, "", wire.LineReport{Registered: true}); err != nil {
				return err
			}
			if c.blind {
				return nil
			}
			return f.say(ctx, "", wire.WatchFloor{On: true, Floor: fanFloor(c.first+i, fanSeats)})
		})
	}
	return g.Wait()
}

// takeUp gives the token with which a session goes on.
func takeUp(ctx context.Context, client *http.Client, url, resume string) (string, error) {
	in, err := json.Marshal(wire.ResumeRequest{Resume: resume})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/resume", bytes.NewReader(in))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p wire.Problem
		return "", fmt.Errorf("resume: HTTP %d: %w", resp.StatusCode, errors.Join(json.NewDecoder(resp.Body).Decode(&p), p))
	}
	var w wire.Welcome
	err = json.NewDecoder(resp.Body).Decode(&w)
	return w.Token, err
}

func (f *fan) say(ctx context.Context, op string, m interface{ Type() string }) error {
	e, err := wire.Pack(op, m)
	if err != nil {
		return err
	}
	return f.conn.Write(ctx, e)
}

var fanRowMark, fanRowEnd = []byte(`"account":"a`), []byte("}")

// read notes when a row of the seat view shows somebody's change.
func (c *crowd) read(_ context.Context, f *fan) {
	for {
		e, err := f.conn.Read(context.Background()) // until it is closed
		if err != nil {
			if !c.ending.Load() {
				fmt.Fprintln(os.Stderr, "crowd: a phone was cut off:", err)
			}
			return
		}
		now := time.Now().UnixNano()
		c.heard.Store(now)
		if e.Type == (wire.Refused{}).Type() {
			c.no.Add(1)
		}
		if (e.Type == (wire.FloorChange{}).Type() || e.Type == (wire.Floor{}).Type()) && !c.ending.Load() {
			c.see(f, e.Body, now) // a phone that is far behind gets the whole floor
		}
	}
}

// see goes through the rows without reading them whole: it is not the phones that are measured.
func (c *crowd) see(f *fan, rows []byte, now int64) {
	for {
		at := bytes.Index(rows, fanRowMark)
		if at < 0 {
			return
		}
		rows = rows[at+len(fanRowMark):]
		i, err := strconv.Atoi(string(rows[:5]))
		if i -= c.first; err != nil || i < 0 || i >= len(c.asked) || f.seen[i%fanSeats] {
			continue
		}
		if row, _, _ := bytes.Cut(rows, fanRowEnd); !bytes.Contains(row, c.status) { // as it was before
			continue
		}
		if asked := c.asked[i].Load(); asked != 0 {
			f.seen[i%fanSeats] = true
			f.took = append(f.took, time.Duration(now-asked))
			c.seen.Add(1)
		}
	}
}

// quiet waits until nothing comes any more.
func (c *crowd) quiet(ctx context.Context) error {
	tick := time.NewTicker(crowdQuiet / 10)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); time.Since(time.Unix(0, c.heard.Load())) < crowdQuiet; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if time.Now().After(end) {
			return errors.New("the crowd does not come to rest")
		}
	}
	return nil
}

// change lets one phone after the other ask for another status; each once, so that a row that is seen is that change.
func (c *crowd) change(ctx context.Context, perSecond int, stretch time.Duration, to string) (asked int, err error) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	const prime = 7919 // spreads them over the floors
	for end := time.Now().Add(stretch); time.Now().Before(end) && asked < len(c.phones); asked++ {
		select {
		case <-ctx.Done():
			return asked, ctx.Err()
		case <-tick.C:
		}
		i := asked * prime % len(c.phones)
		c.asked[i].Store(time.Now().UnixNano())
		if err := c.phones[i].say(ctx, to+strconv.Itoa(asked), wire.SetStatus{To: to}); err != nil {
			return asked, err
		}
	}
	for end := time.Now().Add(crowdTail); time.Now().Before(end) && int(c.seen.Load()) < c.due(asked); {
		select {
		case <-ctx.Done():
			return asked, ctx.Err()
		case <-tick.C:
		}
	}
	return asked, nil
}

func (c *crowd) leave() {
	if c.ending.Swap(true) {
		return
	}
	var g errgroup.Group
	g.SetLimit(crowdDials)
	for _, f := range c.phones {
		if f != nil {
			g.Go(func() error { f.conn.Close(socket.Normal, ""); return nil })
		}
	}
	_ = g.Wait() // nothing of it fails
}

// due is how many times what was asked is to be seen.
func (c *crowd) due(asked int) int { return (asked - int(c.no.Load())) * min(fanSeats, len(c.phones)) }

func (c *crowd) result(asked int) fanResult {
	var all []time.Duration
	for _, f := range c.phones {
		all = append(all, f.took...)
	}
	slices.Sort(all)
	r := fanResult{Asked: asked, No: int(c.no.Load()), Seen: len(all), Due: c.due(asked)}
	if len(all) > 0 {
		ms := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))]) / float64(time.Millisecond) }
		r.P50, r.P99 = ms(0.5), ms(0.99)
	}
	return r
}
