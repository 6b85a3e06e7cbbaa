// Package pbx tells exchanges beside the center which agents take calls: Asterisk by its manager interface, Kamailio by JSON-RPC.
// Each exchange is one job, done by one node of the center at a time. The center is the master: what an exchange says otherwise is
// set right.
package pbx

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kinds of exchange.
const (
	Asterisk = "asterisk"
	Kamailio = "kamailio"
)

const (
	lookEvery = time.Second // for exchanges that were added or changed
	settle    = 100 * time.Millisecond
	retryMin  = 500 * time.Millisecond
	retryMax  = 30 * time.Second
)

// Secret is what an exchange is entered with.
type Secret interface{ Reveal() string }

// Box is an exchange.
type Box struct {
	ID, Kind string
	Addr     string // Asterisk: host:port, or tls://host:port; Kamailio: URL of its JSON-RPC
	User     string
	Secret   Secret            // nil: none
	CA       string            // PEM of who signs its certificate; "" the system's authorities
	Queues   map[string]string // Asterisk: our queue → its queue
	Member   string            // Asterisk: interface of an agent, with {terminal}; "" PJSIP/{terminal}
	Table    string            // Kamailio: htable; "" avail
}

// Agent is somebody who is signed in.
type Agent struct {
	Account, Name string
	Terminal      string
	Free          bool           // may be rung as far as the person goes: status, connection, readiness
	Busy          bool           // has a call
	Reason        string         // name of the status, or why no calls come though the status takes them
	Queues        map[string]int // our queues that ring the agent, with the level, 1 the first
}

// Config is what the jobs need.
type Config struct {
	Boxes func() []Box
	// Watch tells all agents that are signed in, at once and after each change, until the context ends.
	Watch func(ctx context.Context, tell func([]Agent)) error
	// Hold does the work while this node has the lease of that name.
	Hold func(ctx context.Context, name string, work func(context.Context) error) error
	// Missed hears of an agent whose phone an exchange rang in vain; nil is well.
	Missed func(terminal, call string)
	Log    *slog.Logger
}

// Jobs are all exchanges that are told.
type Jobs struct {
	cfg Config

	mu sync.Mutex
	of map[string]*job
}

// State is an exchange as an administrator sees it.
type State struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Connected bool      `json:"connected"` // by this node
	Since     time.Time `json:"since,omitzero"`
	Error     string    `json:"error,omitempty"`
}

// New makes them; Run does them.
func New(cfg Config) *Jobs {
	if cfg.Missed == nil {
		cfg.Missed = func(string, string) {}
	}
	return &Jobs{cfg: cfg, of: map[string]*job{}}
}

// job is one exchange.
type job struct {
	cfg  Config
	box  Box
	log  *slog.Logger
	stop func()
	done chan struct{}

	mu    sync.Mutex
	state State
}

// Run keeps a job for each exchange until the context ends.
func (j *Jobs) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	defer j.follow(ctx, nil)
	for {
		j.follow(ctx, j.cfg.Boxes())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (j *Jobs) follow(ctx context.Context, boxes []Box) {
	want := map[string]Box{}
	for _, b := range boxes {
		if b.Kind == Asterisk || b.Kind == Kamailio {
			want[b.ID] = b
		}
	}
	j.mu.Lock()
	var old []*job
	for id, have := range j.of {
		if b, ok := want[id]; ok && reflect.DeepEqual(b, have.box) {
			delete(want, id)
			continue
		}
		old = append(old, have)
		delete(j.of, id)
	}
	j.mu.Unlock()
	for _, have := range old {
		have.stop()
		<-have.done
	}
	for id, b := range want {
		ctx, stop := context.WithCancel(ctx)
		one := &job{cfg: j.cfg, box: b, log: j.cfg.Log.With("pbx", id), stop: stop, done: make(chan struct{}), state: State{ID: id, Kind: b.Kind}}
		j.mu.Lock()
		j.of[id] = one
		j.mu.Unlock()
		go func() {
			defer close(one.done)
			defer stop()
			_ = j.cfg.Hold(ctx, "job.pbx."+id, one.work) // ends with its context only
		}()
	}
}

// States are all exchanges, by name.
func (j *Jobs) States() []State {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := []State{}
	for _, one := range j.of {
		one.mu.Lock()
		all = append(all, one.state)
		one.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b State) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func (j *job) note(connected bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.Connected != connected {
		j.state.Connected, j.state.Since = connected, time.Now()
	}
	j.state.Error = ""
	if err != nil {
		j.state.Error = err.Error()
	}
}

// line is a connection to an exchange.
type line interface {
	// tell brings the exchange to what these agents do; it remembers what the exchange knows already.
	tell(ctx context.Context, all []Agent) error
	// lost is closed, or heard from, when the exchange must be told everything again.
	lost() <-chan error
	close()
}

// errStale says that the exchange forgot what it was told, though the connection is well.
var errStale = errors.New("the exchange forgot what it was told")

// work connects again and again while this node has the job. It returns with the context only, or the job would be nobody's.
func (j *job) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	news := make(chan []Agent, 1) // the newest
	watched := make(chan error, 1)
	go func() {
		watched <- j.cfg.Watch(ctx, func(all []Agent) {
			select {
			case <-news:
			default:
			}
			news <- all
		})
	}()
	defer func() { cancel(); <-watched }()
	var all []Agent
	for failures := 0; ; {
		told := false
		err := j.serve(ctx, news, &all, func() { told = true })
		if failures++; told {
			failures = 0
		}
		j.note(false, err)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		j.log.Warn("exchange not told", "peer", j.box.Addr, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause(failures)):
		}
	}
}

func pause(failures int) time.Duration {
	return time.Duration((0.5 + rand.Float64()/2) * float64(min(retryMin<<min(failures, 10), retryMax)))
}

// serve keeps one connection; told is called when the exchange knows all that there is to know.
func (j *job) serve(ctx context.Context, news chan []Agent, all *[]Agent, told func()) error {
	if *all == nil { // nothing is said before it is known: an empty list would send everybody home
		select {
		case <-ctx.Done():
			return ctx.Err()
		case *all = <-news:
		}
	}
	l, err := j.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	for first := true; ; first = false {
		if err := l.tell(ctx, *all); err != nil {
			return err
		}
		if first {
			j.log.Info("exchange told", "peer", j.box.Addr, "agents", len(*all))
			j.note(true, nil)
			told()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case *all = <-news:
		case err := <-l.lost():
			if !errors.Is(err, errStale) {
				return err
			}
			select { // who changes things against us is answered ten times a second and no more
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(settle):
			}
		}
	}
}

func (j *job) open(ctx context.Context) (line, error) {
	if j.box.Kind == Kamailio {
		return openKamailio(ctx, j.box)
	}
	return openAsterisk(ctx, j.box, j.log, j.cfg.Missed)
}
