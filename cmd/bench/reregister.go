package main

import (
	"context"
	"math/rand/v2"
	"time"

	"zaseki/sip"
)

const (
	kamailioHost = "127.0.6.10"
	outage       = 2 * time.Second // how long the registrar is gone, and up to half a second more
)

// reregisterTCP: the registrar is killed and started again while a phone is registered: from its first answer until the phone is
// registered again. The phone hears of the loss by its connection. The base is one registration, its challenge included.
func (b *sipBench) reregisterTCP() (row, error) {
	return b.reregister("sip.reregister_tcp", "tcp", func(*party) error { return nil })
}

// reregisterUDP: the same with UDP. Nothing tells a phone there that the registrar is gone, so the time is counted from the
// moment it knows: a renewal, asked for when the registrar dies, found nobody.
func (b *sipBench) reregisterUDP() (row, error) {
	return b.reregister("sip.reregister_udp", "udp", func(p *party) error { p.Refresh(); return nil })
}

func (b *sipBench) reregister(name, network string, notice func(*party) error) (row, error) {
	k, err := newKamailio(b.ctx, b.dir, kamailioHost)
	if err != nil {
		return row{}, err
	}
	defer func() { k.kill() }()
	p := newParty(b.ctx, "alice")
	defer p.end()
	if _, err := p.register(b.ctx, k.addr, network); err != nil {
		return row{}, err
	}
	var took, bases []float64
	for range rounds {
		base, err := register(b.ctx, k.addr, network)
		if err != nil {
			return row{}, err
		}
		back, err := restart(b.ctx, k, p, network, notice)
		if err != nil {
			return row{}, err
		}
		took, bases = append(took, ms(back)), append(bases, ms(base))
	}
	return newRow(name, "ms", 1000, took, "REGISTER with its challenge", bases), nil
}

// register is one registration by a phone that was not there before.
func register(ctx context.Context, server, network string) (time.Duration, error) {
	p := newParty(ctx, "bob")
	defer p.end()
	took, err := p.register(ctx, server, network)
	if err != nil {
		return 0, err
	}
	return took, p.Unregister(ctx)
}

// restart kills the registrar, waits until the phone knows, and starts it again.
func restart(ctx context.Context, k *kamailio, p *party, network string, notice func(*party) error) (time.Duration, error) {
	for len(p.events) > 0 {
		<-p.events
	}
	k.kill()
	if err := notice(p); err != nil {
		return 0, err
	}
	if _, _, err := await(p, func(sip.LineLost) bool { return true }); err != nil {
		return 0, err
	}
	select {
	case <-time.After(outage + rand.N(500*time.Millisecond)):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := k.start(); err != nil {
		return 0, err
	}
	back, err := k.answers(ctx, network)
	if err != nil {
		return 0, err
	}
	_, at, err := await(p, func(sip.Registered) bool { return true })
	return max(0, at.Sub(back)), err // the phone may be quicker than who asks
}
