package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// closeWait is how long running requests may take when the center ends.
const closeWait = 2 * time.Second

// reportLag is how many events reports may be behind without a word of it.
const reportLag = 1000

// serve answers HTTP until the context ends.
func (n *Node) serve(ctx context.Context) error {
	hosts := allowed(n.hosts, strconv.Itoa(int(n.addr().Port())))
	for _, name := range n.publicNames() { // others see port 443, whatever ours is
		hosts[name] = true
	}
	server := serverOf(front(hosts, n.routes()))
	server.ErrorLog = slog.NewLogLogger(n.log.Handler(), slog.LevelDebug) // strangers' handshakes above all
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	done := make(chan error, 1)
	go func() {
		if !n.secure {
			done <- server.Serve(n.listener)
			return
		}
		server.TLSConfig = n.tls()
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

func (n *Node) tls() *tls.Config {
	if n.public != nil {
		return n.public.config(tls.VersionTLS12)
	}
	return n.ca.config(tls.VersionTLS13, func() []string { return n.hosts })
}

// certified tells how it went with the certificate of a public name.
func (n *Node) certified(name string, err error, again time.Duration) {
	if err == nil {
		n.log.Info("public certificate", "name", name)
		return
	}
	n.log.Warn("no public certificate yet: the name must lead here on port 443; until then pages show the center's own", "name", name, "again_in", again, "err", err)
}

// routes are the rooms by path.
func (n *Node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", n.roster.Handler())
	mux.Handle("/auth/oidc/", n.roster.Handler())
	mux.Handle("/api/v1/recordings", n.vault.Handler())
	mux.Handle("/api/v1/recordings/", n.vault.Handler())
	mux.Handle("/api/v1/admin/", n.admin.Handler())
	mux.Handle("/api/v1/openapi.json", n.admin.Handler())
	mux.Handle("/api/v1/reports/", n.admin.Only(n.report.Handler(n.admin.ReportScope), "administrator", "supervisor"))
	mux.Handle("/api/v1/reports/mine/", n.report.Mine(func(r *http.Request) (string, error) {
		p, err := n.roster.Bearer(r)
		return p.Account, err
	}, n.zone))
	n.past(mux)
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
	if h := n.ledger.Health(); h.ReadOnly != "" {
		http.Error(w, "read-only: "+h.ReadOnly, http.StatusServiceUnavailable)
		return
	}
	if _, _, err := n.ledger.Last(ctx, "cfg.site"); err != nil {
		http.Error(w, "the ledger does not answer", http.StatusServiceUnavailable)
		return
	}
	if lag, err := n.report.Lag(ctx); err == nil && lag > reportLag { // calls do not wait for reports
		fmt.Fprintf(w, "ok, and the reports are %d events behind\n", lag)
		return
	}
	fmt.Fprintf(w, "ok\ndurability: %s\n", n.ledger.Durability())
}
