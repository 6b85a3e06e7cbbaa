package ledger

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// testLease is long enough that a member on a busy machine renews it in time.
const testLease = 8 * time.Second

// lent is what a member's process is told.
type lent struct {
	Dir, Name string
	Members   []Member
	Secret    []byte
	Wait      bool // for a line on stdin: it has no network yet
	Routes    *papers
	MayLose   bool
}

// papers are RouteTLS in a form that can be handed over.
type papers struct{ Root, Cert, Key []byte }

func (p *papers) routes() (*RouteTLS, error) {
	if p == nil {
		return nil, nil
	}
	root, err := x509.ParseCertificate(p.Root)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	return &RouteTLS{Roots: roots, Cert: func() (*tls.Certificate, error) {
		return &tls.Certificate{Certificate: [][]byte{p.Cert}, PrivateKey: key}, nil
	}}, nil
}

// member is a node in a process of its own. It writes its own counter as fast as it can, and while it holds the lease what only
// its holder may write. Each acknowledged event is a line: "ack SEQ" or "job SEQ TENURE"; "leads", "follows", "shut WHY" and "open" say how the log is.
// It does what stdin says.
func member(raw string) {
	var told lent
	if err := json.Unmarshal([]byte(raw), &told); err != nil {
		fmt.Println("error", err)
		return
	}
	orders := bufio.NewScanner(os.Stdin)
	if told.Wait {
		orders.Scan()
	}
	routes, err := told.Routes.routes()
	if err != nil {
		fmt.Println("error", err)
		return
	}
	cfg := Config{Dir: told.Dir, MayLose: told.MayLose, Cluster: &Cluster{Name: told.Name, Members: told.Members, Secret: told.Secret, TLS: routes}}
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", cfg.Cluster.Name)
	opening, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	l, err := OpenContext(opening, cfg)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("ready", cfg.Cluster.Name)
	ctx := context.Background()
	go l.Run(ctx)
	go l.Hold(ctx, "job.test", cfg.Cluster.Name, testLease, func(ctx context.Context) error {
		tenure := fmt.Sprintf("%s-%d", cfg.Cluster.Name, time.Now().UnixNano())
		return chain(ctx, l, "job."+rand.Text(), fmt.Sprintf("%q", tenure), 50*time.Millisecond, func(s Seq) { fmt.Println("job", s, tenure) })
	})
	go func() {
		told := 0
		err := l.Follow(ctx, 0, func(e Event) { // which fails when an event is missing
			if told++; told%25 == 0 {
				fmt.Println("seen", e.Seq)
			}
		})
		fmt.Println("error", err)
	}()
	go obey(ctx, l, cfg.Cluster.Name, orders)
	go tellHealth(l)
	err = chain(ctx, l, "agent."+cfg.Cluster.Name, "1", 10*time.Millisecond, func(s Seq) { fmt.Println("ack", s) })
	fmt.Println("error", err)
}

// chain writes one subject over and over until ctx ends.
func chain(ctx context.Context, l *Ledger, subject, data string, pause time.Duration, acked func(Seq)) error {
	e, _, err := l.Last(ctx, subject)
	for seq := e.Seq; err == nil; {
		op := rand.Text()
		for err = ErrUnknown; errors.Is(err, ErrUnknown) || errors.Is(err, ErrReadOnly); {
			within, cancel := context.WithTimeout(ctx, 20*time.Second)
			var next Seq
			w := write(subject, seq, data)
			w.At = time.Now() // of this try
			if next, err = l.Commit(within, op, []Write{w}); err == nil {
				seq = next
				acked(seq)
			}
			cancel()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			time.Sleep(pause) // a real process, paced
		}
	}
	return err
}

// obey does what stdin says: "claim SEAT WHO" claims a seat as a sign-in does, and says "claim SEAT WHO" and what came of it.
func obey(ctx context.Context, l *Ledger, name string, orders *bufio.Scanner) {
	for orders.Scan() {
		f := strings.Fields(orders.Text())
		if len(f) != 3 || f[0] != "claim" {
			fmt.Println("error order", orders.Text())
			return
		}
		go func() { fmt.Println("claim", f[1], f[2], claimSeat(ctx, l, f[1], f[2])) }()
	}
}

// claimSeat is granted, taken, refused (nothing was stored, in words) or unknown.
func claimSeat(ctx context.Context, l *Ledger, seat, who string) string {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	mine := fmt.Sprintf("%q", who)
	_, err := l.Commit(ctx, who, []Write{write("agent."+who, 0, mine), write("term."+who, 0, mine), write("seat."+seat, 0, mine)})
	switch {
	case err == nil:
		return "granted"
	case errors.Is(err, ErrUnknown):
		return "unknown " + err.Error()
	case errors.Is(err, ErrConflict):
		return "taken"
	}
	return "refused " + err.Error()
}

// tellHealth says when the log is shut or opened, and who leads.
func tellHealth(l *Ledger) {
	var why string
	var leads bool
	for ; ; time.Sleep(50 * time.Millisecond) { // a real process
		if now := l.Health().ReadOnly; now != why {
			if why = now; why == "" {
				fmt.Println("open")
			} else {
				fmt.Println("shut", why)
			}
		}
		if now := l.at.Load().server.JetStreamIsStreamLeader("$G", streamName); now != leads {
			if leads = now; leads {
				fmt.Println("leads")
			} else {
				fmt.Println("follows")
			}
		}
	}
}

// crowdSize is how many want something at once, again and again.
const (
	crowdSize = 60
	crowdTime = 10 * time.Second
)

// crowd is a process in which many claim something for as long as a test takes, and every tenth the same seat as others: "ready", then for each claim "ok", "taken", "slow" (refused, since the store is), "unknown" or "error", with what it took, and at last the
// most goroutines there were.
func crowd(dir string) {
	l, err := Open(Config{Dir: dir})
	if err != nil {
		fmt.Println("error", 0, err)
		return
	}
	fmt.Println("ready", os.Getpid())
	bufio.NewScanner(os.Stdin).Scan()
	ctx, cancel := context.WithTimeout(context.Background(), crowdTime)
	defer cancel()
	go l.Run(ctx)
	var all sync.WaitGroup
	var out sync.Mutex
	most := 0
	for i := range crowdSize {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				who, began := fmt.Sprintf("%d-%d", i, n), time.Now()
				seat := who
				if i%10 == 0 {
					seat = fmt.Sprintf("all-%d", n)
				}
				within, done := context.WithTimeout(context.Background(), 15*time.Second)
				_, err := l.Commit(within, "op"+who, []Write{write("agent."+who, 0, `1`), write("term."+who, 0, `1`), write("seat."+seat, 0, `"`+who+`"`)})
				done()
				took := time.Since(began)
				said := "ok"
				switch {
				case errors.Is(err, ErrReadOnly):
					said = "slow"
				case errors.Is(err, ErrConflict):
					said = "taken"
				case errors.Is(err, ErrUnknown):
					said = "unknown"
				case err != nil:
					said = "error"
				}
				out.Lock()
				most = max(most, runtime.NumGoroutine())
				fmt.Println(said, took.Milliseconds(), err)
				out.Unlock()
				if err != nil {
					time.Sleep(time.Second) // a person reads it, and tries again
				}
			}
		})
	}
	all.Wait()
	fmt.Println("most", most)
}
