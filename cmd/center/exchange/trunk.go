package exchange

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

const (
	trunkExpires  = time.Hour        // asked for when the trunk does not say
	trunkTime     = 8 * time.Second  // for one REGISTER, its challenges included
	trunkNext     = 4 * time.Second  // when there is another server to try
	trunkGone     = 2 * time.Second  // to say that we leave
	trunkPing     = 25 * time.Second // between questions whether the provider still has us; keeps a way through NAT open
	trunkRetry    = 2 * time.Second  // after a failure, doubled with each
	trunkRetryMax = time.Minute
	trunkLater    = 30 * time.Minute // most of a Retry-After
)

// trunk is one provider: the way to it, and our registration there.
type trunk struct {
	x      *Exchange
	p      Provider
	log    *slog.Logger
	auth   *stack.Auth
	callID string
	tag    string
	seq    uint32
	asked  time.Duration // raised by 423
	stop   func()
	kept   chan struct{} // run has ended
	mine   atomic.Bool   // this node registers
	lists  bool          // the provider says which registrations it has

	mu     sync.Mutex
	at     wayOut // zero: none
	own    *stack.Link
	since  time.Time
	until  time.Time
	reason string // why not
	tired  time.Time
}

// wayOut is where a trunk's calls go.
type wayOut struct {
	link   *stack.Link
	target stack.Target
}

func newTrunk(x *Exchange, p Provider) *trunk {
	k := &trunk{x: x, p: p, log: x.log.With("trunk", p.User), callID: sip.GenerateTagN(24), tag: sip.GenerateTagN(16), asked: trunkExpires, kept: make(chan struct{})}
	if p.Expires > 0 {
		k.asked = p.Expires
	}
	if p.Secret != nil {
		k.auth = &stack.Auth{User: p.Account, Password: p.Secret, Realm: p.Realm}
	}
	return k
}

func (k *trunk) way() (wayOut, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at, k.at.link != nil && k.at.link.Err() == nil
}

// run keeps the registration while this node is the one that does; a trunk that does not register has nothing to keep.
func (k *trunk) run(ctx context.Context) {
	defer close(k.kept)
	defer k.shut()
	if !k.p.Register {
		k.watch(ctx)
		return
	}
	_ = k.x.cfg.Hold(ctx, "job.trunk."+k.p.User, func(ctx context.Context) error { // ends with its context only
		k.keep(ctx)
		return ctx.Err()
	})
}

// keep holds the registration until the context ends; then it takes it back.
func (k *trunk) keep(ctx context.Context) {
	k.mine.Store(true)
	defer k.mine.Store(false)
	defer k.leave()
	ping := time.NewTicker(k.x.cfg.Ask)
	defer ping.Stop()
	for failures := 0; ; {
		wait, err := k.renew(ctx)
		if ctx.Err() != nil {
			return
		}
		if failures++; err == nil {
			failures = 0
		}
		wait = k.note(wait, err, failures)
		if !k.rest(ctx, wait, ping.C) {
			return
		}
	}
}

// rest waits for the next renewal, or until the connection is lost. False: the context ended.
func (k *trunk) rest(ctx context.Context, wait time.Duration, ping <-chan time.Time) bool {
	w, _ := k.way()
	var lost <-chan struct{}
	if w.link != nil {
		lost = w.link.Done()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-lost:
			k.log.Warn("connection to the provider lost", "peer", w.target.Addr)
			return true
		case <-timer.C:
			return true
		case <-ping:
			if w.link == nil {
				continue
			}
			if err := k.still(ctx, w); err != nil && ctx.Err() == nil {
				k.note(0, err, 1)
				return true
			}
		}
	}
}

