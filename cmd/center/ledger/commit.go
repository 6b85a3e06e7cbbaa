package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// MaxWrites is how many writes one Commit may have: the engine's limit for an atomic batch.
const MaxWrites = 1000

// Headers of an atomic batch; the client library has none of them.
const (
	batchID     = "Nats-Batch-Id"
	batchSeq    = "Nats-Batch-Sequence"
	batchCommit = "Nats-Batch-Commit"
)

const (
	attemptTime = 5 * time.Second // for one try; a leader's election takes up to nine
	codeCAS     = 10071           // wrong last sequence, said by one node
	codeCASBusy = 10164           // the same, said by a cluster
	codeBusy    = 429
)

// Commit stores all writes or none, and returns the sequence of the last one; the writes have consecutive sequences in
// their order. op names the change: the same op again, with the same writes, is stored once. It tries until ctx ends, which is
// safe, since every write says what it was decided on.
func (l *Ledger) Commit(ctx context.Context, op string, writes []Write) (Seq, error) {
	msgs, err := l.pack(op, writes)
	if err != nil {
		return 0, fmt.Errorf("commit %s: %w", op, err)
	}
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		seq, err := l.publish(ctx, msgs)
		if err == nil {
			return seq, nil
		}
		if !doubtful(err) {
			return 0, fmt.Errorf("commit %s: %w", op, err)
		}
		seq, stored, again := l.readBack(ctx, op, writes)
		switch {
		case stored:
			return seq, nil
		case errors.Is(again, ErrConflict):
			return 0, fmt.Errorf("commit %s: %w", op, again)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("commit %s: %w: %w", op, ErrUnknown, err)
		case <-time.After(wait):
		}
	}
}

func (l *Ledger) pack(op string, writes []Write) ([]*nats.Msg, error) {
	if op == "" || len(writes) == 0 || len(writes) > MaxWrites {
		return nil, fmt.Errorf("%d writes, not 1 to %d, or no op", len(writes), MaxWrites)
	}
	seen := make(map[string]bool, len(writes))
	batch := nuid.Next()
	msgs := make([]*nats.Msg, len(writes))
	for i, w := range writes {
		if _, _, ok := Split(w.Subject); !ok || seen[w.Subject] {
			return nil, fmt.Errorf("subject %q is malformed or named twice", w.Subject)
		}
		seen[w.Subject] = true
		data, err := encode(op, w)
		if err != nil {
			return nil, err
		}
		m := nats.NewMsg(prefix + w.Subject)
		m.Data = data
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(uint64(w.Expect), 10))
		if len(writes) > 1 {
			m.Header.Set(batchID, batch)
			m.Header.Set(batchSeq, strconv.Itoa(i+1))
		}
		msgs[i] = m
	}
	if len(msgs) > 1 {
		msgs[len(msgs)-1].Header.Set(batchCommit, "1")
	}
	return msgs, nil
}

// refusal is the engine's no.
type refusal struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (r *refusal) Error() string { return fmt.Sprintf("engine: %s (%d)", r.Description, r.ErrCode) }

func (l *Ledger) publish(ctx context.Context, msgs []*nats.Msg) (Seq, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	last := len(msgs) - 1
	if last > 0 {
		// A batch that was cut off keeps its id at the engine for a while: another try is another batch.
		id := nuid.Next()
		for _, m := range msgs {
			m.Header.Set(batchID, id)
		}
	}
	for _, m := range msgs[:last] {
		if err := l.conn.PublishMsg(m); err != nil {
			return 0, err
		}
	}
	reply, err := l.conn.RequestMsgWithContext(ctx, msgs[last])
	if err != nil {
		return 0, err
	}
	var ack struct {
		Error *refusal `json:"error"`
		Seq   uint64   `json:"seq"`
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return 0, fmt.Errorf("answer of the engine: %w", err)
	}
	if ack.Error != nil {
		return 0, ack.Error
	}
	return Seq(ack.Seq), nil
}

// doubtful says that an error leaves open whether the change was stored or may be tried again.
func doubtful(err error) bool {
	var r *refusal
	if errors.As(err, &r) {
		return r.ErrCode == codeCAS || r.ErrCode == codeCASBusy || r.Code == codeBusy || r.Code >= 500
	}
	return !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrMaxPayload)
}

// readBack looks at the first event of each subject after the one the change was decided on. Since every writer names
// what it replaces, that event is ours, or a rival's, or there is none and the change may be tried again: a cluster refuses now and then
// though nobody else wrote.
func (l *Ledger) readBack(ctx context.Context, op string, writes []Write) (Seq, bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTime)
	defer cancel()
	for i, w := range writes {
		e, ok, err := l.next(ctx, w.Subject, w.Expect+1)
		switch {
		case err != nil:
			return 0, false, err
		case ok && e.Op == op:
			return e.Seq + Seq(len(writes)-1-i), true, nil
		case ok:
			return 0, false, fmt.Errorf("%s changed at %d by %s: %w", w.Subject, e.Seq, e.By, ErrConflict)
		case w.Expect > 0:
			if err := l.stands(ctx, w); err != nil {
				return 0, false, err
			}
		}
	}
	return 0, false, nil
}

// stands checks that the event a write was decided on is there at all.
func (l *Ledger) stands(ctx context.Context, w Write) error {
	e, ok, err := l.Last(ctx, w.Subject)
	if err != nil {
		return err
	}
	if !ok || e.Seq != w.Expect {
		return fmt.Errorf("%s stands at %d, not %d: %w", w.Subject, e.Seq, w.Expect, ErrConflict)
	}
	return nil
}

// next is the first event of the subject at or after from.
func (l *Ledger) next(ctx context.Context, subject string, from Seq) (Event, bool, error) {
	return found(l.stream.GetMsg(ctx, uint64(from), jetstream.WithGetMsgSubject(prefix+subject)))
}

// Last is the last event of a subject; ok is false if there is none.
func (l *Ledger) Last(ctx context.Context, subject string) (e Event, ok bool, err error) {
	return found(l.stream.GetLastMsgForSubject(ctx, prefix+subject))
}

func found(m *jetstream.RawStreamMsg, err error) (Event, bool, error) {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Event{}, false, nil
	}
	if err != nil {
		return Event{}, false, fmt.Errorf("read the log: %w", err)
	}
	e, err := decode(m.Subject[len(prefix):], m.Sequence, m.Data)
	return e, err == nil, err
}
