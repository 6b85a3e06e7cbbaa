package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// engine is one life of what keeps the log: the embedded server, if any, and the connection to it.
type engine struct {
	server *server.Server // nil: an outside cluster
	conn   *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream

	mu     sync.Mutex
	leases jetstream.Stream
}

// RouteTLS is how members of a cluster know each other. Both sides show a certificate that Roots signed.
type RouteTLS struct {
	Roots *x509.CertPool
	Cert  func() (*tls.Certificate, error) // good for client and server, for all members' hosts
}

func (t *RouteTLS) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: t.Roots, ClientCAs: t.Roots, ClientAuth: tls.RequireAndVerifyClientCert,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return t.Cert() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.Cert() },
	}
}

// startEngine starts the embedded server, or connects to the outside one. The stream is not looked for yet.
func (l *Ledger) startEngine() (*engine, error) {
	if l.cfg.Cluster != nil {
		if err := hasten(); err != nil {
			return nil, err
		}
	}
	e, err := newEngine(l.cfg, l.hurt)
	if err == nil && l.replicas > 1 {
		if err = l.watchElections(e); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, err
}

func newEngine(cfg Config, hurt func(string)) (*engine, error) {
	if len(cfg.URLs) == 0 {
		so, err := serverOptions(cfg)
		if err != nil {
			return nil, err
		}
		return startEmbedded(so, cfg, hurt)
	}
	e := &engine{}
	var err error
	if e.conn, err = nats.Connect(strings.Join(cfg.URLs, ","), append(clientOptions(), nats.Timeout(5*time.Second))...); err != nil {
		return nil, fmt.Errorf("connect to %d engine addresses: %w", len(cfg.URLs), err)
	}
	return e.started()
}

func clientOptions() []nats.Option {
	return []nats.Option{nats.Name("center"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond)}
}

func startEmbedded(so *server.Options, cfg Config, hurt func(string)) (*engine, error) {
	e := &engine{}
	var err error
	if e.server, err = embed(so, engineLog{cfg.Log, hurt, &sync.Map{}}); err != nil {
		return nil, err
	}
	if e.conn, err = nats.Connect("", append(clientOptions(), nats.InProcessServer(e.server), nats.UserInfo(so.Username, so.Password))...); err != nil {
		e.close()
		return nil, fmt.Errorf("connect to the embedded engine: %w", err)
	}
	return e.started()
}

func (e *engine) started() (_ *engine, err error) {
	if e.js, err = jetstream.New(e.conn); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// serverOptions are the embedded server's: every write is on the disk before it is acknowledged.
func serverOptions(cfg Config) (*server.Options, error) {
	o := &server.Options{
		ServerName:         "center",
		NoSigs:             true,
		JetStream:          true,
		StoreDir:           filepath.Join(cfg.Dir, "store"),
		SyncAlways:         true, // the default of two minutes loses everything at a power cut
		JetStreamMaxMemory: 64 << 20,
		JetStreamMaxStore:  1 << 50, // the disk is the limit: see watchDisk
		MaxPayload:         1 << 20,
	}
	if cfg.Cluster == nil {
		o.DontListen = true // no socket at all
		return o, nil
	}
	c := cfg.Cluster
	_, port, err := net.SplitHostPort(c.self().Addr)
	if err != nil {
		return nil, err
	}
	o.ServerName = c.Name
	// The server opens its routes only when it listens for clients too: on loopback, and nobody knows the password.
	o.Host, o.Port = "127.0.0.1", server.RANDOM_PORT
	o.Username, o.Password = "center", rand.Text()
	user, password := "route", c.derive("route password")
	o.Cluster = server.ClusterOpts{
		Name: c.id(), Host: c.listenHost(), Username: user, Password: password, AuthTimeout: 5, TLSTimeout: 5, NoAdvertise: true,
		PingInterval: time.Second, MaxPingsOut: 2, // a member is as good as dead after three seconds: what is sent then goes nowhere
	}
	if o.Cluster.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("member %s: port %q is not a number", c.Name, port)
	}
	if c.TLS != nil {
		o.Cluster.TLSConfig = telling(c.TLS.config(), cfg.state)
	}
	for _, m := range c.Members {
		if m.Name != c.Name {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: m.Addr, User: url.UserPassword(user, password)})
		}
	}
	o.LameDuckDuration, o.LameDuckGracePeriod = 2*time.Second, 500*time.Millisecond
	return o, nil
}

// listenHost is the address that this member listens on: its own, or all when it is known by a name.
func (c *Cluster) listenHost() string {
	if host, _, _ := net.SplitHostPort(c.self().Addr); net.ParseIP(host) != nil {
		return host
	}
	return "0.0.0.0"
}

func (c *Cluster) derive(purpose string) string {
	h := hmac.New(sha256.New, c.Secret)
	h.Write([]byte(purpose))
	return hex.EncodeToString(h.Sum(nil))
}

