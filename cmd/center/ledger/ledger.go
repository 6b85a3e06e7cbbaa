// Package ledger is the center's truth: one event log. Every entity has its subject ("agent.alice", "seat.2"), each event
// is the entity's complete state, and a change names the sequence it was decided on. The last event of a subject is the
// live state, all of them are the history. Nothing above this room knows which engine keeps the log.
package ledger

import (
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Seq is a place in the log. The first event has 1; 0 is before all.
type Seq uint64

// Config of a ledger: embedded alone, a member of a cluster, or the client of an outside cluster.
type Config struct {
	Dir     string   // of the embedded engine: its store and MODE file, and small files of ours. With URLs only the latter
	Cluster *Cluster // nil: alone
	URLs    []string // of an outside cluster (nats://…); empty: embedded
	Monitor []string // of the outside cluster's servers, http://host:8222: where it says how it writes; may be empty
	// Restoring opens a log that a restore left half full, to go on with it. (A member of a cluster opens it too, and waits in Begun.)
	Restoring bool
	MayLose   bool   // go on with an outside cluster that may lose what it acknowledged, and with empty folders that outvote the others
	Reserve   uint64 // bytes of the disk below which nothing is written any more; 0 = 64 MiB
	Log       *slog.Logger

	state func() string // what other members are told of this one's copy
}

// Write is one entity's new state. Expect is the sequence of the event it replaces; 0: there must be none yet.
type Write struct {
	Subject string
	Expect  Seq
	By      string // account, or "system"
	Why     string // cause, in a few words; may be empty
	At      time.Time
	Data    json.RawMessage
}

// Event is a write as the log keeps it.
type Event struct {
	Seq     Seq
	Subject string
	Op      string
	By      string
	Why     string
	At      time.Time // when it happened: the writer's clock, microseconds
	Data    json.RawMessage
}

var (
	// ErrConflict says that somebody else changed one of the subjects: load it and decide again. Nothing was stored.
	ErrConflict = errors.New("another change came first")
	// ErrUnknown says that nobody can tell now whether the change was stored. The same op again finds out.
	ErrUnknown = errors.New("outcome unknown")
	// ErrReadOnly says that nothing can be written now; Health says why. It ends by itself when the cause does.
	ErrReadOnly = errors.New("the log cannot be written")
	// ErrMode says that the store was made by another kind of center (alone, another cluster) and must not be opened.
	ErrMode = errors.New("store belongs to another mode")
	// ErrDamaged says that the store lost events that had been acknowledged.
	ErrDamaged = errors.New("the log is damaged")
	// ErrHalf says that a restore into this log was begun and not finished.
	ErrHalf = errors.New("a restore was not finished: run it again, or begin with an empty folder")
)

// Ledger is an open log. All methods may be called from any goroutine.
type Ledger struct {
	cfg        Config
	log        *slog.Logger
	replicas   int // of what we make: 1 embedded, 3 in a cluster
	at         atomic.Pointer[engine]
	seen       atomic.Uint64 // newest sequence that was acknowledged or told here
	well       atomic.Bool   // our copy has everything: see lookAtCopy
	durability string
	kick       chan struct{}   // Run looks at once
	aside      map[string]bool // of Run: for whose silence we let another lead

	writing, asking, askingLeases tries // ended when the log is shut; when another member leads it, or leads the leases

	mu       sync.Mutex
	line     line
	readOnly string // why nothing can be written; "" it can
	final    bool   // only a person can mend it
	answered time.Time
	skew     time.Duration
	wrote    Seq // as the LAST file says
	sights   map[string]sighting
}
