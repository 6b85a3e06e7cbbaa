package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zaseki/media/load"
)

const (
	idleTime   = 3 * time.Second  // in which nobody speaks
	delayTime  = 20 * time.Second // in which every carrier has one call, all at the same time
	loadTime   = 8 * time.Second  // of 100 calls, one carrier after the other
	loadCalls  = 100
	warmUp     = time.Second
	settleTime = 500 * time.Millisecond
)

// mediaGroup measures our bridge beside a bare UDP relay and Debian's rtpengine in userspace, each a process of its own. The
// clock of all of them is the same probe: it looks just before the system call that sends, and just after the one that
// receives. Ours has a page on its left, encrypted both ways; the others have plain RTP on both sides and no work with it.
func mediaGroup(ctx context.Context, l lab) error {
	says, err := os.ReadFile(filepath.FromSlash("cmd/softphone/speech/customer-en.ulaw"))
	if err != nil {
		return err
	}
	m := &mediaBench{ctx: ctx, dir: l.dir, says: says}
	defer m.close()
	return l.measure(
		measure{"media.added_delay", m.delay("media.added_delay", 0.5, 1.5, 0.5)},
		measure{"media.added_delay_p99", m.delay("media.added_delay_p99", 0, 2.5, 0.99)},
		measure{"media.cpu_100_calls", m.of100(func(r *hundred) row { return r.cpu() })},
		measure{"media.rss_100_calls", m.of100(func(r *hundred) row { return r.rss() })},
		measure{"media.allocs_per_packet", m.of100(func(r *hundred) row { return r.mallocs() })},
		measure{"media.delay_100_calls", m.of100(func(r *hundred) row { return r.late() })},
		measure{"media.srtp_packet", srtpPacket},
		measure{"media.answer_to_rtp", m.withPage(answerToRTP)},
		measure{"media.reload_gap", m.withPage(reloadGap)},
	)
}

// mediaBench measures once what several rows are made of.
type mediaBench struct {
	ctx   context.Context
	dir   string
	says  speech
	alone *side3
	load  *hundred
	floor *floor
	ends  []func()
}

// The carriers, in the order in which they are started.
const (
	byRelay = iota
	byUs
	byRTPEngine
	carriers
)

// start starts a carrier; rtpengine may be missing.
func (m *mediaBench) start(which int) (carrier, error) {
	switch which {
	case byRelay:
		return startWords(m.ctx, relaying, m.says)
	case byUs:
		return startWords(m.ctx, carrying, m.says)
	}
	return startRTPEngine(m.ctx, m.says)
}

// ways are the delays in both directions, in ms.
type ways struct{ up, down []float64 }

// worse is that quantile of the worse direction.
func (w ways) worse(q float64) float64 { return max(quantile(w.up, q), quantile(w.down, q)) }

func (w ways) String() string {
	if len(w.up) == 0 {
		return "not installed"
	}
	return fmt.Sprintf("%.3f/%.3f up, %.3f/%.3f down", quantile(w.up, 0.5), quantile(w.up, 0.99), quantile(w.down, 0.5), quantile(w.down, 0.99))
}

// side3 is one call with each carrier.
type side3 [carriers]ways

// together lets every carrier have one call at the same time, so that whatever else the machine does is the same for all.
func (m *mediaBench) together() (*side3, error) {
	if m.alone != nil {
		return m.alone, nil
	}
	var calls []*call
	var at []int
	for which := range carriers {
		s, err := m.start(which)
		var why skipped
		if errors.As(err, &why) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer s.stop()
		c, err := s.carry(m.ctx)
		if err != nil {
			return nil, err
		}
		defer c.close()
		calls, at = append(calls, c), append(at, which)
	}
	next, err := talk(calls, 1000, warmUp)
	if err != nil {
		return nil, err
	}
	discard(calls)
	if _, err := talk(calls, next, delayTime); err != nil {
		return nil, err
	}
	m.alone = &side3{}
	for i, c := range calls {
		w, lost := flown([]*call{c})
		if lost > len(w.up)/100 {
			return nil, fmt.Errorf("carrier %d lost %d packets", at[i], lost)
		}
		m.alone[at[i]] = w
	}
	return m.alone, nil
}

