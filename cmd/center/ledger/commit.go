package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
	firstTime   = 2 * time.Second  // for the first try: what it asked may have gone down with a connection
	attemptTime = 5 * time.Second  // for one try of several: each takes twice as long, in case the store is only slow
	soloTime    = 10 * time.Second // for one try to write, alone
	codeCAS     = 10071            // wrong last sequence, said by one node
	codeCASBusy = 10164            // the same, said by a cluster
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
	p := &place{ctx: ctx, came: time.Now(), writes: writes, msgs: msgs, lead: make(chan flight, 1), done: make(chan landed, 1)}
	for {
		f, end, err := l.turn(ctx, p)
		if err != nil {
			return 0, fmt.Errorf("commit %s: %w", op, err)
		}
		switch {
		case len(f.group)+len(f.rivals) == 1:
			defer l.arrive(p, time.Now())
			return l.commit(ctx, op, writes, msgs)
		case len(f.group) > 0:
			end = l.takeAlong(f)
		}
		if end.fate == stored {
			return end.seq, nil
		}
		// Perhaps the log has passed it by: then it need not be tried.
		if seq, stored, err := l.readBack(ctx, op, writes); stored {
			return seq, nil
		} else if errors.Is(err, ErrConflict) {
			return 0, fmt.Errorf("commit %s: %w", op, err)
		}
		if end.fate == unknown { // to ask for each alone would only be slower
			return 0, fmt.Errorf("commit %s: %w: the store did not answer for %v", op, ErrUnknown, soloTime)
		}
		p.alone = end.fate == apart
	}
}

