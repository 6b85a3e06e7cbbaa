package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamName  = "CENTER_main"
	prefix      = "c.main."
	openTimeout = 15 * time.Second
)

// Open starts the embedded engine, or connects to the outside one, and finds or makes the log.
func Open(cfg Config) (*Ledger, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Ledger{log: cfg.Log}
	if err := l.connect(cfg); err != nil {
		l.Close()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := l.prepare(len(cfg.URLs) > 0); err != nil {
		l.Close()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

func (l *Ledger) connect(cfg Config) error {
	opts := []nats.Option{nats.Name("center"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond)}
	if len(cfg.URLs) > 0 {
		conn, err := nats.Connect(strings.Join(cfg.URLs, ","), append(opts, nats.Timeout(5*time.Second))...)
		if err != nil {
			return fmt.Errorf("connect to %d engine addresses: %w", len(cfg.URLs), err)
		}
		l.conn = conn
		cfg.Log.Warn("outside engine: it must sync always, or a power cut loses what was acknowledged; this cannot be seen from here")
		return nil
	}
	if err := claimStore(cfg.Dir); err != nil {
		return err
	}
	warnSlowDisk(cfg.Dir, cfg.Log)
	srv, err := embed(cfg.Dir, cfg.Log)
	if err != nil {
		return err
	}
	l.server = srv
	l.conn, err = nats.Connect("", append(opts, nats.InProcessServer(srv))...)
	if err != nil {
		return fmt.Errorf("connect to the embedded engine: %w", err)
	}
	return nil
}

// embed starts the engine inside this process: no socket, and every write is on the disk before it is acknowledged.
func embed(dir string, log *slog.Logger) (*server.Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName:          "center",
		DontListen:          true,
		NoSigs:              true,
		JetStream:           true,
		StoreDir:            filepath.Join(dir, "store"),
		SyncAlways:          true, // the default of two minutes loses everything at a power cut
		JetStreamMaxMemory:  64 << 20,
		JetStreamMaxStore:   8 << 30,
		MaxPayload:          1 << 20,
		LameDuckDuration:    2 * time.Second,
		LameDuckGracePeriod: 500 * time.Millisecond,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded engine: %w", err)
	}
	srv.SetLoggerV2(engineLog{log}, false, false, false)
	srv.Start() // returns when the engine is up, since it does not listen
	if !srv.ReadyForConnections(openTimeout) {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, errors.New("embedded engine: not ready in time")
	}
	return srv, nil
}

func (l *Ledger) prepare(cluster bool) error {
	js, err := jetstream.New(l.conn)
	if err != nil {
		return err
	}
	l.js = js
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	l.replicas = 1
	if cluster {
		l.replicas = 3
	}
	// No MaxAge and no limit per subject: they would age out the last state of a quiet agent.
	l.stream, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: streamName, Subjects: []string{prefix + ">"}, Storage: jetstream.FileStorage, Replicas: l.replicas,
		AllowAtomicPublish: true, AllowDirect: true, DenyDelete: true, MaxMsgsPerSubject: -1,
	})
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	return nil
}

// Close ends the ledger cleanly. Follow and Hold must have been ended before by their contexts.
func (l *Ledger) Close() {
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
}

// claimStore writes down what kind of center owns the folder, or checks it: an engine of a cluster that is started on a
// single node's store deletes the data as orphaned.
func claimStore(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, "MODE")
	mode, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return os.WriteFile(path, []byte("solo\n"), 0o600)
	case err != nil:
		return err
	case strings.TrimSpace(string(mode)) != "solo":
		return fmt.Errorf("%s holds a store of mode %q: move it with center backup and center restore: %w",
			dir, strings.TrimSpace(string(mode)), ErrMode)
	}
	return nil
}

// warnSlowDisk measures how long the disk takes to keep a small write, and warns when that will be felt.
func warnSlowDisk(dir string, log *slog.Logger) {
	const slow = 3 * time.Millisecond
	f, err := os.CreateTemp(dir, "fsync")
	if err != nil {
		return // the engine will say it better
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []time.Duration
	for began := time.Now(); len(took) < 9 && time.Since(began) < 20*time.Millisecond; {
		t := time.Now()
		if _, err := f.Write(make([]byte, 256)); err != nil || f.Sync() != nil {
			return
		}
		took = append(took, time.Since(t))
	}
	slices.Sort(took)
	if p50 := took[len(took)/2]; p50 > slow {
		log.Warn("slow disk: every change waits for it", "took", p50, "changes_per_second", int(time.Second/p50))
	}
}

// engineLog passes on what the engine complains about.
type engineLog struct{ log *slog.Logger }

func (e engineLog) Noticef(format string, v ...any) {}
func (e engineLog) Debugf(format string, v ...any)  {}
func (e engineLog) Tracef(format string, v ...any)  {}
func (e engineLog) Warnf(format string, v ...any)   { e.log.Warn("engine: " + fmt.Sprintf(format, v...)) }
func (e engineLog) Errorf(format string, v ...any) {
	e.log.Error("engine: " + fmt.Sprintf(format, v...))
}
func (e engineLog) Fatalf(format string, v ...any) {
	e.log.Error("engine: " + fmt.Sprintf(format, v...))
}
