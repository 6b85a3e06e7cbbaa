package node

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"zaseki/cmd/center/roster"
)

// metrics are figures in Prometheus' text form (version 0.0.4). They name nobody.
func (n *Node) metrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	f := n.roster.Figures()
	m := &exposition{w: w}
	m.gauge("center_accounts", "Accounts.", f.Accounts)
	m.gauge("center_phones", "Phones connected to this node by websocket.", f.Phones)
	labelled(m, "center_agents", "gauge", "People signed in, by the status they are shown in.", "status", f.Signed)
	m.gauge("center_agents_ready", "Agents to whom a call of a queue may go now.", f.Ready)
	m.gauge("center_registrations", "SIP contacts registered at this node.", len(n.exchange.Registered()))
	m.gauge("center_calls", "Calls alive at this node.", len(n.exchange.Calls()))
	m.queues(f.Waiting)
	labelled(m, "center_signins_refused_total", "counter", "Sign-ins refused since the start, by the code of the problem.", "problem", f.Refused)
	m.commits(f.Commits)
	m.counter("center_commits_failed_total", "Changes that were not written: somebody was faster, or the log could not be written.", f.Conflicts)
	n.besides(m)
	m.seats(n)
	m.runtime()
}

// besides are trunks, exchanges, nodes and certificates.
func (n *Node) besides(m *exposition) {
	p := n.parts()
	m.head("center_trunk_up", "gauge", "1: calls go out by this trunk; registered with its provider, or it needs no registration.")
	for _, t := range p.Trunks {
		m.line("center_trunk_up", one(t.State != "failed"), "trunk", t.User, "state", t.State)
	}
	m.head("center_pbx_connected", "gauge", "1: this node speaks to the exchange.")
	for _, b := range p.PBXs {
		m.line("center_pbx_connected", one(b.Connected), "pbx", b.ID, "kind", b.Kind)
	}
	m.head("center_node_up", "gauge", "1: the node of the center was heard of lately.")
	for _, o := range p.Nodes {
		m.line("center_node_up", one(o.Alive), "node", o.Name)
	}
	m.head("center_certificate_expiry_seconds", "gauge", "When a certificate ends, in seconds since 1970; 0: there is none yet.")
	for _, c := range p.Certificates {
		until := int64(0)
		if !c.Until.IsZero() {
			until = c.Until.Unix()
		}
		m.line("center_certificate_expiry_seconds", until, "name", c.Name)
	}
	h := n.ledger.Health()
	m.gauge("center_log_writable", "1: the log takes changes.", one(h.ReadOnly == ""))
	m.gauge("center_disk_free_bytes", "Room on the disk of the log; 0: not known.", h.Free)
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// exposition writes the text format: a name's lines stand together, below its HELP and TYPE.
type exposition struct{ w io.Writer }

func (m *exposition) head(name, kind, help string) {
	fmt.Fprintf(m.w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// line is a value with its labels, name and value in turn.
func (m *exposition) line(name string, value any, labels ...string) {
	if len(labels) == 0 {
		fmt.Fprintf(m.w, "%s %v\n", name, value)
		return
	}
	quote := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	all := make([]string, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		all = append(all, labels[i]+`="`+quote.Replace(labels[i+1])+`"`)
	}
	fmt.Fprintf(m.w, "%s{%s} %v\n", name, strings.Join(all, ","), value)
}

func (m *exposition) gauge(name, help string, value any) {
	m.head(name, "gauge", help)
	m.line(name, value)
}

func (m *exposition) counter(name, help string, value any) {
	m.head(name, "counter", help)
	m.line(name, value)
}

// labelled writes a map's values by its keys.
func labelled[N cmp.Ordered](m *exposition, name, kind, help, label string, values map[string]N) {
	m.head(name, kind, help)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		m.line(name, values[key], label, key)
	}
}

func (m *exposition) queues(all []roster.QueueFigure) {
	m.head("center_queue_waiting", "gauge", "Callers waiting in a queue at this node.")
	for _, q := range all {
		m.line("center_queue_waiting", q.Callers, "queue", q.Extension)
	}
	m.head("center_queue_longest_wait_seconds", "gauge", "How long the first of them has waited.")
	for _, q := range all {
		m.line("center_queue_longest_wait_seconds", q.Longest.Seconds(), "queue", q.Extension)
	}
}

// commits are the changes written, with how long until they were safe on the disk.
func (m *exposition) commits(c roster.Classes) {
	const name = "center_commit_seconds"
	m.head(name, "histogram", "Changes written to the log, by how long it took until they were acknowledged.")
	sum := uint64(0)
	for i, bound := range c.Bounds {
		sum += c.Count[i]
		m.line(name+"_bucket", sum, "le", fmt.Sprint(bound.Seconds()))
	}
	m.line(name+"_bucket", c.All, "le", "+Inf")
	m.line(name+"_sum", c.Sum.Seconds())
	m.line(name+"_count", c.All)
}

func (m *exposition) seats(n *Node) {
	taken := map[string]int{}
	for _, s := range n.roster.Floor().Seats {
		if s.Account != "" {
			taken[s.Status]++
		}
	}
	labelled(m, "center_seats", "gauge", "Seats taken, by status shown.", "status", taken)
}

func (m *exposition) runtime() {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.gauge("go_goroutines", "Goroutines.", runtime.NumGoroutine())
	m.gauge("go_memstats_heap_inuse_bytes", "Heap in use.", mem.HeapInuse)
	m.gauge("center_time_seconds", "This node's clock, in seconds since 1970.", float64(time.Now().UnixMilli())/1000)
}
