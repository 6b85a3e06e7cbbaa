package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	watchEvery = time.Second
	noteEvery  = 10 * time.Second
	// How long the others of a cluster may need to agree on a new leader: see ownPace; an outside one's engine takes 4 to 9 s.
	ownElection     = 5 * time.Second
	outsideElection = 10 * time.Second
)

// electionTime is how long an election may take.
func (l *Ledger) electionTime() time.Duration {
	if l.cfg.Cluster != nil {
		return ownElection
	}
	return outsideElection
}

// Health is how the log is.
type Health struct {
	ReadOnly   string        // why nothing can be written now; "" it can
	Durability string        // how sure an acknowledged change is
	Free       uint64        // bytes left on the disk of the store; 0 unknown
	Skew       time.Duration // how far the clock of the member that leads is ahead of ours; 0 alone
}

// Health says how the log is, without asking anybody.
func (l *Ledger) Health() Health {
	free, _ := freeSpace(l.cfg.Dir)
	l.mu.Lock()
	defer l.mu.Unlock()
	return Health{ReadOnly: l.readOnly, Durability: l.durability, Free: free, Skew: l.skew}
}

// Durability says how sure an acknowledged change is: "every change is on the disk …", or that this could not be verified.
func (l *Ledger) Durability() string { return l.durability }

// hurt is told when a write failed. What was being written is not acknowledged, and nothing after it until the cause has ended.
func (l *Ledger) hurt(why string) {
	if l.cfg.Cluster == nil {
		full := strings.Contains(why, "no space left") || strings.Contains(why, "will be DISABLED")
		// After another error nobody can tell what the disk has of what the system's memory shows: no going on by ourselves.
		l.shut(why, !full)
	}
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// shut makes the log read-only.
func (l *Ledger) shut(why string, final bool) {
	l.mu.Lock()
	first := l.readOnly == ""
	l.final = l.final || final
	if first || final {
		l.readOnly = why
	}
	l.mu.Unlock()
	l.writing.end()
	if first {
		l.log.Error("the log is read-only: no change is taken", "reason", why)
	}
}

// whenShut has a try to write ended when the log becomes read-only; stop takes that back.
func (l *Ledger) whenShut(cut context.CancelFunc) (stop func()) {
	stop = l.writing.add(cut)
	if l.writable() != nil { // before it was added
		cut()
	}
	return stop
}

// writable is nil, or ErrReadOnly with its reason.
func (l *Ledger) writable() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readOnly == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrReadOnly, l.readOnly)
}

// Run watches disk and engine until ctx ends: the log becomes read-only before the disk is full, and is opened again when there
// is room.
func (l *Ledger) Run(ctx context.Context) error {
	watch, note, listen := time.NewTicker(watchEvery), time.NewTicker(noteEvery), time.NewTicker(listenEvery)
	defer watch.Stop()
	defer listen.Stop()
	defer note.Stop()
	l.mu.Lock()
	l.answered = time.Now() // opening it may have taken long
	l.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-note.C:
			l.remember()
			continue
		case <-listen.C:
			l.listen(ctx)
			continue
		case <-watch.C:
		case <-l.kick:
		}
		l.look(ctx)
	}
}

func (l *Ledger) look(ctx context.Context) {
	if l.at.Load().server == nil {
		l.lookAtOthers(ctx)
		return
	}
	free, err := freeSpace(l.cfg.Dir)
	room := err != nil || free >= l.cfg.Reserve
	if l.cfg.Cluster == nil && !room {
		l.shut(fmt.Sprintf("the disk is full: %d MiB are left", free>>20), false)
		return
	}
	l.mu.Lock()
	closed, final := l.readOnly != "", l.final
	l.mu.Unlock()
	broken := !l.at.Load().server.JetStreamEnabled()
	switch {
	case final:
	case (broken || closed && l.cfg.Cluster == nil) && room && free >= l.cfg.Reserve+l.cfg.Reserve/2:
		l.reopen(ctx)
	case l.cfg.Cluster != nil:
		l.lookAtOthers(ctx)
	case broken:
		l.shut("the engine has stopped", false)
	}
}

// reopen begins a new life of the engine after the disk was full: the old one takes nothing any more.
func (l *Ledger) reopen(ctx context.Context) {
	if err := probeDisk(l.cfg.Dir); err != nil {
		l.log.Warn("the disk still refuses writes", "err", err)
		return
	}
	l.at.Load().close()
	e, err := l.startEngine()
	if err == nil {
		within, cancel := context.WithTimeout(ctx, openTimeout)
		defer cancel()
		if err = e.find(within, l.cfg, l.replicas); err == nil {
			err = l.examine(within, e)
		}
		if err != nil {
			e.close()
		}
	}
	if err != nil {
		l.shut(err.Error(), errors.Is(err, ErrDamaged))
		l.log.Error("open the log again", "err", err)
		return
	}
	l.at.Store(e)
	l.reopened()
}

func (l *Ledger) reopened() {
	l.mu.Lock()
	was := l.readOnly
	if !l.final {
		l.readOnly = ""
	}
	l.answered = time.Now()
	l.mu.Unlock()
	if was != "" {
		l.log.Info("the log takes changes again")
	}
}

// lookAtOthers asks the cluster whether somebody leads. Without a majority for longer than an election nothing can be written.
func (l *Ledger) lookAtOthers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	began := time.Now()
	info, err := l.at.Load().stream.Info(ctx)
	var silence time.Duration
	if err == nil && info.Cluster != nil {
		silence, err = ledBy(info.Cluster)
	}
	if err == nil {
		l.mu.Lock()
		middle := began.Add(time.Since(began) / 2)
		l.skew = info.TimeStamp.Sub(middle).Round(time.Millisecond)
		l.answered = began.Add(-silence)
		l.mu.Unlock()
		if silence < l.peerSilence() {
			l.lookAtCopy(info.Cluster)
			l.reopened()
			return
		}
	}
	l.well.Store(false)
	l.mu.Lock()
	silent := time.Since(l.answered)
	l.mu.Unlock()
	if silent > l.electionTime() && ctx.Err() != context.Canceled {
		l.shut("the majority of the cluster is not reached", false)
	}
}

// peerSilence is how long the majority may say nothing to the leader, who hears all every second, and of our own members twice as often.
func (l *Ledger) peerSilence() time.Duration { return l.electionTime() / 2 }

// ledBy says how long whoever leads has not heard the majority. One that was cut off goes on believing that it leads for up to five
// seconds (see lostQuorum), and in an outside cluster for twenty.
func ledBy(c *jetstream.ClusterInfo) (silence time.Duration, err error) {
	if c.Leader == "" {
		return 0, errors.New("nobody leads")
	}
	if len(c.Replicas) == 0 {
		return 0, nil
	}
	var silent []time.Duration
	for _, p := range c.Replicas {
		silent = append(silent, p.Active)
	}
	slices.Sort(silent)
	return silent[(1+len(silent))/2-1], nil // the leader, and so many of the others, are the majority
}

// probeDisk says whether the disk keeps a write.
func probeDisk(dir string) error {
	f, err := os.CreateTemp(dir, "probe")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 1<<20))
	return errors.Join(err, f.Sync(), f.Close())
}
