package agent

import (
	"context"
	"sync"
)

// lanes carry out effects: in order within a lane, side by side between lanes. A lane's goroutine lives while it has work.
type lanes struct {
	do Do
	wg sync.WaitGroup

	mu    sync.Mutex
	lanes map[string]*lane
}

type lane struct {
	queue  []Effect
	cancel context.CancelFunc // of the effect under way
}

func newLanes(do Do) *lanes { return &lanes{do: do, lanes: map[string]*lane{}} }

// add queues the effect. An Abort or a DropCheck breaks off the effect under way and clears those behind it.
func (l *lanes) add(ctx context.Context, e Effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := e.Lane()
	ln := l.lanes[name]
	if ln != nil {
		switch e.(type) {
		case Abort, DropCheck:
			ln.queue = nil
			if ln.cancel != nil {
				ln.cancel()
			}
		}
		ln.queue = append(ln.queue, e)
		return
	}
	if name == laneStore { // what a person has chosen or written is not lost with the end of the phone
		ctx = context.WithoutCancel(ctx)
	}
	l.lanes[name] = &lane{queue: []Effect{e}}
	l.wg.Go(func() { l.run(ctx, name) })
}

func (l *lanes) run(ctx context.Context, name string) {
	for {
		e, ectx, ok := l.next(ctx, name)
		if !ok {
			return
		}
		l.do(ectx, e)
	}
}

// next takes the lane's next effect, or closes the lane when there is none.
func (l *lanes) next(ctx context.Context, name string) (Effect, context.Context, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.lanes[name]
	if ln.cancel != nil {
		ln.cancel()
		ln.cancel = nil
	}
	if len(ln.queue) == 0 || ctx.Err() != nil {
		delete(l.lanes, name)
		return nil, nil, false
	}
	e := ln.queue[0]
	ln.queue = ln.queue[1:]
	ectx, cancel := context.WithCancel(ctx)
	ln.cancel = cancel
	return e, ectx, true
}

func (l *lanes) wait() { l.wg.Wait() }
