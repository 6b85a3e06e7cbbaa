package stack

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	datagramMax = 1300 // bytes of a request over UDP (RFC 3261 §18.1.1)
	viaRoom     = 200  // for the headers that every request gets here
	largeTime   = time.Second
)

// Outbound is a client transaction under way.
type Outbound struct {
	req   *sip.Request
	link  *Link
	to    netip.AddrPort
	tx    *sip.ClientTx
	ready chan struct{} // closed when the request is out: sipgo's timers are set by then

	mu    sync.Mutex
	final int
	on    func(*sip.Response, error)
}

// Send starts a client transaction of req (not ACK) over the link. It adds the Via with a new branch and ;rport when there
// is none. on is called in order, never at the same time: provisionals, the final, further 2xx of an INVITE; or once with
// nil and the error of a transaction that ended without a final (sip.ErrTransactionTimeout, sip.ErrTransactionTransport).
// It must not block. The answers it gets may be read by several goroutines.
func (s *Stack) Send(req *sip.Request, link *Link, to netip.AddrPort, on func(*sip.Response, error)) (*Outbound, error) {
	link = s.fitting(req, link, to)
	s.prepare(req, link, to)
	touch(req)
	o := &Outbound{req: req, link: link, to: to, on: on, ready: make(chan struct{})}
	key := clientKey(req, string(req.Method))
	o.tx = sip.NewClientTx(key, req, sender{link, to}, s.quiet)
	o.tx.OnTerminate(func(string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.outbounds, key)
	})
	s.mu.Lock()
	if s.closed || link.Err() != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("send %s: %w", req.Method, sip.ErrTransactionTransport)
	}
	s.outbounds[key] = o
	s.working.Add(1)
	s.mu.Unlock()
	err := o.tx.Init()
	close(o.ready)
	if err != nil {
		o.mu.Lock()
		o.on = nil
		o.mu.Unlock()
		o.tx.Terminate()
		s.working.Done()
		return nil, fmt.Errorf("send %s to %s: %w", req.Method, to, err)
	}
	go func() {
		defer s.working.Done()
		o.drain()
	}()
	return o, nil
}

// Request is what was sent, with its Via: what CANCEL and ACK are made of. Read it, do not change it.
func (o *Outbound) Request() *sip.Request { return o.req }

// Stop ends the transaction: nothing is sent again, and an answer that comes later is nobody's.
func (o *Outbound) Stop() {
	o.mu.Lock()
	o.on = nil
	o.mu.Unlock()
	o.tx.Terminate()
}

// receive hands the answer up at once, in the order of arrival, and lets sipgo's machine follow: that one only needs to
// know what came, and what it passes up is drained.
func (o *Outbound) receive(res *sip.Response) {
	o.mu.Lock()
	fork := o.final/100 == 2 && res.IsSuccess() && o.req.IsInvite()
	if o.on != nil && (o.final == 0 || fork) {
		if !res.IsProvisional() {
			o.final = res.StatusCode
		}
		o.on(res, nil)
	}
	o.mu.Unlock()
	o.link.stack.working.Go(func() {
		<-o.ready
		o.tx.Receive(res)
	})
}

func (o *Outbound) drain() {
	for {
		select {
		case <-o.tx.Responses():
		case <-o.tx.Done():
			err := o.tx.Err()
			if err == nil {
				err = sip.ErrTransactionTerminated
			}
			o.fail(err)
			return
		}
	}
}

func (o *Outbound) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.final == 0 && o.on != nil {
		o.on(nil, err)
	}
	o.on = nil
}

// Write sends a message outside any transaction: the ACK of a 2xx, its retransmission. A request gets its Via like in
// Send when it has none.
func (s *Stack) Write(msg sip.Message, link *Link, to netip.AddrPort) error {
	if req, ok := msg.(*sip.Request); ok {
		s.prepare(req, link, to)
	}
	return sender{link, to}.WriteMsg(msg)
}

// fitting is the link that a request takes: TCP instead of UDP when it is too large for a datagram (RFC 3261 §18.1.1), and the way
// of its Via when it has one, as a CANCEL does.
func (s *Stack) fitting(req *sip.Request, link *Link, to netip.AddrPort) *Link {
	if link.network != "udp" || !link.large.Load() {
		return link
	}
	if via := req.Via(); via != nil {
		if stream := s.stream(lower(via.Transport), to); stream != nil {
			return stream
		}
		return link
	}
	if len(req.Body()) < datagramMax/3 || len(req.String())+viaRoom < datagramMax {
		return link
	}
	ctx, cancel := context.WithTimeout(context.Background(), largeTime)
	defer cancel()
	stream, err := s.Link(ctx, "tcp", to)
	if err != nil {
		s.log.Debug("large request stays with udp", "peer", to, "err", err)
		link.large.Store(false) // it will not be there next time either
		return link
	}
	return stream
}

// prepare adds what every request has: Via, Max-Forwards, User-Agent.
func (s *Stack) prepare(req *sip.Request, link *Link, to netip.AddrPort) {
	if req.Via() == nil {
		via := &sip.ViaHeader{
			ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(link.network),
			Host: link.sentBy(to), Params: sip.NewParams(), // the port is in it
		}
		via.Params.Add("rport", "")
		via.Params.Add("branch", sip.GenerateBranch())
		req.PrependHeader(via)
	}
	if req.MaxForwards() == nil {
		hops := sip.MaxForwardsHeader(70)
		req.AppendHeader(&hops)
	}
	if s.cfg.Server != "" && req.GetHeader("User-Agent") == nil && !req.IsAck() {
		req.AppendHeader(sip.NewHeader("User-Agent", s.cfg.Server))
	}
	if req.ContentLength() == nil {
		req.SetBody(req.Body())
	}
	req.SetTransport(strings.ToUpper(link.network))
	req.SetDestination(to.String())
}

// clientKey matches a response with its transaction (RFC 3261 §17.1.3).
func clientKey(msg sip.Message, method string) string {
	branch, _ := param(msg.Via().Params, "branch")
	return branch + "\x00" + method
}
