package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const leaseBucket = "lease"

// Hold runs work while this node has the lease of that name, and returns work's error, or ctx's when it ends. If the lease is
// lost work's context ends, and Hold waits for the lease again. who is shown to those who ask who has it.
// The name has letters, digits, -, _ and dots; ttl is at least a second.
func (l *Ledger) Hold(ctx context.Context, name, who string, ttl time.Duration, work func(context.Context) error) error {
	for ctx.Err() == nil {
		rev, err := l.take(ctx, name, who, ttl)
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(ttl / 3):
			}
			continue
		}
		if lost, err := l.keep(ctx, name, who, rev, ttl, work); !lost {
			return err
		}
		l.log.Warn("lease lost", "lease", name)
	}
	return ctx.Err()
}

// Holder says who has the lease of that name; "" if nobody.
func (l *Ledger) Holder(ctx context.Context, name string) (string, error) {
	kv, err := l.bucket(ctx)
	if err != nil {
		return "", err
	}
	e, err := kv.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("lease %s: %w", name, err)
	}
	return string(e.Value()), nil
}

func (l *Ledger) take(ctx context.Context, name, who string, ttl time.Duration) (uint64, error) {
	kv, err := l.bucket(ctx)
	if err != nil {
		return 0, err
	}
	return kv.Create(ctx, name, []byte(who), jetstream.KeyTTL(ttl))
}

// keep runs work and renews the lease beside it. lost is true when the lease ended before work did.
func (l *Ledger) keep(ctx context.Context, name, who string, rev uint64, ttl time.Duration, work func(context.Context) error) (lost bool, err error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- work(inner) }()
	tick := time.NewTicker(ttl / 3)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case err := <-done:
			l.release(ctx, name, rev)
			return false, err
		case <-tick.C:
			next, err := l.renew(ctx, name, who, rev, ttl)
			switch {
			case err == nil:
				rev, renewed = next, time.Now()
			case time.Since(renewed) > ttl*2/3: // somebody else may have it soon
				cancel()
				<-done
				return ctx.Err() == nil, err
			}
		}
	}
}

// renew is a raw publish: the library's own update drops the key's time to live, and the lease would never end.
func (l *Ledger) renew(ctx context.Context, name, who string, rev uint64, ttl time.Duration) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, ttl/3)
	defer cancel()
	m := nats.NewMsg("$KV." + leaseBucket + "." + name)
	m.Data = []byte(who)
	ack, err := l.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(rev), jetstream.WithMsgTTL(ttl))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

func (l *Ledger) release(ctx context.Context, name string, rev uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	kv, err := l.bucket(ctx)
	if err == nil {
		err = kv.Delete(ctx, name, jetstream.LastRevision(rev))
	}
	if err != nil {
		l.log.Debug("release lease", "lease", name, "err", err)
	}
}

func (l *Ledger) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	l.mu.Lock()
	kv := l.leases
	l.mu.Unlock()
	if kv != nil {
		return kv, nil
	}
	// Memory: a lease need not survive, and a renewal must not wait for a disk.
	kv, err := l.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: leaseBucket, Storage: jetstream.MemoryStorage, Replicas: l.replicas, LimitMarkerTTL: 10 * time.Minute,
	})
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leases = kv
	return kv, nil
}
