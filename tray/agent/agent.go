package agent

import (
	"context"
	"sync"
	"time"

	"zaseki/web/wire"
)

// Do carries out one effect and reports what came of it by Post. It runs in the effect's lane and may take its time; ctx ends
// when the agent does or when an Abort overtakes it.
type Do func(ctx context.Context, e Effect)

// Agent runs Step in one goroutine. Faces and instruments Post; faces Watch.
type Agent struct {
	first State
	lanes *lanes

	mu       sync.Mutex
	inbox    []Event
	watchers map[chan wire.Snapshot]struct{}
	latest   wire.Snapshot
	alarms   map[string]*time.Timer
	wake     chan struct{}
	done     chan struct{}
}

// New is an agent in its first state. Nothing runs before Run.
func New(first State, do Do) *Agent {
	a := &Agent{first: first, lanes: newLanes(do), watchers: map[chan wire.Snapshot]struct{}{}, alarms: map[string]*time.Timer{},
		wake: make(chan struct{}, 1), done: make(chan struct{})}
	a.latest = first.Snapshot()
	return a
}

// Run is the loop. It returns when the agent quits (an event: calls ended, unregistered, logged off) or when ctx ends
// (pulling the plug). It closes done before it waits for its lanes, so that an effect which posts cannot hang it.
func (a *Agent) Run(ctx context.Context) {
	s := a.first
	ctx, cancel := context.WithCancel(ctx)
	defer a.lanes.wait()
	defer cancel()
	defer a.stopAlarms()
	defer close(a.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		for _, e := range a.take() {
			var effects []Effect
			s.Now = time.Now()
			s, effects = Step(s, e)
			a.publish(s.Snapshot())
			if quit := a.start(ctx, effects); quit {
				return
			}
		}
	}
}

// Done is closed when the loop has ended.
func (a *Agent) Done() <-chan struct{} { return a.done }

// Post hands an event in and never blocks.
func (a *Agent) Post(e Event) { a.PostAll(e) }

// PostAll hands events in between which there is no other.
func (a *Agent) PostAll(es ...Event) {
	a.mu.Lock()
	a.inbox = append(a.inbox, es...)
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *Agent) take() []Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.inbox
	a.inbox = nil
	return events
}

// Watch gives the present snapshot and then every newer one; a slow watcher misses the ones between.
func (a *Agent) Watch() (<-chan wire.Snapshot, func()) {
	ch := make(chan wire.Snapshot, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	ch <- a.latest
	a.watchers[ch] = struct{}{}
	return ch, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, ch)
	}
}

func (a *Agent) publish(snap wire.Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	snap.Rev = a.latest.Rev + 1
	a.latest = snap
	for ch := range a.watchers {
		select {
		case <-ch: // the older one was not read in time; the newest wins
		default:
		}
		ch <- snap
	}
}

func (a *Agent) start(ctx context.Context, effects []Effect) (quit bool) {
	for _, e := range effects {
		switch e := e.(type) {
		case Quit:
			quit = true
		case Alarm:
			a.alarm(e)
		default:
			a.lanes.add(ctx, e)
		}
	}
	return quit
}

func (a *Agent) alarm(e Alarm) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.alarms[e.Key]; t != nil {
		t.Stop()
		delete(a.alarms, e.Key)
	}
	if e.After > 0 {
		a.alarms[e.Key] = time.AfterFunc(e.After, func() { a.Post(Expired{e.Key}) })
	}
}

func (a *Agent) stopAlarms() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.alarms {
		t.Stop()
	}
}
