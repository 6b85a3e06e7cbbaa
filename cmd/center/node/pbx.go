package node

import (
	"context"
	"time"

	"zaseki/cmd/center/exchange/pbx"
)

// jobLease is how long a job that one node does for all stays undone when that node dies.
const jobLease = 10 * time.Second

// openPBXs makes the jobs that tell the exchanges beside the center who takes calls.
func (n *Node) openPBXs() {
	n.pbxs = pbx.New(pbx.Config{Boxes: n.roster.PBXs, Watch: n.roster.Availability, Missed: n.roster.MissedAt, Hold: n.hold, Log: n.log})
}

// hold does work while this node is the one that does it.
func (n *Node) hold(ctx context.Context, name string, work func(context.Context) error) error {
	return n.ledger.Hold(ctx, name, n.addr().String(), jobLease, work)
}

// PBXs are the exchanges that are told who takes calls, as this node knows them.
func (n *Node) PBXs() []pbx.State { return n.pbxs.States() }
