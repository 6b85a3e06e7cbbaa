package exchange

import (
	"context"
	"sync"
	"time"

	"zaseki/sip/dialog"
)

const (
	routesLook  = 500 * time.Millisecond // between looks at what the phones say
	routesIdle  = 30 * time.Second       // without another question a call that nobody has is over
	routesReach = 20 * time.Second       // for the agent's phone to say that it rings
	routesMost  = 10000                  // calls followed at once
)

// PhoneCall is a call that the phone of an agent says it has.
type PhoneCall struct {
	ID       string
	Inbound  bool
	Began    time.Time
	Answered time.Time // zero: not yet
}

// routes writes the history of calls that a PBX brings to our agents: it asked us who is free, and what became of that the agents'
// phones say. Without Config.PhoneCalls there is none.
type routes struct {
	x  *Exchange
	mu sync.Mutex
	of map[string]*routedCall // by Call-ID
}

// routedCall is one of them.
type routedCall struct {
	record CallRecord
	offers bool   // the last offer is open
	phone  string // the call at the agent's phone that it became; "" none yet
	since  time.Time
}

// advised notes what a PBX was told.
func (t *routes) advised(call *dialog.Call, asks *Asker, queue, name string, a advice, now time.Time) {
	if t.x.cfg.PhoneCalls == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.of[call.CallID()]
	if r == nil {
		if len(t.of) >= routesMost {
			return
		}
		from := call.Remote()
		r = &routedCall{record: CallRecord{ID: call.CallID(), From: clean(from.User, 64), Name: clean(from.Display, 64), To: queue, Queue: name,
			Caller: asks.ID, Outside: true, Began: now}}
		t.of[call.CallID()] = r
	}
	r.close(now)
	r.since, r.record.Code, r.record.Why = now, a.code, ""
	switch {
	case a.account != "":
		r.record.Account, r.record.Callee, r.offers, r.phone = a.account, a.user, true, ""
		if len(r.record.Offers) < offersMost {
			r.record.Offers = append(r.record.Offers, OfferRecord{Account: a.account, At: now, Why: a.offer.Why, Passed: a.offer.Passed})
		}
	case a.why == whyNobody: // it may ask again
	default:
		r.record.Why = a.why
		t.tellLocked(r, now)
	}
}

// last is the offer that is open, nil when none is.
func (r *routedCall) last() *OfferRecord {
	if !r.offers || len(r.record.Offers) == 0 {
		return nil
	}
	return &r.record.Offers[len(r.record.Offers)-1]
}

// close ends an offer that did not become a call.
func (r *routedCall) close(now time.Time) {
	o := r.last()
	if r.offers = false; o == nil || o.Result != "" {
		return
	}
	o.Took, o.Result = milliseconds(now.Sub(o.At)), "unreached"
	if o.Receipt > 0 {
		o.Result = "missed"
	}
}

// run looks at the phones until the context ends; calls that are left end with it.
func (t *routes) run(ctx context.Context) {
	tick := time.NewTicker(routesLook)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			t.look(now)
		case <-ctx.Done():
			t.mu.Lock()
			defer t.mu.Unlock()
			for _, r := range t.of {
				t.tellLocked(r, time.Now())
			}
			return
		}
	}
}

func (t *routes) look(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.of {
		if o := r.last(); o != nil {
			t.heardLocked(r, o, now)
		}
		if !r.offers && now.Sub(r.since) > routesIdle {
			t.tellLocked(r, now)
		}
	}
}

// heardLocked takes what the phone says of an offer that is open.
func (t *routes) heardLocked(r *routedCall, o *OfferRecord, now time.Time) {
	var at *PhoneCall
	for _, c := range t.x.cfg.PhoneCalls(r.record.Account) {
		if c.Inbound && (c.ID == r.phone || r.phone == "" && c.Began.After(o.At)) {
			at = &c
			break
		}
	}
	switch {
	case at == nil && r.phone == "" && now.Sub(o.At) > routesReach, at == nil && r.phone != "" && o.Result == "":
		r.close(now)
		r.since = now
	case at == nil && r.phone != "": // it was answered, and is over
		t.tellLocked(r, now)
	case at == nil:
	default:
		if r.phone = at.ID; o.Receipt == 0 {
			o.Receipt = milliseconds(at.Began.Sub(o.At))
		}
		if !at.Answered.IsZero() && o.Result == "" {
			o.Result, o.Took, r.record.Answered = "answered", milliseconds(at.Answered.Sub(o.At)), at.Answered
			r.record.Code = 200
		}
	}
}

// tellLocked ends a call.
func (t *routes) tellLocked(r *routedCall, now time.Time) {
	delete(t.of, r.record.ID)
	r.close(now)
	r.record.Ended, r.record.Result = now, "missed"
	switch {
	case !r.record.Answered.IsZero():
		r.record.Result = "answered"
	case r.record.Code == 486 || r.record.Why != "" && r.record.Code == 302: // sent to a number of the PBX's
		r.record.Result = "refused"
	default:
		r.record.Code = 480
	}
	if t.x.cfg.Told != nil {
		t.x.cfg.Told(r.record)
	}
}
