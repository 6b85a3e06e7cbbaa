package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/cmd/softphone/caller"
	"zaseki/sip"
	"zaseki/web/wire"
)

// What people of a floor say all the time, in Hz; the bell of who takes part is none of them.
const (
	hzCaller = 620
	hzAgent  = 1240
	hzBoss   = 1760
	hzOther  = 2380
	hzSecond = 2840 // another caller
)

// voices by name, as a table says who hears whom.
var hzOf = map[string]int{"caller": hzCaller, "agent": hzAgent, "boss": hzBoss, "other": hzOther, "second": hzSecond}

// ear keeps what somebody hears lately.
type ear struct {
	mu   sync.Mutex
	rate int
	pcm  []int16
}

func (e *ear) hear(pcm []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pcm = append(e.pcm, pcm...)
	if most := 2 * e.rate; len(e.pcm) > most {
		e.pcm = slices.Clone(e.pcm[len(e.pcm)-most:])
	}
}

func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pcm = nil
}

// hears says that a tone is in it: less than 10 dB below how it was said. It looks at a tenth of a second at a time, for what slips out
// of a line shifts the tone, and the two sides of the gap would cancel each other.
func (e *ear) hears(hz int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	loud, parts := 0.0, 0
	for part := range slices.Chunk(e.pcm, e.rate/10) {
		if len(part) < e.rate/10 {
			break
		}
		var re, im float64
		for i, s := range part {
			w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(part)))
			re += w * float64(s) * math.Cos(2*math.Pi*float64(hz)*float64(i)/float64(e.rate))
			im += w * float64(s) * math.Sin(2*math.Pi*float64(hz)*float64(i)/float64(e.rate))
		}
		loud += 4 * math.Hypot(re, im) / float64(len(part))
		parts++
	}
	return parts > 0 && loud/float64(parts) > toneLoud/3.2
}

const toneLoud = 6000

// toneAt is an endless tone for lines, 20 ms at 8 kHz at a time.
type toneAt struct{ hz, at int }

func (t *toneAt) Next(frame []int16) bool {
	for i := range frame {
		frame[i] = int16(toneLoud * math.Sin(2*math.Pi*float64(t.hz)*float64(t.at)/8000))
		t.at++
	}
	return true
}

// colleague is somebody with a phone and a page, both real but for the browser: the page's samples are a tone and an ear.
type colleague struct {
	*phone
	name    string
	until   func(string, func(wire.Snapshot) bool) wire.Snapshot
	ear     *ear
	end     func()
	endPage func()
}

// colleague signs an account in, with a page.
func (s *shift) colleague(name, account, status string) *colleague {
	s.Helper()
	c := s.without(name, account, status)
	c.page(s.T)
	c.until("the center knows that it is", func(s wire.Snapshot) bool { return s.Center.Online && s.Sound })
	return c
}

// without is one whose page is not open.
func (s *shift) without(name, account, status string) *colleague {
	s.Helper()
	s.dir = s.TempDir()
	c := &colleague{name: name, ear: &ear{rate: 16000}}
	c.phone, c.until, c.end = s.start(s.node.HTTP())
	c.agent.Post(wire.CheckAccount{Account: account, Password: demoPassword})
	choice := c.until("step two", func(s wire.Snapshot) bool { return s.Choice != nil }).Choice
	c.agent.Post(wire.SignIn{Terminal: choice.Terminal, Status: status})
	c.until("registered", in)
	return c
}

// page opens a page, or another one in the place of the one before.
func (c *colleague) page(t *testing.T) {
	id := fmt.Sprint("page ", time.Now().UnixNano())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	orders, stop := c.sound.Orders(id)
	go func() {
		for range orders {
		}
	}()
	began, at := time.Now(), 0
	read := func(ctx context.Context) ([]byte, error) {
		// A microphone that is read late has lost nothing, which a ticker would.
		due := began.Add(time.Duration(at+320) * time.Second / 16000)
		select {
		case <-ctx.Done():
			return nil, io.EOF
		case <-time.After(time.Until(due)):
		}
		b := make([]byte, 0, 640)
		for range 320 {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(toneLoud*math.Sin(2*math.Pi*float64(hzOf[c.name])*float64(at)/16000))))
			at++
		}
		return b, nil
	}
	write := func(b []byte) error {
		pcm := make([]int16, len(b)/2)
		for i := range pcm {
			pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		c.ear.hear(pcm)
		return nil
	}
	go func() {
		defer close(done)
		_ = c.sound.PCM(ctx, id, read, write)
	}()
	c.sound.Claim(id)
	c.endPage = sync.OnceFunc(func() { cancel(); <-done; stop(); c.sound.Gone(id) })
	t.Cleanup(c.endPage)
}

// customer is a desk phone that speaks a tone.
type customer struct {
	*caller.Caller
	ear  *ear
	told chan sip.Event
	line string
}

func (s *shift) customer(extension string, hz int, codecs ...string) *customer {
	s.Helper()
	const secret = "the-secret-of-a-test"
	s.apply(roster.Setup{Terminals: []roster.TerminalSetup{{Extension: extension, Type: "desk", Secret: secret}}})
	return s.far(caller.Config{Server: s.node.SIP(), Domain: demoDomain, User: extension, Secret: wire.Secret(secret), Codecs: codecs}, hz)
}

