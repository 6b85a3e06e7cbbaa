package roster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// want is what a client of a race asks for.
type want struct {
	key      string // account, terminal or seat that all of them want
	who      string // client
	takeover bool
	leave    bool
}

// verdict is what it was told.
type verdict int

const (
	granted verdict = iota
	refused
	unknown // nobody could tell
)

// oneHolder is the register that claims must look like: held by one at a time, given to who comes first or takes over.
var oneHolder = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		held, in, out := state.(string), input.(want), output.(verdict)
		switch {
		case in.leave && held == in.who:
			return out == granted, ""
		case in.leave:
			return true, held
		case out == granted:
			return held == "" || held == in.who || in.takeover, in.who
		case out == refused:
			return held != "" && held != in.who && !in.takeover, held
		}
		return true, held
	},
	Equal:         func(a, b any) bool { return a == b },
	DescribeState: func(s any) string { return fmt.Sprintf("held by %q", s) },
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%+v → %v", in, map[verdict]string{granted: "granted", refused: "refused", unknown: "unknown"}[out.(verdict)])
	},
}

// history writes down who asked for what when, and what came of it.
type history struct {
	mu    sync.Mutex
	began time.Time
	ops   []porcupine.Operation
}

func (h *history) add(client int, in want, at time.Time, out verdict) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: at.Sub(h.began).Nanoseconds(), Output: out, Return: time.Since(h.began).Nanoseconds()})
}

// race is one kind of thing that many want at once.
type race struct {
	name string
	// of is the claim of client n for it.
	of func(n int) claim
	// holder is who has it: a session's ID, or an account.
	holder func(v *view) string
	// who is what holder says when client n has it.
	who   func(n int) string
	taken string // problem that the others are told
}

// accountsOf are as many accounts, each with a softphone, as there are clients.
func manyAccounts(s *Setup, n int) {
	for i := range n {
		s.Accounts = append(s.Accounts, AccountSetup{Account: fmt.Sprint("agent", i), Hash: weakHash(password)})
		s.Terminals = append(s.Terminals, TerminalSetup{Extension: fmt.Sprint(4000 + i), Account: fmt.Sprint("agent", i)})
	}
}

func races() []race {
	agent := func(n int) string { return fmt.Sprint("agent", n) }
	return []race{
		{"one account (H1)",
			func(n int) claim { return claim{account: "alice", terminal: "2001"} },
			func(v *view) string {
				if s := v.agents["alice"].v.Session; s != nil {
					return s.Machine
				}
				return ""
			}, func(n int) string { return fmt.Sprint("pc", n) }, wire.ProblemElsewhere},
		{"one terminal (H2)",
			func(n int) claim { return claim{account: agent(n), terminal: "3001"} },
			func(v *view) string { return v.terminals["3001"].v.Holder }, agent, wire.ProblemTerminalTaken},
		{"one seat (H3)",
			func(n int) claim { return claim{account: agent(n), terminal: fmt.Sprint(4000 + n), seat: "1"} },
			func(v *view) string { return v.seats["1"].v.Holder }, agent, wire.ProblemSeatTaken},
	}
}

// claimAt does what signIn does with a ticket, at one node.
func (r *Roster) claimAt(ctx context.Context, c claim, n int) error {
	c.status = wire.StatusAway
	c.live = func(string) bool { return true }
	_, tok := token()
	_, res := token()
	now := time.Now().UTC()
	c.session = Session{ID: tok[:16], Token: tok, Resume: res, Rotated: now, Expires: now.Add(time.Hour), Machine: fmt.Sprint("pc", n), Node: r.cfg.Node, Began: now}
	return r.change(ctx, c.account, func(d *draft) error { return d.claim(c) })
}

func outcome(t *testing.T, err error, taken string) verdict {
	var p wire.Problem
	switch {
	case err == nil:
		return granted
	case errors.As(err, &p) && p.Code == taken:
		if p.Holes["since"] == "" {
			t.Errorf("told %v without since when", p)
		}
		return refused
	}
	t.Logf("nobody can tell: %v", err)
	return unknown
}

