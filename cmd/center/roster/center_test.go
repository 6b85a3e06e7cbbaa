package roster

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/argon2"

	"zaseki/cmd/center/ledger"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// password of everybody; its hash is made with the weakest parameters, since the tests are not about them.
const password = "correct horse"

var testKey = []byte("0123456789abcdef0123456789abcdef")

// center is a whole one: embedded ledger, roster, HTTP server.
type center struct {
	*Roster
	url  string
	stop func() // once; the folder stays
}

func startCenter(t *testing.T, dir string, tune func(*Config)) *center {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	l, err := ledger.Open(ledger.Config{Dir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Ledger: l, Log: log, Key: testKey, Cost: Cost{Time: 1, Memory: 8},
		SIP: func(host string, secure bool) (string, string) {
			if secure {
				return host + ":5061", "the authority"
			}
			return host + ":5060", ""
		},
	}
	if tune != nil {
		tune(&cfg)
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	srv := httptest.NewServer(r.Handler())
	stop := sync.OnceFunc(func() {
		cancel()
		<-ran
		srv.Close()
		l.Close()
	})
	t.Cleanup(stop)
	return &center{Roster: r, url: srv.URL, stop: stop}
}

func weakHash(p string) string {
	salt := []byte("saltsalt")
	return phc(1, 8, 1, salt, argon2.IDKey([]byte(p), salt, 1, 8, 1, hashTag))
}

// setup is a small center: three agents, an administrator, desk phone, trunk, four seats.
func setup() Setup {
	hash := weakHash(password)
	site := DefaultSite()
	site.Name = "Test Center"
	return Setup{
		Site: &site,
		Terminals: []TerminalSetup{
			{Extension: "2001", Account: "alice"}, {Extension: "2002", Account: "bob"}, {Extension: "2003", Account: "carol"},
			{Extension: "2099", Account: "root"},
			{Extension: "3001", Type: "desk", Name: "Desk 1", Secret: "desk-secret"}, {Extension: "gw", Type: "trunk", Secret: "trunk-secret"},
		},
		Accounts: []AccountSetup{
			{Account: "alice", Name: "Alice 山田", Hash: hash}, {Account: "bob", Name: "Bob", Hash: hash},
			{Account: "carol", Name: "Carol", Hash: hash, Role: "supervisor"}, {Account: "root", Name: "Root", Hash: hash, Role: "administrator"},
		},
		Floors: []FloorSetup{{ID: "1", Name: "First floor"}},
		Seats:  []SeatSetup{{ID: "1", Floor: "1"}, {ID: "2", Floor: "1", X: 1}, {ID: "3", Floor: "1", X: 2}, {ID: "10", Floor: "1", X: 3}},
		Statuses: []wire.StatusDef{{ID: "training", Name: wire.Words{"en": "Training", "ja": "研修中"}, Class: "pause"},
			{ID: "vip", Name: wire.Words{"en": "VIP only", "ja": "VIP専用"}, Class: "available"}},
		Queues: []QueueSetup{{Extension: "7001", Name: "Support"}},
	}
}

// newCenter is one that is set up.
func newCenter(t *testing.T, tune func(*Config), change func(*Setup)) *center {
	t.Helper()
	c := startCenter(t, t.TempDir(), tune)
	s := setup()
	if change != nil {
		change(&s)
	}
	if err := c.Apply(t.Context(), s, "test"); err != nil {
		t.Fatal(err)
	}
	return c
}

// phone is an uplink with what it told.
type phone struct {
	*uplink.Uplink
	t       *testing.T
	account string
	off     func() // pulls the plug, once

	mu      sync.Mutex
	events  []uplink.Event
	state   wire.AgentState
	welcome wire.Welcome
}

func newPhone(t *testing.T, c *center, account, machine string) *phone {
	t.Helper()
	return newPhoneAt(t, c.url, account, machine)
}

func newPhoneAt(t *testing.T, url, account, machine string) *phone {
	t.Helper()
	p := &phone{t: t, account: account}
	p.Uplink = uplink.New(uplink.Config{
		URL: url, Machine: machine, Version: "test",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)).With("phone", account+"@"+machine), Tell: p.tell,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	p.off = sync.OnceFunc(func() {
		cancel()
		<-ran
	})
	t.Cleanup(p.off)
	return p
}

func (p *phone) tell(e uplink.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
	if s, ok := e.(uplink.State); ok {
		p.state = s.AgentState
	}
}

func (p *phone) now() wire.AgentState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// told says whether an event of that kind has come.
func told[E uplink.Event](p *phone) (E, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range slices.Backward(p.events) {
		if e, ok := e.(E); ok {
			return e, true
		}
	}
	var none E
	return none, false
}

func (p *phone) signIn(s wire.SignIn) error {
	p.t.Helper()
	if _, err := p.Check(p.t.Context(), p.account, password); err != nil {
		return err
	}
	w, err := p.SignIn(p.t.Context(), s)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.welcome = w
	return err
}

// in signs in and waits until the phone is connected.
func (p *phone) in(terminal, status, seat string) *phone {
	p.t.Helper()
	if err := p.signIn(wire.SignIn{Terminal: terminal, Status: status, Seat: seat}); err != nil {
		p.t.Fatal(p.account, err)
	}
	p.connected()
	return p
}

func (p *phone) connected() {
	p.t.Helper()
	eventually(p.t, p.account+" is connected", func() bool {
		_, ok := told[uplink.Online](p)
		return ok && p.now().Account != ""
	})
}

func (p *phone) ask(m interface{ Type() string }) error { return p.Ask(p.t.Context(), m) }

func (p *phone) wantStatus(status string) {
	p.t.Helper()
	eventually(p.t, p.account+" is "+status, func() bool { return p.now().Status == status })
}

// call reports the phases of one call, as the phone would.
func (p *phone) call(c wire.CallReport, phases ...string) {
	for _, ph := range phases {
		c.Phase = ph
		p.Report(c)
	}
}

// eventually waits for a real peer: ten seconds at most.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !done(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func wantProblem(t *testing.T, err error, code string) wire.Problem {
	t.Helper()
	var p wire.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Fatalf("err = %v, want the problem %s", err, code)
	}
	return p
}

