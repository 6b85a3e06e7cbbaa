package exchange

import (
	"context"
	"strings"
	"time"

	"zaseki/cmd/center/exchange/voice"
	"zaseki/sip/dialog"
)

// audience is a caller whom we have answered ourselves: it hears the center until an agent takes the call, and then is brought to
// the agent as in a transfer.
type audience struct {
	line  string     // at the studio
	acked chan error // its ACK came, or will not
	deaf  bool       // it cannot hear us: no description, or none we speak
}

// listens answers the caller with music, unless that has been done. False: it cannot hear it, and hears its own ringing.
func (c *conduct) listens(ctx context.Context) bool {
	if c.ours != nil {
		return !c.ours.deaf
	}
	c.ours = &audience{line: c.a.call.ID(), acked: make(chan error, 1)}
	answer, err := c.studioAnswers()
	if err != nil {
		c.x.log.Debug("caller hears no music", "call", c.record.ID, "err", err)
		c.ours.deaf = true
		return false
	}
	c.noteDown()
	ours := c.ours
	c.beside.Go(func() { ours.acked <- c.a.call.Answer(ctx, answer) })
	c.x.studio.Music(ours.line, c.route.queue)
	return true
}

// studioAnswers is the answer to the caller's offer. One that encrypts by DTLS keeps its ringing: it would have to agree on keys with
// us, and a moment later with the agent.
func (c *conduct) studioAnswers() (string, error) {
	if c.a.sdp == "" || strings.Contains(c.a.sdp, "a=fingerprint:") {
		return "", voice.ErrUnheard
	}
	local := c.a.call.Link().LocalFor(c.a.call.Source()).Addr()
	return c.x.studio.Answer(c.ours.line, local, c.a.sdp, c.a.secure())
}

// heardByUs: the caller is answered, though no agent has.
func (c *conduct) heardByUs() bool { return c.ours != nil && !c.ours.deaf }

func (c *conduct) sayPlace(place int, language string) {
	c.x.studio.Place(c.ours.line, place, language)
}

// silence ends what the caller hears of us.
func (c *conduct) silence() {
	if c.heardByUs() {
		c.x.studio.Close(c.ours.line)
	}
}

// reoffered answers the caller who changes its session while it hears us.
func (c *conduct) reoffered(from *leg, sdp string) {
	if c.heardByUs() && from == c.a && sdp != "" {
		if answer, err := c.x.studio.Reanswer(c.ours.line, sdp); err == nil {
			from.sdp = sdp
			from.call.AnswerReoffer(answer)
			return
		}
	}
	from.call.RejectReoffer(488)
}

// bring connects a caller who hears us with the agent who has answered.
func (c *conduct) bring(ctx context.Context, b *leg) (given *mailbox) {
	err := <-c.ours.acked
	if err == nil {
		c.x.sit(c, c.a, b)
		defer c.x.rise(c)
		var heard, said string
		if heard, said, err = agree(ctx, c.a, b, b.offered, b.sdp); err == nil {
			c.a.sdp, b.sdp = heard, said
		}
	}
	c.silence()
	if err != nil {
		c.x.log.Info("caller and agent not brought together", "call", c.record.ID, "err", err)
		c.note(func(r *CallRecord) { r.Code = codeOf(err) })
		c.x.hangUp(b, `SIP;cause=488;text="Caller Gone"`)
		c.x.hangUp(c.a, "")
		return nil
	}
	c.note(func(r *CallRecord) { r.Callee, r.Code, r.Answered = b.user, 200, time.Now() })
	return c.talk(ctx, b)
}

// VoiceMessage says whose message is recorded.
type VoiceMessage struct {
	Call  string
	Queue string // its name
	From  string
	Began time.Time
}

// MessageFile takes the sound of a message. Exactly one of Keep and Drop ends it.
type MessageFile interface {
	Write(block []byte) error
	Keep(ctx context.Context) error
	Drop()
	ID() string
}

// keepTime is how long a message may take to be stored.
const keepTime = 20 * time.Second