// run has so many clients ask at the same moment, each at its node, and some of them take over a moment later; then all leave.
func (k race) run(t *testing.T, nodes []*Roster, clients int, h *history) {
	t.Helper()
	var begin, wg sync.WaitGroup
	begin.Add(1)
	var won atomic.Int32
	for n := range clients {
		r := nodes[n%len(nodes)]
		wg.Go(func() {
			begin.Wait()
			if n%2 == 1 { // so that they do not always come in one order
				jitter := time.NewTimer(time.Duration(rand.N(300)) * time.Microsecond)
				<-jitter.C
			}
			in := want{key: k.name, who: k.who(n)}
			at := time.Now()
			out := outcome(t, r.claimAt(t.Context(), k.of(n), n), k.taken)
			h.add(n, in, at, out)
			if out == granted {
				won.Add(1)
			}
			if n == clients-1 && out == refused {
				in.takeover = true
				c := k.of(n)
				c.takeover = true
				at := time.Now()
				h.add(n, in, at, outcome(t, r.claimAt(t.Context(), c, n), k.taken))
			}
		})
	}
	begin.Done()
	wg.Wait()
	if won.Load() < 1 {
		t.Fatalf("%s: nobody won", k.name)
	}
	eventually(t, "the nodes agree", func() bool {
		first := k.known(nodes[0], clients)
		return !slices.ContainsFunc(nodes, func(r *Roster) bool { return k.known(r, clients) != first })
	})
	k.leave(t, nodes, clients, h)
}

// known is all that a node knows of the race.
func (k race) known(r *Roster, clients int) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := k.holder(r.view)
	for n := range clients {
		if s := r.view.agents[k.of(n).account].v.Session; s != nil {
			all += " " + s.ID
		}
	}
	return all
}

// leave signs all of them out again.
func (k race) leave(t *testing.T, nodes []*Roster, clients int, h *history) {
	t.Helper()
	holder := ""
	nodes[0].mu.RLock()
	holder = k.holder(nodes[0].view)
	nodes[0].mu.RUnlock()
	at := time.Now()
	for n := range clients {
		c := k.of(n)
		err := nodes[0].change(t.Context(), c.account, func(d *draft) error {
			if d.agents[c.account].v.Session != nil {
				d.end(c.account, "", "signed out")
			}
			return nil
		})
		must(t, err)
	}
	h.add(clients, want{key: k.name, who: holder, leave: true}, at, granted)
	for _, r := range nodes {
		eventually(t, "all have left", func() bool {
			r.mu.RLock()
			defer r.mu.RUnlock()
			return k.holder(r.view) == ""
		})
	}
}

// raceOn runs fifty rounds of each kind and has the whole history checked.
func raceOn(t *testing.T, rounds int, nodes ...*Roster) {
	for _, k := range races() {
		t.Run(k.name, func(t *testing.T) {
			h := &history{began: time.Now()}
			for i := range rounds {
				k.run(t, nodes, 2+i%9, h)
			}
			if res := porcupine.CheckOperationsTimeout(oneHolder, h.ops, 30*time.Second); res != porcupine.Ok {
				t.Fatalf("the history of %d claims is none of one holder: %v", len(h.ops), res)
			}
		})
	}
}

func TestOfManyAtTheSameMomentOneWins(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	c := newCenter(t, nil, func(s *Setup) { manyAccounts(s, 10) })
	raceOn(t, rounds, c.Roster)
}

func TestOfManyAtTwoNodesOneWins(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	c := newCenter(t, nil, func(s *Setup) { manyAccounts(s, 10) })
	other := runNode(t, c.ledger, "other")
	raceOn(t, rounds, c.Roster, other)
}

// runNode is a node on a ledger; it ends with the test.
func runNode(t *testing.T, l *ledger.Ledger, name string) *Roster {
	t.Helper()
	r, err := New(Config{Ledger: l, Key: testKey, Cost: Cost{Time: 1, Memory: 8}, Node: name})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ran })
	return r
}

