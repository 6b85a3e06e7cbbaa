package ledger

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What a member says of its copy of the log, as the protocol that it chooses in the TLS handshake of its address (ALPN, RFC 7301 §3.2):
// the engine's own address is the only one that members know of each other, and its handshake tells who is asking.
const (
	copyNone = "zaseki-none" // it has none
	copyHas  = "zaseki-has"  // it has one
	copyWell = "zaseki-well" // it has all of it, and keeps it with the majority at this moment
)

const (
	askTime   = time.Second
	admitSure = 10 * time.Second // for so long the members must be as they must not be
)

// ErrOutvote says that this member's folder is empty, and that too few others still have the log: empty ones would be the majority, and
// begin another log in its place.
var ErrOutvote = errors.New("members with empty folders would outvote those that have the log")

// hasCopy says whether a folder has a copy of the log, however short.
func hasCopy(dir string) bool {
	all, err := filepath.Glob(filepath.Join(dir, "store", "jetstream", "*", "streams", streamName, "msgs"))
	return err == nil && len(all) > 0
}

// copyState is what this member answers.
func (l *Ledger) copyState() string {
	switch {
	case !hasCopy(l.cfg.Dir):
		return copyNone
	case l.well.Load():
		return copyWell
	}
	return copyHas
}

// lookAtCopy notes whether our own copy is well: once it had everything it stays so for as long as the leader counts it among those that
// keep up.
func (l *Ledger) lookAtCopy(c *jetstream.ClusterInfo) {
	if c == nil || l.cfg.Cluster == nil {
		return
	}
	keeps := func(p *jetstream.PeerInfo) bool { return !p.Offline && p.Current && p.Active < l.peerSilence() }
	whole, same := 1, 1 // of those that keep up, those that lack nothing
	for _, p := range c.Replicas {
		if keeps(p) && (c.Leader == l.cfg.Cluster.Name || p.Name == l.cfg.Cluster.Name) {
			same++
			if p.Lag == 0 {
				whole++
			}
		}
	}
	need := 2 // the leader, and us
	if c.Leader == l.cfg.Cluster.Name {
		need = len(l.cfg.Cluster.Members)/2 + 1
	}
	l.well.Store(whole >= need || l.well.Load() && same >= need)
}

// telling adds to what members say to each other: who asks what we have is told.
func telling(base *tls.Config, state func() string) *tls.Config {
	asked := base.Clone()
	base.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if !slices.Contains(h.SupportedProtos, copyNone) {
			return nil, nil // the engine of another
		}
		c := asked.Clone()
		c.NextProtos = []string{state()}
		return c, nil
	}
	return base
}

// admitted waits until a member whose folder is empty may take part: when nobody has a log yet, or when the majority has all of it
// without this one. The engine does not run meanwhile. Members on one machine, without TLS, are not asked.
func (l *Ledger) admitted(ctx context.Context) error {
	c := l.cfg.Cluster
	if c == nil || c.TLS == nil || l.cfg.MayLose || hasCopy(l.cfg.Dir) {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet, err := answerNone(c)
	if err != nil {
		return err
	}
	defer quiet()
	var wrong time.Time
	for told := time.Now(); ; {
		verdict, why := judge(askAll(ctx, c), len(c.Members))
		switch {
		case verdict == admit:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("this member's folder is empty, and of the others too few answer (the first start needs all): %w", ctx.Err())
		case verdict == wait:
			wrong = time.Time{}
		case wrong.IsZero():
			wrong = time.Now()
		case time.Since(wrong) > admitSure:
			return fmt.Errorf("this member's folder is empty, and only %s: %w; stop all, keep the folders that have the log, and bring back "+
				"the missing ones, or restore the last backup into empty folders", why, ErrOutvote)
		}
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			l.log.Info("this member's folder is empty: waiting until the others need it for nothing", "members", why)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// answerNone says at this member's address that it has no copy, until quiet is called.
func answerNone(c *Cluster) (quiet func(), err error) {
	_, port, err := net.SplitHostPort(c.self().Addr)
	if err != nil {
		return nil, err
	}
	at, err := tls.Listen("tcp", net.JoinHostPort(c.listenHost(), port), telling(c.TLS.config(), func() string { return copyNone }))
	if err != nil {
		return nil, fmt.Errorf("listen for the other members: %w", err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := at.Accept()
			if err != nil {
				return
			}
			all.Go(func() { // of another member that asks, or whose engine must wait
				defer conn.Close()
				if conn.SetDeadline(time.Now().Add(askTime)) == nil {
					_ = conn.(*tls.Conn).Handshake() // who asked knows then
				}
			})
		}
	})
	return func() { at.Close(); all.Wait() }, nil
}

// askAll asks the other members what they have; those that do not answer are left out.
func askAll(ctx context.Context, c *Cluster) map[string]string {
	all := map[string]string{}
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, m := range c.Members {
		if m.Name == c.Name {
			continue
		}
		asking.Go(func() {
			if said, err := ask(ctx, c, m); err == nil {
				mu.Lock()
				defer mu.Unlock()
				all[m.Name] = said
			}
		})
	}
	asking.Wait()
	return all
}

func ask(ctx context.Context, c *Cluster, m Member) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	cfg := c.TLS.config()
	cfg.NextProtos = []string{copyNone, copyHas, copyWell}
	d := tls.Dialer{Config: cfg}
	conn, err := d.DialContext(ctx, "tcp", m.Addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	said := conn.(*tls.Conn).ConnectionState().NegotiatedProtocol
	if said == "" {
		return "", fmt.Errorf("member %s says nothing of its log", m.Name)
	}
	return said, nil
}

type verdict int

const (
	wait verdict = iota
	admit
	refuse
)

// judge decides about a member with an empty folder, of so many members, by what the others say. What was acknowledged with the copy that
// is gone must be on a majority without it.
func judge(others map[string]string, members int) (v verdict, why string) {
	var have []string
	well := 0
	for name, s := range others {
		if s != copyNone {
			have = append(have, name)
		}
		if s == copyWell {
			well++
		}
	}
	slices.Sort(have)
	why = fmt.Sprintf("%d of %d members have the log (%s), and %d answer", len(have), members, strings.Join(have, ", "), len(others))
	all := len(others) == members-1
	switch {
	case all && len(have) == 0, well > members/2:
		return admit, why
	case all && len(have) <= members/2:
		return refuse, why
	}
	return wait, why
}
