package main

import (
	"context"
	"errors"
	"time"

	"zaseki/media"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// networkTime is how long TestNetwork measures.
const networkTime = 5 * time.Second

// testNetwork measures the way to the center as a call would go it.
func (p *phone) testNetwork(ctx context.Context) {
	p.mu.Lock()
	probe := p.probe
	p.mu.Unlock()
	if probe == nil { // signed out meanwhile
		return
	}
	got, err := media.Probe(ctx, probe.Addr, probe.Key, networkTime)
	if ctx.Err() != nil {
		return
	}
	test := wire.NetworkTest{State: got.Verdict, Loss: got.Loss, Jitter: milliseconds(got.Jitter), RTT: milliseconds(got.RTT), MOS: got.MOS}
	switch {
	case errors.Is(err, media.ErrNoEcho):
		test.State, test.Problem = "failed", &wire.Problem{Code: wire.ProblemNoEcho}
	case err != nil:
		test.State, test.Problem = "failed", &wire.Problem{Code: wire.ProblemNetworkTest, Holes: map[string]string{"reason": err.Error()}}
		p.log.Warn("network test", "peer", probe.Addr, "err", err)
	}
	p.log.Info("network test", "peer", probe.Addr, "state", test.State, "mos", round(test.MOS), "loss", round(test.Loss), "jitter", round(test.Jitter))
	p.agent.Post(agent.NetworkTested{Test: test})
}
