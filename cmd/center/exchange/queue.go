package exchange

import (
	"context"
	"strconv"
	"time"
)

const (
	receiptTime = 2 * time.Second        // then a phone that has not said that it rings is passed over
	askEvery    = 200 * time.Millisecond // how often a waiting caller asks for a free agent
	tellEvery   = time.Minute            // provisional answers keep proxies from giving up (RFC 3261 §13.3.1.1)
	retryAfter  = 60                     // seconds a caller is told who waited in vain
)

// findAgent offers the call to one agent after the other, the longest idle first, and waits while there is none. Nobody is
// offered it twice.
func (s *search) findAgent(ctx context.Context) outcome {
	limit := time.NewTimer(s.c.x.cfg.Wait)
	defer limit.Stop()
	var tried []string
	for {
		offer, release, ok := s.c.x.desk.Offer(s.route.queue, tried)
		if !ok {
			if o, done := s.idle(ctx, limit.C); done {
				return o
			}
			continue
		}
		tried = append(tried, offer.Account)
		s.rings(offer.User, offer.Account)
		o := s.attempt(ctx, s.c.x.phonesOf(offer.User), s.route.mark, patience{ring: offer.RingTime, receipt: receiptTime})
		if o.leg != nil || s.over() || ctx.Err() != nil {
			o.account, o.release = offer.Account, append(o.release, release)
			return o
		}
		s.missed(offer, o)
		release()
	}
}

// missed tells the desk how the agent lost the call: by hand (603) or by time. A phone that refused by itself (busy, not ready,
// not reached) is no fault of the agent.
func (s *search) missed(o Offer, out outcome) {
	if out.code == 603 || out.expired || out.code == 408 {
		s.c.x.desk.Missed(o.Account, s.c.record.ID, out.code == 603)
	}
	s.c.x.log.Debug("offer not taken", "call", s.c.record.ID, "account", o.Account, "code", out.code, "expired", out.expired)
}

// idle lets the asker wait for a moment. done: it gave up or waited long enough.
func (s *search) idle(ctx context.Context, limit <-chan time.Time) (o outcome, done bool) {
	s.waits()
	ask := time.NewTimer(askEvery)
	defer ask.Stop()
	for {
		select {
		case h := <-s.box.letters:
			if s.hear(h, nil); s.over() {
				return outcome{code: 487, reason: "Request Terminated"}, true
			}
		case <-ask.C:
			return outcome{}, false
		case <-limit:
			return outcome{code: 480, reason: "Nobody Free", headers: []string{"Retry-After", strconv.Itoa(retryAfter)}}, true
		case <-ctx.Done():
			return outcome{code: 503, reason: "Ending", headers: []string{"Retry-After", "5"}}, true
		}
	}
}

// waits tells the asker that it waits, and again each minute.
func (s *search) waits() {
	if time.Since(s.toldAt) < tellEvery {
		return
	}
	s.toldAt = time.Now()
	s.tell(182, "")
}
