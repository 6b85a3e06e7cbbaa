package node

import (
	"fmt"
	"net/http"
	"runtime"
	"sort"
)

// metrics are figures in Prometheus' text form. They name nobody.
func (n *Node) metrics(w http.ResponseWriter, _ *http.Request) {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	gauge := func(name, help string, value any) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s gauge\n%s %v\n", name, help, name, name, value)
	}
	gauge("center_registrations", "Contacts registered.", len(n.exchange.Registered()))
	gauge("center_calls", "Calls alive.", len(n.exchange.Calls()))
	byStatus := map[string]int{}
	for _, s := range n.roster.Floor().Seats {
		if s.Account != "" {
			byStatus[s.Status]++
		}
	}
	fmt.Fprint(w, "# HELP center_seats Seats taken, by status shown.\n# TYPE center_seats gauge\n")
	statuses := make([]string, 0, len(byStatus))
	for s := range byStatus {
		statuses = append(statuses, s)
	}
	sort.Strings(statuses)
	for _, s := range statuses {
		fmt.Fprintf(w, "center_seats{status=%q} %d\n", s, byStatus[s])
	}
	gauge("go_goroutines", "Goroutines.", runtime.NumGoroutine())
	gauge("go_memstats_heap_inuse_bytes", "Heap in use.", mem.HeapInuse)
}
