package media

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// judged is a line without sockets, in focus and heard by page p, whose clock the test turns.
type judged struct {
	t    *testing.T
	e    *Engine
	l    *line
	told *told
	now  time.Time
	seq  int
	sent uint32
	gone uint32
}

func newJudged(t *testing.T, c codec) *judged {
	t.Helper()
	j := &judged{t: t, told: &told{}, now: time.Now(), sent: 70000}
	e, err := New(Config{Tell: j.told.tell})
	if err != nil {
		t.Fatal(err)
	}
	j.e, j.l = e, &line{id: "a", e: e}
	j.route(route{codec: c, hear: true, speak: true, send: true, frame: 20, since: j.now})
	e.lines["a"] = j.l
	e.focus.Store(j.l)
	e.owner.Store(&page{e: e, id: "p"})
	return j
}

func (j *judged) route(r route) { j.l.route.Store(&r) }

// hear lets five seconds of packets arrive; of each twenty, the last ones are lost.
func (j *judged) hear(lost int) {
	for i := range 250 {
		j.seq++
		j.now = j.now.Add(20 * time.Millisecond)
		if i%20 >= 20-lost {
			continue
		}
		j.l.quality.received(packet{ssrc: 1, seq: uint16(j.seq), ts: uint32(j.seq * 160), payload: make([]byte, 160)}, 8000, j.now)
	}
}

// report is the far side's word about five seconds of ours, that many of 250 lost.
func (j *judged) report(lost uint32) {
	j.sent, j.gone = j.sent+250, j.gone+lost
	j.l.quality.heardOf([]rtcp.ReceptionReport{{SSRC: 7, FractionLost: uint8(lost * 256 / 250), TotalLost: j.gone,
		LastSequenceNumber: j.sent, Jitter: 80}}, 7, 8000, j.now)
}

// says what the page measured.
func (j *judged) says(page string, s PageStats) {
	j.e.SetStats(page, s)
	if said := j.e.said.Load(); said != nil {
		said.at = j.now
	}
}

// last is what was told last; MOS 0: nothing since the time before.
func (j *judged) last() Quality {
	j.t.Helper()
	j.told.mu.Lock()
	j.told.all = nil
	j.told.mu.Unlock()
	j.l.measure(j.now)
	j.told.mu.Lock()
	defer j.told.mu.Unlock()
	if len(j.told.all) == 0 {
		return Quality{}
	}
	return j.told.all[0].(Measured).Quality
}

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

func TestWhatTheAgentHearsIsJudged(t *testing.T) {
	j := newJudged(t, pcmu)
	j.hear(0)
	if q := j.last(); !q.In.Known || q.Out.Known || q.In.Loss != 0 || !near(q.MOS, 4.4, 0.05) || q.Delay < 70*time.Millisecond || q.Delay > 80*time.Millisecond {
		t.Errorf("calm: %+v", q)
	}
	j.hear(1)
	j.hear(0)
	if q := j.last(); !near(q.In.Loss, 2.5, 0.5) || !near(q.MOS, score(way{codec: pcmu, loss: q.In.Loss, delay: q.Delay}.rating()), 0.001) {
		t.Errorf("one in forty: %+v", q)
	}
	j.hear(4)
	runs := j.last()
	if !near(runs.In.Loss, 20, 1) || runs.MOS > 2.1 || len(runs.Trend) != 3 || runs.Trend[2] != float32(runs.MOS) {
		t.Errorf("four in a row of twenty: %+v", runs)
	}
}

func TestWhatThePageMakesUpCounts(t *testing.T) {
	j := newJudged(t, pcmu)
	j.hear(1)
	j.says("p", PageStats{Concealed: 9, Buffer: 90, Playout: 25})
	j.says("p", PageStats{Concealed: 11, Buffer: 110, Playout: 35})
	j.says("other", PageStats{Concealed: 100})
	q := j.last()
	if !near(q.In.Concealed, 10, 0.01) || !near(q.In.Loss, 5, 0.5) || q.Delay != 150*time.Millisecond {
		t.Errorf("%+v", q)
	}
	if want := score(way{codec: pcmu, loss: 10, delay: q.Delay}.rating()); !near(q.MOS, want, 0.001) {
		t.Errorf("MOS %.2f, wanted %.2f", q.MOS, want)
	}
	// In a pause the page makes up silence; that is no fault of the network.
	j.hear(0)
	j.now = j.now.Add(5 * time.Second)
	j.says("p", PageStats{Concealed: 50, Buffer: 50, Playout: 30})
	if q := j.last(); q.In.Concealed != 0 || q.MOS < 4.3 {
		t.Errorf("after a pause: %+v", q)
	}
	j.says("p", PageStats{Concealed: math.NaN(), Buffer: -1, Playout: 1e300})
	if said := j.e.said.Load(); said.Concealed != 0 || said.Buffer != 0 || said.Playout != 2000 {
		t.Errorf("%+v", said)
	}
}

func TestTheFarSidesWordIsTakenAndForgotten(t *testing.T) {
	j := newJudged(t, pcma)
	j.hear(0)
	j.report(25)
	if q := j.last(); !q.Out.Known || !near(q.Out.Loss, 10, 0.5) || q.Out.Jitter != 10*time.Millisecond || q.MOS != q.Out.MOS || q.MOS >= q.In.MOS {
		t.Errorf("first report: %+v", q)
	}
	j.hear(0)
	j.report(50)
	if q := j.last(); !near(q.Out.Loss, 20, 0.01) {
		t.Errorf("second report: %+v", q)
	}
	j.hear(0)
	if q := j.last(); !near(q.Out.Loss, 20, 0.01) {
		t.Errorf("no new report yet: %+v", q)
	}
	for range 3 {
		j.hear(0)
	}
	if q := j.last(); q.Out.Known || q.Out.Loss != 0 || q.MOS != q.In.MOS {
		t.Errorf("it says nothing any more: %+v", q)
	}
}

func TestNothingIsToldOfAHeldLine(t *testing.T) {
	j := newJudged(t, g722)
	j.hear(0)
	j.last()
	j.route(route{codec: g722, send: true, frame: 20, since: j.now})
	j.hear(0)
	if q := j.last(); q.MOS != 0 {
		t.Errorf("%+v", q)
	}
	j.route(route{codec: g722, hear: true, speak: true, send: true, frame: 20, since: j.now})
	j.now = j.now.Add(5 * time.Second)
	if q := j.last(); q.MOS != 0 {
		t.Errorf("nothing comes: %+v", q)
	}
}

func TestTrendIsOfThreeMinutes(t *testing.T) {
	j := newJudged(t, pcmu)
	for n := range 40 {
		j.hear(n % 2)
		if q := j.last(); len(q.Trend) != min(n+1, trendMost) || q.Trend[len(q.Trend)-1] != float32(q.MOS) {
			t.Errorf("%d: %v", n, q.Trend)
		}
	}
}
