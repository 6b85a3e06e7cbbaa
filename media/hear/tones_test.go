package hear

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNoToneFollowsItself(t *testing.T) {
	row := toneRow()
	for i, k := range row {
		if k == row[(i+1)%len(row)] {
			t.Errorf("step %d", i)
		}
	}
}

func TestTonesAreHeardWhereverTheyBegin(t *testing.T) {
	all := Tones()
	for _, at := range []int{0, 1234, 190000} {
		pcm := slices.Concat(all, all)[at : at+5*inner]
		if h := HearTones(pcm, inner); h.Right != 1 || h.Exact < 0.99 || h.Tones < 48 || h.Quiet != 0 {
			t.Errorf("from %d: %+v", at, h)
		}
		if h := HearTones(Resample(pcm, inner, 48000), 48000); h.Right != 1 {
			t.Errorf("from %d at 48 kHz: %+v", at, h)
		}
	}
}

func TestTonesAreCountedThroughAStretchedTime(t *testing.T) {
	pcm := slices.Clone(Tones()[:8*inner])
	pcm = slices.Concat(pcm[:2*inner], make([]int16, inner/10), pcm[2*inner:5*inner], pcm[5*inner+600:]) // 100 ms more, then 75 ms less
	if h := HearTones(pcm, inner); h.Right < 0.96 || h.Quiet < 0.01 || h.Quiet > 0.02 {
		t.Errorf("%+v", h)
	}
}

func TestLostTonesAreNotRight(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	for _, row := range []struct{ lost, least, most float64 }{{0.05, 0.95, 1}, {0.2, 0.85, 0.97}, {0.6, 0, 0.4}, {1, 0, 0.01}} {
		pcm := slices.Clone(Tones()[:10*inner])
		for at := 0; at < len(pcm); at += 160 {
			if dice.Float64() < row.lost {
				clear(pcm[at : at+160])
			}
		}
		h := HearTones(pcm, inner)
		if h.Right < row.least || h.Right > row.most || math.Abs(h.Exact-(1-row.lost)) > 0.05 {
			t.Errorf("%v lost: %+v", row.lost, h)
		}
	}
	noise := make([]int16, 5*inner)
	for i := range noise {
		noise[i] = int16(dice.IntN(20000) - 10000)
	}
	if h := HearTones(noise, inner); h.Right > 0.1 {
		t.Errorf("noise: %+v", h)
	}
	if h := HearTones(nil, inner); h.Tones != 0 {
		t.Errorf("nothing: %+v", h)
	}
}

func TestOtherTonesAreWrong(t *testing.T) {
	pcm := slices.Clone(Tones()[:10*inner])
	slices.Reverse(pcm)
	if h := HearTones(pcm, inner); h.Right > 0.35 {
		t.Errorf("backwards: %+v", h)
	}
}
