package exchange

import (
	"context"
	"net/netip"
	"time"
)

const (
	phonesPage  = "phones"
	phonesShare = 50               // of the time are not spent with notes of who is registered, to one that is: ten thousand are 3 MB
	phonesLater = 10 * time.Second // until it is noted who has nothing new but stays longer
)

// noted is a registration in the book: of a phone over UDP, which does not notice that the center started anew and is called before
// it registers again.
type noted struct {
	Contact  string         `json:"contact"`
	Q        int            `json:"q"`
	Expires  time.Time      `json:"expires"`
	CallID   string         `json:"callId"`
	CSeq     uint32         `json:"cseq"`
	Epoch    uint64         `json:"epoch"`
	Source   netip.AddrPort `json:"source"`
	Since    time.Time      `json:"since"`
	Began    time.Time      `json:"began,omitzero"`
	Instance string         `json:"instance,omitempty"`
	Reg      int            `json:"reg,omitempty"`
}

// keepBook beats, and notes who is registered when that has changed, until the context ends.
func (x *Exchange) keepBook(ctx context.Context) {
	if x.book == nil {
		<-ctx.Done()
		return
	}
	beat, phones := time.NewTicker(beatEvery), time.NewTimer(phonesLater)
	defer beat.Stop()
	defer phones.Stop()
	x.book.beat()
	n := register{x: x, page: x.before.page}
	for {
		select {
		case <-ctx.Done():
			x.book.beat()
			n.note()
			return
		case <-beat.C:
			x.book.beat()
		case <-x.where.news:
			phones.Reset(max(0, time.Until(n.next)))
		case <-phones.C:
			n.note()
			phones.Reset(phonesLater)
		}
	}
}

// register is the page of who is registered.
type register struct {
	x       *Exchange
	page    page
	version uint64 // that stands there
	next    time.Time
}

func (n *register) note() {
	began := time.Now()
	all, version := n.x.where.noted(n.version)
	if version == n.version {
		return
	}
	if err := n.x.book.write(&n.page, all); err != nil {
		n.x.log.Warn("registrations would not outlive this process", "err", err)
		return
	}
	n.version, n.next = version, time.Now().Add(phonesShare*time.Since(began))
}

// noted are the registrations over UDP, and a number that is another one than before when any of them has changed since.
func (b *bindings) noted(before uint64) (all map[string][]noted, version uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.version == before {
		return nil, before
	}
	all = make(map[string][]noted, len(b.of))
	now := b.now()
	for user, have := range b.of {
		for _, h := range fresh(have, now) {
			if h.network == "udp" {
				all[user] = append(all[user], noted{h.contact, h.q, h.expires, h.callID, h.cseq, h.epoch, h.source, h.since, h.began, h.instance, h.reg})
			}
		}
	}
	return all, b.version
}

func (b *bindings) takeUp(all map[string][]noted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	for user, have := range all {
		var left []binding
		for _, n := range have {
			left = append(left, binding{contact: n.Contact, q: n.Q, expires: n.Expires, callID: n.CallID, cseq: n.CSeq, epoch: n.Epoch,
				network: "udp", source: n.Source, since: n.Since, began: n.Began, instance: n.Instance, reg: n.Reg})
		}
		left = fresh(left, now)
		b.putLocked(user, left)
		b.hearLocked(left, now)
	}
}