// message lets the caller leave a message. It ends the call.
func (s *search) message(ctx context.Context) outcome {
	c, x := s.c, s.c.x
	if s.asker == nil || x.cfg.Message == nil || !c.listens(ctx) {
		return vain()
	}
	r := c.view()
	file, err := x.cfg.Message(VoiceMessage{Call: r.ID, Queue: r.Queue, From: r.From, Began: time.Now()})
	if err != nil {
		x.log.Error("no message can be recorded", "call", r.ID, "err", err)
		return vain()
	}
	ctx, cancel := context.WithCancel(ctx)
	m := meanwhile(s, cancel, func() said {
		length, err := x.studio.Message(ctx, c.ours.line, x.desk.State(c.route.queue).Language, file.Write)
		return said{length, err}
	})
	c.keep(file, m)
	return outcome{code: 480, reason: "Message Over"}
}

// announce tells the caller why nobody takes the call. It ends the call.
func (s *search) announce(ctx context.Context, why string) outcome {
	c, x := s.c, s.c.x
	if s.asker == nil || !c.listens(ctx) {
		return vain()
	}
	ctx, cancel := context.WithCancel(ctx)
	err := meanwhile(s, cancel, func() error {
		return x.studio.Announce(ctx, c.ours.line, c.route.queue, why, x.desk.State(c.route.queue).Language)
	})
	if err != nil && !s.over() {
		x.log.Warn("an announcement was broken off", "call", c.view().ID, "queue", c.route.queue, "err", err)
	}
	return outcome{code: 480, reason: "Announced"}
}

// meanwhile does what the caller hears while the caller is heard; who hangs up cancels it.
func meanwhile[T any](s *search, cancel context.CancelFunc, do func() T) (result T) {
	defer cancel()
	done := make(chan T, 1)
	go func() { done <- do() }()
	for {
		select {
		case h := <-s.box.letters:
			if s.hear(h, nil); s.over() {
				cancel()
			}
		case result = <-done:
			return result
		}
	}
}

// said is how a message ended: how much of it is speech, and what broke it off.
type said struct {
	length time.Duration
	err    error
}

// keep stores what was said; silence is no message.
func (c *conduct) keep(file MessageFile, m said) {
	ctx, cancel := context.WithTimeout(context.Background(), keepTime) // also when the center ends
	defer cancel()
	if m.length < voice.LeastMessage {
		file.Drop()
		return
	}
	if err := file.Keep(ctx); err != nil {
		c.x.log.Error("message lost", "call", c.record.ID, "err", err)
		return
	}
	c.note(func(r *CallRecord) { r.Result, r.Message, r.Code = "voice", file.ID(), 200 })
}

// hearCaller takes an event of who asks.
func (s *search) hearCaller(h heard) {
	switch e := h.event.(type) {
	case dialog.Ended:
		h.leg.over.Store(true)
	case dialog.Reoffered:
		s.c.reoffered(h.leg, e.SDP)
		s.sdp = s.c.a.sdp
	case dialog.Referred:
		h.leg.call.RejectRefer(480)
	}
}

// console lets who was sent to a queue hear music when who sent it has left: it would hear nothing. A phone that does not take our
// offer stays as it is.
func (m *transfer) console(ctx context.Context, s *search) {
	x, stay := s.c.x, m.stay
	line := stay.call.ID()
	offer, err := x.studio.Offer(line, stay.call.Link().LocalFor(stay.call.Source()).Addr(), stay.secure())
	if err != nil {
		x.log.Debug("no music for who was sent on", "call", s.c.view().ID, "err", err)
		return
	}
	m.settling.Store(true)
	defer m.settling.Store(false)
	answer, err := stay.call.Reinvite(ctx, offer)
	if err == nil {
		err = x.studio.Accept(line, answer)
	}
	if err != nil {
		x.log.Debug("who was sent on hears no music", "call", s.c.view().ID, "err", err)
		x.studio.Close(line)
		return
	}
	s.sdp = answer
	x.studio.Music(line, s.route.queue)
}
