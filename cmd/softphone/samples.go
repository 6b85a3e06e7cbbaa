package main

import (
	"context"
	"maps"
	"slices"
)

// encodable offers another codec to calls with Opus: the page sends samples now, and nobody here can make Opus of them.
func (p *phone) encodable() {
	p.mu.Lock()
	calls := slices.Collect(maps.Keys(p.calls))
	p.mu.Unlock()
	for _, call := range calls {
		if p.sound.Stats(call).Codec != "opus" {
			continue
		}
		offer, needed, err := p.sound.MixOffer(call)
		if err == nil && needed {
			ctx, cancel := context.WithTimeout(context.Background(), reofferMax)
			p.journal.note(call, "phone", "the page goes by websocket: another codec is offered")
			err = p.reoffered(ctx, call, offer)
			cancel()
		}
		p.note("codec for a page by websocket", err)
	}
}
