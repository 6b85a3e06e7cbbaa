package main

import (
	"fmt"
	"io"
	"net/http"
	"runtime"

	"zaseki/web/wire"
)

// metrics is the phone in Prometheus text; the panel gives it only to who has its token.
func (p *phone) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	p.count(w)
}

func (p *phone) count(w io.Writer) {
	news, stop := p.agent.Watch()
	snap := <-news
	stop()
	row := func(name, kind, help string, value uint64) {
		fmt.Fprintf(w, "# HELP %[1]s %[3]s\n# TYPE %[1]s %[2]s\n%[1]s %[4]d\n", name, kind, help, value)
	}
	yes := func(is bool) uint64 {
		if is {
			return 1
		}
		return 0
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	row("zaseki_signed_in", "gauge", "1 while an agent is signed in.", yes(snap.Phase == wire.PhaseIn))
	row("zaseki_center_online", "gauge", "1 while the center is connected.", yes(snap.Center.Online))
	row("zaseki_line_registered", "gauge", "1 while the terminal is registered.", yes(snap.Line.State == "registered"))
	row("zaseki_calls", "gauge", "Calls under way.", uint64(len(snap.Calls)))
	row("zaseki_pages", "gauge", "Open pages.", uint64(snap.Pages))
	row("zaseki_snapshots_total", "counter", "Snapshots published since the start.", snap.Rev)
	row("go_goroutines", "gauge", "Goroutines.", uint64(runtime.NumGoroutine()))
	row("go_memstats_heap_inuse_bytes", "gauge", "Bytes of heap in use.", memory.HeapInuse)
}