func discard(calls []*call) {
	for _, c := range calls {
		c.up.take()
		c.down.take()
	}
}

// flown is what calls took since it was asked last, and how many packets never came.
func flown(calls []*call) (w ways, lost int) {
	for _, c := range calls {
		for f, to := range map[*flight]*[]float64{c.up: &w.up, c.down: &w.down} {
			took, said := f.take()
			*to = append(*to, took...)
			lost += said - len(took)
		}
	}
	return w, lost
}

// delay is a quantile of the worse direction's delay, socket to socket. The base is the relay's.
func (m *mediaBench) delay(name string, limit, ratio, q float64) func() (row, error) {
	return func() (row, error) {
		s, err := m.together()
		if err != nil {
			return row{}, err
		}
		ours, relay := s[byUs], s[byRelay]
		r := row{Name: name, Unit: "ms", Value: ours.worse(q), N: len(ours.up), P50: ours.worse(0.5), P99: ours.worse(0.99), Limit: limit, RatioLimit: ratio}
		r.Ratio = r.Value / relay.worse(q)
		r.Base = fmt.Sprintf("bare UDP relay beside it (p50/p99 %s; ours %s; rtpengine %s)", relay, ours, s[byRTPEngine])
		return r, nil
	}
}

// hundred is what 100 calls cost each carrier.
type hundred struct {
	cores [carriers]float64 // CPU time by time
	mb    [carriers]float64 // resident
	ways  [carriers]ways
	lost  [carriers]int
	all   float64 // allocations of ours, a packet
	still float64 // of those, what as long a time without packets has
	there [carriers]bool
}

func (m *mediaBench) of100(make func(*hundred) row) func() (row, error) {
	return func() (row, error) {
		if m.load == nil {
			h := &hundred{}
			for which := range carriers {
				err := m.burden(h, which)
				var why skipped
				if err != nil && !errors.As(err, &why) {
					return row{}, err
				}
			}
			m.load = h
		}
		return make(m.load), nil
	}
}

// burden measures one carrier.
func (m *mediaBench) burden(h *hundred, which int) error {
	s, err := m.start(which)
	if err != nil {
		return err
	}
	defer s.stop()
	var calls []*call
	defer func() {
		for _, c := range calls {
			c.close()
		}
	}()
	for range loadCalls {
		c, err := s.carry(m.ctx)
		if err != nil {
			return err
		}
		calls = append(calls, c)
	}
	next, err := talk(calls, 1000, warmUp)
	if err != nil {
		return err
	}
	discard(calls)
	before, err := m.spent(s)
	if err != nil {
		return err
	}
	if _, err = talk(calls, next, loadTime); err != nil {
		return err
	}
	after, err := m.spent(s)
	if err != nil {
		return err
	}
	kb, err := resident(s.pid())
	if err != nil {
		return err
	}
	if err := nap(m.ctx, idleTime); err != nil {
		return err
	}
	idle, err := m.spent(s)
	h.ways[which], h.lost[which] = flown(calls)
	h.cores[which], h.mb[which], h.there[which] = (after.cpu-before.cpu).Seconds()/after.at.Sub(before.at).Seconds(), kb/1024, true
	if which == byUs {
		packets := float64(len(h.ways[which].up) + len(h.ways[which].down))
		h.all = float64(after.mallocs-before.mallocs) / packets
		h.still = float64(idle.mallocs-after.mallocs) / packets * after.at.Sub(before.at).Seconds() / idle.at.Sub(after.at).Seconds()
	}
	return err
}

// spent is what a carrier has used so far.
type spent struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
}

