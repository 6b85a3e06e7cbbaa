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
	row := func(name, kind, help string, value any) {
		fmt.Fprintf(w, "# HELP %[1]s %[3]s\n# TYPE %[1]s %[2]s\n%[1]s %[4]v\n", name, kind, help, value)
	}
	yes := func(is bool) int {
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
	row("zaseki_calls", "gauge", "Calls under way.", len(snap.Calls))
	row("zaseki_pages", "gauge", "Open pages.", snap.Pages)
	row("zaseki_snapshots_total", "counter", "Snapshots published since the start.", snap.Rev)
	row("zaseki_page_webrtc", "gauge", "1 while a page carries sound by WebRTC.", yes(snap.Sound && snap.Way == "webrtc"))
	row("zaseki_page_websocket", "gauge", "1 while a page carries sound by websocket.", yes(snap.Sound && snap.Way == "websocket"))
	if c, ok := snap.Talking(); ok && c.Quality != nil {
		worst := worse(*c.Quality)
		row("zaseki_call_mos", "gauge", "How the call sounds, 1 to 4.5 (ITU-T G.107), the worse direction.", c.Quality.MOS)
		row("zaseki_call_loss_percent", "gauge", "Packets lost in the worse direction.", worst.Loss)
		row("zaseki_call_jitter_ms", "gauge", "Jitter in the worse direction (RFC 3550).", worst.Jitter)
		row("zaseki_call_rtt_ms", "gauge", "Time there and back, by RTCP.", c.Quality.RTT)
	}
	row("go_goroutines", "gauge", "Goroutines.", runtime.NumGoroutine())
	row("go_memstats_heap_inuse_bytes", "gauge", "Bytes of heap in use.", memory.HeapInuse)
}
