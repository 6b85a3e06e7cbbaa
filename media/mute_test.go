package media

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNothingOfTheVoiceLeavesWhileMuted lets a call go through whatever a day has, mutes and unmutes in between, and listens on every
// line to every frame: while muted there is nothing of the agent, and packets flow all the time.
func TestNothingOfTheVoiceLeavesWhileMuted(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		moves := rapid.SliceOfN(rapid.Custom(drawMove), 1, 25).Draw(r, "moves")
		spoken := runDay(t, r, moves, true)
		if len(spoken) == 0 {
			return
		}
		// Tones that begin have a little of every frequency in them: what is there without the voice is not the voice.
		unspoken := runDay(t, r, moves, false)
		for at, h := range spoken {
			if there, ok := unspoken[at]; !ok || h.level > there.level+3 {
				r.Fatalf("%s hears the agent at %.0f dB, and what else is there at %.0f dB; %s", h.line, h.level, there.level, h.done)
			}
		}
	})
}

// move is one thing that happens, and how many frames pass then.
type move struct {
	Act, How           string
	Line, From, Frames int
	Role               Role
	On                 bool
}

func drawMove(r *rapid.T) move {
	return move{Act: rapid.SampledFrom([]string{"mute", "focus", "no one", "mix", "unmix", "hold", "replace", "reload", "role", "tone", "replay", "card"}).Draw(r, "act"),
		How: rapid.SampledFrom([]string{"sendonly", "inactive"}).Draw(r, "how"), Line: rapid.IntRange(0, 3).Draw(r, "line"),
		From: rapid.IntRange(0, 2).Draw(r, "from"), Frames: rapid.IntRange(2, 6).Draw(r, "frames"),
		Role: Role(rapid.IntRange(0, 2).Draw(r, "role")), On: rapid.Bool().Draw(r, "on")}
}

// leak is what a muted agent's tone seems to have left on a line in one frame.
type leak struct {
	line, done string
	level      float64
}

// runDay lets it all happen, with the agent's voice or without, and gives what may be a leak by frame and line.
func runDay(t *testing.T, r *rapid.T, moves []move, voice bool) map[[2]int]leak {
	p := newParty(t, g722, pcmu, pcma, opus)
	defer p.end()
	d := &day{party: p, r: r, held: map[string]bool{}, kinds: map[string]codec{"a": g722, "b": pcmu, "c": pcma, "d": opus}, voice: voice, leaks: map[[2]int]leak{}}
	p.now = p.now.Add(time.Hour) // agreements bear the time of the wall
	p.page.hz = 2500             // far from all others: a frame is short
	p.page.made = opusTone(t, p.page.hz)
	if !voice {
		p.page.speech = make([]int16, mixFrame)
		p.page.made = [][]byte{[]byte(opusSilence)}
	}
	p.e.KeepReplay(true)
	p.e.Focus("a")
	for _, m := range moves {
		d.step(m)
		d.check(m.Frames)
	}
	return d.leaks
}

// day is what happens to a party.
type day struct {
	*party
	r     *rapid.T
	kinds map[string]codec
	held  map[string]bool
	muted bool
	done  string
	voice bool
	frame int
	leaks map[[2]int]leak
}

func (d *day) open(k *talker) bool { return d.e.lines[k.name] == k.l }

func (d *day) step(m move) {
	k := d.lines[m.Line]
	names := []string{"a", "b", "c", "d"}
	map[string]func(){
		"mute":    func() { d.muted = !d.muted; d.e.Mute(d.muted) },
		"focus":   func() { d.e.Focus(k.name) },
		"no one":  func() { d.e.Focus("") },
		"mix":     func() { d.e.Mix(names[m.From:]...) },
		"unmix":   func() { d.e.Mix() },
		"hold":    func() { d.hold(k, m.How) },
		"replace": func() { d.replace(k) },
		"reload":  d.reload,
		"role":    func() { _ = d.e.Attend(k.name, m.Role) },
		"tone":    func() { _ = d.e.Announce(k.name, Tone(1900, 100, 0, 1), m.On) },
		"replay":  func() { _ = d.e.Replay(k.name, m.On) },
		"card":    func() { _ = d.e.Card(k.name, m.On) },
	}[m.Act]()
	d.done = fmt.Sprintf("after %s %s, muted %v, focus %q, mixed %v, held %v", m.Act, k.name, d.muted, d.e.wanted, d.e.mixed, d.held)
}

func (d *day) hold(k *talker, how string) {
	if !d.open(k) {
		return
	}
	d.held[k.name] = !d.held[k.name]
	dir := map[bool]string{true: how, false: "sendrecv"}[d.held[k.name]]
	if _, err := d.e.Reanswer(k.name, k.sdp(dir)); err != nil {
		d.r.Fatal(err)
	}
}

// replace closes a line and opens another in its place, as a transfer does.
func (d *day) replace(k *talker) {
	d.e.CloseLine(k.name)
	for i, old := range d.lines {
		if old == k {
			d.lines = append(d.lines[:i:i], d.lines[i+1:]...)
		}
	}
	_ = k.peer.conn.Close()
	made := d.add(k.name, d.kinds[k.name])
	made.becomes(d.t, k.hz)
	d.held[k.name] = false
}

// reload gives the page a new connection, with numbers of its own.
func (d *day) reload() {
	old := d.conn
	d.conn = &conn{page: old.page, track: newTrack()}
	d.conn.learn([]format{{9, "G722", 8000}, {0, "PCMU", 8000}, {8, "PCMA", 8000}, {111, "opus", 48000}})
	d.conn.track.change(func(o *outlet) { o.w = d.party })
	d.page.last = packet{}
	d.page.seq += 1000
	old.page.conn.Store(d.conn)
}

// check passes frames one by one; the first is for what was already on its way through filters.
func (d *day) check(frames int) {
	for i := range frames {
		for _, k := range d.lines {
			k.heard = nil
		}
		before := map[*talker]uint32{}
		for _, k := range d.lines {
			before[k] = k.got
		}
		d.pass(1)
		d.frame++
		for n, k := range d.lines {
			level := decibels(strength(k.heard, d.page.hz, mixRate), 6000)
			if d.muted && i > 0 && len(k.heard) > 0 && (level > -30 || !d.voice) {
				d.leaks[[2]int{d.frame, n}] = leak{k.name, d.done, level}
			}
			route := k.l.route.Load()
			if !d.open(k) || k.got > before[k] || route == nil || route.silent() {
				k.idle = 0
			} else if k.idle += frameTime * time.Millisecond; k.idle > 60*time.Millisecond {
				d.r.Fatalf("%s has got no packet for %v; %s", k.name, k.idle, d.done)
			}
		}
	}
}
