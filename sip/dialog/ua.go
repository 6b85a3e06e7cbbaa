// Package dialog is the user agent core that phone and exchange share: dialogs, the INVITE client and server with their
// races, offer and answer, requests outside dialogs. One goroutine owns each call.
package dialog

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

const (
	workers   = 8                // for requests outside dialogs
	waiting   = 256              // requests per worker; above that 503
	partTime  = 2 * time.Second  // for the BYEs of a program that goes
	answerMax = 32 * time.Second // for a handler to answer a request
)

// Config is a user agent.
type Config struct {
	Stack *stack.Stack
	Log   *slog.Logger
	// OnCall is called for each INVITE outside a dialog, on the goroutine that tells the call's events; it returns who hears
	// them. It may Ring, Answer or Reject at once; nothing is answered by itself but 100 and, on nil, 480. It should return
	// soon: a lost link is noticed after that, or when the far side says something.
	OnCall func(*Call) func(Event)
	// OnRequest gets every other request outside a dialog (REGISTER, OPTIONS, MESSAGE…) on a worker goroutine, in order per
	// Call-ID, and must answer it. It may block. nil: OPTIONS 200, others 405.
	OnRequest func(context.Context, *stack.Inbound)
	// Ring is how long a call may ring without a word: of ours since the last provisional answer, of theirs since the INVITE.
	// Then ours is cancelled (Failed with 408) and theirs gets 480 (Ended with 408). 0: without limit.
	Ring time.Duration
	// Session and MinSession are the session timer we ask for and the shortest we take (RFC 4028). 0: 1800 and 90 seconds.
	Session, MinSession time.Duration
	// Calls is how many calls may be alive; above it INVITEs get 503 with Retry-After. 0 means 10000.
	Calls int
}

// UA is one user agent on one Stack.
type UA struct {
	stack   *stack.Stack
	log     *slog.Logger
	cfg     Config
	queues  [workers]chan *stack.Inbound
	working crew // the owners and tellers of calls

	mu     sync.Mutex
	closed bool
	calls  map[name]*Call
	ended  []name // those that ended last

	watching map[*Subscription]bool
	watchers map[name]*Subscription

	allowed, able sip.Header // Allow and Supported, shared by all answers, for nobody changes them
}

// name is what finds a dialog.
type name struct{ callID, localTag string }

// New makes it and sets the Stack's handlers; nothing runs before Run.
func New(cfg Config) *UA {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Calls == 0 {
		cfg.Calls = 10000
	}
	cfg.Session, cfg.MinSession = cmp.Or(cfg.Session, 1800*time.Second), cmp.Or(cfg.MinSession, 90*time.Second)
	ua := &UA{
		stack: cfg.Stack, log: cfg.Log, cfg: cfg, calls: map[name]*Call{}, watching: map[*Subscription]bool{}, watchers: map[name]*Subscription{},
		allowed: sip.NewHeader("Allow", cfg.Stack.Allow()), able: sip.NewHeader("Supported", supported),
	}
	for i := range ua.queues {
		ua.queues[i] = make(chan *stack.Inbound, waiting)
	}
	cfg.Stack.Handle(stack.Handlers{Request: ua.request, Ack: ua.ack, Cancel: ua.cancel})
	return ua
}

// Run runs the Stack too and blocks until the context ends; calls that are left then are ended with BYE, CANCEL or 603
// (two seconds for all of them).
func (ua *UA) Run(ctx context.Context) error {
	outlive, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { _ = ua.stack.Run(outlive) })
	for _, q := range ua.queues {
		running.Go(func() { ua.work(outlive, q) })
	}
	<-ctx.Done()
	ua.part()
	stop()
	running.Wait()
	ua.working.Wait()
	return nil
}

func (ua *UA) part() {
	ua.mu.Lock()
	ua.closed = true
	watching := slices.Collect(maps.Keys(ua.watching))
	ua.mu.Unlock()
	for _, s := range watching {
		s.Close() // they take two seconds at most
	}
	ctx, cancel := context.WithTimeout(context.Background(), partTime)
	defer cancel()
	var parting sync.WaitGroup
	for _, c := range ua.Calls() {
		parting.Go(func() {
			_ = c.Hangup(ctx)
			c.post(func() { c.lingering = 0 })
			select {
			case <-c.gone:
			case <-ctx.Done():
				c.abandon()
			}
		})
	}
	parting.Wait()
	for _, s := range watching {
		select {
		case <-s.Done():
		case <-ctx.Done():
		}
	}
}