func (m *mediaBench) spent(s carrier) (p spent, err error) {
	if w, ok := s.(*words); ok {
		t, err := w.ask(asked{})
		if err != nil {
			return p, err
		}
		p.mallocs = t.Mallocs
	}
	p.at = time.Now()
	p.cpu, err = cpuOf(s.pid())
	return p, err
}

// beside says what the others had.
func (h *hundred) beside(values [carriers]float64, unit string) string {
	if !h.there[byRTPEngine] {
		return fmt.Sprintf("bare UDP relay %.3g%s; rtpengine not installed", values[byRelay], unit)
	}
	return fmt.Sprintf("bare UDP relay %.3g%s; rtpengine %.3g%s", values[byRelay], unit, values[byRTPEngine], unit)
}

func (h *hundred) cpu() row {
	percent := h.cores
	for i := range percent {
		percent[i] *= 100
	}
	r := newRow("media.cpu_100_calls", "%", 30, percent[byUs:byUs+1], h.beside(percent, " %"), percent[byRelay:byRelay+1])
	r.N = loadCalls
	return r
}

func (h *hundred) rss() row {
	r := newRow("media.rss_100_calls", "MB", 65, h.mb[byUs:byUs+1], h.beside(h.mb, " MB"), h.mb[byRelay:byRelay+1])
	r.N = loadCalls
	return r
}

func (h *hundred) mallocs() row {
	packets := len(h.ways[byUs].up) + len(h.ways[byUs].down)
	value := max(0, math.Round(1000*(h.all-h.still))/1000)
	return row{Name: "media.allocs_per_packet", Value: value, P50: value, N: packets, Limit: 0.01,
		Base: fmt.Sprintf("the whole process with 100 calls: %.3f, of which %.3f while nobody speaks (ICE's checks, reports)", h.all, h.still)}
}

func (h *hundred) late() row {
	ours, relay := h.ways[byUs], h.ways[byRelay]
	return row{Name: "media.delay_100_calls", Unit: "ms", Value: ours.worse(0.5), P50: ours.worse(0.5), P99: ours.worse(0.99), N: len(ours.up),
		Ratio: ours.worse(0.5) / relay.worse(0.5),
		Base: fmt.Sprintf("bare UDP relay (p50/p99 %s, lost %d; ours %s, lost %d; rtpengine %s, lost %d)", relay, h.lost[byRelay], ours, h.lost[byUs],
			h.ways[byRTPEngine], h.lost[byRTPEngine])}
}

// nap waits that long, unless the context ends.
func nap(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// srtpPacket is what one packet of 20 ms of G.711 costs more on an encrypted line, locked or unlocked, with the suite that everybody
// has. The base is the system call that sends it.
func srtpPacket() (row, error) {
	var base []float64
	var text strings.Builder
	for range srtpRounds {
		ns, err := load.SendCost()
		if err != nil {
			return row{}, err
		}
		base = append(base, ns)
	}
	var values []float64
	for i, suite := range load.Suites() {
		var lock, unlock []float64
		for range srtpRounds {
			l, u, err := load.SRTPCost(suite)
			if err != nil {
				return row{}, err
			}
			lock, unlock = append(lock, l), append(unlock, u)
		}
		if i == 0 {
			values = lock
		}
		fmt.Fprintf(&text, "; %s %.0f/%.0f", suite, quantile(lock, 0.5), quantile(unlock, 0.5))
	}
	return newRow("media.srtp_packet", "ns", 0, values, "sending it to loopback (lock/unlock"+text.String()+")", base), nil
}

const srtpRounds = 11

// cpuOf is what a process has used so far (proc(5): utime and stime in ticks of 10 ms).
func cpuOf(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data[slices.Index(data, ')')+1:]))
	var user, kernel int
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &kernel); err != nil {
		return 0, err
	}
	return time.Duration(user+kernel) * 10 * time.Millisecond, nil
}
