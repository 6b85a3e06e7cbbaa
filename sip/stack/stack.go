// Package stack is what stands between sipgo and us: sockets whose messages keep their order, validation in front of every
// handler, sipgo's transactions, digest, clean strings and a trace that hides secrets. sipgo gives messages, parser and
// transaction machines; its transports and dispatch start a goroutine per message, which loses the order of 40 to 99 % of
// messages sent back to back, so sockets and dispatch are ours.
package stack

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Config is what a Stack needs to know before its first socket.
type Config struct {
	Log *slog.Logger
	// Admit says whether a datagram or connection from there is read at all; nil admits everybody. It runs before anything
	// is parsed and must be quick.
	Admit func(from netip.AddrPort) bool
	// Server is the User-Agent or Server header of everything we send.
	Server string
	// Allow are the methods we know; others get 405. Empty: INVITE ACK CANCEL BYE OPTIONS INFO UPDATE PRACK.
	Allow []string
	// Traced hears every message with its secrets masked, in the order of the wire per link; nil costs nothing. It is called
	// by many goroutines and must be quick.
	Traced func(Message)
	// Forwards says that INVITEs go on from here, so that one without a hop left is refused with 483 (RFC 3261 §16.3). Who makes
	// the next one gives it a Max-Forwards one below Hops.
	Forwards bool
	// Bindings says that STUN binding requests on UDP are answered: phones keep their flows alive with them (RFC 5626 §4.4.2).
	Bindings bool
	// ConnsPerAddr is how many TCP connections one address may hold; 0 means 64.
	ConnsPerAddr int
}

// Handlers get valid requests in the order of arrival, on the goroutine that reads the socket: they must not block.
// Set them with Handle before the first link opens.
type Handlers struct {
	// Request gets each new request but ACK and CANCEL once; retransmissions are answered below.
	Request func(*Inbound)
	// Ack gets the ACK of a 2xx (RFC 3261 §13.3.1.4); others end in their transaction.
	Ack func(*sip.Request)
	// Cancel tells that the INVITE of was cancelled. The CANCEL itself is answered with 200 already; 487 is the handler's.
	// A CANCEL that is repeated is told again.
	Cancel func(cancel *sip.Request, of *Inbound)
}

// Stack owns the sockets and transactions of one SIP element.
type Stack struct {
	cfg     Config
	log     *slog.Logger
	handle  Handlers
	parser  *sip.Parser
	allow   map[string]bool
	methods string         // the same as a header
	server  sip.Header     // shared by all answers, for nobody changes it; nil without a name
	quiet   *slog.Logger   // of sipgo's machines
	buffers sync.Pool      // of messages on their way out
	working sync.WaitGroup // every goroutine and timer of ours

	mu        sync.Mutex
	closed    bool
	udp       []*Link
	streams   map[streamKey]*Link
	perAddr   map[netip.Addr]int
	listeners []net.Listener
	inbounds  map[string]*Inbound
	settled   map[string]*settled
	settling  []*settled        // the same in the order in which they are forgotten
	merged    map[string]string // Call-ID, From tag and CSeq of a request → its transaction (RFC 3261 §8.2.2.2)
	outbounds map[string]*Outbound
}

// New makes a Stack; it opens nothing.
func New(cfg Config) *Stack {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.ConnsPerAddr == 0 {
		cfg.ConnsPerAddr = 64
	}
	if len(cfg.Allow) == 0 {
		cfg.Allow = []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK"}
	}
	s := &Stack{
		methods: strings.Join(cfg.Allow, ", "),
		cfg:     cfg, log: cfg.Log, parser: newParser(), quiet: slog.New(slog.DiscardHandler), allow: map[string]bool{"ACK": true, "CANCEL": true},
		streams: map[streamKey]*Link{}, perAddr: map[netip.Addr]int{},
		inbounds: map[string]*Inbound{}, settled: map[string]*settled{}, merged: map[string]string{}, outbounds: map[string]*Outbound{},
	}
	for _, m := range cfg.Allow {
		s.allow[m] = true
	}
	if cfg.Server != "" {
		s.server = sip.NewHeader("Server", cfg.Server)
	}
	return s
}

