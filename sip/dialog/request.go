package dialog

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// Request sends a request outside any dialog and waits for its final response; a challenge is answered once, twice when
// its nonce was stale. Call-ID and CSeq are added where missing, Via and Max-Forwards always; From and To are the caller's,
// From with its tag. The CSeq of req goes up with every try.
func (ua *UA) Request(ctx context.Context, req *sip.Request, link *stack.Link, to netip.AddrPort, auth *stack.Auth) (*sip.Response, error) {
	if req.CallID() == nil {
		id := sip.CallIDHeader(sip.GenerateTagN(24))
		req.AppendHeader(&id)
	}
	if req.CSeq() == nil {
		req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: req.Method})
	}
	for try := 0; ; try++ {
		res, err := ua.once(ctx, again(req, req.CSeq().SeqNo), link, to)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", req.Method, err)
		}
		challenged := res.StatusCode == 401 || res.StatusCode == 407
		if !challenged || auth == nil || try == 2 || !auth.Authorize(req, res) {
			return res, nil
		}
		req.CSeq().SeqNo++
	}
}

func (ua *UA) once(ctx context.Context, req *sip.Request, link *stack.Link, to netip.AddrPort) (*sip.Response, error) {
	type outcome struct {
		res *sip.Response
		err error
	}
	final := make(chan outcome, 1)
	out, err := ua.stack.Send(req, link, to, func(res *sip.Response, err error) {
		if res == nil || !res.IsProvisional() {
			final <- outcome{res, err}
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case o := <-final:
		return o.res, o.err
	case <-ctx.Done():
		out.Stop()
		return nil, ctx.Err()
	}
}
