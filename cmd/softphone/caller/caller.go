// Package caller is somebody at the other end without an agent: the demo's customer and echo line, the outside caller of tests
// and benchmarks. SIP and RTP are real; what it says and hears is up to its Talk.
package caller

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/media"
	"zaseki/sip"
)

// Config is who calls.
type Config struct {
	Server, Domain, User string
	Secret               interface{ Reveal() string }
	From, Name           string        // how its calls look to others; From "" = User
	PickUp               time.Duration // how long it lets calls ring that come to it
	Codecs               []string      // "" = PCMU, PCMA
	Log                  *slog.Logger
	// Talk is told that sound flows on this line of the caller's engine. It must not block.
	Talk func(c *Caller, line string)
	// Heard is told what the sound does; may be nil.
	Heard func(c *Caller, e media.Event)
	// Told is told what happens on the line; may be nil.
	Told func(sip.Event)
}

// Caller is that somebody.
type Caller struct {
	Line  *sip.Phone
	Sound *media.Engine

	cfg  Config
	jobs sync.WaitGroup

	mu     sync.Mutex
	serial int
	up     map[string]bool // calls alive
	known  chan struct{}   // closed once registered
}

// New is a caller that is not registered yet.
func New(cfg Config) (*Caller, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Codecs == nil {
		cfg.Codecs = []string{"PCMU", "PCMA"}
	}
	c := &Caller{cfg: cfg, up: map[string]bool{}, known: make(chan struct{})}
	sound, err := media.New(media.Config{Log: cfg.Log, Codecs: cfg.Codecs, Tell: func(e media.Event) {
		if cfg.Heard != nil {
			cfg.Heard(c, e)
		}
	}})
	if err != nil {
		return nil, err
	}
	c.Sound = sound
	c.Line = sip.New(sip.Config{UserAgent: "Zaseki-caller", Log: cfg.Log, Tell: c.tell, Reoffer: sound.Reanswer})
	return c, nil
}

// Run registers and stays until ctx ends; then it hangs up and unregisters.
func (c *Caller) Run(ctx context.Context) error {
	tools, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, tools := errgroup.WithContext(tools)
	g.Go(func() error { return c.Sound.Run(tools) })
	g.Go(func() error { return c.Line.Run(tools) })
	g.Go(func() error {
		defer stop()
		c.work(ctx)
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (c *Caller) work(ctx context.Context) {
	account := sip.Account{User: c.cfg.User, AuthUser: c.cfg.User, Domain: c.cfg.Domain, Server: c.cfg.Server, Transport: "udp",
		Display: c.cfg.Name, From: c.cfg.From, Password: c.cfg.Secret, Expires: 2 * time.Minute}
	if err := c.Line.Register(ctx, account); err != nil {
		c.cfg.Log.Warn("caller does not register", "user", c.cfg.User, "err", err)
	} else {
		close(c.known)
	}
	<-ctx.Done()
	c.jobs.Wait()
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	for _, id := range c.Calls() {
		_ = c.Line.Hangup(bye, id)
	}
	_ = c.Line.Unregister(bye)
}

// Registered is closed once the first REGISTER was answered with 200.
func (c *Caller) Registered() <-chan struct{} { return c.known }

// Call dials and gives the line's name; what becomes of it comes as events.
func (c *Caller) Call(ctx context.Context, number string) (string, error) {
	c.mu.Lock()
	c.serial++
	id := c.cfg.User + "-" + strconv.Itoa(c.serial)
	c.up[id] = true
	c.mu.Unlock()
	offer, err := c.Sound.OpenLine(id, c.Line.LocalAddr(), media.Security{})
	if err == nil {
		err = c.Line.Dial(ctx, id, number, offer)
	}
	if err != nil {
		c.over(id)
	}
	return id, err
}

// Calls are the lines alive.
func (c *Caller) Calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.up))
}

func (c *Caller) tell(e sip.Event) {
	switch e := e.(type) {
	case sip.Incoming:
		c.jobs.Go(func() { c.pickUp(e) })
	case sip.Progress:
		if e.SDP != "" {
			c.note(e.Call, c.Sound.SetAnswer(e.Call, e.SDP))
		}
	case sip.Answered:
		c.note(e.Call, c.Sound.SetAnswer(e.Call, e.SDP))
		c.cfg.Talk(c, e.Call)
	case sip.Failed:
		c.over(e.Call)
	case sip.Ended:
		c.over(e.Call)
	case sip.Moved:
		for _, id := range c.Calls() {
			c.jobs.Go(func() { c.note(id, c.move(id, e.Local)) })
		}
	}
	if c.cfg.Told != nil {
		c.cfg.Told(e)
	}
}

// move offers a call anew from our new address.
func (c *Caller) move(id string, local netip.Addr) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	offer, err := c.Sound.MoveOffer(id, local)
	if err != nil {
		return err
	}
	answer, err := c.Line.Reinvite(ctx, id, offer)
	if err != nil {
		return err
	}
	return c.Sound.SetAnswer(id, answer)
}

func (c *Caller) note(line string, err error) {
	if err != nil {
		c.cfg.Log.Warn("caller", "call", line, "err", err)
	}
}

func (c *Caller) pickUp(e sip.Incoming) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	answer, err := c.Sound.AnswerLine(e.Call, c.Line.LocalAddr(), e.SDP, media.Security{})
	if err != nil {
		c.note(e.Call, c.Line.Reject(ctx, e.Call, 488, "Not acceptable here"))
		return
	}
	c.mu.Lock()
	c.up[e.Call] = true
	c.mu.Unlock()
	c.note(e.Call, c.Line.Ring(e.Call))
	select {
	case <-ctx.Done():
	case <-time.After(c.cfg.PickUp):
	}
	if err := c.Line.Answer(ctx, e.Call, answer); err != nil {
		c.over(e.Call)
		return
	}
	c.cfg.Talk(c, e.Call)
}

func (c *Caller) over(id string) {
	c.Sound.CloseLine(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.up, id)
}
