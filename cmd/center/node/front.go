package node

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Limits of the HTTP server: a slow or endless request holds nothing of us (net/http knows no limits by itself).
const (
	headerWait  = 5 * time.Second
	requestWait = 10 * time.Second
	idleWait    = 30 * time.Second
	headerBytes = 64 << 10
	bodyBytes   = 1 << 20 // but for an import, which may have maxImport
)

// importPath is where a whole setup is sent to.
const importPath = "/api/v1/admin/import"

// serverOf is the HTTP server around a handler, with every limit set.
func serverOf(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerWait, ReadTimeout: requestWait, IdleTimeout: idleWait, MaxHeaderBytes: headerBytes,
	}
}

// front is the outermost handler. The name by which we are called comes first: a page that had its own name rebound to our
// address asks with that name, and gets nothing but 421 (RFC 9110 §15.5.20). Then no request of a foreign page changes
// anything; then the headers that keep a browser from doing with our pages what we did not mean.
func front(hosts map[string]bool, h http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guardHeaders(w.Header())
		if !hosts[strings.ToLower(r.Host)] {
			http.Error(w, "this center does not go by that name", http.StatusMisdirectedRequest)
			return
		}
		most := int64(bodyBytes)
		if r.URL.Path == importPath {
			most = maxImport
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		sameOrigin.ServeHTTP(w, r)
	})
}

func guardHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// names are the host names and addresses by which a listener at addr is reached.
func names(addr netip.AddrPort) []string {
	if addr.Addr().IsLoopback() {
		return []string{addr.Addr().String(), "localhost"}
	}
	if !addr.Addr().IsUnspecified() {
		return []string{addr.Addr().String()}
	}
	all := []string{"localhost"}
	if name, err := os.Hostname(); err == nil {
		all = append(all, strings.ToLower(name))
	}
	addrs, _ := net.InterfaceAddrs() // none found leaves the names above
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			all = append(all, n.IP.String())
		}
	}
	return all
}

// allowed is the Host allow-list of those names at a port.
func allowed(names []string, port string) map[string]bool {
	hosts := make(map[string]bool, len(names))
	for _, n := range names {
		hosts[strings.ToLower(net.JoinHostPort(n, port))] = true
	}
	return hosts
}

// outward is the name to give to others: an address of ours that they can reach, IPv4 first, else the host's name.
func outward(names []string) string {
	best := names[0]
	for _, n := range names {
		a, err := netip.ParseAddr(n)
		switch {
		case err != nil:
			if best == "localhost" {
				best = n
			}
		case a.Is4() && !a.IsLoopback() && !a.IsLinkLocalUnicast():
			return n
		}
	}
	return best
}
