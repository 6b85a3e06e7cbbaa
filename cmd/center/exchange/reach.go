package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
)

// flowTime is how long a flow may take to say anything at all when there is another one to the same phone.
const flowTime = time.Second

// flowsTo is the phone of that instance among those to be rung, by another of its flows; -1: none, it is rung by this one.
func flowsTo(all []target, b binding) int {
	return slices.IndexFunc(all, func(t target) bool { return b.reg > 0 && t.at.reg > 0 && strings.EqualFold(t.at.instance, b.instance) })
}

// onlyThe are the phones of that instance, which a GRUU names (RFC 5627 §5.1); "" all.
func onlyThe(all []target, instance string) []target {
	if instance == "" {
		return all
	}
	return slices.DeleteFunc(all, func(t target) bool { return !strings.EqualFold(t.at.instance, instance) })
}

// next is the same phone by its next flow.
func (t target) next() (target, bool) {
	if len(t.flows) == 0 {
		return target{}, false
	}
	by := t
	by.at, by.flows = t.flows[0], t.flows[1:]
	return by, sip.ParseUri(by.at.contact, &by.uri) == nil
}

// gone says that a flow did not bring the INVITE to its phone: who stands at its other end says so (430, RFC 5626 §11.3), or nobody does.
func gone(e dialog.Failed) bool {
	return e.Code == 430 || e.Response == nil && (e.Code == 408 || e.Code == 503)
}

// byNextFlow rings the phone of a leg that came to nothing by its next flow (RFC 5626 §5.3).
func (r *ringing) byNextFlow(ctx context.Context, l *leg) bool {
	next, ok := l.target.next()
	if !ok {
		return false
	}
	r.s.c.x.log.Info("a flow is dead", "call", r.s.c.record.ID, "user", l.user, "peer", l.target.at.source)
	return r.start(ctx, next, r.mark)
}
