package agent

import "zaseki/web/wire"

// tally adds up the measurements of a call. They come at equal intervals, so that their mean is that of the call.
type tally struct {
	n, rtt, delay int // how many measurements know it
	sum           wire.Quality
	in, out       flowTally
}

// flowTally adds up one direction.
type flowTally struct {
	n   int
	sum wire.QualityFlow
}

func (t tally) with(q wire.Quality) tally {
	t.n++
	t.sum.MOS += q.MOS
	t.in, t.out = t.in.with(q.In), t.out.with(q.Out)
	if q.RTT > 0 {
		t.rtt++
		t.sum.RTT += q.RTT
	}
	if q.Delay > 0 {
		t.delay++
		t.sum.Delay += q.Delay
	}
	return t
}

func (t flowTally) with(q wire.QualityFlow) flowTally {
	if !q.Known {
		return t
	}
	t.n++
	t.sum.MOS += q.MOS
	t.sum.Loss += q.Loss
	t.sum.Jitter += q.Jitter
	t.sum.Concealed += q.Concealed
	return t
}

// mean is the quality of the whole call, nil when nothing was measured.
func (t tally) mean() *wire.Quality {
	if t.n == 0 {
		return nil
	}
	return &wire.Quality{MOS: t.sum.MOS / float64(t.n), In: t.in.mean(), Out: t.out.mean(),
		RTT: t.sum.RTT / float64(max(t.rtt, 1)), Delay: t.sum.Delay / float64(max(t.delay, 1))}
}

func (t flowTally) mean() wire.QualityFlow {
	if t.n == 0 {
		return wire.QualityFlow{}
	}
	n := float64(t.n)
	return wire.QualityFlow{Known: true, MOS: t.sum.MOS / n, Loss: t.sum.Loss / n, Jitter: t.sum.Jitter / n, Concealed: t.sum.Concealed / n}
}
