package roster

import (
	"testing"
	"time"
)

// TestADoorLetsNoMoreThanAFifthInAtOnce, however hard a crowd knocks, and everybody in the end.
func TestADoorLetsNoMoreThanAFifthInAtOnce(t *testing.T) {
	const phones = 500
	start := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	d := newDoor(phones, start)
	var in []time.Duration
	for at := time.Duration(0); len(in) < phones && at < doorTime; at += 10 * time.Millisecond {
		for range 50 {
			if d.open(start.Add(at)) {
				in = append(in, at)
			}
		}
	}
	if len(in) != phones || in[phones-1] > 8*time.Second {
		t.Fatalf("%d came in, the last after %v", len(in), in[len(in)-1])
	}
	from := 0
	for to, at := range in {
		for at-in[from] >= time.Second {
			from++
		}
		if n := to - from + 1; n > phones/5 {
			t.Fatalf("%d within the second before %v", n, at)
		}
	}
	after := start.Add(doorTime)
	for range 2 * phones {
		if !d.open(after) {
			t.Fatal("shut for good")
		}
	}
	few := newDoor(doorLeast-1, start)
	for range doorLeast {
		if !few.open(start) {
			t.Fatal("shut for a few")
		}
	}
}
