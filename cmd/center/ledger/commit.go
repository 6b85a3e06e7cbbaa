package ledger

import (
	"context"
	"time"
)

// Commit stores all writes or none, and returns the sequence of the last one; the writes have consecutive sequences in
// their order. op names the change: the same op again, with the same writes, is stored once.
func (l *Ledger) Commit(ctx context.Context, op string, writes []Write) (Seq, error) { panic("x") }

// Last is the last event of a subject; ok is false if there is none.
func (l *Ledger) Last(ctx context.Context, subject string) (e Event, ok bool, err error) { panic("x") }

// Load gives the last event of every subject that begins with prefix ("" = all, "agent." = all agents), and the sequence it is valid
// at: Follow from there misses nothing and may tell some of them again.
func (l *Ledger) Load(ctx context.Context, prefix string) (map[string]Event, Seq, error) { panic("x") }

// Follow tells every event after that sequence, in order and without a gap, until ctx ends, whose error it returns.
// tell runs on Follow's goroutine.
func (l *Ledger) Follow(ctx context.Context, after Seq, tell func(Event)) error { panic("x") }

// Hold runs work while this node has the lease of that name, and returns when ctx ends. work's context ends when the lease is lost;
// then Hold waits for it again. ttl is at least one second.
func (l *Ledger) Hold(ctx context.Context, name string, ttl time.Duration, work func(context.Context) error) error {
	panic("x")
}
