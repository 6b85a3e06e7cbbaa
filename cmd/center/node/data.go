package node

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
)

const (
	lockFile    = "center.lock"
	runningFile = "center.run" // 0600: how the command line of this machine reaches a running center
	firstAdmin  = "admin"
)

// ErrRunning says that another process has the data folder open.
var ErrRunning = errors.New("a center is running on this data folder")

// lock keeps a second center off the data folder.
type lock struct {
	file    *flock.Flock
	running string
}

func lockData(dir string) (*lock, error) {
	l := &lock{file: flock.New(filepath.Join(dir, lockFile)), running: filepath.Join(dir, runningFile)}
	ok, err := l.file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("%s: %w", dir, ErrRunning)
	}
	os.Remove(l.running) // of a center that was killed: its bearer opens nothing any more
	return l, nil
}

func (l *lock) release() error {
	os.Remove(l.running) // may never have been written
	return l.file.Unlock()
}

// Running is a center that runs on a data folder, as its own machine's command line reaches it.
type Running struct {
	HTTP     string `json:"http"`
	Operator string `json:"operator"` // bearer
	PID      int    `json:"pid"`
}

// announce leaves word for the command line. The bearer is new with each start and gone with it.
func (n *Node) announce() error {
	data, err := json.Marshal(Running{HTTP: n.HTTP(), Operator: n.operator.Reveal(), PID: os.Getpid()})
	if err != nil {
		return err
	}
	fresh := n.lock.running + ".new" // whoever looks meanwhile reads no half of it; it need not outlive the machine
	return errors.Join(os.WriteFile(fresh, data, 0o600), os.Rename(fresh, n.lock.running))
}

// starting is how long a center may take from its lock to its word for the command line, while it says itself that it is there.
const starting = 5 * time.Second

// FindRunning reads what a running center left; ErrNotExist when there is none, ErrRunning when it leaves nothing for seconds.
func FindRunning(dir string) (Running, error) {
	var r Running
	probe := flock.New(filepath.Join(dir, lockFile))
	if _, err := os.Stat(probe.Path()); err != nil {
		return r, err
	}
	free, err := probe.TryLock()
	if err != nil {
		return r, err
	}
	if free {
		return r, errors.Join(os.ErrNotExist, probe.Unlock())
	}
	for end := time.Now().Add(starting); ; time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(filepath.Join(dir, runningFile))
		switch {
		case err == nil:
			return r, json.Unmarshal(data, &r)
		case !errors.Is(err, os.ErrNotExist):
			return r, err
		case time.Now().After(end):
			return r, fmt.Errorf("%w, and is not ready yet", ErrRunning)
		}
	}
}

// firstStart makes an administrator when there is none, so that a fresh center can be entered.
func (n *Node) firstStart() error {
	for _, p := range n.roster.People() {
		if p.Role == "administrator" {
			n.account = p.Account
			return nil
		}
	}
	n.account, n.code, n.first = firstAdmin, randomCode(20), true
	agent := false
	err := n.roster.Apply(context.Background(), roster.Setup{Accounts: []roster.AccountSetup{
		{Account: n.account, Name: "Administrator", Role: "administrator", Agent: &agent, Password: roster.Plain(n.code)},
	}}, "system")
	if err != nil {
		return fmt.Errorf("make the administrator: %w", err)
	}
	return nil
}

// Data is a center's data opened without running it: for the command line.
type Data struct {
	Ledger *ledger.Ledger
	Roster *roster.Roster
	node   *Node
}

// OpenData opens ledger and roster of a center that does not run.
func OpenData(ctx context.Context, cfg Config) (*Data, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{cfg: cfg, log: cfg.Log}
	err := n.openData(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the center's data: %w", err), n.Close())
	}
	return &Data{Ledger: n.ledger, Roster: n.roster, node: n}, nil
}

// Close ends it.
func (d *Data) Close() error { return d.node.Close() }

// RandomCode is a password nobody has to think of.
func RandomCode() string { return randomCode(20) }

// randomCode is n characters a person can read out: 5 bits each.
func randomCode(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))[:n]
}
