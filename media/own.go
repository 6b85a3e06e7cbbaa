package media

import "time"

// tick sends what is due of our own: digits, the source's voice, or silence when nobody speaks.
func (l *line) tick(now time.Time) {
	l.findWay(now)
	r := l.route.Load()
	if r == nil || r.silent() {
		return
	}
	l.mu.Lock()
	ended := l.tickLocked(r, now)
	l.turnLocked()
	l.mu.Unlock()
	if ended {
		l.e.tell(Played{Line: l.id})
	}
}

func (l *line) tickLocked(r *route, now time.Time) (ended bool) {
	frame := time.Duration(r.frame) * time.Millisecond
	if l.source == nil {
		l.have = 0
	}
	if now.Sub(l.due) > 5*frame {
		l.due = now // first, or we were asleep: do not send a burst
	}
	for ; !l.due.After(now); l.due = l.due.Add(frame) {
		switch {
		case l.pressLocked(r, now):
		case l.source != nil && r.mixes():
			n := r.frame * 8
			if !l.fillLocked(n) {
				_, keys := l.source.(*dial)
				l.source, ended = nil, !keys
			}
			if l.have == 0 {
				continue
			}
			l.ownLocked(r, l.voiced.narrow(l.payload[:0], r.codec, l.voice[:n]), now)
			l.have = copy(l.voice[:], l.voice[n:l.have])
		case l.part.Load() != nil && r.mixes(): // the mixer speaks
		case l.source != nil, l.quiet(r, now):
			l.ownLocked(r, r.codec.quiet(r.frame), now)
		case len(l.press.row) == 0: // somebody else's sound passes: our turn may come at any time
			l.due = time.Time{}
			return ended
		}
	}
	return ended
}

// quiet says that it is our turn, since nobody else speaks.
func (l *line) quiet(r *route, now time.Time) bool {
	l.gate.enter()
	defer l.gate.leave()
	return l.out.from == fedOwn || now.Sub(later(l.out.at, r.since)) >= keepAlive
}

// turnLocked says to whoever passes by whether we speak ourselves, and sees to it that we begin at once.
func (l *line) turnLocked() {
	l.ours.Store(l.source != nil || l.press.sounding())
	if wants := l.source != nil || len(l.press.row) > 0; wants != l.wants.Load() {
		l.wants.Store(wants)
		l.e.stir()
	}
}

// rest is how long the line has no need of us: until silence is due, while somebody else speaks on it.
func (l *line) rest(now time.Time) time.Duration {
	r := l.route.Load()
	if r == nil || r.way != nil || l.wants.Load() || l.part.Load() != nil {
		return paceEvery
	}
	if r.silent() {
		return watchEvery
	}
	if left := keepAlive - now.Sub(time.Unix(0, l.spoke.Load())); left > 0 {
		return left
	}
	return paceEvery
}

// fillLocked gathers that many samples of the source. False: it has ended; what was left of it is filled up with silence.
func (l *line) fillLocked(samples int) bool {
	for l.have < samples {
		if !l.source.Next(l.voice[l.have : l.have+160]) {
			if l.have > 0 {
				clear(l.voice[l.have:samples])
				l.have = samples
			}
			return false
		}
		l.have += 160
	}
	return true
}

// ownLocked sends a packet of our own: silence, a source's voice, a mix.
func (l *line) ownLocked(r *route, payload []byte, now time.Time) {
	if r.silent() {
		return
	}
	length := uint32(len(payload)) // G.711 and G.722: a byte for each tick of the clock
	if r.codec == opus {
		length = specs[opus].clock / 1000 * uint32(r.frame)
	}
	l.gate.enter()
	p := l.out.own(r.codec, payload, length, now)
	p.pt = r.pt
	l.tapped(true, r.codec, p, now)
	n, ok := r.pack(p, l.own[:])
	l.gate.leave()
	if ok {
		l.writeLocked(l.own[:n])
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