// Calls are the calls alive.
func (ua *UA) Calls() []*Call {
	ua.mu.Lock()
	defer ua.mu.Unlock()
	all := make([]*Call, 0, len(ua.calls))
	for _, c := range ua.calls {
		all = append(all, c)
	}
	return all
}

var errFull = errors.New("too many calls")

func (ua *UA) keep(c *Call) error {
	ua.mu.Lock()
	defer ua.mu.Unlock()
	if ua.closed || len(ua.calls) >= ua.cfg.Calls {
		return errFull
	}
	ua.calls[c.dialog.name()] = c
	return nil
}

func (ua *UA) drop(c *Call) {
	ua.mu.Lock()
	defer ua.mu.Unlock()
	gone := c.dialog.name()
	delete(ua.calls, gone)
	ua.rememberLocked(gone)
}

func (ua *UA) find(req *sip.Request, tag string) *Call {
	ua.mu.Lock()
	defer ua.mu.Unlock()
	return ua.calls[name{req.CallID().Value(), tag}]
}

func (ua *UA) watcher(req *sip.Request, tag string) *Subscription {
	if req.Method != sip.NOTIFY {
		return nil
	}
	ua.mu.Lock()
	defer ua.mu.Unlock()
	return ua.watchers[name{req.CallID().Value(), tag}]
}

// hear asks the application who hears the call.
func (ua *UA) hear(c *Call) func(Event) {
	if ua.cfg.OnCall == nil {
		return nil
	}
	return ua.cfg.OnCall(c)
}

// request runs on the goroutine that reads the socket.
func (ua *UA) request(in *stack.Inbound) {
	if tag := stack.Tag(in.Req.To().Params); tag != "" {
		if s := ua.watcher(in.Req, tag); s != nil {
			if !s.in.put(in) {
				_ = in.Answer(481, "Subscription Does Not Exist")
			}
			return
		}
		c := ua.find(in.Req, tag)
		if c == nil || !c.post(func() { c.take(in) }) {
			_ = in.Answer(481, "Call/Transaction Does Not Exist")
		}
		return
	}
	switch in.Req.Method {
	case sip.INVITE:
		ua.invited(in)
	case sip.BYE, sip.INFO, sip.UPDATE, sip.PRACK:
		_ = in.Answer(481, "Call/Transaction Does Not Exist")
	default:
		hash := fnv.New32a()
		hash.Write([]byte(in.Req.CallID().Value()))
		select {
		case ua.queues[hash.Sum32()%workers] <- in:
		default:
			_ = in.Answer(503, "Service Unavailable", "Retry-After", "5")
		}
	}
}

func (ua *UA) work(ctx context.Context, queue chan *stack.Inbound) {
	for {
		select {
		case <-ctx.Done():
			return
		case in := <-queue:
			ua.outside(ctx, in)
		}
	}
}

// outside lets the application answer, and answers 500 when it did not.
func (ua *UA) outside(ctx context.Context, in *stack.Inbound) {
	ctx, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	defer func() {
		if broken := recover(); broken != nil {
			ua.log.Error("request broke its handler", "peer", in.From, "panic", broken)
		}
		if in.Answered() == 0 {
			_ = in.Answer(500, "Server Internal Error")
		}
	}()
	switch {
	case ua.cfg.OnRequest != nil:
		ua.cfg.OnRequest(ctx, in)
	case in.Req.Method == sip.OPTIONS:
		_ = in.Answer(200, "OK", "Allow", ua.stack.Allow(), "Accept", "application/sdp")
	default:
		_ = in.Answer(405, "Method Not Allowed")
	}
}

func (ua *UA) ack(ack *sip.Request) {
	if c := ua.find(ack, stack.Tag(ack.To().Params)); c != nil {
		c.post(func() { c.acked(ack) })
	}
}

func (ua *UA) cancel(cancel *sip.Request, of *stack.Inbound) {
	tag := stack.Tag(of.Req.To().Params)
	if tag == "" {
		tag = of.Tag()
	}
	if c := ua.find(cancel, tag); c != nil {
		c.post(func() { c.cancelled(cancel, of) })
	}
}

// supported are our extensions: RFC 3262, 3891, 4028, 4488.
const supported = "100rel, replaces, timer, norefersub"

// offerHeaders are what an INVITE of ours says we can do.
func (ua *UA) offerHeaders(req *sip.Request) {
	req.AppendHeader(sip.NewHeader("Allow", ua.stack.Allow()))
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	req.AppendHeader(sip.NewHeader("Supported", supported))
}
