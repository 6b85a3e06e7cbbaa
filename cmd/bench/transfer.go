package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"zaseki/sip"
)

// table is three at a real proxy: alice and bob are phones of ours, carol as well or a real one.
type table struct {
	ctx               context.Context
	proxy             *kamailio
	alice, bob, carol *party
	peer              *process
	calls             int
}

// seat starts the proxy and registers our phones.
func (b *sipBench) seat(names ...string) (*table, error) {
	k, err := newKamailio(b.ctx, b.dir, kamailioHost)
	if err != nil {
		return nil, err
	}
	t := &table{ctx: b.ctx, proxy: k}
	for i, name := range names {
		p := newParty(b.ctx, name)
		*[]**party{&t.alice, &t.bob, &t.carol}[i] = p
		if _, err := p.register(b.ctx, k.addr, "udp"); err != nil {
			t.clear()
			return nil, err
		}
	}
	return t, nil
}

func (t *table) clear() {
	for _, p := range []*party{t.alice, t.bob, t.carol} {
		if p != nil {
			p.end()
		}
	}
	if t.peer != nil {
		t.peer.kill()
	}
	t.proxy.kill()
}

// name is one for a new call.
func (t *table) name() string {
	t.calls++
	return "call-" + strconv.Itoa(t.calls)
}

// call brings two phones of ours together.
func (t *table) call(from, to *party) (out, in string, took time.Duration, err error) {
	out = t.name()
	began := time.Now()
	if err := from.Dial(t.ctx, out, to.name, from.sdp()); err != nil {
		return out, "", 0, err
	}
	if in, err = to.takes(t.ctx); err != nil {
		return out, in, 0, err
	}
	_, at, err := await(from, func(e sip.Answered) bool { return e.Call == out })
	return out, in, at.Sub(began), err
}

// doing is a transfer under way.
type doing chan done

type done struct {
	took time.Duration
	err  error
}

func begin(f func() error) doing {
	d := make(doing, 1)
	began := time.Now()
	go func() {
		err := f()
		d <- done{time.Since(began), err}
	}()
	return d
}

// transferBlind: alice called bob, who sends her to carol: from Transfer to its return. All three are ours.
func (b *sipBench) transferBlind() (row, error) {
	return b.transferOurs("sip.transfer_blind", func(t *table, in string) (func() error, error) {
		return func() error { return t.bob.Transfer(t.ctx, in, "carol") }, nil
	})
}

// transferAttended: bob asks carol first: from Connect to its return.
func (b *sipBench) transferAttended() (row, error) {
	return b.transferOurs("sip.transfer_attended", func(t *table, in string) (func() error, error) {
		asking, _, _, err := t.call(t.bob, t.carol)
		return func() error { return t.bob.Connect(t.ctx, in, asking) }, err
	})
}

func (b *sipBench) transferOurs(name string, prepare func(t *table, in string) (func() error, error)) (row, error) {
	t, err := b.seat("alice", "bob", "carol")
	if err != nil {
		return row{}, err
	}
	defer t.clear()
	var took, bases []float64
	for range rounds {
		out, in, base, err := t.call(t.alice, t.bob)
		if err != nil {
			return row{}, err
		}
		send, err := prepare(t, in)
		if err != nil {
			return row{}, err
		}
		d, err := t.follow(out, begin(send))
		if err != nil {
			return row{}, err
		}
		took, bases = append(took, ms(d)), append(bases, ms(base))
	}
	return newRow(name, "ms", 0, took, "setting up one call", bases), nil
}

// follow lets alice go where she is sent and carol answer; afterwards no call is left.
func (t *table) follow(out string, sent doing) (time.Duration, error) {
	if _, _, err := await(t.alice, func(sip.TransferAsked) bool { return true }); err != nil {
		return 0, err
	}
	as := t.name()
	if err := t.alice.Follow(t.ctx, out, as, t.alice.sdp()); err != nil {
		return 0, err
	}
	in, err := t.carol.takes(t.ctx)
	if err != nil {
		return 0, err
	}
	d := <-sent
	if d.err != nil {
		return 0, d.err
	}
	if err := t.alice.ended(out); err != nil {
		return 0, err
	}
	return d.took, errors.Join(t.carol.hangsUp(t.ctx, in), t.alice.ended(as))
}

// transferPeer: we called carol, a real phone that answers by itself, and send her to bob, one of ours, blind or having asked him.
func (b *sipBench) transferPeer(name string, peer realPhone, attended bool) (row, error) {
	t, err := b.seat("alice", "bob")
	if err != nil {
		return row{}, err
	}
	defer t.clear()
	if t.peer, err = peer(b.ctx, b.dir, t.proxy, "carol"); err != nil {
		return row{}, err
	}
	var took, bases []float64
	for range peerRounds {
		base, d, err := t.sendPeer(attended)
		if err != nil {
			return row{}, fmt.Errorf("%w\n%s", err, t.peer.said())
		}
		took, bases = append(took, ms(d)), append(bases, ms(base))
	}
	return newRow(name, "ms", 0, took, "setting up one call to it", bases), nil
}

const peerRounds = 5

func (t *table) sendPeer(attended bool) (base, took time.Duration, err error) {
	out := t.name()
	if base, err = t.alice.talks(t.ctx, out, "carol"); err != nil {
		return 0, 0, err
	}
	send := func() error { return t.alice.Transfer(t.ctx, out, "bob") }
	if attended {
		asking, _, _, err := t.call(t.alice, t.bob)
		if err != nil {
			return 0, 0, err
		}
		send = func() error { return t.alice.Connect(t.ctx, out, asking) }
	}
	sent := begin(send)
	in, err := t.bob.takes(t.ctx)
	if err != nil {
		return 0, 0, err
	}
	d := <-sent
	if d.err != nil {
		return 0, 0, d.err
	}
	return base, d.took, t.bob.hangsUp(t.ctx, in)
}
