package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// outside is a cluster of the engine that an operator runs, not we.
type outside struct {
	options []*server.Options
	servers []*server.Server
	urls    []string
}

func (o *outside) start(t *testing.T, i int) {
	t.Helper()
	srv, err := server.NewServer(o.options[i])
	if err != nil {
		t.Fatal(err)
	}
	o.servers[i] = srv
	go srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("an outside server does not start")
	}
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
}

func (o *outside) stop(i int) {
	o.servers[i].Shutdown()
	o.servers[i].WaitForShutdown()
}

func (o *outside) monitor(i int) string {
	return "http://" + o.servers[i].MonitorAddr().String()
}

func startOutside(t *testing.T, n int, always bool) *outside {
	t.Helper()
	o := &outside{servers: make([]*server.Server, n)}
	var ports, routes []int
	for range 2 * n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if port := l.Addr().(*net.TCPAddr).Port; len(ports) < n {
			ports = append(ports, port)
		} else {
			routes = append(routes, port)
		}
		l.Close()
	}
	for i := range n {
		so := &server.Options{ServerName: fmt.Sprint("o", i), Host: "127.0.0.1", Port: ports[i], HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: always, NoSigs: true, NoLog: true}
		if n > 1 {
			so.Cluster = server.ClusterOpts{Name: "theirs", Host: "127.0.0.1", Port: routes[i]}
			for j := range n {
				so.Routes = append(so.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", routes[j])})
			}
		}
		o.options = append(o.options, so)
		o.urls = append(o.urls, fmt.Sprint("nats://127.0.0.1:", ports[i]))
		o.start(t, i)
	}
	return o
}

func TestAnOutsideClusterThatMayLoseDataIsRefused(t *testing.T) {
	o := startOutside(t, 1, false)
	cfg := Config{URLs: o.urls, Monitor: []string{o.monitor(0)}, Dir: t.TempDir()}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := OpenContext(ctx, cfg); err == nil || !strings.Contains(err.Error(), "--i-may-lose-data") {
		t.Fatalf("err = %v", err)
	}
	l := &Ledger{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	l.cfg.MayLose = true
	if err := l.inquire(ctx); err != nil || !strings.Contains(l.Durability(), "may be lost") {
		t.Fatalf("%q %v", l.Durability(), err)
	}
	l.cfg.Monitor = nil
	if err := l.inquire(ctx); err != nil || !strings.HasPrefix(l.Durability(), "unverified") {
		t.Fatalf("%q %v", l.Durability(), err)
	}
	l.cfg.Monitor, l.cfg.MayLose = []string{"http://127.0.0.1:1"}, false
	if err := l.inquire(ctx); err != nil || !strings.HasPrefix(l.Durability(), "unverified") {
		t.Fatalf("a cluster whose monitoring does not answer: %q %v", l.Durability(), err)
	}
}

func TestAnOutsideClusterKeepsTheLogAndLosesItsMajority(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for elections
	o := startOutside(t, 3, true)
	conn, err := nats.Connect(o.urls[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, _ := jetstream.New(conn)
	two := jetstream.StreamConfig{Name: streamName, Subjects: []string{prefix + ">"}, Replicas: 2, DenyDelete: true}
	until(t, "the outside cluster has a leader", patience, func() bool {
		_, err = js.CreateStream(t.Context(), two)
		return err == nil
	})
	cfg := Config{URLs: o.urls, Monitor: []string{o.monitor(0), o.monitor(1), o.monitor(2)}, Dir: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if _, err := Open(cfg); !errors.Is(err, ErrMode) || !strings.Contains(err.Error(), "2 copies") {
		t.Fatalf("a log of two copies was opened: %v", err)
	}
	if err := js.DeleteStream(t.Context(), streamName); err != nil {
		t.Fatal(err)
	}
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !strings.Contains(l.Durability(), "majority") {
		t.Fatal(l.Durability())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	defer func() { cancel(); <-done }()
	acked := commit(t, l, "a", write("agent.x", 0, `1`))

	o.stop(0)
	o.stop(1)
	until(t, "the log says that there is no majority", patience, func() bool { return l.Health().ReadOnly != "" })
	began := time.Now()
	if _, err := l.Commit(ctx, "b", []Write{write("agent.x", acked, `2`)}); !errors.Is(err, ErrReadOnly) || time.Since(began) > 2*time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	o.start(t, 0)
	until(t, "changes are taken again", patience, func() bool { return l.Health().ReadOnly == "" })
	if seq := commit(t, l, "c", write("agent.x", acked, `3`)); seq != acked+1 {
		t.Fatalf("stored as %d", seq)
	}
	forgets := l.at.Load().stream.CachedInfo().Config
	forgets.MaxAge = time.Hour
	until(t, "the outside cluster takes settings again", patience, func() bool {
		_, err := js.UpdateStream(ctx, forgets)
		return err == nil
	})
	if _, err := Open(cfg); !errors.Is(err, ErrMode) || !strings.Contains(err.Error(), "forget") {
		t.Fatalf("a log that ages out events was opened: %v", err)
	}
	s, err := l.State(ctx)
	if err != nil || s.Mode != "outside" || len(s.Members) != 3 {
		t.Fatalf("%+v %v", s, err)
	}
}
