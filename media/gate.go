package media

import (
	"runtime"
	"sync/atomic"
)

// gate lets one goroutine at a time give a stream its next packet. A packet that passes through never waits for anybody: try looks
// for as long as numbering a packet takes, and if somebody is still inside then, it was somebody else's turn to speak. What we
// say of our own waits in enter for the microseconds that a packet is inside.
type gate struct{ inside atomic.Bool }

const gateTries = 100 // a microsecond at most

func (g *gate) try() bool {
	for range gateTries {
		if g.inside.CompareAndSwap(false, true) {
			return true
		}
	}
	return false
}

func (g *gate) enter() {
	for !g.try() {
		runtime.Gosched()
	}
}

func (g *gate) leave() { g.inside.Store(false) }
