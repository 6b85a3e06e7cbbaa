// Package ledger is the center's truth: one event log. Every entity has its subject ("agent.alice", "seat.2"), each event
// is the entity's complete state, and a change names the sequence it was decided on. The last event of a subject is the
// live state, all of them are the history. Nothing above this room knows which engine keeps the log.
package ledger

import (
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Seq is a place in the log. The first event has 1; 0 is before all.
type Seq uint64

// Config of a ledger.
type Config struct {
	Dir  string   // of the embedded engine; it holds the store and its MODE file. Not used with URLs
	URLs []string // of an outside cluster (nats://…); empty: embedded
	Log  *slog.Logger
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
	// ErrMode says that the store was made by another kind of center (embedded or cluster) and must not be opened.
	ErrMode = errors.New("store belongs to another mode")
)

// Ledger is an open log. All methods may be called from any goroutine.
type Ledger struct {
	log    *slog.Logger
	server *server.Server // nil with an outside cluster
	conn   *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	// replicas of what we make: 1 embedded, 3 in a cluster
	replicas int

	mu     sync.Mutex
	leases jetstream.KeyValue
}
