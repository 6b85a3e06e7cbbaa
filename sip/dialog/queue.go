package dialog

import "sync"

// queue is an unbounded mailbox: what is put comes out in order, and putting never waits.
type queue[T any] struct {
	wake   chan struct{}
	mu     sync.Mutex
	items  []T
	spare  []T // what was taken before, to be filled again
	closed bool
}

func newQueue[T any]() *queue[T] {
	q := new(queue[T])
	q.open()
	return q
}

// open makes a queue ready, once.
func (q *queue[T]) open() { q.wake = make(chan struct{}, 1) }

func (q *queue[T]) put(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.items = append(q.items, item)
	q.nudge()
	return true
}

// nudge wakes who reads, though nothing may have come.
func (q *queue[T]) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take gives what was put, until it is called again: by one goroutine at a time.
func (q *queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	clear(q.spare[:cap(q.spare)])
	q.items, q.spare = q.spare[:0], items
	return items
}

// idle: open, and nothing waits.
func (q *queue[T]) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.closed && len(q.items) == 0
}

func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.nudge()
}

// ended: closed and empty.
func (q *queue[T]) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && len(q.items) == 0
}
