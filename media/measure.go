package media

import (
	"slices"
	"time"
)

// Measured is the quality of a line, every five seconds.
type Measured struct {
	Line    string
	Quality Quality
}

func (Measured) mediaEvent() {}

// Quality is how a line sounds, as ITU-T G.107 estimates it.
type Quality struct {
	MOS     float64       // the worse of both directions, 1 to 4.41; 0: neither is known
	In, Out QualityFlow   // what the agent hears; what the far side hears, as it reports (RTCP)
	RTT     time.Duration // by RTCP; 0: unknown
	Delay   time.Duration // from the caller's mouth to the agent's ear, estimated; without the network's share while RTT is unknown
	Trend   []float32     // MOS of every five seconds of the last three minutes in which it was known, newest last
}

// QualityFlow is one direction.
type QualityFlow struct {
	Known     bool          // something was measured, or reported; else all is zero
	MOS       float64       //
	Loss      float64       // percent of packets that never came
	Concealed float64       // percent of what the page played that was made up; 0 without a page
	Jitter    time.Duration // RFC 3550 §6.4.1
}

// PageStats is what a page measured since the last time: percent of concealment, milliseconds in its buffer and to the ear,
// and the microphone's level from 0 to 1.
type PageStats struct{ Concealed, Buffer, Playout, Level float64 }

// pageSaid is what the page that carries the sound said, and the few things that it said before.
type pageSaid struct {
	PageStats
	at     time.Time
	before *pageSaid
}

// SetStats takes what the page that carries the sound measured; any other page is not listened to.
func (e *Engine) SetStats(page string, s PageStats) {
	if owner := e.owner.Load(); owner == nil || owner.id != page {
		return
	}
	within := func(v, most float64) float64 {
		if !(v > 0) { // no number is none
			return 0
		}
		return min(v, most)
	}
	s.Concealed, s.Buffer, s.Playout = within(s.Concealed, 100), within(s.Buffer, 2000), within(s.Playout, 2000)
	e.said.Store(&pageSaid{s, time.Now(), e.said.Load().since(time.Now().Add(-reportStale))})
}

// since is what was said from then on, without what is older.
func (p *pageSaid) since(then time.Time) *pageSaid {
	if p == nil || p.at.Before(then) {
		return nil
	}
	return &pageSaid{p.PageStats, p.at, p.before.since(then)}
}

// mean is the mean of it all. False: nothing was said.
func (p *pageSaid) mean() (m PageStats, said bool) {
	n := 0.0
	for ; p != nil; p = p.before {
		n++
		m.Concealed += (p.Concealed - m.Concealed) / n
		m.Buffer += (p.Buffer - m.Buffer) / n
		m.Playout += (p.Playout - m.Playout) / n
	}
	return m, n > 0
}

const (
	trendMost   = 36              // values of five seconds
	leastWindow = time.Second     // shorter ones are not judged
	reportStale = 3 * reportEvery // what the far side said is forgotten then
	fewest      = 10              // packets to judge by

	// What we assume of a receiver that says nothing: a buffer of a frame and twice the jitter, and the way through its sound
	// card. Chrome says 27 and 30 ms on a calm network.
	buffered = 20 * time.Millisecond
	playout  = 30 * time.Millisecond
)

// gauge judges a line by windows of five seconds. It is the pacer's own.
type gauge struct {
	begun time.Time // of the window; zero: none yet
	heard tally     // at its beginning
	told  verdict   // at its beginning
	out   QualityFlow
	trend []float32
}

// worse is the lower of the opinions that are known.
func worse(in, out QualityFlow) float64 {
	switch {
	case !in.Known:
		return out.MOS
	case !out.Known:
		return in.MOS
	}
	return min(in.MOS, out.MOS)
}

// measure ends a window and tells what it was like, if anything was.
func (l *line) measure(now time.Time) {
	if q, judged := l.gauge.close(l, now); judged {
		l.e.tell(Measured{Line: l.id, Quality: q})
	}
}

