package ledger

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// long keeps tests of several seconds out of the short ones.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes several seconds")
	}
}

// patience is how long tests wait for what must become true, on a machine that may have much else to do. It is no promise: those are kept in
// the tests that end with InTime.
const patience = time.Minute

func until(t *testing.T, what string, within time.Duration, is func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// trio are the configurations of three members on this machine.
func trio(t testing.TB, routes *RouteTLS) []Config {
	t.Helper()
	var members []Member
	var ports []net.Listener
	for i := range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l)
		members = append(members, Member{fmt.Sprint("n", i+1), l.Addr().String()})
	}
	for _, l := range ports {
		l.Close()
	}
	all := make([]Config, 3)
	for i := range all {
		all[i] = Config{
			Dir:     t.TempDir(),
			Cluster: &Cluster{Name: members[i].Name, Members: members, Secret: []byte("a secret of all three"), TLS: routes},
			Log:     slog.New(slog.NewTextHandler(t.Output(), nil)).With("node", members[i].Name),
		}
	}
	return all
}

// openAll opens several members at once, as they need each other; whoever is nil is left out.
func openAll(t testing.TB, cfgs ...Config) []*Ledger {
	t.Helper()
	all, errs := make([]*Ledger, len(cfgs)), make([]error, len(cfgs))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for i, cfg := range cfgs {
		wg.Go(func() { all[i], errs[i] = OpenContext(ctx, cfg) })
	}
	wg.Wait()
	for _, l := range all {
		if l != nil {
			t.Cleanup(sync.OnceFunc(l.Close))
		}
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return all
}

// routeTLS is an authority and a certificate of it for this machine.
func routeTLS(t testing.TB) *RouteTLS {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	root, _ := x509.ParseCertificate(der)
	leafKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err = x509.CreateCertificate(rand.Reader, leaf, root, &leafKey.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	return &RouteTLS{Roots: pool, Cert: func() (*tls.Certificate, error) {
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: leafKey}, nil
	}}
}

func TestThreeMembersKeepOneLog(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for elections
	cfgs := trio(t, routeTLS(t))
	nodes := openAll(t, cfgs...)
	a := commit(t, nodes[0], "a", write("agent.x", 0, `1`))
	commit(t, nodes[1], "b", write("agent.x", a, `2`), write("seat.1", 0, `"x"`))
	if _, err := nodes[2].Commit(t.Context(), "c", []Write{write("agent.x", a, `3`)}); !errors.Is(err, ErrConflict) {
		t.Fatalf("err = %v, want a conflict", err)
	}
	for i, n := range nodes {
		all, at, err := n.Load(t.Context(), "")
		if err != nil || at != 3 || string(all["agent.x"].Data) != "2" {
			t.Fatalf("node %d loaded %v at %d: %v", i, all, at, err)
		}
		if mode, _ := Mode(cfgs[i].Dir); !strings.HasPrefix(mode, "cluster ") {
			t.Fatalf("mode %q", mode)
		}
	}

	for round := range 20 { // who claims one seat at three nodes at once: one wins, and its records are whole
		seat, won := fmt.Sprint("seat.r", round), make([]error, len(nodes))
		var wg sync.WaitGroup
		for i, n := range nodes {
			wg.Go(func() {
				who := fmt.Sprint("w", round, "-", i)
				_, won[i] = n.Commit(t.Context(), who, []Write{
					write("agent."+who, 0, `"`+who+`"`), write("term."+who, 0, `"`+who+`"`), write(seat, 0, `"`+who+`"`)})
			})
		}
		wg.Wait()
		winner := ""
		for i, err := range won {
			who := fmt.Sprint("w", round, "-", i)
			_, stored, lookErr := nodes[(i+1)%3].Last(t.Context(), "agent."+who)
			switch {
			case lookErr != nil || stored != (err == nil):
				t.Fatalf("%s: %v, and stored: %v %v", who, err, stored, lookErr)
			case err == nil && winner != "":
				t.Fatalf("%s and %s both have the seat", winner, who)
			case err == nil:
				winner = who
			case !errors.Is(err, ErrConflict):
				t.Fatal(err)
			}
		}
		if e, _, err := nodes[round%3].Last(t.Context(), seat); err != nil || winner == "" || string(e.Data) != `"`+winner+`"` {
			t.Fatalf("%q won, the seat says %s: %v", winner, e.Data, err)
		}
	}

	began := time.Now()
	for i, n := range nodes {
		if n.at.Load().server.JetStreamIsStreamLeader("$G", streamName) {
			n.Close()
			t.Logf("the leader took %v to leave", time.Since(began).Round(time.Millisecond))
			nodes[i], nodes[2] = nodes[2], nodes[i]
			break
		}
	}
	commit(t, nodes[0], "d", write("agent.y", 0, `1`))
	if took := time.Since(began); took > 4*time.Second { // an election after a crash takes at least so long
		t.Fatalf("the leader left cleanly, and the others wrote only after %v", took)
	} else {
		t.Logf("the leader left cleanly, and the others wrote after %v", took.Round(time.Millisecond))
	}

	nodes[1].Close() // one of three is no majority: it changes nothing, and says so
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- nodes[0].Run(ctx) }()
	defer func() { cancel(); <-done }()
	until(t, "the last member is read-only", patience, func() bool { return nodes[0].Health().ReadOnly != "" })
	began = time.Now()
	if _, err := nodes[0].Commit(ctx, "e", []Write{write("agent.z", 0, `1`)}); !errors.Is(err, ErrReadOnly) || time.Since(began) > time.Second {
		t.Fatalf("after %v: %v", time.Since(began), err)
	}
	back := openAll(t, cfgs[indexOf(cfgs, nodes[1])])
	until(t, "two of three take changes again", patience, func() bool { return nodes[0].Health().ReadOnly == "" })
	if _, stored, err := back[0].Last(ctx, "agent.z"); err != nil || stored {
		t.Fatalf("what was refused was stored: %v %v", stored, err)
	}
	commit(t, back[0], "f", write("agent.z", 0, `1`))
}

