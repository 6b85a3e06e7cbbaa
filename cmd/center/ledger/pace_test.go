package ledger

import "testing"

func TestTheEnginesTimesAreOurs(t *testing.T) {
	if err := hasten(); err != nil {
		t.Fatal(err)
	}
	if got := engineTimes(); got != ownPace {
		t.Fatalf("%+v", got)
	}
	if 5*ownPace.heartbeat > ownPace.minElection {
		t.Error("a few late heartbeats would elect another leader")
	}
}