// note keeps the outcome for who asks, and says when to come again.
func (k *trunk) note(wait time.Duration, err error, failures int) time.Duration {
	k.mu.Lock()
	was := k.reason
	if err == nil {
		if k.since.IsZero() {
			k.since = time.Now()
		}
		k.reason = ""
	} else {
		k.at, k.since, k.reason = wayOut{}, time.Time{}, err.Error()
	}
	k.mu.Unlock()
	switch {
	case err == nil && (was != "" || failures == 0 && k.seq <= 2):
		k.log.Info("registered at the provider", "peer", k.p.Server)
	case err != nil && was != err.Error():
		k.log.Warn("not registered at the provider", "peer", k.p.Server, "err", err)
	}
	if err == nil || wait > 0 {
		return wait
	}
	return time.Duration((0.5 + rand.Float64()/2) * float64(min(trunkRetry<<min(failures-1, 10), trunkRetryMax)))
}

// renew registers at the first server that takes us (RFC 3263 §4.3): who cannot be reached, does not answer or is overloaded is
// passed over. It says when to do so again, 0 with an error that names no time.
func (k *trunk) renew(ctx context.Context) (time.Duration, error) {
	targets, err := k.targets(ctx)
	if err != nil {
		return 0, err
	}
	var failed error
	var later time.Duration
	for i, t := range targets {
		limit := trunkTime
		if i < len(targets)-1 {
			limit = trunkNext
		}
		granted, wait, err := k.with(ctx, t, limit)
		if err == nil {
			k.x.trunks.names.Forgive(t)
			return granted * 2 / 3, nil
		}
		failed, later = err, wait
		var no *dialog.Refused
		if errors.As(err, &no) && no.Code != 503 || ctx.Err() != nil {
			break
		}
		k.x.trunks.names.Penalize(t)
	}
	return later, failed
}

// targets are the places where the provider may be reached, the one we are at first.
func (k *trunk) targets(ctx context.Context) ([]stack.Target, error) {
	ctx, cancel := context.WithTimeout(ctx, trunkTime)
	defer cancel()
	found, err := k.x.trunks.names.Resolve(ctx, k.p.Server, k.p.Transport)
	if err != nil {
		return nil, err
	}
	if w, ok := k.way(); ok && !k.x.trunks.names.Penalized(w.target) {
		for i, t := range found {
			if t == w.target {
				found[0], found[i] = found[i], found[0]
			}
		}
	}
	return found, nil
}

func (k *trunk) with(ctx context.Context, t stack.Target, limit time.Duration) (granted, later time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	link, err := k.open(ctx, t)
	if err != nil {
		return 0, 0, err
	}
	granted, later, err = k.register(ctx, wayOut{link, t}, k.asked)
	if err == nil {
		k.mu.Lock()
		k.at, k.until = wayOut{link, t}, time.Now().Add(granted)
		k.mu.Unlock()
	}
	return granted, later, err
}

// open is the way to a server: the one there is, the exchange's own socket, so that the provider's calls come where all others do,
// or a connection.
func (k *trunk) open(ctx context.Context, t stack.Target) (*stack.Link, error) {
	if w, ok := k.way(); ok && w.target == t {
		return w.link, nil
	}
	s := k.x.stack
	switch t.Network {
	case "tls":
		cfg, err := k.tls()
		if err != nil {
			return nil, err
		}
		return s.DialTLS(ctx, t.Addr.String(), cfg, k.names(t)...)
	case "tcp":
		return s.Link(ctx, "tcp", t.Addr)
	}
	local, err := stack.LocalAddr(t.Addr)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own != nil && k.own.Err() == nil && k.own.Local().Addr() == local {
		return k.own, nil
	}
	at := k.x.addr.Addr()
	if at == local || at.IsUnspecified() {
		return s.Link(ctx, "udp", t.Addr)
	}
	k.own, err = s.ListenUDP(netip.AddrPortFrom(local, 0).String()) // we listen where no route leads there
	return k.own, err
}

// names are what the provider's certificate may be for. A name is asked for, and an address only when there is nothing else.
func (k *trunk) names(t stack.Target) []string {
	domain := host(k.p.Domain)
	if _, err := netip.ParseAddr(t.Name); err == nil {
		return []string{domain, t.Name}
	}
	return []string{t.Name, domain}
}

