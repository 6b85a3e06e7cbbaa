package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Short waits and heartbeats, or a follower is silent for ten seconds after a leader was lost.
var pull = []jetstream.PullMessagesOpt{jetstream.PullExpiry(5 * time.Second), jetstream.PullHeartbeat(500 * time.Millisecond)}

const (
	readerTime = 2 * time.Second  // to make a reader
	readerLife = 30 * time.Second // of one that nobody reads any more
)

// reader is a consumer of ours. The client library's own ordered one waits ten seconds for each try to make itself anew, and then
// longer and longer: after a leader was lost it was silent for half a minute.
type reader struct {
	stream jetstream.Stream
	cons   jetstream.Consumer
	iter   jetstream.MessagesContext
}

func (l *Ledger) reader(ctx context.Context, cfg jetstream.ConsumerConfig) (*reader, error) {
	ctx, cancel := context.WithTimeout(ctx, readerTime)
	defer cancel()
	cfg.Name, cfg.AckPolicy, cfg.MemoryStorage, cfg.Replicas, cfg.InactiveThreshold = "r"+nuid.Next(), jetstream.AckNonePolicy, true, 1, readerLife
	r := &reader{stream: l.at.Load().stream}
	var err error
	if r.cons, err = r.stream.CreateConsumer(ctx, cfg); err != nil {
		return nil, err
	}
	if r.iter, err = r.cons.Messages(pull...); err != nil {
		r.close(err)
		return nil, err
	}
	return r, nil
}

// close ends the reader. One whose engine gave no answer is left to end by itself: it would not answer to this either.
func (r *reader) close(why error) {
	if r.iter != nil {
		r.iter.Stop()
	}
	if errors.Is(why, jetstream.ErrNoHeartbeat) || waiting(why) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readerTime)
	defer cancel()
	_ = r.stream.DeleteConsumer(ctx, r.cons.CachedInfo().Name)
}

// Load gives the last event of every subject of a kind ("agent"), or of all ("" ), and the sequence it is valid at: Follow
// from there misses nothing and may tell some of them again.
//
// An engine that has just started, elects a leader or is busy may not answer; what was read is thrown away then and read anew, for as long as
// an election takes.
func (l *Ledger) Load(ctx context.Context, kind string) (all map[string]Event, at Seq, err error) {
	for end := time.Now().Add(attemptTime + l.electionTime()); ; {
		all, at, err = l.load(ctx, kind)
		passing := err != nil && (waiting(err) || errors.Is(err, jetstream.ErrNoHeartbeat))
		if !passing || ctx.Err() != nil || time.Now().After(end) {
			return all, at, err
		}
		l.log.Info("read the log again", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (l *Ledger) load(ctx context.Context, kind string) (_ map[string]Event, at Seq, err error) {
	filter := prefix + ">"
	if kind != "" {
		filter = prefix + kind + ".>"
	}
	r, err := l.reader(ctx, jetstream.ConsumerConfig{FilterSubject: filter, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy})
	if err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	defer func() { r.close(err) }()
	all := map[string]Event{}
	want := r.cons.CachedInfo().NumPending
	if want > 0 {
		err = collect(ctx, r.iter, all)
	}
	if err == nil && uint64(len(all)) < want {
		err = fmt.Errorf("of %d entities only %d can be read: %w", want, len(all), ErrDamaged)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	// The copy that was read may be behind the leader: what was read is as new as its newest event.
	for _, e := range all {
		at = max(at, e.Seq)
	}
	return all, at, nil
}

func collect(ctx context.Context, iter jetstream.MessagesContext, all map[string]Event) error {
	for {
		m, err := iter.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		e, left, err := read(m)
		if err != nil {
			return err
		}
		if e.Seq > all[e.Subject].Seq {
			all[e.Subject] = e
		}
		if left == 0 {
			return nil
		}
	}
}

func read(m jetstream.Msg) (e Event, left uint64, err error) {
	meta, err := m.Metadata()
	if err != nil {
		return Event{}, 0, err
	}
	e, err = decode(strings.TrimPrefix(m.Subject(), prefix), meta.Sequence.Stream, m.Data())
	return e, meta.NumPending, err
}

// Follow tells every event after that sequence, in order and without a gap, until ctx ends, whose error it returns. What the engine does
// wrong on the way is mended by asking again from the last event told; an event that is gone for good ends it with ErrDamaged. tell runs on
// Follow's goroutine.
func (l *Ledger) Follow(ctx context.Context, after Seq, tell func(Event)) error {
	const gapTries = 20
	for gaps := 0; ; {
		last, err := l.follow(ctx, after, tell)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case last > after:
			gaps = 0
		case errors.Is(err, ErrDamaged):
			gaps++
		}
		if gaps == gapTries { // a copy that lags behind would have caught up
			return fmt.Errorf("follow the log: %w", err)
		}
		l.log.Warn("follow the log again", "seq", uint64(last), "err", err)
		after = last
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (l *Ledger) follow(ctx context.Context, after Seq, tell func(Event)) (_ Seq, err error) {
	r, err := l.reader(ctx, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: uint64(after) + 1})
	if err != nil {
		return after, err
	}
	defer func() { r.close(err) }()
	for {
		m, err := r.iter.Next(jetstream.NextContext(ctx))
		if err != nil {
			return after, err
		}
		e, _, err := read(m)
		switch {
		case err != nil:
			return after, err
		case e.Seq <= after:
			continue
		case e.Seq != after+1: // nothing is ever deleted
			return after, fmt.Errorf("after event %d comes %d: %w", after, e.Seq, ErrDamaged)
		}
		tell(e)
		after = e.Seq
		l.saw(e.Seq)
	}
}
