package media

import (
	"context"
	"net/netip"
)

// Engine is all sound of one phone. Its methods may be called from any goroutine.
type Engine struct{ cfg Config }

func New(cfg Config) (*Engine, error)           { return &Engine{cfg: cfg}, nil }
func (e *Engine) Run(ctx context.Context) error { <-ctx.Done(); return nil }

func (e *Engine) Offer(ctx context.Context, page, sdp string) (answer string, err error) {
	return "", ErrClosed
}
func (e *Engine) Orders(page string) (<-chan Order, func()) { return make(chan Order, 1), func() {} }
func (e *Engine) Claim(page string)                         {}
func (e *Engine) Gone(page string)                          {}

func (e *Engine) OpenLine(line string, local netip.Addr) (offer string, err error) {
	return "", ErrClosed
}
func (e *Engine) AnswerLine(line string, local netip.Addr, offer string) (answer string, err error) {
	return "", ErrClosed
}
func (e *Engine) SetAnswer(line, answer string) error                        { return ErrNoLine }
func (e *Engine) HoldOffer(line string, hold bool) (offer string, err error) { return "", ErrNoLine }
func (e *Engine) Reanswer(line, offer string) (answer string, err error)     { return "", ErrNoLine }
func (e *Engine) Focus(line string)                                          {}
func (e *Engine) CloseLine(line string)                                      {}
func (e *Engine) Mute(on bool)                                               {}
func (e *Engine) Digits(line, digits string) error                           { return ErrNoLine }
func (e *Engine) Stats(line string) Stats                                    { return Stats{} }
func (e *Engine) Play(line string, src Source)                               {}
func (e *Engine) Echo(line string)                                           {}
func (e *Engine) Listen(line string, sink func(pcm []int16))                 {}
