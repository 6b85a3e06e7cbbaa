package media

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// arrive counts packets with these sequence numbers, 20 ms of PCMU each.
func arrive(q *quality, now time.Time, seqs ...int) {
	for _, seq := range seqs {
		q.received(packet{ssrc: 1, seq: uint16(seq), ts: uint32(seq * 160), payload: make([]byte, 160)}, 8000, now)
	}
}

// row is the numbers from a to b.
func row(a, b int) (all []int) {
	for ; a <= b; a++ {
		all = append(all, a)
	}
	return all
}

func TestLossIsCountedInRuns(t *testing.T) {
	without := func(all []int, gone ...int) []int {
		return slices.DeleteFunc(all, func(n int) bool { return slices.Contains(gone, n) })
	}
	for _, test := range []struct {
		name           string
		seqs           []int
		packets        uint64
		expected, runs uint64
		lost           int64
	}{
		{"nothing", nil, 0, 0, 0, 0},
		{"all came", row(1, 300), 300, 300, 0, 0},
		{"over the wrap", row(65500, 65800), 301, 301, 0, 0},
		{"three runs", without(row(1, 300), 5, 6, 7, 50, 100, 101), 294, 300, 3, 6},
		{"a run over the wrap", without(row(65500, 65800), 65535, 65536, 65537), 298, 301, 1, 3},
		{"two changed places", append([]int{1, 2, 4, 3}, row(5, 300)...), 300, 300, 0, 0},
		{"the first is late", append([]int{2, 1}, row(3, 300)...), 300, 299, 0, 0},
		{"sixty late", append(append(row(1, 2), row(4, 62)...), append([]int{3}, row(63, 300)...)...), 300, 300, 0, 0},
		{"too late to be played", append(append(row(1, 2), row(4, 80)...), append([]int{3}, row(81, 300)...)...), 300, 300, 1, 1},
		{"one came twice, another never", append(without(row(1, 300), 10), 299), 300, 300, 1, 1},
		{"a long gap", append(row(1, 100), row(1101, 1300)...), 300, 1300, 1, 1000},
		{"a jump is a new beginning", append(row(1, 100), row(30001, 30200)...), 300, 300, 0, 0},
		{"the last are missed with what follows", row(1, 10), 10, 10, 0, 0},
	} {
		var q quality
		arrive(&q, time.Now(), test.seqs...)
		if got := q.tally(); got.packets != test.packets || got.expected != test.expected || got.lost != test.lost || got.runs != test.runs {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

func TestSourcesAreAddedUp(t *testing.T) {
	var q quality
	now := time.Now()
	arrive(&q, now, 1, 2, 4)
	q.received(packet{ssrc: 2, seq: 50000, payload: make([]byte, 20)}, 48000, now)
	q.received(packet{ssrc: 2, seq: 50003, payload: make([]byte, 20)}, 48000, now)
	if got := q.tally(); got.packets != 5 || got.expected != 8 || got.lost != 3 || got.octets != 520 {
		t.Errorf("%+v", got)
	}
}

func TestJitterHasTheClockOfItsCodec(t *testing.T) {
	for _, clock := range []int{8000, 48000} {
		var q quality
		now := time.Now()
		for i := range 500 { // every second packet is 10 ms late: a difference of 10 ms each time
			at := now.Add(time.Duration(i*20+i%2*10) * time.Millisecond)
			q.received(packet{ssrc: 1, seq: uint16(i), ts: uint32(i * clock / 50)}, uint32(clock), at)
		}
		if got := q.tally().jitter; got < 9900*time.Microsecond || got > 10100*time.Microsecond {
			t.Errorf("%d Hz: %v", clock, got)
		}
		// The sender's clock stood still for a minute, as on hold: that is no jitter. Nor is a key, whose timestamp does not advance.
		q.received(packet{ssrc: 1, seq: 500, ts: uint32(500 * clock / 50)}, uint32(clock), now.Add(70*time.Second))
		q.beside(packet{ssrc: 1, seq: 501, ts: 7})
		if got := q.tally(); got.jitter > 10100*time.Microsecond || got.lost != 0 || got.expected != 502 {
			t.Errorf("%d Hz, after a pause: %+v", clock, got)
		}
	}
}

func TestOnlyTheReaderWrites(t *testing.T) {
	var q quality
	var work sync.WaitGroup
	for range 3 { // others read, and, during a move, a second reader writes
		work.Go(func() {
			for range 2000 {
				q.tally()
				q.block(time.Now())
			}
		})
	}
	for range 2 {
		work.Go(func() { arrive(&q, time.Now(), row(1, 2000)...) })
	}
	work.Wait()
	if got := q.tally(); got.packets < 2000 || got.expected != 2000 {
		t.Errorf("%+v", got)
	}
}

// BenchmarkQuality is what counting costs a packet.
func BenchmarkQuality(b *testing.B) {
	var q quality
	now := time.Now()
	p := packet{ssrc: 1, payload: make([]byte, 160)}
	b.ReportAllocs()
	for b.Loop() {
		p.seq++
		p.ts += 160
		now = now.Add(20 * time.Millisecond)
		q.received(p, 8000, now)
	}
}
