// Package admin is what administrators and supervisors see of the center: the HTTP API under /api/v1/admin, its description, and
// pages without a framework that use nothing but this API.
package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// Roles of those who may enter.
const (
	administrator = "administrator"
	supervisor    = "supervisor"
)

// Staff is what is asked of the roster.
type Staff interface {
	AuthenticateAt(ctx context.Context, account string, password, device wire.Secret, address string) (roster.Person, error)
	Prove(ctx context.Context, in wire.CodeRequest, address string) (p roster.Person, device wire.Secret, err error)
	SignedOn(w http.ResponseWriter, r *http.Request, code string, device wire.Secret) (roster.Person, error)
	SendCode(ctx context.Context, in wire.MailRequest) error
	StartFactor(ctx context.Context, in wire.FactorRequest, address string) (wire.FactorStart, error)
	ConfirmFactor(ctx context.Context, in wire.FactorRequest, address string) (roster.Person, []string, error)
	ResetFactor(ctx context.Context, account, by string) error
	ForgetDevice(ctx context.Context, account, id, by string) error
	Stamp(account string) string

	SetPassword(ctx context.Context, account string, password wire.Secret, by string) error
	SignOut(ctx context.Context, account, by string) error
	Apply(ctx context.Context, s roster.Setup, by string) error
	Rows(kind string) []roster.Row
	Find(q roster.Query) roster.Found
	Each(kind string, see func(data any))
	Count(kind string) int
	Names(accounts []string) map[string]string
	Members(groups []string) map[string]bool
	Row(kind, id string) (roster.Row, bool)
	Put(ctx context.Context, s roster.Setup, expect *roster.Rev, by string) (roster.Rev, error)
	Remove(ctx context.Context, kind, id string, expect *roster.Rev, by string) error
	Map(floor string) (roster.FloorMap, roster.Rev, bool)
	PutMap(ctx context.Context, m roster.FloorMap, expect *roster.Rev, by string) (roster.Rev, error)
	Sort(ctx context.Context, statuses []string, by string) error
	Preview(p roster.Policy) []roster.Touch

	MayEditBook(account string) bool
	BookRev() uint64
	ImportContacts(ctx context.Context, list []roster.Contact, whole, dry bool, expect *uint64, by string) (roster.BookChange, error)
	LowerHand(ctx context.Context, account, by string) error
	AskSettings(ctx context.Context, account, by string) (wire.Values, error)

	MailState() roster.MailState
	TestMail(ctx context.Context, to, lang, by string) error

	Now() map[string]roster.Now
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
	Backup(ctx context.Context, w io.Writer) (ledger.Summary, error)
	State(ctx context.Context) (ledger.State, error)
}

// History is what is asked of the reports.
type History interface {
	Audit(ctx context.Context, q report.AuditQuery) ([]report.Change, error)
}

// Config is the admin side of a center.
type Config struct {
	Staff    Staff
	Lines    Lines
	Ledger   Log
	History  History
	Join     func() string // what a phone is given to find the center
	Parts    func() Parts  // nil: nothing is known of them
	Recent   *Recent       // of the log; nil: nothing is kept
	Operator wire.Secret   // bearer of the command line on the same machine: may do what an administrator may
	Secure   bool          // served over TLS: the session's cookie is Secure
	Version  string
	Log      *slog.Logger
	Now      func() time.Time // nil = time.Now
}

// Admin serves the pages and the API.
type Admin struct {
	cfg      Config
	log      *slog.Logger
	sessions *sessions
	mux      *http.ServeMux
	routes   []Route
}

// New makes it.
func New(cfg Config) *Admin {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Join == nil {
		cfg.Join = func() string { return "" }
	}
	if cfg.Parts == nil {
		cfg.Parts = func() Parts { return Parts{} }
	}
	a := &Admin{cfg: cfg, log: cfg.Log, sessions: newSessions(cfg.Now), mux: http.NewServeMux()}
	a.routes = a.table()
	for _, r := range a.routes {
		var h http.Handler = r.handle
		if r.Roles != nil {
			h = a.Only(h, r.Roles...)
		}
		a.mux.Handle(r.Method+" "+r.Path, h)
	}
	a.pages()
	return a
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

// asks is who asks, behind Only.
func asks(r *http.Request) person {
	p, _ := r.Context().Value(personKey{}).(person)
	return p
}

// by is the account that asks, for the record of a change.
func by(r *http.Request) string { return asks(r).account }
