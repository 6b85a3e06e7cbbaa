package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// tries are questions that wait for an answer, to be ended when none will come.
type tries struct {
	mu   sync.Mutex
	next uint64
	all  map[uint64]func()
}

// add notes how a try is ended; remove forgets it.
func (t *tries) add(end func()) (remove func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[uint64]func(){}
	}
	t.next++
	id := t.next
	t.all[id] = end
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.all, id)
	}
}

// end ends all there are.
func (t *tries) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, end := range t.all {
		end()
	}
}

// errElected ends a try: what it asked may have been asked of one who does not lead any more.
var errElected = errors.New("another member leads now")

// try is a context for one question to whoever leads: it ends after that time, or when another leads. A question that was on its way to a
// member that died would else wait for its whole time, though its heir could answer long ago.
func (t *tries) try(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	ctx, cut := context.WithCancelCause(ctx)
	remove := t.add(func() { cut(errElected) })
	ctx, cancel := context.WithTimeout(ctx, within)
	return ctx, func() { remove(); cancel(); cut(nil) }
}

// watchElections ends the tries that are under way whenever a new leader says that it leads.
func (l *Ledger) watchElections(e *engine) error {
	for stream, open := range map[string]*tries{streamName: &l.asking, leaseStream: &l.askingLeases} {
		if _, err := e.conn.Subscribe(server.JSAdvisoryStreamLeaderElectedPre+"."+stream, func(*nats.Msg) { open.end() }); err != nil {
			return err
		}
	}
	return nil
}
