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

// ringQueue offers the call to one agent after the other, the longest idle first, and waits while there is none. Nobody is
// offered it twice.
func (c *conduct) ringQueue(ctx context.Context) {
	limit := time.NewTimer(c.x.cfg.Wait)
	defer limit.Stop()
	var tried []string
	for {
		offer, release, ok := c.x.desk.Offer(c.route.queue, tried)
		if !ok {
			if !c.wait(ctx, limit.C) {
				return
			}
			continue
		}
		tried = append(tried, offer.Account)
		c.note(func(r *CallRecord) { r.Account = offer.Account })
		o := c.attempt(ctx, c.toContacts(offer.User), c.route.mark, patience{ring: offer.RingTime, receipt: receiptTime})
		if o.leg != nil || c.a.over || ctx.Err() != nil {
			c.settle(ctx, o)
			release()
			return
		}
		c.missed(offer, o)
		release()
	}
}

// missed tells the desk how the agent lost the call: by hand (603) or by time. A phone that refused by itself (busy, not ready,
// not reached) is no fault of the agent.
func (c *conduct) missed(o Offer, out outcome) {
	if out.code == 603 || out.expired || out.code == 408 {
		c.x.desk.Missed(o.Account, c.record.ID, out.code == 603)
	}
	c.x.log.Debug("offer not taken", "call", c.record.ID, "account", o.Account, "code", out.code, "expired", out.expired)
}

// wait keeps the caller on hold for a moment. It is false when the caller gave up or waited long enough.
func (c *conduct) wait(ctx context.Context, limit <-chan time.Time) bool {
	c.queued()
	ask := time.NewTimer(askEvery)
	defer ask.Stop()
	for {
		select {
		case h := <-c.mail:
			if c.known(h); c.a.over {
				return false
			}
		case <-ask.C:
			return true
		case <-limit:
			c.refuse(480, "Nobody Free", "Retry-After", strconv.Itoa(retryAfter))
			return false
		case <-ctx.Done():
			c.refuse(503, "Ending", "Retry-After", "5")
			return false
		}
	}
}

// queued tells the caller that it waits, and again each minute.
func (c *conduct) queued() {
	if time.Since(c.toldAt) < tellEvery {
		return
	}
	c.toldAt = time.Now()
	c.a.call.Ring(182, "")
}