// far is a customer who registers as that.
func (s *shift) far(cfg caller.Config, hz int) *customer {
	s.Helper()
	c := &customer{ear: &ear{rate: 8000}, told: make(chan sip.Event, 1000)}
	cfg.Log = quiet
	cfg.Talk = func(far *caller.Caller, line string) {
		far.Sound.Play(line, &toneAt{hz: hz})
		far.Sound.Listen(line, c.ear.hear)
	}
	cfg.Told = func(e sip.Event) { c.told <- e }
	far, err := caller.New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	c.Caller = far
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = far.Run(ctx) })
	s.Cleanup(func() { cancel(); running.Wait() })
	<-far.Registered()
	return c
}

// calls rings at that number.
func (c *customer) calls(t *testing.T, number string) {
	t.Helper()
	line, err := c.Call(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	c.line = line
}

// hall is who hears whom.
type hall struct {
	*shift
	ears map[string]*ear
}

// heard waits until exactly that is heard, as "agent<caller": for a while, and still a moment later.
func (h *hall) heard(when, want string) {
	h.Helper()
	wanted := slices.Sorted(slices.Values(strings.Fields(want)))
	var got []string
	right := 0
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		for _, e := range h.ears {
			e.forget()
		}
		pass(h.T, 400*time.Millisecond)
		got = nil
		for to, e := range h.ears {
			for from, hz := range hzOf {
				if to != from && e.hears(hz) {
					got = append(got, to+"<"+from)
				}
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, wanted) {
			right = 0
			continue
		}
		if right++; right == 2 {
			return
		}
	}
	h.Fatalf("%s: heard %v, want %v", when, got, wanted)
}

// pass lets sound play for so long.
func pass(t *testing.T, d time.Duration) {
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}

// newHall is a center with an agent, a colleague and two supervisors of whom one leads the agent's group.
func newHall(t *testing.T) *hall {
	t.Helper()
	s := newShift(t)
	person := func(account, role, extension string, groups ...string) roster.AccountSetup {
		return roster.AccountSetup{Account: account, Name: strings.ToUpper(account[:1]) + account[1:], Password: demoPassword, Role: role, Terminals: []string{extension}, Groups: groups}
	}
	s.apply(roster.Setup{Groups: []roster.Group{{ID: "g1", Name: "One"}, {ID: "g2", Name: "Two"}},
		Accounts: []roster.AccountSetup{person("mori", "agent", "2011", "g1"), person("ono", "agent", "2012", "g1"),
			person("boss", "supervisor", "2013", "g1"), person("other", "supervisor", "2014", "g1", "g2"),
			person("third", "supervisor", "2015", "g2")},
		Terminals: []roster.TerminalSetup{{Extension: "2011", Account: "mori"}, {Extension: "2012", Account: "ono"}, {Extension: "2013", Account: "boss"},
			{Extension: "2014", Account: "other"}, {Extension: "2015", Account: "third"}}})
	return &hall{shift: s, ears: map[string]*ear{}}
}

// join has those people's ears count.
func (h *hall) join(all ...*colleague) {
	for _, c := range all {
		h.ears[c.name] = c.ear
	}
}

// talks answers what rings and waits until both talk.
func (c *colleague) talks() wire.Call {
	s := c.until("it rings", func(s wire.Snapshot) bool { _, on := s.Ringing(); return on })
	ringing, _ := s.Ringing()
	c.agent.Post(wire.Answer{Call: ringing.ID})
	s = c.until("talking", func(s wire.Snapshot) bool {
		return slices.ContainsFunc(s.Calls, func(c wire.Call) bool { return c.ID == ringing.ID && c.Phase == wire.CallTalking })
	})
	return s.Calls[slices.IndexFunc(s.Calls, func(c wire.Call) bool { return c.ID == ringing.ID })]
}

// asks says it until the center takes it, which hears of a call a moment after the agent's phone.
func (h *hall) asks(c *colleague, m wire.Supervise) {
	h.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		face{c.phone}.Post(m)
		s := c.until("an answer", func(s wire.Snapshot) bool { return s.Supervised != nil || len(s.Notices) > 0 })
		if s.Supervised != nil {
			return
		}
		if time.Now().After(end) {
			h.Fatalf("refused: %+v", s.Notices)
		}
		c.until("no notice", func(s wire.Snapshot) bool { // one of the attendance before may come between
			for _, n := range s.Notices {
				c.agent.Post(wire.Dismiss{Notice: n.ID})
			}
			return len(s.Notices) == 0
		})
	}
}

func attended(n int) func(wire.Snapshot) bool {
	return func(s wire.Snapshot) bool {
		began := 0
		for _, a := range s.Attendants {
			if !a.Since.IsZero() {
				began++
			}
		}
		return began == n
	}
}

func supervises(mode string) func(wire.Snapshot) bool {
	return func(s wire.Snapshot) bool {
		if mode == "" {
			return s.Supervised == nil
		}
		return s.Supervised != nil && s.Supervised.Mode == mode && !s.Supervised.Since.IsZero()
	}
}
