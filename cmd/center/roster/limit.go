package roster

import (
	"strconv"
	"sync"
	"time"
)

// limiter counts attempts by name: burst at once, and one more each every.
type limiter struct {
	burst int
	every time.Duration

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// maxBuckets bounds the memory; beyond it those that are full again are forgotten, and then all.
const maxBuckets = 20000

func newLimiter(burst int, every time.Duration) *limiter {
	return &limiter{burst: burst, every: every, buckets: map[string]*bucket{}}
}

// take uses a token; wait is how long until there is one.
func (l *limiter) take(name string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[name]
	if b == nil {
		l.forgetLocked(now)
		b = &bucket{tokens: float64(l.burst), at: now}
		l.buckets[name] = b
	}
	l.fill(b, now)
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) * float64(l.every)), false
	}
	b.tokens--
	return 0, true
}

// give returns a token: the attempt was a good one.
func (l *limiter) give(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[name]; b != nil {
		b.tokens = min(b.tokens+1, float64(l.burst))
	}
}

// places remembers names, the latest maxBuckets of them or fewer.
type places struct {
	mu        sync.Mutex
	now, then map[string]bool
}

func newPlaces() *places { return &places{now: map[string]bool{}} }

func (p *places) add(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.now) >= maxBuckets/2 {
		p.now, p.then = map[string]bool{}, p.now
	}
	p.now[name] = true
}

func (p *places) has(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now[name] || p.then[name]
}

// left is how many more attempts there are just now, for a sentence.
func (l *limiter) left(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[name]
	if b == nil {
		return strconv.Itoa(l.burst)
	}
	l.fill(b, time.Now())
	return strconv.Itoa(int(b.tokens))
}

func (l *limiter) fill(b *bucket, now time.Time) {
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(b.tokens+float64(passed)/float64(l.every), float64(l.burst))
		b.at = now
	}
}

func (l *limiter) forgetLocked(now time.Time) {
	if len(l.buckets) < maxBuckets {
		return
	}
	for name, b := range l.buckets {
		if l.fill(b, now); b.tokens >= float64(l.burst) {
			delete(l.buckets, name)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}
