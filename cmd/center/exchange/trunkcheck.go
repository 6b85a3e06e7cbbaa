package exchange

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// errForgotten: the provider was started anew, or thinks that our time is over.
var errForgotten = errors.New("the provider has forgotten our registration")

// still asks a provider whether it still has us, as often as a way through NAT wants to be used. One that lists registrations is asked
// for ours (RFC 3261 §10.2.3), for after a short restart it answers all else; any other for its abilities (§11), and every answer is
// one but 408 and 503.
func (k *trunk) still(ctx context.Context, w wayOut) error {
	ctx, cancel := context.WithTimeout(ctx, trunkNext)
	defer cancel()
	if !k.lists {
		return k.options(ctx, w)
	}
	req := k.request()
	res, err := k.x.ua.Request(ctx, req, w.link, w.target.Addr, k.auth)
	k.seq = req.CSeq().SeqNo
	switch {
	case err != nil:
		return err
	case res.StatusCode == 200 && k.ours(res, w) == 0:
		return errForgotten
	}
	return well(res)
}

func (k *trunk) options(ctx context.Context, w wayOut) error {
	to := uriAt("", k.p.Domain)
	req := sip.NewRequest(sip.OPTIONS, to)
	from := &sip.FromHeader{Address: uriAt(k.p.Account, k.p.Domain), Params: sip.NewParams()}
	from.Params.Add("tag", sip.GenerateTagN(16))
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: to, Params: sip.NewParams()})
	stack.AddHeaders(req, "Contact", w.link.AddressFor(k.p.Account, w.target.Addr), "Accept", "application/sdp")
	res, err := k.x.ua.Request(ctx, req, w.link, w.target.Addr, nil)
	if err != nil {
		return err
	}
	return well(res)
}

func well(res *sip.Response) error {
	if slices.Contains([]int{408, 503}, res.StatusCode) {
		return &dialog.Refused{Code: res.StatusCode, Reason: res.Reason}
	}
	return nil
}

// ours is how many seconds our contact has left, among all that the answer to a REGISTER lists; 0: it is not there.
func (k *trunk) ours(res *sip.Response, w wayOut) (seconds int) {
	own := strings.Trim(w.link.AddressFor(k.p.Account, w.target.Addr), "<>")
	for _, header := range stack.Headers(res, "Contact") {
		for _, value := range stack.Values(header) {
			if c, ok := contact(value, 0); ok && c.contact == own && c.expires > 0 {
				seconds = c.expires
			}
		}
	}
	return seconds
}

// watch keeps an eye on a provider where we do not register: calls go to others first while it does not answer.
func (k *trunk) watch(ctx context.Context) {
	ping := time.NewTicker(k.x.cfg.Ask)
	defer ping.Stop()
	for {
		w, err := k.reach(ctx)
		if ctx.Err() != nil {
			return
		}
		k.seen(w, err)
		select {
		case <-ctx.Done():
			return
		case <-ping.C:
		}
	}
}

// reach finds the first server that answers.
func (k *trunk) reach(ctx context.Context) (wayOut, error) {
	targets, err := k.targets(ctx)
	for _, t := range targets {
		within, cancel := context.WithTimeout(ctx, trunkNext)
		var link *stack.Link
		if link, err = k.open(within, t); err == nil {
			err = k.options(within, wayOut{link, t})
		}
		cancel()
		if err == nil {
			k.x.trunks.names.Forgive(t)
			return wayOut{link, t}, nil
		}
		k.x.trunks.names.Penalize(t)
	}
	return wayOut{}, err
}

// seen notes whether the provider answers.
func (k *trunk) seen(w wayOut, err error) {
	k.mu.Lock()
	was := k.reason
	k.at, k.reason = w, ""
	if err != nil {
		k.reason = err.Error()
	}
	now := k.reason
	k.mu.Unlock()
	switch {
	case err != nil:
		k.failed()
		if was == "" {
			k.log.Warn("a provider does not answer", "peer", k.p.Server, "err", err)
		}
	case was != now:
		k.carried()
		k.log.Info("a provider answers again", "peer", w.target.Addr)
	}
}
