package media

import (
	"math/rand/v2"
	"testing"

	"zaseki/media/hear"
)

// network sends a tone of 500 Hz in packets of 20 ms and asks an ear for a frame every 20 ms; late says when a packet arrives, in
// ms after it was sent; negative: never.
func network(e *ear, frames int, late func(i int) int) (heard []int16, gaps int) {
	return drifting(e, frames, 20000, late)
}

// drifting is the same with a frame wanted every so many microseconds.
func drifting(e *ear, frames, every int, late func(i int) int) (heard []int16, gaps int) {
	tone := sine(frames*mixFrame, 500, mixRate, 10000)
	w := writer{}
	type flight struct {
		at int
		p  packet
	}
	var flying []flight
	out := make([]int16, mixFrame)
	next := 7000
	for ms := 0; ms < frames*20; ms++ {
		if i := ms / 20; ms%20 == 0 {
			payload := w.write(nil, pcmu, tone[i*mixFrame:(i+1)*mixFrame])
			if d := late(i); d >= 0 {
				flying = append(flying, flight{ms + d, packet{seq: uint16(65500 + i), ts: uint32(i * 160), ssrc: 9, payload: payload}})
			}
		}
		for i := 0; i < len(flying); i++ {
			if flying[i].at <= ms {
				e.put(pcmu, flying[i].p)
				flying = append(flying[:i], flying[i+1:]...)
				i--
			}
		}
		if ms*1000 >= next {
			next += every
			if !e.take(out) {
				clear(out)
				gaps++
			}
			heard = append(heard, out...)
		}
	}
	return heard, gaps
}

// clicks counts jumps a tone of 500 Hz and 10000 cannot make.
func clicks(pcm []int16) (n int) {
	for i := 2; i < len(pcm); i++ {
		if bend := int(pcm[i]) - 2*int(pcm[i-1]) + int(pcm[i-2]); bend > 1500 || bend < -1500 { // the tone bends by 383
			n++
		}
	}
	return n
}

func TestEarGivesEvenNetworkUnchangedAfterFortyMilliseconds(t *testing.T) {
	var e ear
	heard, gaps := network(&e, 100, func(int) int { return 0 })
	if gaps != 1 || clicks(heard) > 0 || e.held+len(e.ready) > earLeast {
		t.Errorf("%d frames without sound, %d clicks, %d samples wait", gaps, clicks(heard), e.held+len(e.ready))
	}
	if s := strength(heard[6400:], 500, mixRate); decibels(s, 10000) < -0.3 || decibels(s, 10000) > 0.3 {
		t.Errorf("a tone of 10000 comes as %.0f", s)
	}
}

func TestEarMakesUpForLossWithoutClicks(t *testing.T) {
	for _, row := range []struct {
		name  string
		lost  func(i int) bool
		least float64 // dB of the tone that is left
	}{
		{"one in ten", func(i int) bool { return i%10 == 7 }, -1.5},
		{"two in a row of ten", func(i int) bool { return i%10 == 7 || i%10 == 8 }, -2.5},
		{"a tenth of a second", func(i int) bool { return i%50 >= 45 }, -2},
	} {
		t.Run(row.name, func(t *testing.T) {
			var e ear
			heard, _ := network(&e, 200, func(i int) int {
				if row.lost(i) {
					return -1
				}
				return 0
			})
			if n := clicks(heard); n > 0 {
				t.Errorf("%d clicks", n)
			}
			if d := decibels(strength(heard[6400:], 500, mixRate), 10000); d < row.least {
				t.Errorf("the tone lost %.1f dB", -d)
			}
			if wait := e.held + len(e.ready); wait > earLeast+earStep {
				t.Errorf("losses made the delay grow to %d samples", wait)
			}
		})
	}
}

func TestEarWaitsForLatePacketsAndLearnsToHurryAgain(t *testing.T) {
	var e ear
	noise := rand.New(rand.NewPCG(3, 4))
	heard, _ := network(&e, 1500, func(i int) int {
		if i < 500 {
			return noise.IntN(80) // reorders too
		}
		return 0
	})
	if n := clicks(heard); n > 0 {
		t.Errorf("%d clicks", n)
	}
	silent := 0
	for at := 100 * mixFrame; at+mixFrame <= 500*mixFrame; at += mixFrame {
		if strength(heard[at:at+mixFrame], 500, mixRate) < 5000 {
			silent++
		}
	}
	if silent > 8 {
		t.Errorf("%d of 400 frames are weak at 80 ms of jitter", silent)
	}
	if wait := e.held + len(e.ready); wait > earLeast+earStep {
		t.Errorf("20 s after the jitter %d samples wait", wait)
	}
}

func TestEarFollowsClocksThatDiffer(t *testing.T) {
	Computes(t)
	for _, every := range []int{19900, 19990, 20010, 20100} { // 5 and 0.5 parts in a thousand; sound cards stay below one
		var e ear
		heard, _ := drifting(&e, 1500, every, func(int) int { return 0 })
		if n, wait := clicks(heard), e.held+len(e.ready); n > 0 || wait > earLeast+2*earStep {
			t.Errorf("a frame every %d µs: %d clicks, %d samples wait", every, n, wait)
		}
		weak := 0
		for at := 100 * mixFrame; at+mixFrame <= len(heard); at += mixFrame {
			if strength(heard[at:at+mixFrame], 500, mixRate) < 7000 {
				weak++
			}
		}
		if weak > 4 {
			t.Errorf("a frame every %d µs: %d frames are weak", every, weak)
		}
	}
}

