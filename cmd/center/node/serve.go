package node

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// closeWait is how long running requests may take when the center ends.
const closeWait = 2 * time.Second

// serve answers HTTP until the context ends.
func (n *Node) serve(ctx context.Context) error {
	hosts := allowed(n.hosts, strconv.Itoa(int(n.addr().Port())))
	server := serverOf(front(hosts, n.routes()))
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	done := make(chan error, 1)
	go func() {
		if !n.secure {
			done <- server.Serve(n.listener)
			return
		}
		server.TLSConfig = n.ca.config(tls.VersionTLS13, func() []string { return n.hosts })
		done <- server.ServeTLS(n.listener, "", "")
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWait)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		server.Close() // whoever is left had its time
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// routes are the rooms by path.
func (n *Node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", n.roster.Handler())
	mux.Handle("/api/v1/admin/", n.admin.Handler())
	mux.Handle("/api/v1/reports/", n.admin.Only(n.report.Handler(), "administrator", "supervisor"))
	mux.Handle("/", n.admin.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", n.readyz)
	mux.HandleFunc("GET /metrics", n.metrics)
	return mux
}

// readyz says whether the center works: its rooms run and the log can be read.
func (n *Node) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), closeWait)
	defer cancel()
	if !n.ready.Load() {
		http.Error(w, "starting or ending", http.StatusServiceUnavailable)
		return
	}
	if _, _, err := n.ledger.Last(ctx, "cfg.site"); err != nil {
		http.Error(w, "the ledger does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ok\n"))
}
