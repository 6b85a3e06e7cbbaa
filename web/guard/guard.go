// Package guard stands in front of the panel's pages: Host, then Origin, then the secret, then the route. A local web
// server is reachable by every page of every site the person visits, so that each of the four is needed:
// Host against DNS rebinding, Origin against foreign pages, the secret against other programs and users of this machine,
// response headers against frames and injected script.
package guard

import (
	"net"
	"net/http"
	"strings"

	"zaseki/web/wire"
)

// BodyLimit is the longest request body in bytes.
const BodyLimit = 64 << 10

// Guard knows the panel's own names and its secrets.
type Guard struct {
	hosts  map[string]bool // allowed values of Host, exact
	cookie string          // name, random so that two phones on one machine do not clash (cookies ignore the port)
	token  wire.Secret     // opens a session, as often as one likes, until the process ends
	pass   wire.Secret     // the session cookie's value
	codes  *codes
	guests func(*http.Request) bool
}

// New makes the guard of a panel that listens on that loopback address (host:port).
func New(addr string) (*Guard, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	hosts := map[string]bool{}
	for _, name := range []string{"127.0.0.1", "localhost", "[::1]"} {
		hosts[name+":"+port] = true
	}
	return &Guard{
		hosts:  hosts,
		cookie: "zaseki_" + random(9),
		token:  wire.Secret(random(32)),
		pass:   wire.Secret(random(32)),
		codes:  newCodes(),
	}, nil
}

// Guests lets requests through though they come from a foreign origin; Host is looked at all the same. To be said before Wrap.
func (g *Guard) Guests(ok func(*http.Request) bool) { g.guests = ok }

// Wrap is the outermost handler: refuses a foreign Host with 421 before anything else, then foreign Origins, and sets the
// headers and limits of every answer.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Headers(w.Header(), policy(r.Host))
		// A page of ours may hold the tab of a customer system that it opened; who opens ours still holds nothing.
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		switch {
		case !g.hosts[r.Host]:
			// The policy must not repeat a name we do not know.
			Headers(w.Header(), policy(""))
			http.Error(w, "misdirected request", http.StatusMisdirectedRequest)
		case !g.sameOrigin(r) && (g.guests == nil || !g.guests(r)):
			http.Error(w, "foreign origin", http.StatusForbidden)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, BodyLimit)
			next.ServeHTTP(w, r)
		}
	})
}

// Own says that the request's one Origin is exactly the name it was sent to. A missing Origin is foreign.
func Own(r *http.Request) bool {
	o := r.Header.Values("Origin")
	return len(o) == 1 && o[0] == "http://"+r.Host
}

// sameOrigin lets through what our own pages ask, and the person who opens a page by link or address bar.
func (g *Guard) sameOrigin(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !reads || r.Header.Get("Upgrade") != "" {
		site := r.Header.Get("Sec-Fetch-Site")
		return Own(r) && (site == "" || site == "same-origin")
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		// A link may be followed; nothing of ours may be embedded or fetched.
		return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	}
	return true
}

// Session lets through who has the cookie of an opened session, or the token as a bearer (RFC 6750 §2.1).
func (g *Guard) Session(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.Known(r) {
			http.Error(w, "no session", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Known says whether the request has an opened session.
func (g *Guard) Known(r *http.Request) bool {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return same(bearer, g.token)
	}
	c, err := r.Cookie(g.cookie)
	return err == nil && same(c.Value, g.pass)
}

// Token is the secret of this start. It travels in a URL's fragment, which no browser sends.
func (g *Guard) Token() wire.Secret { return g.token }

// Code is a secret that opens a session once, within two minutes.
func (g *Guard) Code() wire.Secret { return g.codes.make() }

// Open is what POST /session does with the secret out of the fragment: the cookie of a session, or nothing.
func (g *Guard) Open(secret wire.Secret) (*http.Cookie, bool) {
	// Both are asked every time, so that the time taken does not tell which of them it was.
	isToken, isCode := same(secret.Reveal(), g.token), g.codes.take(secret)
	if !isToken && !isCode {
		return nil, false
	}
	return &http.Cookie{Name: g.cookie, Value: g.pass.Reveal(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}, true
}

// policy of the pages at that host: everything from us, nothing inline, no frames. connect-src names the websocket, since
// not every browser counts it as 'self'.
func policy(host string) string {
	connect := "'self'"
	if host != "" {
		connect += " ws://" + host
	}
	return "default-src 'self'; connect-src " + connect + "; media-src 'self' blob:; worker-src 'self'; img-src 'self' data:; " +
		"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
}

// Headers sets what every answer of ours to a browser says, with that content security policy.
func Headers(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(self), autoplay=(self), camera=(), geolocation=(), display-capture=(), payment=()")
	h.Set("Cache-Control", "no-store")
}
