package exchange

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// standing is a caller's place on the floor of a test: who came first is served first.
type standing struct {
	f      *floor
	came   time.Time
	offers chan Offer
	want   bool
	spared map[string]time.Time // until when; zero for ever
	gave   sync.Map             // accounts whose offer was released
}

func (f *floor) State(string) QueueState {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.state
	s.Waiting += len(f.waiting)
	return s
}

func (f *floor) Wait(_ string, came time.Time) Waiter {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := &standing{f: f, came: came, offers: make(chan Offer, 1), spared: map[string]time.Time{}}
	f.waiting = append(f.waiting, w)
	return w
}

func (w *standing) Offers() <-chan Offer { return w.offers }

func (w *standing) Want() {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	w.want = len(w.offers) == 0
	w.f.serveLocked()
}

func (w *standing) Spare(account string, d time.Duration) {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	w.spared[account] = time.Time{}
	if d > 0 {
		w.spared[account] = time.Now().Add(d)
	}
}

func (w *standing) Place() int {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	return slices.Index(w.f.waiting, w) + 1
}

func (w *standing) Leave() {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	w.f.waiting = slices.DeleteFunc(w.f.waiting, func(o *standing) bool { return o == w })
}

// serveLocked gives everybody who is free to who waits.
func (f *floor) serveLocked() {
	for _, w := range f.waiting {
		if !w.want {
			continue
		}
		i := slices.IndexFunc(f.free, func(account string) bool {
			until, spared := w.spared[account]
			return !spared || !until.IsZero() && time.Now().After(until)
		})
		if i < 0 {
			continue
		}
		account := f.free[i]
		f.free = slices.Delete(f.free, i, i+1)
		w.want = false
		w.offers <- Offer{Account: account, User: account, RingTime: f.ring, Release: func() { w.gave.Store(account, true) }}
	}
}

// be is what the queue is from now on.
func (f *floor) be(s QueueState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = s
}

// comes polls until the condition holds.
func comes(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * long); !holds(); { // on a busy machine
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