func TestEarCatchesUpAfterStall(t *testing.T) {
	var e ear
	heard, _ := network(&e, 250, func(i int) int {
		if i >= 100 && i < 108 {
			return (108 - i) * 20 // all at once
		}
		return 0
	})
	if wait := e.held + len(e.ready); wait > earLeast+2*earStep {
		t.Errorf("3 s after a stall of 160 ms %d samples wait", wait)
	}
	if n := clicks(heard); n > 0 {
		t.Errorf("%d clicks", n)
	}
}

func TestEarStartsAnewAfterPauseRestartAndStall(t *testing.T) {
	var e ear
	out := make([]int16, mixFrame)
	send := func(seq uint16, ssrc uint32, n int) {
		for i := range n {
			e.put(pcma, packet{seq: seq + uint16(i), ssrc: ssrc, payload: make([]byte, 160)})
		}
	}
	frames := func() (n int) {
		for e.take(out) {
			n++
		}
		return n
	}
	send(10, 1, 3)
	if n := frames(); n != 3+earPause+1 {
		t.Errorf("three packets and their fading make %d frames", n)
	}
	send(13, 1, 1)
	if e.take(out) {
		t.Error("after a pause it begins at once")
	}
	send(14, 1, 1)
	if !e.take(out) {
		t.Error("after a pause it does not begin")
	}
	send(900, 2, 2)
	if n := frames(); n != 2+earPause+1 {
		t.Errorf("a new source gives %d frames", n)
	}
	send(902, 2, 40)
	if wait := e.held; wait > earFlood {
		t.Errorf("a stall of 800 ms leaves %d samples", wait)
	}
	send(100, 2, 2) // the sender began to count anew
	send(30000, 2, 2)
	if n := frames(); n != 2+earPause+1 {
		t.Errorf("after two leaps %d frames", n)
	}
}

func TestEarAllocatesNothing(t *testing.T) {
	var e ear
	out, payload, seq := make([]int16, mixFrame), make([]byte, 160), uint16(0)
	step := func() {
		seq++
		e.put(g722, packet{seq: seq, ssrc: 1, payload: payload})
		e.take(out)
	}
	for range 200 {
		step()
	}
	if n := testing.AllocsPerRun(500, step); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func FuzzEar(f *testing.F) {
	f.Add([]byte{1, 0, 0, 160, 2, 0, 1, 160, 255, 0, 0, 0, 1, 200, 0, 40})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e ear
		out := make([]int16, mixFrame)
		for ; len(b) >= 4; b = b[4:] {
			if b[0] == 255 {
				e.take(out)
				continue
			}
			e.put(codec(b[0]%byte(codecs)), packet{seq: uint16(b[1])<<8 | uint16(b[2]), ssrc: uint32(b[0] >> 6), payload: make([]byte, int(b[3])*4)})
			held := 0
			for i := range e.slots {
				if e.slots[i].full {
					held += e.slots[i].codec.span(e.slots[i].payload)
				}
			}
			if held != e.held || held > earFlood {
				t.Fatalf("%d samples held, %d counted", held, e.held)
			}
		}
	})
}

// spokenTo sends a minute of speech to an ear by a script: how many ms after its time each packet comes, in order or not.
func spokenTo(t *testing.T, e *ear, late func(i int) int, reorder bool) (said, heard []int16) {
	for range 2 {
		for _, name := range spokenFiles {
			said = append(said, new(widener).widen(nil, spokenFile(t, name))...)
		}
	}
	w, out, arrive := writer{}, make([]int16, mixFrame), map[int][]packet{}
	n, last := len(said)/mixFrame, 0
	for i := range n {
		at := i*20 + late(i)
		if !reorder {
			at = max(at, last)
		}
		last = at
		arrive[at] = append(arrive[at], packet{seq: uint16(i), ssrc: 9, payload: w.write(nil, pcmu, said[i*mixFrame:(i+1)*mixFrame])})
	}
	for ms := range n * 20 {
		for _, p := range arrive[ms] {
			e.put(pcmu, p)
		}
		if ms%20 == 7 {
			if !e.take(out) {
				clear(out)
			}
			heard = append(heard, out...)
		}
	}
	return said, heard
}

// TestEarShiftsTimeSeldom holds what an ear makes of scripted networks against what was said: each change of its delay costs likeness.
func TestEarShiftsTimeSeldom(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of speech are compared: not with -short")
	}
	noise := rand.New(rand.NewPCG(1, 2))
	stalls := func(every, length int) func(i int) int { // in packets
		return func(i int) int {
			if i%every >= every/2 && i%every < every/2+length {
				return (every/2 + length - i%every) * 20
			}
			return noise.IntN(5)
		}
	}
	for _, row := range []struct {
		name    string
		late    func(i int) int
		reorder bool
		alike   float64
	}{
		{"even", func(int) int { return 0 }, false, 0.999},
		{"0 to 30 ms", func(int) int { return noise.IntN(30) }, true, 0.998},
		{"0 to 60 ms", func(int) int { return noise.IntN(60) }, true, 0.998},
		{"80 ms every 3 s", stalls(150, 4), false, 0.99},
		{"80 ms every 12 s", stalls(600, 4), false, 0.97},
	} {
		said, heard := spokenTo(t, &ear{}, row.late, row.reorder)
		m := hear.Find(said[:len(said)-8000], heard, mixRate)
		t.Logf("%s: %.3f, %.0f %% lost, drift %v", row.name, m.Coefficient, 100*m.Lost, m.Drift)
		if m.Coefficient < row.alike {
			t.Errorf("%s: alike to %.3f, want %.3f", row.name, m.Coefficient, row.alike)
		}
	}
}
