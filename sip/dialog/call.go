package dialog

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

type phase int

const (
	calling    phase = iota // out: INVITE sent
	cancelling              // out: hung up before the answer
	ringing                 // in: no final answer yet
	answering               // in: 200 sent, ACK not seen
	talking
	ending // our BYE is out
	over
)

// Call is one INVITE dialog from its INVITE to its end. Its methods may be called from every goroutine, also from the
// function that hears its events. Everything below events belongs to who has the turn: the owner, or who asks while nothing
// else waits.
type Call struct {
	ua      *UA
	id      string
	inbound bool
	path    atomic.Pointer[path]
	user    string // of our Contact
	remote  Party
	called  Party
	first   *sip.Request // the initial INVITE, a clone
	auth    *stack.Auth

	inbox  queue[func()]
	turn   sync.Mutex  // held while something of the call runs
	owned  atomic.Bool // the owner was started
	events queue[Event]
	gone   chan struct{} // the owner has ended
	done   chan struct{} // the last event was told

	phase   phase
	dialog  *dialog
	allow   []string    // the methods the far side says it knows, in lower case; nil: it never said
	settled atomic.Bool // the last event is queued

	// outgoing INVITE
	invite      *stack.Outbound
	tries       int
	provisional bool // CANCEL may be sent (RFC 3261 §9.1)
	cancelWith  []string
	late        late
	branches    map[string]*branch  // early dialogs by To-tag, until one is answered
	patient     bool                // Acknowledge answers offers in answers
	limit       *time.Timer         // of ringing
	limited     bool                // it fired
	heard       bool                // the far side said something to our INVITE
	held        func(answer string) // an ACK or PRACK that waits for Acknowledge
	heldTimer   *time.Timer

	// incoming INVITE
	in       *stack.Inbound
	rel      reliably
	unacked  *unacked // our 2xx on its way, of the first INVITE or a later one
	afterAck func()   // a hang-up that waits for the ACK (RFC 3261 §15)

	// later offers
	offering *reinvite      // ours
	offered  *stack.Inbound // theirs
	sdp      string         // our last description
	session  session
	timers   map[*time.Timer]bool

	// transfers
	referring *referring // ours
	referred  *referred  // theirs
	refers    int        // REFERs of theirs so far
	lingering int        // reasons to stay although the call is over
}

// path is where the requests of a call go: the link and the address behind it.
type path struct {
	link *stack.Link
	peer netip.AddrPort
}

func newCall(ua *UA, inbound bool) *Call {
	c := &Call{
		ua: ua, id: sip.GenerateTagN(12), inbound: inbound,
		gone: make(chan struct{}), done: make(chan struct{}), timers: map[*time.Timer]bool{},
	}
	c.inbox.open()
	c.events.open()
	if !inbound {
		c.branches = map[string]*branch{}
	}
	return c
}

// ID names the call in this process.
func (c *Call) ID() string { return c.id }

// CallID is the Call-ID on the wire.
func (c *Call) CallID() string { return c.dialog.callID }

// Inbound: they called us.
func (c *Call) Inbound() bool { return c.inbound }

// Came is when the INVITE of an inbound call was read: calls keep their order by it, which their goroutines do not. Zero: there was none
// in this process.
func (c *Call) Came() time.Time {
	if c.in == nil {
		return time.Time{}
	}
	return c.in.Came()
}

// Remote is the other party: From of an inbound call, To of ours.
func (c *Call) Remote() Party { return c.remote }

// Called is the To of an inbound call; the Request-URI is Request().Recipient.
func (c *Call) Called() Party { return c.called }

// Source is the address the signalling goes to and comes from.
func (c *Call) Source() netip.AddrPort { return c.path.Load().peer }

// Link is what the call runs on.
func (c *Call) Link() *stack.Link { return c.path.Load().link }

// Request is the initial INVITE: read it, do not change it.
func (c *Call) Request() *sip.Request { return c.first }

// Header is a header of the initial INVITE, "" without one.
func (c *Call) Header(name string) string { return stack.Header(c.first, name) }

// Offer is the SDP of the initial INVITE, "" without one.
func (c *Call) Offer() string { return stack.SDP(c.first) }

// Done is closed after the last event was told.
func (c *Call) Done() <-chan struct{} { return c.done }

// begin starts the teller, and the owner when it is needed, at the latest when the application has heard of the call; the UA
// waits for both.
func (c *Call) begin(tell func() func(Event), first func()) {
	c.inbox.put(first)
	c.ua.working.Go(func() { c.telling(tell) })
}

// start starts the owner, once. The teller is alive or has done it.
func (c *Call) start() {
	if !c.owned.Load() && c.owned.CompareAndSwap(false, true) {
		c.ua.working.Go(c.own)
	}
}

