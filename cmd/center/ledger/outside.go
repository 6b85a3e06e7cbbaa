package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// inquire finds out how sure an acknowledged change is. Of an outside cluster only its monitoring addresses can tell: what a
// client sees is the same whether the disk has it or not.
func (l *Ledger) inquire(ctx context.Context) error {
	if len(l.cfg.URLs) == 0 {
		l.durability = "every change is on the disk before it is acknowledged"
		if l.cfg.Cluster != nil {
			l.durability = "every change is on the disks of the majority before it is acknowledged"
		}
		return nil
	}
	if len(l.cfg.Monitor) == 0 {
		l.durability = "unverified: the outside cluster was not asked whether it syncs always (-nats-monitor)"
		l.log.Warn("durability " + l.durability + "; if it does not, a power cut loses what was acknowledged")
		return nil
	}
	var bad []error
	good := 0
	for _, at := range l.cfg.Monitor {
		switch err := syncsAlways(ctx, at); {
		case err == nil:
			good++
		case errors.Is(err, errLazy):
			bad = append(bad, fmt.Errorf("%s: %w", at, err))
		default: // one of them may be down
			l.log.Warn("monitoring of the outside cluster", "at", at, "err", err)
		}
	}
	switch {
	case len(bad) == 0 && good == 0:
		l.durability = "unverified: no monitoring address of the outside cluster answers"
		return nil
	case len(bad) == 0:
		l.durability = fmt.Sprintf("every change is on the disks of the majority before it is acknowledged (%d of %d servers say so)", good, len(l.cfg.Monitor))
		return nil
	case l.cfg.MayLose:
		l.durability = "acknowledged changes may be lost: " + errors.Join(bad...).Error()
		l.log.Warn("outside cluster", "durability", l.durability)
		return nil
	}
	return fmt.Errorf("the outside cluster must set jetstream { sync_interval: always }, or start with --i-may-lose-data: %w", errors.Join(bad...))
}

// errLazy is of a server that would lose changes at a power cut.
var errLazy = errors.New("it acknowledges changes that its disk does not have yet")

// syncsAlways asks one server's monitoring page.
func syncsAlways(ctx context.Context, at string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(at, "/")+"/varz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var said struct {
		JetStream struct {
			Config *struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	}
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil {
		return fmt.Errorf("its monitoring page: %w", err)
	}
	switch {
	case said.JetStream.Config == nil:
		return errors.New("it has no JetStream")
	case !said.JetStream.Config.SyncAlways:
		return errLazy
	}
	return nil
}