// TestTheCheckOfHistoriesSeesTwoWinners proves that the check itself is worth something.
func TestTheCheckOfHistoriesSeesTwoWinners(t *testing.T) {
	op := func(who string, from, to int64, out verdict) porcupine.Operation {
		return porcupine.Operation{Input: want{key: "k", who: who}, Call: from, Return: to, Output: out}
	}
	for name, ops := range map[string][]porcupine.Operation{
		"two winners":                         {op("a", 0, 10, granted), op("b", 0, 10, granted)},
		"refused, and nobody had it":          {op("a", 0, 10, refused)},
		"refused before anybody asked for it": {op("a", 0, 5, refused), op("b", 6, 10, granted)},
	} {
		if porcupine.CheckOperations(oneHolder, ops) {
			t.Errorf("%s: taken for one holder", name)
		}
	}
}

func TestOfManyAtThreeNodesOfAClusterOneWins(t *testing.T) {
	if testing.Short() {
		t.Skip("takes longer than a short test may")
	}
	nodes := newTrio(t)
	s := setup()
	manyAccounts(&s, 10)
	must(t, nodes[0].Apply(t.Context(), s, "test"))
	for _, r := range nodes {
		eventually(t, "all nodes are set up", func() bool {
			return len(r.Rows(KindAccount)) == len(s.Accounts) && len(r.Rows(KindSeat)) == len(s.Seats)
		})
	}
	raceOn(t, 50, nodes...)
}

// newTrio is a center of three nodes in this process, each with its own member of the ledger.
func newTrio(t *testing.T) []*Roster {
	t.Helper()
	var members []ledger.Member
	for i := range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		members = append(members, ledger.Member{Name: fmt.Sprint("n", i+1), Addr: l.Addr().String()})
		must(t, l.Close())
	}
	ledgers, errs := make([]*ledger.Ledger, 3), make([]error, 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for i := range members {
		cfg := ledger.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
			Cluster: &ledger.Cluster{Name: members[i].Name, Members: members, Secret: []byte("a secret of all three")}}
		wg.Go(func() { ledgers[i], errs[i] = ledger.OpenContext(ctx, cfg) })
	}
	wg.Wait()
	for _, l := range ledgers {
		if l != nil {
			t.Cleanup(l.Close)
		}
	}
	must(t, errors.Join(errs...))
	nodes := make([]*Roster, 3)
	for i, l := range ledgers {
		nodes[i] = runNode(t, l, members[i].Name)
	}
	return nodes
}

func TestHalfAClaimOfAnotherNodeLeavesNothingHeld(t *testing.T) {
	c := newCenter(t, nil, nil)
	c.mu.RLock()
	free, empty := c.view.terminals["2001"], c.view.seats["1"]
	c.mu.RUnlock()
	must(t, c.claimAt(t.Context(), claim{account: "alice", terminal: "2001", seat: "1"}, 1))
	c.mu.Lock() // as if only the agent's part of it had been heard
	c.view.terminals["2001"], c.view.seats["1"] = free, empty
	c.mu.Unlock()
	must(t, c.change(t.Context(), "alice", func(d *draft) error { d.end("alice", "", "signed out"); return nil }))
	for subject, who := range map[string]string{"term.2001": "terminal", "seat.1": "seat"} {
		e, _, err := c.ledger.Last(t.Context(), subject)
		if err != nil || strings.Contains(string(e.Data), "alice\",\"heldSince") || strings.Contains(string(e.Data), `"holder"`) {
			t.Errorf("the %s is held: %s %v", who, e.Data, err)
		}
	}
}

func TestOneWhoLeftAtAnotherNodeIsNotInTheWay(t *testing.T) {
	c := newCenter(t, nil, nil)
	must(t, c.claimAt(t.Context(), claim{account: "bob", terminal: "2002", seat: "1"}, 1))
	c.mu.RLock()
	held, agent := c.view.seats["1"], c.view.agents["bob"]
	c.mu.RUnlock()
	must(t, c.change(t.Context(), "bob", func(d *draft) error { d.end("bob", "", "signed out"); return nil }))
	c.mu.Lock() // as if nothing of it had been heard
	c.view.seats["1"], c.view.agents["bob"] = held, agent
	c.mu.Unlock()
	must(t, c.claimAt(t.Context(), claim{account: "alice", terminal: "2001", seat: "1"}, 2))
}
