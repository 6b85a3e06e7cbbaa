package main

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// lazy are three servers of an outside cluster that acknowledge what their disks do not have yet, as the engine does unless it is told otherwise.
func lazy(t *testing.T) (urls, monitors []string) {
	t.Helper()
	var all []*server.Server
	var routes []*url.URL
	clients, peers := freePorts(t, 3), freePorts(t, 3)
	for _, addr := range peers {
		routes = append(routes, &url.URL{Scheme: "nats", Host: addr})
	}
	port := func(addr string) (n int) {
		_, p, _ := net.SplitHostPort(addr)
		fmt.Sscan(p, &n)
		return n
	}
	for i := range 3 {
		srv, err := server.NewServer(&server.Options{ServerName: fmt.Sprint("o", i), Host: "127.0.0.1", Port: port(clients[i]), HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT,
			JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, Cluster: server.ClusterOpts{Name: "theirs", Host: "127.0.0.1", Port: port(peers[i])}, Routes: routes})
		if err != nil {
			t.Fatal(err)
		}
		go srv.Start()
		t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
		all = append(all, srv)
	}
	for i, srv := range all {
		if !srv.ReadyForConnections(30 * time.Second) {
			t.Fatal("an outside server does not start")
		}
		urls, monitors = append(urls, "nats://"+clients[i]), append(monitors, "http://"+srv.MonitorAddr().String())
	}
	return urls, monitors
}

// TestDataMayBeLostOnlyByWhoSaysSo: an outside cluster that does not sync always is refused in words, and taken with a warning by who says
// -i-may-lose-data. A store of another mode is not taken by who says so either: the engine would delete it.
func TestDataMayBeLostOnlyByWhoSaysSo(t *testing.T) {
	if testing.Short() {
		t.Skip("an outside cluster of three")
	}
	urls, monitors := lazy(t)
	base := t.TempDir()
	outside := []string{"-name", "a", "-nats", strings.Join(urls, ","), "-nats-monitor", strings.Join(monitors, ",")}
	alone := []string{"-data", filepath.Join(base, "a"), "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0"}
	_, said, code := run(t, append(alone, outside...)...)
	if code != 1 || !strings.Contains(said, "sync_interval: always") || !strings.Contains(said, "-i-may-lose-data") || !strings.Contains(said, monitors[0]) {
		t.Fatalf("%d %s", code, said)
	}
	p := start(t, filepath.Join(base, "b"), append(outside, "-i-may-lose-data")...)
	if log := p.err.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "acknowledged changes may be lost") {
		t.Errorf("no warning in %s", log)
	}
	p.stop()

	dir := filepath.Join(base, "solo")
	start(t, dir).stop()
	of := freePorts(t, 3)
	_, said, code = run(t, "-data", dir, "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0", "-name", "a",
		"-peer", "a="+of[0], "-peer", "b="+of[1], "-peer", "c="+of[2], "-i-may-lose-data")
	if code != 1 || !strings.Contains(said, `holds a store of mode "solo"`) || !strings.Contains(said, "center backup FILE") {
		t.Fatalf("%d %s", code, said)
	}
}
