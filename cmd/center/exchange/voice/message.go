package voice

import (
	"context"
	"math"
	"sync"
	"time"

	"zaseki/media"
)

// Bounds of a message.
const (
	LeastMessage = 600 * time.Millisecond // of speech: less is no message
	messageMost  = 3 * time.Minute
	firstWord    = 8 * time.Second // without one nobody will speak
	lastWord     = 5 * time.Second // after it nobody speaks any more
	greetingMost = 20 * time.Second
	lookEvery    = 100 * time.Millisecond
	recordEnds   = 5 * time.Second // the disk may be slow
)

const (
	beepHertz = 1000
	beepTime  = 400 // milliseconds
)

// Message says that nobody can take the call, and records what the caller says then until it is silent, presses #, has spoken for
// three minutes, or ctx ends. Every block goes to sink, see media.Engine.Record. Speech is how long somebody spoke.
func (s *Studio) Message(ctx context.Context, line, language string, sink func([]byte) error) (speech time.Duration, err error) {
	g := s.guest(line)
	if g == nil {
		return 0, media.ErrNoLine
	}
	s.engine.Play(line, &phrase{pcm: s.words().sentence(language, "message")})
	if err := g.await(ctx, greetingMost, played); err != nil {
		return 0, err
	}
	s.engine.Play(line, media.Tone(beepHertz, beepTime, 0, 1))
	if err := g.await(ctx, greetingMost, played); err != nil {
		return 0, err
	}
	e := &ear{begun: time.Now()}
	s.engine.Listen(line, e.hear)
	if err := s.engine.Record(line, sink); err != nil {
		return 0, err
	}
	err = g.listen(ctx, e)
	s.engine.StopRecord(line)
	if err == nil || ctx.Err() != nil { // else it has ended already
		err = g.await(context.WithoutCancel(ctx), recordEnds, recorded)
	}
	return e.spoken(), err
}

func played(e media.Event) (bool, error) {
	_, ok := e.(media.Played)
	return ok, nil
}

func recorded(e media.Event) (bool, error) {
	r, ok := e.(media.Recorded)
	return ok, r.Err
}

// await waits for an event.
func (g *guest) await(ctx context.Context, most time.Duration, is func(media.Event) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		select {
		case e := <-g.news:
			if ok, err := is(e); ok {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listen lasts while the caller speaks. An error ended the recording.
func (g *guest) listen(ctx context.Context, e *ear) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if e.done(time.Now()) {
				return nil
			}
		case n := <-g.news:
			if d, ok := n.(media.Digit); ok && d.Digit == "#" {
				return nil
			}
			if r, ok := n.(media.Recorded); ok {
				return r.Err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// ear tells speech from silence by how loud it is against the line's own noise.
type ear struct {
	begun time.Time

	mu     sync.Mutex
	noise  float64 // lately
	speech time.Duration
	last   time.Time // somebody spoke
}

const (
	quietest = 150.0 // root mean square: below it nobody speaks, however silent the line is
	aboveIt  = 3.0   // times the noise
	rises    = 1.02  // of the noise, with every packet that is louder
)

func (e *ear) hear(pcm []int16) {
	if len(pcm) == 0 {
		return
	}
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	loud := math.Sqrt(sum / float64(len(pcm)))
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.noise == 0 || loud < e.noise:
		e.noise = loud
	default:
		e.noise = max(e.noise, 1) * rises
	}
	if loud > quietest && (loud > aboveIt*e.noise || loud > 10*quietest) {
		e.speech += time.Duration(len(pcm)) * time.Second / rate
		e.last = time.Now()
	}
}

func (e *ear) done(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last.IsZero() {
		return now.Sub(e.begun) > firstWord
	}
	return now.Sub(e.last) > lastWord || now.Sub(e.begun) > messageMost
}

func (e *ear) spoken() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.speech
}

// phrase is said once.
type phrase struct{ pcm []int16 }

// Next is 20 ms of it.
func (p *phrase) Next(frame []int16) bool {
	if len(p.pcm) == 0 {
		return false
	}
	n := copy(frame, p.pcm)
	clear(frame[n:])
	p.pcm = p.pcm[n:]
	return true
}