// commit is Commit for a change whose turn it is.
func (l *Ledger) commit(ctx context.Context, op string, writes []Write, msgs []*nats.Msg) (Seq, error) {
	most := l.firstTry()
	for wait := 5 * time.Millisecond; ; wait, most = min(2*wait, 500*time.Millisecond), max(most, min(2*most, attemptTime)) {
		if err := errors.Join(l.writable(), alive(ctx)); err != nil {
			return 0, fmt.Errorf("commit %s: %w", op, err)
		}
		seq, err := l.publish(ctx, msgs, most)
		if err == nil {
			l.saw(seq)
			return seq, nil
		}
		if !doubtful(err) {
			return 0, fmt.Errorf("commit %s: %w", op, err)
		}
		seq, stored, again := l.readBack(ctx, op, writes)
		if shut := l.writable(); shut != nil { // what is read back may never have reached the disk
			return 0, fmt.Errorf("commit %s: %w: %w", op, ErrUnknown, shut)
		}
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

// firstTry is how long it may take. Alone there is nobody else to ask: a store that is slow takes as long as it takes, and asking again
// would only make it slower. After a failed write the engine never answers, and shut ends the try.
func (l *Ledger) firstTry() time.Duration {
	if l.replicas == 1 {
		return soloTime
	}
	return firstTime
}

func (l *Ledger) pack(op string, writes []Write) ([]*nats.Msg, error) {
	if op == "" || len(writes) == 0 || len(writes) > MaxWrites {
		return nil, fmt.Errorf("%d writes, not 1 to %d, or no op", len(writes), MaxWrites)
	}
	seen := make(map[string]bool, len(writes))
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
		number(m, i, len(writes))
		msgs[i] = m
	}
	return msgs, nil
}

// number makes a message one of an atomic batch of several, whose id publish gives.
func number(m *nats.Msg, i, of int) {
	if of == 1 {
		return
	}
	m.Header.Set(batchSeq, strconv.Itoa(i+1))
	if i == of-1 {
		m.Header.Set(batchCommit, "1")
	}
}

// refusal is the engine's no.
type refusal struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (r *refusal) Error() string { return fmt.Sprintf("engine: %s (%d)", r.Description, r.ErrCode) }

func (l *Ledger) publish(ctx context.Context, msgs []*nats.Msg, most time.Duration) (Seq, error) {
	ctx, cancel := l.asking.try(ctx, most)
	defer cancel()
	defer l.whenShut(cancel)()
	conn := l.at.Load().conn
	last := len(msgs) - 1
	if last > 0 {
		// A batch that was cut off keeps its id at the engine for a while: another try is another batch.
		id := nuid.Next()
		for _, m := range msgs {
			m.Header.Set(batchID, id)
		}
	}
	for _, m := range msgs[:last] {
		if err := conn.PublishMsg(m); err != nil {
			return 0, err
		}
	}
	reply, err := conn.RequestMsgWithContext(ctx, msgs[last])
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
	return !errors.Is(err, nats.ErrMaxPayload)
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

// stands checks that the event a write was decided on is there at all. One who has just become leader, or was one before it froze, may not
// have it yet.
func (l *Ledger) stands(ctx context.Context, w Write) error {
	e, ok, err := l.Last(ctx, w.Subject)
	if err != nil {
		return err
	}
	if l.replicas > 1 && e.Seq < w.Expect && uint64(w.Expect) <= l.seen.Load() {
		on, known, err := l.get(ctx, query{Seq: uint64(w.Expect)})
		switch {
		case err != nil:
			return err
		case !known || on.Subject == w.Subject:
			return fmt.Errorf("%s stands at %d in an old answer, not at %d", w.Subject, e.Seq, w.Expect)
		}
	}
	switch {
	case !ok || e.Seq < w.Expect:
		return fmt.Errorf("%s stands at %d, not %d: %w", w.Subject, e.Seq, w.Expect, ErrConflict)
	case e.Seq > w.Expect: // it landed between two looks, and may be ours: the next try tells
		return fmt.Errorf("%s came to %d while it was looked at", w.Subject, e.Seq)
	}
	return nil
}

// next is the first event of the subject at or after from.
func (l *Ledger) next(ctx context.Context, subject string, from Seq) (Event, bool, error) {
	return l.get(ctx, query{Seq: uint64(from), Next: prefix + subject})
}

// Last is the last event of a subject; ok is false if there is none.
func (l *Ledger) Last(ctx context.Context, subject string) (e Event, ok bool, err error) {
	return l.get(ctx, query{Last: prefix + subject})
}

// query asks the engine for one event.
type query struct {
	Seq  uint64 `json:"seq,omitempty"`
	Next string `json:"next_by_subj,omitempty"`
	Last string `json:"last_by_subj,omitempty"`
}

// noEvent is the engine's code for an event that is not there.
const noEvent = 10037

// get asks whoever leads: another copy may be behind what was acknowledged already, and the client library asks any of them. While nobody
// leads it waits, for an election at most.
func (l *Ledger) get(ctx context.Context, q query) (e Event, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime+l.electionTime())
	defer cancel()
	ask, err := json.Marshal(q)
	if err != nil {
		return e, false, err
	}
	for most := l.firstTry(); ; most = min(2*most, attemptTime) {
		e, ok, err = l.getOnce(ctx, ask, most)
		if err == nil || ctx.Err() != nil || !waiting(err) || l.writable() != nil {
			return e, ok, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (l *Ledger) getOnce(ctx context.Context, ask []byte, most time.Duration) (Event, bool, error) {
	ctx, cancel := l.asking.try(ctx, most)
	defer cancel()
	reply, err := l.at.Load().conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+streamName, ask)
	if err != nil {
		if context.Cause(ctx) == errElected {
			err = errElected
		}
		return Event{}, false, fmt.Errorf("read the log: %w", err)
	}
	var said struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Subject string `json:"subject"`
			Seq     uint64 `json:"seq"`
			Data    []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &said); err != nil {
		return Event{}, false, fmt.Errorf("read the log: %w", err)
	}
	if said.Error != nil {
		if said.Error.ErrorCode == noEvent {
			return Event{}, false, nil
		}
		return Event{}, false, fmt.Errorf("read the log: %w", said.Error)
	}
	e, err := decode(strings.TrimPrefix(said.Message.Subject, prefix), said.Message.Seq, said.Message.Data)
	return e, err == nil, err
}

// End is the sequence of the newest event, as the cluster's majority knows it.
func (l *Ledger) End(ctx context.Context) (Seq, error) {
	info, err := l.at.Load().stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("end of the log: %w", err)
	}
	return Seq(info.State.LastSeq), nil
}
