package exchange

import "context"

// lane does what may take long in its order, beside a loop that must stay awake for hang-ups.
type lane struct {
	work chan func()
	ctx  context.Context
	done chan struct{}
}

func newLane(ctx context.Context) *lane {
	l := &lane{work: make(chan func(), 32), ctx: ctx, done: make(chan struct{})}
	go l.run()
	return l
}

func (l *lane) run() {
	defer close(l.done)
	for {
		select {
		case f := <-l.work:
			f()
		case <-l.ctx.Done():
			return
		}
	}
}

// do queues f; a full lane takes no more, and says so.
func (l *lane) do(f func()) bool {
	select {
	case l.work <- f:
		return true
	default:
		return false
	}
}

func (l *lane) wait() { <-l.done }