func (k *trunk) tls() (*tls.Config, error) {
	if k.p.CA == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(k.p.CA)) {
		return nil, errors.New("the trunk's CA holds no certificate in PEM")
	}
	return &tls.Config{RootCAs: pool}, nil
}

// register sends one REGISTER; expires 0 takes our contact back.
func (k *trunk) register(ctx context.Context, w wayOut, expires time.Duration) (granted, later time.Duration, err error) {
	for raised := false; ; raised = true {
		req := k.request("Contact", w.link.AddressFor(k.p.Account, w.target.Addr), "Expires", strconv.Itoa(int(expires/time.Second)))
		res, err := k.x.ua.Request(ctx, req, w.link, w.target.Addr, k.auth)
		k.seq = req.CSeq().SeqNo
		if err != nil {
			return 0, 0, err
		}
		if n, ok := seconds(stack.Header(res, "Min-Expires")); res.StatusCode == 423 && ok && !raised && n <= 86400 { // §10.2.8
			expires = time.Duration(n) * time.Second
			k.asked = expires
			continue
		}
		if res.StatusCode >= 300 {
			n, _ := seconds(strings.TrimSpace(strings.Split(stack.Header(res, "Retry-After")+";", ";")[0]))
			return 0, min(time.Duration(n)*time.Second, trunkLater), &dialog.Refused{Code: res.StatusCode, Reason: res.Reason}
		}
		return k.granted(res, w, expires), 0, nil
	}
}

// request is a REGISTER; without a Contact it asks which there are.
func (k *trunk) request(contact ...string) *sip.Request {
	aor, registrar := uriAt(k.p.Account, k.p.Domain), uriAt("", k.p.Domain)
	req := sip.NewRequest(sip.REGISTER, registrar)
	from := &sip.FromHeader{Address: aor, Params: sip.NewParams()}
	from.Params.Add("tag", k.tag)
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: aor, Params: sip.NewParams()})
	id := sip.CallIDHeader(k.callID)
	req.AppendHeader(&id)
	k.seq++
	req.AppendHeader(&sip.CSeqHeader{SeqNo: k.seq, MethodName: sip.REGISTER})
	stack.AddHeaders(req, append(contact, "Supported", "path")...)
	return req
}

// granted is how long the provider keeps our own contact, among all that it lists.
func (k *trunk) granted(res *sip.Response, w wayOut, asked time.Duration) time.Duration {
	best := asked
	if n, ok := seconds(stack.Header(res, "Expires")); ok && n > 0 {
		best = time.Duration(n) * time.Second
	}
	n := k.ours(res, w)
	if k.lists = n > 0; k.lists {
		best = time.Duration(n) * time.Second
	}
	return max(best, 10*time.Second)
}

// leave takes the registration back.
func (k *trunk) leave() {
	w, ok := k.way()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), trunkGone)
	defer cancel()
	if _, _, err := k.register(ctx, w, 0); err != nil {
		k.log.Debug("provider not told that we leave", "err", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at, k.since = wayOut{}, time.Time{}
	if w.link.Network() != "udp" {
		_ = w.link.Close()
	}
}

// shut closes what is the trunk's own.
func (k *trunk) shut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own != nil {
		_ = k.own.Close()
	}
}

// uriAt is the SIP URI of a user at host or host:port.
func uriAt(user, at string) sip.Uri {
	uri := sip.Uri{Scheme: "sip", User: stack.EscapeUser(user), Host: host(at)}
	if _, port, err := net.SplitHostPort(at); err == nil {
		uri.Port, _ = strconv.Atoi(port)
	}
	if addr, err := netip.ParseAddr(uri.Host); err == nil && addr.Is6() {
		uri.Host = "[" + uri.Host + "]"
	}
	return uri
}

func host(at string) string {
	if h, _, err := net.SplitHostPort(at); err == nil {
		return h
	}
	return strings.Trim(at, "[]")
}
