package node

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
)

const (
	historyMost = 1024 // calls that wait to be written
	historyTime = 15 * time.Second
)

// history writes the calls that ended into the ledger, in their order, without the exchange waiting for the disk. All are events
// of one subject, so that the present state stays small however many calls there were.
type history struct {
	node *Node
	mail chan exchange.CallRecord
}

// told is called by the exchange.
func (h *history) told(r exchange.CallRecord) {
	select {
	case h.mail <- r:
	default:
		h.node.log.Error("the ledger is too slow: a call is not in the history", "call", r.ID, "result", r.Result)
	}
}

// run writes until ctx ends, and then what is left.
func (h *history) run(ctx context.Context) error {
	h.node.roster.KnowCalls(h.node.report.OwnCall) // so that agents write about their own
	var last ledger.Seq
	for {
		select {
		case r := <-h.mail:
			last = h.write(r, last)
		case <-ctx.Done():
			for {
				select {
				case r := <-h.mail:
					last = h.write(r, last)
				default:
					return nil
				}
			}
		}
	}
}

// write commits one call after the last one; somebody else's (a node that ran before, another one) is looked up.
func (h *history) write(r exchange.CallRecord, last ledger.Seq) ledger.Seq {
	ctx, cancel := context.WithTimeout(context.Background(), historyTime)
	defer cancel()
	data, err := json.Marshal(r)
	if err != nil {
		h.node.log.Error("call not written", "call", r.ID, "err", err)
		return last
	}
	subject := ledger.Subject(report.KindCalls, "center")
	for {
		seq, err := h.node.ledger.Commit(ctx, rand.Text(), []ledger.Write{
			{Subject: subject, Expect: last, By: "system", Why: "call ended", At: r.Ended, Data: data},
		})
		if err == nil {
			return seq
		}
		if errors.Is(err, ledger.ErrConflict) {
			var e ledger.Event
			if e, _, err = h.node.ledger.Last(ctx, subject); err == nil {
				last = e.Seq
				continue
			}
		}
		h.node.log.Error("call not written", "call", r.ID, "err", err)
		return last
	}
}