// indexOf is which configuration a member was opened with.
func indexOf(cfgs []Config, l *Ledger) int {
	for i, c := range cfgs {
		if c.Dir == l.cfg.Dir {
			return i
		}
	}
	return -1
}

func TestAClusterIsRefusedThatCouldLoseData(t *testing.T) {
	good := trio(t, nil)[0]
	for _, tc := range []struct {
		name  string
		spoil func(*Cluster)
		says  string
	}{
		{"two members", func(c *Cluster) { c.Members = c.Members[:2] }, "3 or 5"},
		{"four members", func(c *Cluster) { c.Members = append(c.Members[:3:3], Member{"n4", "127.0.0.1:4"}) }, "3 or 5"},
		{"not one of them", func(c *Cluster) { c.Name = "n9" }, "none of the members"},
		{"a name twice", func(c *Cluster) { c.Members = []Member{c.Members[0], c.Members[1], {"n2", "127.0.0.1:9"}} }, "twice"},
		{"no secret", func(c *Cluster) { c.Secret = nil }, "no secret"},
		{"other machines without TLS", func(c *Cluster) { c.Members = []Member{c.Members[0], c.Members[1], {"n3", "10.0.0.3:6222"}} }, "TLS"},
		{"no port", func(c *Cluster) { c.Members = []Member{c.Members[0], c.Members[1], {"n3", "10.0.0.3"}} }, "host:port"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := *good.Cluster
			tc.spoil(&c)
			cfg := Config{Dir: t.TempDir(), Cluster: &c}
			if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("err = %v, want %q", err, tc.says)
			}
		})
	}
}

func TestAStoreIsOpenedOnlyByTheKindOfCenterThatMadeIt(t *testing.T) {
	cfg := trio(t, nil)[0]
	l, err := Open(Config{Dir: cfg.Dir})
	if err != nil {
		t.Fatal(err)
	}
	commit(t, l, "a", write("agent.x", 0, `1`))
	l.Close()
	if _, err := Open(cfg); !errors.Is(err, ErrMode) || !strings.Contains(err.Error(), "center backup") {
		t.Fatalf("a cluster opened a single node's store: %v", err)
	}
	mode := filepath.Join(cfg.Dir, "MODE")
	if err := os.WriteFile(mode, []byte(cfg.mode()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: cfg.Dir}); !errors.Is(err, ErrMode) {
		t.Fatalf("a single node opened a cluster's store: %v", err)
	}
	other := *cfg.Cluster
	other.Secret = []byte("the secret of another cluster")
	cfg.Cluster = &other
	if _, err := Open(cfg); !errors.Is(err, ErrMode) {
		t.Fatalf("another cluster opened it: %v", err)
	}
	os.Remove(mode)
	if _, err := Open(Config{Dir: cfg.Dir}); !errors.Is(err, ErrMode) {
		t.Fatalf("a store without MODE was opened: %v", err)
	}
	os.WriteFile(mode, []byte("solo\n"), 0o600)
	l = open(t, cfg.Dir)
	if e, ok, err := l.Last(t.Context(), "agent.x"); err != nil || !ok || string(e.Data) != "1" {
		t.Fatalf("all that refusing lost data: %v %v", e, err)
	}
}

func TestWhoHasNoCertificateOfTheClusterIsNotLetIn(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for elections
	cfgs := trio(t, routeTLS(t))
	nodes := openAll(t, cfgs...)
	nodes[2].Close()
	stranger := *cfgs[2].Cluster
	stranger.TLS = routeTLS(t) // of an authority of its own
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	l, err := OpenContext(ctx, Config{Dir: t.TempDir(), Cluster: &stranger, Log: cfgs[2].Log})
	if err == nil {
		l.Close()
		t.Fatal("a stranger joined")
	}
	commit(t, nodes[0], "a", write("agent.x", 0, `1`))
	commit(t, nodes[1], "b", write("agent.y", 0, `1`))
}
