package ledger

import (
	"fmt"
	"sync"
	"time"

	_ "unsafe" // for the engine's constants below
)

// The engine's times of an election are variables of its package (raft.go) that no option reaches: with four to nine seconds until a member
// notices that nobody leads, a killed one stops every change for up to ten. Members of our own cluster are near each other and have to go on
// within five seconds, so they use shorter ones. What another version of the engine calls otherwise is zero here, and hasten refuses it.
//
//go:linkname minElection github.com/nats-io/nats-server/v2/server.minElectionTimeout
//go:linkname maxElection github.com/nats-io/nats-server/v2/server.maxElectionTimeout
//go:linkname heartbeat github.com/nats-io/nats-server/v2/server.hbInterval
//go:linkname lostQuorum github.com/nats-io/nats-server/v2/server.lostQuorumInterval
//go:linkname lostQuorumCheck github.com/nats-io/nats-server/v2/server.lostQuorumCheck
var minElection, maxElection, heartbeat, lostQuorum, lostQuorumCheck time.Duration

// raftPace are the times of the engine's elections.
type raftPace struct {
	minElection, maxElection    time.Duration // a member that hears no leader for so long, by chance, wants to lead
	heartbeat                   time.Duration // of a leader who has nothing else to say; now and then the double
	lostQuorum, lostQuorumCheck time.Duration // a leader that hears no majority for so long gives up, when it looks
}

const ownMinElection = 2 * time.Second

var (
	// enginePace is what the engine comes with.
	enginePace = raftPace{4 * time.Second, 9 * time.Second, time.Second, 10 * time.Second, 10 * time.Second}
	// ownPace has the other two write 2 to 4 s after whoever leads fell silent. A heartbeat may be late by a second on a machine
	// that is busy, or wait for a disk so long, and nobody is elected for nothing.
	ownPace = raftPace{ownMinElection, 3500 * time.Millisecond, 300 * time.Millisecond, 4 * time.Second, time.Second}
)

// hasten sets the engine's times, once for the process and before a member starts.
var hasten = sync.OnceValue(func() error {
	if found := engineTimes(); found != enginePace {
		return fmt.Errorf("the engine's times of an election are not the known ones, but %+v", found)
	}
	minElection, maxElection, heartbeat = ownPace.minElection, ownPace.maxElection, ownPace.heartbeat
	lostQuorum, lostQuorumCheck = ownPace.lostQuorum, ownPace.lostQuorumCheck
	return nil
})

// engineTimes are those in force.
func engineTimes() raftPace {
	return raftPace{minElection, maxElection, heartbeat, lostQuorum, lostQuorumCheck}
}
