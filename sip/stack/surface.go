// Package stack is what stands between sipgo and us: sockets whose messages keep their order, validation in front of every
// handler, sipgo's transactions, digest, clean strings and a trace that hides secrets. sipgo gives messages, parser and
// transaction machines; its transports and dispatch start a goroutine per message, which loses the order of 40 to 99 % of
// messages sent back to back, so sockets and dispatch are ours.
package stack

import (
	"context"
	"log/slog"
	"net/netip"

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
	// Allow is what 405 answers name and the validator lets through. Empty: INVITE ACK CANCEL BYE OPTIONS INFO.
	Allow []string
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
	Cancel func(cancel *sip.Request, of *Inbound)
}

// Stack owns the sockets and transactions of one SIP element.
type Stack struct{}

// New makes a Stack; it opens nothing.
func New(Config) *Stack { panic("unbuilt") }

// Handle sets the handlers, once, before the first link opens.
func (s *Stack) Handle(Handlers) {}

// Run blocks until the context ends, then closes every link and transaction and waits for their goroutines.
func (s *Stack) Run(ctx context.Context) error { return nil }

// ListenUDP opens a UDP socket ("127.0.0.1:0" picks a port) and reads it until the Stack or the link closes. A read error
// never ends it silently: the socket is opened again on the same address.
func (s *Stack) ListenUDP(addr string) (*Link, error) { return nil, nil }

// ListenTCP accepts connections on that address until the Stack closes and tells the address. Temporary accept errors
// (EMFILE) pause it, nothing else ends it.
func (s *Stack) ListenTCP(addr string) (netip.AddrPort, error) { return netip.AddrPort{}, nil }

// DialTCP opens a connection and reads it. Done of the link tells its loss.
func (s *Stack) DialTCP(ctx context.Context, addr string) (*Link, error) { return nil, nil }

// Link is the way to a peer: the UDP socket that reaches it, or the TCP connection that peer opened or we opened; for TCP
// with neither it dials.
func (s *Stack) Link(ctx context.Context, network string, to netip.AddrPort) (*Link, error) { return nil, nil }

// Send starts a client transaction of req (not ACK) over the link. It adds the Via with a new branch and ;rport. on is
// called in order, never at the same time: provisionals, the final, further 2xx of an INVITE; or once with nil and the error
// of a transaction that ended without a final (sip.ErrTransactionTimeout, sip.ErrTransactionTransport). It must not block.
func (s *Stack) Send(req *sip.Request, link *Link, to netip.AddrPort, on func(*sip.Response, error)) (*Outbound, error) {
	return nil, nil
}

// Write sends a message outside any transaction: the ACK of a 2xx, its retransmission. A request gets its Via like in Send
// when it has none.
func (s *Stack) Write(msg sip.Message, link *Link, to netip.AddrPort) error { return nil }

// Link is one UDP socket or one TCP connection.
type Link struct{}

func (l *Link) Network() string        { return "" } // "udp" or "tcp"
func (l *Link) Local() netip.AddrPort  { return netip.AddrPort{} }
func (l *Link) Remote() netip.AddrPort { return netip.AddrPort{} } // of TCP; zero for UDP
func (l *Link) Done() <-chan struct{}  { return nil }              // closed when the link is lost or closed
func (l *Link) Err() error             { return nil }              // why, after Done
func (l *Link) Close() error           { return nil }

// Inbound is a request with its server transaction. It passed the validator: From, To, Call-ID, CSeq and Via are there.
type Inbound struct {
	Req  *sip.Request // shared: read it, do not change it
	From netip.AddrPort
	Link *Link
}

// Response makes an answer with our To-tag (the same for every answer to one request, RFC 3261 §8.2.6.2), Server and what
// the code demands; add headers and a body, then Respond.
func (in *Inbound) Response(code int, reason string) *sip.Response { return nil }

// Respond sends it through the transaction, which repeats it as the RFC demands.
func (in *Inbound) Respond(res *sip.Response) error { return nil }

// Answer is Response and Respond in one, with headers as "Name", "value" pairs.
func (in *Inbound) Answer(code int, reason string, headers ...string) error { return nil }

// Tag is the To-tag of our answers.
func (in *Inbound) Tag() string { return "" }

// Outbound is a client transaction under way.
type Outbound struct{}

// Request is what was sent, with its Via: what CANCEL and ACK are made of.
func (o *Outbound) Request() *sip.Request { return nil }