func embed(o *server.Options, log engineLog) (*server.Server, error) {
	srv, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("embedded engine: %w", err)
	}
	srv.SetLoggerV2(log, false, false, false)
	if o.DontListen {
		srv.Start() // returns when it is up
	} else {
		go srv.Start() // ends with Shutdown, which close waits for
	}
	if !srv.ReadyForConnections(openTimeout) {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, errors.New("embedded engine: not ready in time (is the port of this member taken?)")
	}
	return srv, nil
}

// handOver is how long the others may take to lead what this member led. It is milliseconds when they are well.
const handOver = time.Second

// close ends the engine. In a cluster it hands over what it leads first: the others go on within half a second.
func (e *engine) close() {
	if e.conn != nil {
		e.conn.Close()
	}
	if e.server == nil {
		return
	}
	if e.server.JetStreamIsClustered() {
		e.leave()
	}
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

// leave hands over what this member leads. The engine's own way waits for seconds (LameDuckShutdown: for its leaders' heirs, and for its
// clients, of whom there are none); here it is ended as soon as nothing is led any more.
func (e *engine) leave() {
	leads := func() bool {
		return e.server.JetStreamIsLeader() || e.server.JetStreamIsStreamLeader("$G", streamName) || e.server.JetStreamIsStreamLeader("$G", leaseStream)
	}
	if !leads() {
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		e.server.LameDuckShutdown() // ends at once with Shutdown
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(handOver); leads() && time.Now().Before(end); {
		<-tick.C
	}
	// It has stepped down when its word to its heir is on the way, not when the heir has it.
	time.Sleep(heard)
	e.server.Shutdown()
	<-gone
}

// heard is how long a word to another member takes, and more.
const heard = 200 * time.Millisecond

// find is the log, made when there is none. In a cluster it waits for the others until ctx ends.
func (e *engine) find(ctx context.Context, cfg Config, replicas int) error {
	told, log := time.Now(), cfg.Log
	// Members that make the same log at the same moment hinder each other: one of them does it.
	makes := cfg.Cluster == nil || cfg.Cluster.First() == cfg.Cluster.Name
	for most := time.Second; ; most = min(2*most, attemptTime) { // who is asked while nobody leads does not answer
		err := e.findOnce(ctx, replicas, makes, most)
		if err == nil || errors.Is(err, ErrMode) || ctx.Err() != nil || !waiting(err) {
			return err
		}
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			log.Info("waiting for the other members of the cluster", "err", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("too few members of the cluster are there (the first start needs all): %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (e *engine) findOnce(ctx context.Context, replicas int, makes bool, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	s, err := e.js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) && makes {
		// No MaxAge and no limit per subject: they would age out the last state of a quiet agent.
		s, err = e.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: streamName, Subjects: []string{prefix + ">"}, Storage: jetstream.FileStorage, Replicas: replicas,
			AllowAtomicPublish: true, AllowDirect: true, DenyDelete: true, MaxMsgsPerSubject: -1,
		})
	}
	if err != nil {
		return fmt.Errorf("find the log: %w", err)
	}
	c := s.CachedInfo().Config
	switch {
	case c.Replicas != replicas:
		return fmt.Errorf("the log has %d copies, not %d: %w", c.Replicas, replicas, ErrMode)
	case c.Storage != jetstream.FileStorage || c.MaxAge != 0 || c.MaxMsgs > 0 || c.MaxBytes > 0 || c.MaxMsgsPerSubject > 0 || !c.DenyDelete:
		return fmt.Errorf("the log may forget events: somebody changed its settings: %w", ErrMode)
	}
	if _, err := s.Info(ctx); err != nil { // it may have no leader yet
		return fmt.Errorf("look at the log: %w", err)
	}
	e.stream = s
	return nil
}

// waiting says that a cluster has not come together yet.
func waiting(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500 || api.ErrorCode == noPeers || api.ErrorCode == jetstream.JSErrCodeStreamNotFound
	}
	return errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) ||
		errors.Is(err, errElected)
}

// noPeers: the members that are there are too few for all copies.
const noPeers = 10005

// engineLog passes on what the engine complains about, one sentence of a kind every ten seconds.
type engineLog struct {
	log  *slog.Logger
	hurt func(string) // gets what says that a write failed
	said *sync.Map    // by format: when it was passed on last
}

func (e engineLog) Noticef(string, ...any)         {}
func (e engineLog) Debugf(string, ...any)          {}
func (e engineLog) Tracef(string, ...any)          {}
func (e engineLog) Warnf(format string, v ...any)  { e.pass(slog.LevelWarn, format, v) }
func (e engineLog) Fatalf(format string, v ...any) { e.Errorf(format, v...) }

func (e engineLog) Errorf(format string, v ...any) {
	e.pass(slog.LevelError, format, v)
	text := fmt.Sprintf(format, v...)
	for _, sign := range []string{"write error", "failed to store", "will be DISABLED"} {
		if strings.Contains(text, sign) {
			e.hurt(text)
			return
		}
	}
}

func (e engineLog) pass(level slog.Level, format string, v []any) {
	now := time.Now()
	last, known := e.said.Swap(format, now)
	if known && now.Sub(last.(time.Time)) < 10*time.Second {
		e.said.Store(format, last)
		return
	}
	e.log.Log(context.Background(), level, "engine: "+fmt.Sprintf(format, v...))
}