// cable is between phone and center, and can be pulled.
type cable struct {
	url string

	mu    sync.Mutex
	to    string        // host:port; "": pulled
	stuck chan struct{} // not nil: nothing passes until it is closed, and nobody is told
	conns map[net.Conn]struct{}
}

func newCable(t *testing.T, url string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{url: "http://" + l.Addr().String(), conns: map[net.Conn]struct{}{}}
	c.plugInto(url)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.carry(in) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.pull()
		wg.Wait()
	})
	return c
}

func (c *cable) plugInto(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = strings.TrimPrefix(url, "http://")
}

// pull breaks what is connected, and everything until the cable is plugged in again.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = ""
	for conn := range c.conns {
		conn.Close()
	}
}

func (c *cable) carry(in net.Conn) {
	defer in.Close()
	c.mu.Lock()
	to := c.to
	c.mu.Unlock()
	if to == "" {
		return
	}
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	c.mu.Lock()
	c.conns[in], c.conns[out] = struct{}{}, struct{}{}
	c.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() {
		c.pass(out, in)
		out.Close()
	})
	c.pass(in, out)
	in.Close()
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, in)
	delete(c.conns, out)
}

func (c *cable) pass(to io.Writer, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		c.mu.Lock()
		stuck := c.stuck
		c.mu.Unlock()
		if stuck != nil {
			<-stuck
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// freeze lets nothing pass: what a phone that hangs, or a cable in the wall, looks like.
func (c *cable) freeze() (thaw func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stuck := make(chan struct{})
	c.stuck = stuck
	return sync.OnceFunc(func() {
		c.mu.Lock()
		c.stuck = nil
		c.mu.Unlock()
		close(stuck)
	})
}

func (c *center) agent(account string) Agent {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.view.agents[account].v
}

func wantList(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// wantSeat waits until the seat view shows that agent in that status on the seat.
func wantSeat(t *testing.T, floors <-chan wire.Floor, seat, account, status string) {
	t.Helper()
	end := time.After(10 * time.Second)
	var last wire.SeatState
	for {
		select {
		case f := <-floors:
			for _, s := range f.Seats {
				if s.ID == seat {
					last = s
				}
			}
			if last.Account == account && last.Status == status {
				return
			}
		case <-end:
			t.Fatalf("seat %s shows %+v, want %s in %s", seat, last, account, status)
		}
	}
}