// own runs what is asked, one at a time, until the call is over and nothing of it is under way.
func (c *Call) own() {
	defer close(c.gone)
	defer c.ua.drop(c)
	watched := c.path.Load().link
	lost := watched.Done()
	for {
		if now := c.path.Load().link; now != watched { // moved
			watched, lost = now, now.Done()
		}
		if c.left() {
			return
		}
		select {
		case <-c.inbox.wake:
			c.turn.Lock()
			c.drain()
			c.turn.Unlock()
		case <-lost:
			lost = nil
			c.turn.Lock()
			c.guarded(c.linkLost)
			c.turn.Unlock()
		}
	}
}

// drain runs what waits; the turn is held.
func (c *Call) drain() {
	for _, f := range c.inbox.take() {
		c.guarded(f)
	}
}

// left: the call is over and nothing of it is under way; nothing more is taken then.
func (c *Call) left() bool {
	c.turn.Lock()
	defer c.turn.Unlock()
	if c.phase != over || !c.quiet() {
		return false
	}
	c.stopTimers()
	c.inbox.close()
	return true
}

// atOnce runs f here when nothing else of the call runs or waits: most calls are answered without a change of goroutine.
// False: it did not.
func (c *Call) atOnce(f func()) bool {
	if !c.turn.TryLock() {
		return false
	}
	defer c.turn.Unlock()
	if !c.owned.Load() {
		c.drain() // the first step
	}
	if !c.inbox.idle() {
		return false
	}
	before := c.path.Load()
	c.guarded(f)
	if c.phase == over || c.path.Load() != before {
		c.inbox.nudge() // the owner has to look
	}
	return true
}

// quiet: nobody waits for anything of this call any more.
func (c *Call) quiet() bool {
	return c.unacked == nil && c.lingering == 0 && (c.referred == nil || !c.referred.taken)
}

// post asks the owner to run f; false: there is no owner any more.
func (c *Call) post(f func()) bool {
	if !c.inbox.put(f) {
		return false
	}
	c.start()
	return true
}

// ask runs f in the owner and waits for what it answers.
func (c *Call) ask(ctx context.Context, f func(reply func(error))) error {
	answer := make(chan error, 1)
	reply := func(err error) {
		select {
		case answer <- err:
		default: // the first one counts
		}
	}
	run := func() { f(reply) }
	if !c.atOnce(run) && !c.post(run) {
		return ErrOver
	}
	select {
	case err := <-answer:
		return err
	default:
		c.start() // who waits for the far side needs it
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.gone:
		select {
		case err := <-answer:
			return err
		default:
			return ErrOver
		}
	}
}

// do is ask for what answers at once.
func (c *Call) do(f func() error) error {
	err := ErrOver // should f break
	if c.atOnce(func() { err = f() }) {
		return err
	}
	return c.ask(context.Background(), func(reply func(error)) { reply(f()) })
}

func (c *Call) tell(e Event) {
	if !c.settled.Load() {
		c.events.put(e)
	}
}

// Settled: it is decided how the call ended, though its last event may not be told yet. Of who is refused or gives up it is
// true before the far side hears the final answer.
func (c *Call) Settled() bool { return c.settled.Load() }

// CatchUp returns when everything that came for the call before is told, or the context ends. Each call tells its events by
// itself: who needs the order of two calls asks for it here, but not from a function that hears events of this call.
func (c *Call) CatchUp(ctx context.Context) {
	told := make(chan struct{})
	c.post(func() { c.tell(caughtUp(told)) }) // of a call that is settled, done tells
	select {
	case <-told:
	case <-c.done:
	case <-ctx.Done():
	}
}

// caughtUp is closed instead of being told.
type caughtUp chan struct{}

func (caughtUp) event() {}

// settle tells the last event; requests may still be under way.
func (c *Call) settle(last Event) {
	c.tell(caused(last))
	if !c.settled.Load() {
		c.settled.Store(true)
		c.events.close()
	}
}

// finish tells the last event and ends the call.
func (c *Call) finish(last Event) {
	c.settle(last)
	c.phase = over
}

// after runs f in the owner when d has passed.
func (c *Call) after(d time.Duration, f func()) *time.Timer {
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		c.post(func() {
			if c.timers[t] {
				delete(c.timers, t)
				f()
			}
		})
	})
	c.timers[t] = true
	return t
}

// stop makes sure that a timer of after does nothing any more.
func (c *Call) stop(t *time.Timer) {
	if t != nil {
		t.Stop()
		delete(c.timers, t)
	}
}

func (c *Call) stopTimers() {
	for t := range c.timers {
		t.Stop()
	}
	clear(c.timers)
}

// way is the link for the next request: the call's own, or what replaced it.
func (c *Call) way() (*stack.Link, error) {
	now := c.path.Load()
	if now.link.Err() == nil {
		return now.link, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return c.ua.stack.Link(ctx, now.link.Network(), now.peer)
}

// send starts a client transaction whose answers are handled by the owner.
func (c *Call) send(req *sip.Request, on func(*sip.Response, error)) (*stack.Outbound, error) {
	link, err := c.way()
	if err != nil {
		return nil, err
	}
	return c.ua.stack.Send(req, link, c.Source(), func(res *sip.Response, err error) {
		c.post(func() { on(res, err) })
	})
}
