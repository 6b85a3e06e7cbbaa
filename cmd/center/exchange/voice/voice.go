// Package voice is what callers hear of the center itself: music while they wait, their place, and the words before a message,
// which it records. It speaks G.711, plain or with SDES keys.
package voice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"zaseki/media"
)

// ErrUnheard: this caller cannot hear us.
var ErrUnheard = errors.New("the caller cannot hear the center")

// Config of a studio.
type Config struct {
	// Music is a folder with QUEUE.wav for each queue that has music of its own; "": none has.
	Music string
	Log   *slog.Logger
}

// Studio speaks with callers. Its methods may be called from any goroutine.
type Studio struct {
	log    *slog.Logger
	engine *media.Engine
	shelf  *shelf
	words  func() words

	mu     sync.Mutex
	guests map[string]*guest
}

// guest is one caller.
type guest struct {
	program *program
	news    chan media.Event // played, keys, end of the recording
}

// New makes a studio. Nothing runs before Run.
func New(cfg Config) (*Studio, error) {
	s := &Studio{log: cfg.Log, shelf: newShelf(cfg.Music, cfg.Log), words: sync.OnceValue(loadWords), guests: map[string]*guest{}}
	var err error
	s.engine, err = media.New(media.Config{Log: cfg.Log, Tell: s.heard, Codecs: []string{"PCMU", "PCMA"}})
	return s, err
}

// Run carries the sound until ctx ends.
func (s *Studio) Run(ctx context.Context) { _ = s.engine.Run(ctx) } // ends with nothing but ctx

// Answer opens a line for the caller's offer and gives the answer. Keys: its signalling is encrypted, so that keys may stand in it.
// Errors are ErrUnheard.
func (s *Studio) Answer(line string, local netip.Addr, offer string, keys bool) (string, error) {
	answer, err := s.engine.AnswerLine(line, local, offer, media.Security{Policy: media.PolicyOptional, Keys: keys})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnheard, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guests[line] = &guest{news: make(chan media.Event, 16)}
	return answer, nil
}

// Offer opens a line for a caller who talked to somebody else before, and gives the offer; Accept takes the answer.
func (s *Studio) Offer(line string, local netip.Addr, keys bool) (string, error) {
	policy := media.PolicyOff
	if keys {
		policy = media.PolicyOptional
	}
	offer, err := s.engine.OpenLine(line, local, media.Security{Policy: policy, Keys: keys})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnheard, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guests[line] = &guest{news: make(chan media.Event, 16)}
	return offer, nil
}

// Accept takes the answer to Offer.
func (s *Studio) Accept(line, answer string) error { return s.engine.SetAnswer(line, answer) }

// Reanswer answers a new offer of the same caller.
func (s *Studio) Reanswer(line, offer string) (string, error) { return s.engine.Reanswer(line, offer) }

// Close ends the line; no such line is no error.
func (s *Studio) Close(line string) {
	s.engine.CloseLine(line)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.guests, line)
}

// Music plays to the caller from now on, without end: the queue's own, or ours.
func (s *Studio) Music(line, queue string) {
	g := s.guest(line)
	if g == nil {
		return
	}
	p := &program{music: s.shelf.of(queue)}
	s.mu.Lock()
	g.program = p
	s.mu.Unlock()
	s.engine.Play(line, p)
}

// Place tells the caller its place, in the middle of the music.
func (s *Studio) Place(line string, place int, language string) {
	if g := s.guest(line); g != nil && g.program != nil {
		g.program.say(s.words().place(place, language))
	}
}

func (s *Studio) guest(line string) *guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.guests[line]
}

// heard brings the engine's news to who waits for them; what nobody reads is left out.
func (s *Studio) heard(e media.Event) {
	line := ""
	switch e := e.(type) {
	case media.Played:
		line = e.Line
	case media.Digit:
		line = e.Line
	case media.Recorded:
		line = e.Line
	default:
		return
	}
	if g := s.guest(line); g != nil {
		select {
		case g.news <- e:
		default:
		}
	}
}

// program is music with words in between. The line asks for it frame by frame.
type program struct {
	music []int16
	at    int

	mu    sync.Mutex
	words []int16
}

func (p *program) say(words []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.words = words
}

// Next is 20 ms of it.
func (p *program) Next(frame []int16) bool {
	p.mu.Lock()
	n := copy(frame, p.words)
	p.words = p.words[n:]
	p.mu.Unlock()
	for i := n; i < len(frame); i++ {
		frame[i] = p.music[p.at]
		p.at = (p.at + 1) % len(p.music)
	}
	return true
}
