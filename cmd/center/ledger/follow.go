package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Short waits and heartbeats, or a follower is silent for ten seconds after a leader was lost.
var pull = []jetstream.PullMessagesOpt{jetstream.PullExpiry(5 * time.Second), jetstream.PullHeartbeat(500 * time.Millisecond)}

// Load gives the last event of every subject of a kind ("agent"), or of all ("" ), and the sequence it is valid at: Follow
// from there misses nothing and may tell some of them again.
//
// An embedded engine that has just started, or a busy one, may answer "no responders" or miss a heartbeat; what was read is
// thrown away then and read anew, for five seconds at most.
func (l *Ledger) Load(ctx context.Context, kind string) (all map[string]Event, at Seq, err error) {
	for end := time.Now().Add(5 * time.Second); ; {
		all, at, err = l.load(ctx, kind)
		passing := errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoHeartbeat)
		if !passing || ctx.Err() != nil || time.Now().After(end) {
			return all, at, err
		}
		l.log.Info("read the log again", "err", err)
		time.Sleep(50 * time.Millisecond)
	}
}

func (l *Ledger) load(ctx context.Context, kind string) (map[string]Event, Seq, error) {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	filter := prefix + ">"
	if kind != "" {
		filter = prefix + kind + ".>"
	}
	cons, err := l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{filter}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	})
	if err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	all := map[string]Event{}
	if cons.CachedInfo().NumPending > 0 {
		err = collect(ctx, cons, all)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	return all, Seq(info.State.LastSeq), nil
}

func collect(ctx context.Context, cons jetstream.Consumer, all map[string]Event) error {
	iter, err := cons.Messages(pull...)
	if err != nil {
		return err
	}
	defer iter.Stop()
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
// wrong on the way is mended by asking again from the last event told. tell runs on Follow's goroutine.
func (l *Ledger) Follow(ctx context.Context, after Seq, tell func(Event)) error {
	for {
		last, err := l.follow(ctx, after, tell)
		if ctx.Err() != nil {
			return ctx.Err()
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

func (l *Ledger) follow(ctx context.Context, after Seq, tell func(Event)) (Seq, error) {
	cons, err := l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: uint64(after) + 1,
	})
	if err != nil {
		return after, err
	}
	iter, err := cons.Messages(pull...)
	if err != nil {
		return after, err
	}
	defer iter.Stop()
	for {
		m, err := iter.Next(jetstream.NextContext(ctx))
		if err != nil {
			return after, err
		}
		e, _, err := read(m)
		if err != nil {
			return after, err
		}
		if e.Seq <= after {
			continue
		}
		tell(e)
		after = e.Seq
	}
}
