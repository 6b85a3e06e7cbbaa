package voice

import (
	"context"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"zaseki/media"
)

// Beeps of a check: each begins a second after the one before, so that one that comes back within a second is known for which it is.
const (
	beepHz     = 1000
	beepFrames = 10 // of 20 ms
	beepPause  = 50 // frames from one beginning to the next
	beepLeast  = 3  // packets in a row that make a beep: a click is none
	soundTime  = 3 * time.Second
	soundTail  = 300 * time.Millisecond // for what is on its way
)

// Sounding is what the way to a phone that returns our sound was like.
type Sounding struct {
	Sent     int           // packets
	Received int           // of those that came back
	Lost     int           // there and back together, of the phone's numbering
	Jitter   time.Duration // of what came back (RFC 3550 §6.4.1)
	Delay    time.Duration // there and back, median of the beeps
	Heard    bool          // a beep came back
	Secure   bool          // encrypted
}

// Invite opens a line for a call of ours and gives the offer; Accept takes the answer. policy is one of media.Policy…, "" off.
func (s *Studio) Invite(line string, local netip.Addr, policy string, keys bool) (string, error) {
	return s.engine.OpenLine(line, local, media.Security{Policy: policy, Keys: keys})
}

// Sound beeps into a line for three seconds and measures what comes back. It returns early when ctx ends.
func (s *Studio) Sound(ctx context.Context, line string) Sounding {
	b := &beeper{}
	s.engine.Listen(line, b.hear)
	s.engine.Play(line, b)
	timer := time.NewTimer(soundTime)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	b.hush()
	timer.Reset(soundTail)
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	st := s.engine.Stats(line)
	return Sounding{
		Sent: int(st.Sent.Packets), Received: int(st.Received.Packets), Lost: int(max(st.Received.Lost, 0)), Jitter: st.Received.Jitter,
		Delay: b.delay(), Heard: b.came(), Secure: st.Secure != "",
	}
}

// beeper says the beeps and hears them again. The line's pacer asks for the one, its reader brings the other.
type beeper struct {
	mu    sync.Mutex
	at    int // frames said
	phase float64
	over  bool
	said  []time.Time // when each beep began
	row   int         // packets with the tone, in a row
	from  time.Time   // when the first of them came
	took  []time.Duration
}

// Next is 20 ms of it.
func (b *beeper) Next(frame []int16) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return false
	}
	loud := b.at%beepPause < beepFrames
	if b.at%beepPause == 0 {
		b.said = append(b.said, time.Now())
	}
	b.at++
	for i := range frame {
		frame[i] = 0
		if loud {
			frame[i] = int16(10000 * math.Sin(b.phase))
			b.phase += 2 * math.Pi * beepHz / 8000
		}
	}
	return true
}

func (b *beeper) hush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

// hear takes what came in one packet, 8 kHz.
func (b *beeper) hear(pcm []int16) {
	loud, now := beeps(pcm), time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !loud {
		b.row = 0
		return
	}
	if b.row++; b.row == 1 {
		b.from = now
	}
	if b.row != beepLeast {
		return
	}
	for _, said := range slices.Backward(b.said) {
		if !said.After(b.from) {
			b.took = append(b.took, b.from.Sub(said))
			return
		}
	}
}

func (b *beeper) came() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.took) > 0
}

func (b *beeper) delay() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.took) == 0 {
		return 0
	}
	slices.Sort(b.took)
	return b.took[len(b.took)/2]
}

// beeps says that most of what is heard is our tone (Goertzel), and that it is loud enough to be no echo of a line.
func beeps(pcm []int16) bool {
	if len(pcm) == 0 {
		return false
	}
	w := 2 * math.Cos(2*math.Pi*beepHz/8000)
	var s1, s2, energy float64
	for _, v := range pcm {
		x := float64(v)
		s1, s2 = x+w*s1-s2, s1
		energy += x * x
	}
	n := float64(len(pcm))
	tone := 2 * (s1*s1 + s2*s2 - w*s1*s2) / n
	return energy/n > 1000*1000 && tone > energy/2
}
