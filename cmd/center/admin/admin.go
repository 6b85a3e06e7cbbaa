// Package admin is what administrators and supervisors see of the center: pages without a framework and the HTTP API under
// /api/v1/admin, both under the same rules.
package admin

import (
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/static"
	"zaseki/web/wire"
)

// Roles of those who may enter.
const (
	administrator = "administrator"
	supervisor    = "supervisor"
)

//go:embed pages
var pages embed.FS

// Staff is what is asked of the roster.
type Staff interface {
	Authenticate(ctx context.Context, account string, password wire.Secret, address string) (roster.Person, error)
	SetPassword(ctx context.Context, account string, password wire.Secret, by string) error
	Apply(ctx context.Context, s roster.Setup, by string) error
	People() []roster.Person
	Site() roster.Site
	Floor() wire.Floor
}

// Lines is what is asked of the exchange.
type Lines interface {
	Registered() []exchange.Registration
	Calls() []exchange.CallRecord
	Addr() string
}

// Log is what is asked of the ledger.
type Log interface {
	Load(ctx context.Context, kind string) (map[string]ledger.Event, ledger.Seq, error)
	Follow(ctx context.Context, after ledger.Seq, tell func(ledger.Event)) error
}

// Config is the admin side of a center.
type Config struct {
	Staff    Staff
	Lines    Lines
	Ledger   Log
	Operator wire.Secret // bearer of the command line on the same machine: may do what an administrator may
	Secure   bool        // served over TLS: the session's cookie is Secure
	Version  string
	Log      *slog.Logger
	Now      func() time.Time // nil = time.Now
}

// Admin serves the pages and the API.
type Admin struct {
	cfg      Config
	log      *slog.Logger
	sessions *sessions
	page     *template.Template
	mux      *http.ServeMux
}

// New makes it.
func New(cfg Config) *Admin {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	a := &Admin{cfg: cfg, log: cfg.Log, sessions: newSessions(cfg.Now), mux: http.NewServeMux()}
	a.page = template.Must(template.New("").Funcs(template.FuncMap{
		"t": func(lang, key string) string { return static.Say(lang, "admin."+key, nil) },
	}).ParseFS(pages, "pages/*.html")) // embedded: a test renders each
	a.routes()
	return a
}

func (a *Admin) routes() {
	a.mux.HandleFunc("GET /{$}", a.overviewPage)
	a.mux.HandleFunc("GET /admin/style.css", a.style)
	a.mux.HandleFunc("POST /admin/signin", a.signIn)
	a.mux.HandleFunc("POST /admin/signout", a.signOut)
	a.mux.HandleFunc("GET /admin/setup", a.setupPage)
	a.guarded("POST /admin/accounts", a.addAccount, administrator)
	a.guarded("POST /admin/password", a.newPassword, administrator)
	a.guarded("POST /admin/terminals", a.addTerminal, administrator)
	a.guarded("POST /admin/seats", a.addSeat, administrator)

	a.guarded("GET /api/v1/admin/overview", a.overview, administrator, supervisor)
	a.guarded("POST /api/v1/admin/import", a.importSetup, administrator)
	a.guarded("POST /api/v1/admin/accounts", one(a, func(s *roster.Setup, v roster.AccountSetup) { s.Accounts = append(s.Accounts, v) }), administrator)
	a.guarded("POST /api/v1/admin/terminals", one(a, func(s *roster.Setup, v roster.TerminalSetup) { s.Terminals = append(s.Terminals, v) }), administrator)
	a.guarded("POST /api/v1/admin/seats", one(a, func(s *roster.Setup, v roster.SeatSetup) { s.Seats = append(s.Seats, v) }), administrator)
	a.guarded("POST /api/v1/admin/accounts/{account}/password", a.password, administrator)
	a.guarded("GET /api/v1/admin/backup", a.backup, administrator)
}

func (a *Admin) guarded(pattern string, h http.HandlerFunc, roles ...string) {
	a.mux.Handle(pattern, a.Only(h, roles...))
}

// Handler serves GET /, the pages under /admin/ and the API under /api/v1/admin/.
func (a *Admin) Handler() http.Handler { return a.mux }

// Only lets through who is signed in with one of the roles.
func (a *Admin) Only(next http.Handler, roles ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := a.who(r)
		switch {
		case !ok:
			say(w, http.StatusUnauthorized, wire.Problem{Code: wire.ProblemExpired})
		case !who.has(roles):
			say(w, http.StatusForbidden, wire.Problem{Code: wire.ProblemForbidden})
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), personKey{}, who)))
		}
	})
}

type personKey struct{}

// by is the account that asks, for the record of a change.
func by(r *http.Request) string {
	p, _ := r.Context().Value(personKey{}).(person)
	return p.account
}
