package voice

import (
	"context"
	"time"

	"zaseki/media"
)

const (
	announceMost = time.Minute // of a file; what is longer is broken off
	closedText   = "closed"    // the words when nobody is there; busyText: when all are busy
	busyText     = "busy"
)

// Announce tells the caller why nobody takes the call, once: why is closed, holiday, empty, full or late. The words are those of the file
// QUEUE-WHY.wav beside the queue's music, else ours. It returns when they are over, or ctx.
func (s *Studio) Announce(ctx context.Context, line, queue, why, language string) error {
	g := s.guest(line)
	if g == nil {
		return media.ErrNoLine
	}
	pcm := s.shelf.words(queue, why)
	if pcm == nil {
		text := busyText
		if why == "closed" || why == "holiday" {
			text = closedText
		}
		pcm = s.words().sentence(language, text)
	}
	s.engine.Play(line, &phrase{pcm: pcm})
	return g.await(ctx, announceMost, played)
}