// Handle sets the handlers, once, before the first link opens.
func (s *Stack) Handle(h Handlers) { s.handle = h }

// Allow is the Allow header of our answers.
func (s *Stack) Allow() string { return s.methods }

// Server is what we call ourselves.
func (s *Stack) Server() string { return s.cfg.Server }

// Run blocks until the context ends, then closes every link and transaction and waits for their goroutines.
func (s *Stack) Run(ctx context.Context) error {
	sweep := time.NewTicker(sweepTime)
	defer sweep.Stop()
	for running := true; running; {
		select {
		case <-ctx.Done():
			running = false
		case now := <-sweep.C:
			s.sweep(now)
		}
	}
	s.close()
	s.working.Wait()
	return nil
}

func (s *Stack) close() {
	s.mu.Lock()
	s.closed = true
	listeners, links := s.listeners, append([]*Link(nil), s.udp...)
	for _, l := range s.streams {
		links = append(links, l)
	}
	var in []*Inbound
	for _, i := range s.inbounds {
		if i.tx != nil {
			in = append(in, i)
		}
	}
	var out []*Outbound
	for _, o := range s.outbounds {
		out = append(out, o)
	}
	s.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	for _, l := range links {
		l.lose(net.ErrClosed)
	}
	for _, i := range in {
		i.tx.Terminate()
	}
	for _, o := range out {
		o.tx.Terminate()
	}
}

// receive handles one whole message. It runs on the goroutine that reads the link: this is what keeps the order.
func (s *Stack) receive(data []byte, from netip.AddrPort, l *Link) {
	defer func() {
		if broken := recover(); broken != nil {
			s.log.Error("sip message broke its handler", "peer", from, "panic", broken)
		}
	}()
	s.trace(false, l, from, data)
	msg, err := parse(s.parser, data)
	if err != nil {
		s.log.Debug("sip message unreadable", "peer", from, "err", errText(err))
		if answer := salvage(data); answer != nil {
			s.trace(true, l, from, answer)
			_ = l.write(answer, from)
		}
		return
	}
	msg.SetTransport(strings.ToUpper(l.network))
	switch m := msg.(type) {
	case *sip.Request:
		s.request(m, from, l)
	case *sip.Response:
		s.response(m)
	}
}

func (s *Stack) response(res *sip.Response) {
	touch(res)
	if res.CSeq() == nil || res.Via() == nil || res.From() == nil || res.To() == nil || res.CallID() == nil {
		return
	}
	s.mu.Lock()
	o := s.outbounds[clientKey(res, string(res.CSeq().MethodName))]
	s.mu.Unlock()
	if o != nil {
		o.receive(res)
	}
}

// touch parses what sipgo would parse on first use: afterwards a message may be read by several goroutines.
func touch(msg sip.Message) {
	msg.Via()
	msg.From()
	msg.To()
	msg.CallID()
	msg.CSeq()
	msg.ContentLength()
	switch m := msg.(type) {
	case *sip.Request:
		m.MaxForwards()
		touchRare(m.Headers(), m, refreshes(m))
	case *sip.Response:
		touchRare(m.Headers(), m, true)
	}
}

// touchRare touches what most messages lack, and sipgo would look for again and again.
func touchRare(headers []sip.Header, msg rare, contact bool) {
	for _, h := range headers {
		switch name := h.Name(); {
		case same(name, "contact"), same(name, "m"):
			if contact {
				msg.Contact()
			}
		case same(name, "content-type"), same(name, "c"):
			msg.ContentType()
		case same(name, "route"):
			msg.Route()
		case same(name, "record-route"):
			msg.RecordRoute()
		}
	}
}

type rare interface {
	Contact() *sip.ContactHeader
	ContentType() *sip.ContentTypeHeader
	Route() *sip.RouteHeader
	RecordRoute() *sip.RecordRouteHeader
}

// refreshes: the Contact of such a request means something (RFC 3261 §20.10).
func refreshes(req *sip.Request) bool {
	return req.Method != sip.BYE && req.Method != sip.ACK && req.Method != sip.CANCEL
}

func errText(err error) string {
	text := err.Error()
	if len(text) > 120 {
		text = text[:120]
	}
	return text
}
