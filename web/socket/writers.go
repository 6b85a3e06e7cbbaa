package socket

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	slowWrite  = 10 * time.Millisecond // a writer that is in one connection for longer does not count
	mostAtOnce = 16                    // messages for one connection while others wait
)

// Writers write for many connections that have no goroutine of their own to do it (Lean): as many as there are processors, and one more
// for each far side that takes its time, so that nobody waits for somebody else's line.
type Writers struct {
	buffers websocket.BufferPool

	mu      sync.Mutex
	work    sync.Cond
	queue   []*Lean // that have something to say
	head    int
	writers map[*writer]struct{}
	guarded bool // a look at slow writers is due
	over    bool
	wait    sync.WaitGroup
}

type writer struct{ since time.Time } // when it began with a connection; zero: idle

// NewWriters makes writers that begin with Run.
func NewWriters() *Writers {
	w := &Writers{buffers: &sync.Pool{}, writers: map[*writer]struct{}{}}
	w.work.L = &w.mu
	return w
}

// Run writes until ctx ends. What is not written then is lost: end the connections first.
func (w *Writers) Run(ctx context.Context) error {
	w.mu.Lock()
	for range runtime.GOMAXPROCS(0) {
		w.startLocked(true)
	}
	w.mu.Unlock()
	<-ctx.Done()
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.work.Broadcast()
	w.wait.Wait()
	return ctx.Err()
}

// Behind is how many connections wait for a writer.
func (w *Writers) Behind() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) - w.head
}

func (w *Writers) push(c *Lean) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, c)
	w.work.Signal()
	w.guardLocked() // idle writers may all have been called for others
}

// guardLocked sees to it that somebody looks whether the writers are stuck, for as long as connections wait.
func (w *Writers) guardLocked() {
	if w.guarded || w.over || len(w.writers) == 0 {
		return
	}
	w.guarded = true
	w.wait.Add(1)
	time.AfterFunc(slowWrite, w.relieve)
}

// relieve starts a writer for each that is stuck.
func (w *Writers) relieve() {
	defer w.wait.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.guarded = false
	waiting := len(w.queue) - w.head
	if waiting == 0 || w.over {
		return
	}
	now, free := time.Now(), 0
	for o := range w.writers {
		if o.since.IsZero() || now.Sub(o.since) < slowWrite {
			free++
		}
	}
	for ; free < min(runtime.GOMAXPROCS(0), waiting); free++ {
		w.startLocked(false)
	}
	w.guardLocked()
}

func (w *Writers) startLocked(stays bool) {
	one := &writer{}
	w.writers[one] = struct{}{}
	w.wait.Go(func() { w.run(one, stays) })
}

func (w *Writers) run(one *writer, stays bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer delete(w.writers, one)
	for {
		for stays && !w.over && w.head == len(w.queue) {
			w.work.Wait()
		}
		if w.over || w.head == len(w.queue) {
			return
		}
		c := w.popLocked()
		one.since = time.Now()
		w.mu.Unlock()
		again := c.turn()
		w.mu.Lock()
		one.since = time.Time{}
		if again {
			w.queue = append(w.queue, c)
		}
	}
}

func (w *Writers) popLocked() *Lean {
	c := w.queue[w.head]
	w.queue[w.head] = nil
	if w.head++; w.head == len(w.queue) {
		w.queue, w.head = w.queue[:0], 0
	} else if w.head > 1024 && w.head > len(w.queue)/2 {
		w.queue = append(w.queue[:0], w.queue[w.head:]...)
		w.head = 0
	}
	return c
}