// close judges the window that ends now and begins the next. False: there is nothing to say about it.
func (g *gauge) close(l *line, now time.Time) (q Quality, judged bool) {
	r := l.route.Load()
	if r == nil {
		return q, false
	}
	if g.begun.IsZero() {
		g.begun = r.since
	}
	length := now.Sub(g.begun)
	if length < leastWindow {
		return q, false
	}
	heard, told := l.quality.tally(), l.quality.verdict()
	if now.Sub(told.at) < reportStale {
		q.RTT = told.rtt
	}
	var in, out way
	if q.In, in = g.inward(l, r, heard, length); q.In.Known {
		in.delay += q.RTT / 2
		q.Delay, q.In.MOS = in.delay, score(in.rating())
	}
	if q.Out, out = g.outward(r, told, now); q.Out.Known {
		out.delay += q.RTT / 2
		q.Out.MOS = score(out.rating())
	}
	if q.MOS = worse(q.In, q.Out); q.MOS > 0 {
		g.trend = append(g.trend, float32(q.MOS))
		g.trend = g.trend[max(0, len(g.trend)-trendMost):]
	}
	q.Trend = slices.Clone(g.trend)
	g.begun, g.heard, g.told, g.out = now, heard, told, q.Out
	return q, q.MOS > 0
}

// inward is what the agent hears: what the network lost and what came too late to be played, as the page says. While nothing is
// to be heard, nothing is known.
func (g *gauge) inward(l *line, r *route, heard tally, length time.Duration) (f QualityFlow, w way) {
	expected, lost := heard.expected-g.heard.expected, max(0, heard.lost-g.heard.lost)
	if !r.hear || expected < fewest {
		return f, w
	}
	frame := time.Duration(r.frame) * time.Millisecond
	if bytes := heard.octets - g.heard.octets; r.codec != opus && heard.packets > g.heard.packets {
		frame = time.Duration(bytes/(heard.packets-g.heard.packets)) * time.Millisecond / 8
	}
	f = QualityFlow{Known: true, Loss: min(100, 100*float64(lost)/float64(expected)), Jitter: heard.jitter}
	w = way{codec: r.codec, loss: f.Loss, burst: g.bursts(heard, f.Loss), delay: frame + lookahead[r.codec] + buffered + 2*heard.jitter + playout}
	if page, said := l.e.said.Load().since(g.begun).mean(); said && l.e.heardByPage(l) {
		w.delay = frame + lookahead[r.codec] + time.Duration((page.Buffer+page.Playout)*float64(time.Millisecond))
		// The page makes up sound in a pause too, so it is believed while the stream is whole.
		if time.Duration(expected)*frame >= length*9/10 {
			f.Concealed = page.Concealed
		}
	}
	if l.part.Load() != nil { // what the page lacks comes on top of what our own ear lacks
		w.loss = min(100, w.loss+f.Concealed)
		w.delay += earLeast * time.Second / mixRate
	} else {
		w.loss = max(w.loss, f.Concealed)
	}
	return f, w
}

// bursts is how much longer the runs of loss were than random loss makes them (G.107 §3.5, BurstR).
func (g *gauge) bursts(heard tally, loss float64) float64 {
	runs := heard.runs - g.heard.runs
	if runs == 0 {
		return 1
	}
	return max(1, float64(heard.inRuns-g.heard.inRuns)/float64(runs)*(1-loss/100))
}

// heardByPage says that a line's sound goes to the page.
func (e *Engine) heardByPage(l *line) bool {
	if m := e.mixer.Load(); m != nil && m.withPage.Load() {
		return l.part.Load() != nil
	}
	return e.focus.Load() == l
}

// outward is what the far side says that it hears. It is asked for nothing and believed for fifteen seconds.
func (g *gauge) outward(r *route, told verdict, now time.Time) (f QualityFlow, w way) {
	expected, lost := int64(int32(told.highest-g.told.highest)), max(0, told.lost-g.told.lost)
	switch {
	case told.at.IsZero() || now.Sub(told.at) >= reportStale:
		return f, w
	case g.told.at.IsZero():
		f = QualityFlow{Known: true, Loss: told.fraction}
	case told.at.Equal(g.told.at):
		f = g.out
	case expected >= fewest:
		f = QualityFlow{Known: true, Loss: min(100, 100*float64(lost)/float64(expected))}
	}
	f.Jitter = told.jitter
	w = way{codec: r.codec, loss: f.Loss, delay: time.Duration(r.frame)*time.Millisecond + lookahead[r.codec] + buffered + 2*f.Jitter + playout}
	return f, w
}
