package media

import (
	"math"
	"testing"
	"time"
)

func TestScoreIsThatOfG107(t *testing.T) {
	for _, row := range []struct{ r, mos float64 }{ // annex B, table B.1, and both ends
		{90, 4.34}, {80, 4.03}, {70, 3.60}, {60, 3.10}, {50, 2.58}, {93.2, 4.41}, {100, 4.5}, {120, 4.5}, {0, 1}, {-5, 1}, {3, 1},
	} {
		if got := score(row.r); math.Abs(got-row.mos) > 0.0065 { // the table rounds 4.024 up
			t.Errorf("R %v: %.3f, wanted %v", row.r, got, row.mos)
		}
	}
}

func TestRatingIsThatOfG107(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	for _, row := range []struct {
		name    string
		w       way
		r, near float64
	}{
		{"every default", way{codec: pcmu}, 93.2, 0.05},
		// Ie,eff = 95 · Ppl / (Ppl + 25.1) for G.711 with concealment (G.113 table I.4).
		{"1 %", way{codec: pcmu, loss: 1}, 93.2 - 3.64, 0.05},
		{"2 %", way{codec: pcma, loss: 2}, 93.2 - 7.01, 0.05},
		{"5 %", way{codec: pcmu, loss: 5}, 93.2 - 15.78, 0.05},
		{"10 %", way{codec: pcmu, loss: 10}, 93.2 - 27.07, 0.05},
		{"20 %", way{codec: pcmu, loss: 20}, 93.2 - 42.13, 0.05},
		{"2 % in double runs", way{codec: pcmu, loss: 2, burst: 2}, 93.2 - 7.28, 0.05},
		{"a second of 5 is lost", way{codec: pcmu, loss: 20, burst: 40}, 93.2 - 54.13, 0.05},
		{"everything is lost", way{codec: pcmu, loss: 100}, 93.2 - 75.94, 0.05},
		{"Opus at 5 %", way{codec: opus, loss: 5}, 93.2 - 30.84, 0.05},
		{"no codec agreed", way{loss: 5}, 0, 0.05},
		// Cole and Rosenbluth's fit to G.107, 0.024 d + 0.11 (d − 177.3) beyond that: near by construction.
		{"50 ms", way{codec: pcmu, delay: ms(50)}, 93.2 - 1.2, 1},
		{"100 ms", way{codec: pcmu, delay: ms(100)}, 93.2 - 2.4, 1},
		{"150 ms", way{codec: pcmu, delay: ms(150)}, 93.2 - 3.6, 1},
		{"200 ms", way{codec: pcmu, delay: ms(200)}, 93.2 - 7.3, 1.5},
		{"300 ms", way{codec: pcmu, delay: ms(300)}, 93.2 - 20.7, 1.5},
	} {
		if got := row.w.rating(); math.Abs(got-row.r) > row.near {
			t.Errorf("%s: R %.2f, wanted %.2f", row.name, got, row.r)
		}
	}
}
