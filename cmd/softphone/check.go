package main

import (
	"context"
	"time"

	"zaseki/tray/agent"
)

// returnSound answers a check of the center and sends back whatever sound comes, as it comes: losses on the way here are seen there.
func (p *phone) returnSound(ctx context.Context, call string) {
	if p.leg(call).answer == "" {
		if err := p.prepare(call); err == nil {
			p.sound.Echo(call)
		}
	}
	p.join(ctx, call)
}

// reportCheck tells the center what arrived of its sound.
func (p *phone) reportCheck(e agent.ReportCheck) {
	r := e.Report
	if e.Call != "" {
		in := p.sound.Stats(e.Call).Received
		r.Received, r.Lost, r.Jitter = int(in.Packets), int(max(in.Lost, 0)), float64(in.Jitter)/float64(time.Millisecond)
	}
	p.uplink.Report(r)
}
