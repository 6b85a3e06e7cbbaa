package admin

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// Overview is the center as it is now.
type Overview struct {
	Center        string                  `json:"center"`
	Domain        string                  `json:"domain"`
	SIP           string                  `json:"sip"`
	Version       string                  `json:"version"`
	Accounts      []Account               `json:"accounts"`
	Terminals     []Terminal              `json:"terminals"`
	Seats         []wire.SeatState        `json:"seats"`
	Statuses      []wire.StatusDef        `json:"statuses"`
	Registrations []exchange.Registration `json:"registrations"`
	Calls         []exchange.CallRecord   `json:"calls"`
	At            time.Time               `json:"at"`
}

// Account is a row of the overview. Status, Since and Seat are of who is signed in.
type Account struct {
	Account string    `json:"account"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Agent   bool      `json:"agent"`
	Status  string    `json:"status,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Seat    string    `json:"seat,omitempty"`
}

// Terminal is a row of the overview. Account is who is signed in with it.
type Terminal struct {
	Extension  string `json:"extension"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	Owner      string `json:"owner,omitempty"`
	Account    string `json:"account,omitempty"`
	Registered bool   `json:"registered"`
}

// Look gathers the overview.
func (a *Admin) Look(ctx context.Context) (Overview, error) {
	site, floor := a.cfg.Staff.Site(), a.cfg.Staff.Floor()
	o := Overview{
		Center: site.Name, Domain: site.Domain, SIP: a.cfg.Lines.Addr(), Version: a.cfg.Version, At: a.cfg.Now(),
		Seats: floor.Seats, Statuses: floor.Statuses,
		Registrations: a.cfg.Lines.Registered(), Calls: a.cfg.Lines.Calls(),
	}
	sort.Slice(o.Registrations, func(i, j int) bool { return o.Registrations[i].User < o.Registrations[j].User })
	sort.Slice(o.Calls, func(i, j int) bool { return o.Calls[i].Began.Before(o.Calls[j].Began) })
	var err error
	if o.Accounts, err = a.accounts(ctx); err != nil {
		return o, err
	}
	o.Terminals, err = a.terminals(ctx, o.Registrations)
	return o, err
}

// accounts are all people, with what the agents among them do.
func (a *Admin) accounts(ctx context.Context) ([]Account, error) {
	records, _, err := a.cfg.Ledger.Load(ctx, roster.KindAgent)
	if err != nil {
		return nil, fmt.Errorf("agents: %w", err)
	}
	all := []Account{}
	for _, p := range a.cfg.Staff.People() {
		row := Account{Account: p.Account, Name: p.Name, Role: p.Role, Agent: p.Agent}
		var agent roster.Agent
		if e, ok := records[ledger.Subject(roster.KindAgent, p.Account)]; ok {
			if err := json.Unmarshal(e.Data, &agent); err != nil {
				return nil, fmt.Errorf("agent %s: %w", p.Account, err)
			}
		}
		if agent.Session != nil {
			row.Status, row.Since, row.Seat = agent.Status, agent.Since, agent.Seat
		}
		if !agent.LostAt.IsZero() {
			row.Status, row.Since = wire.StatusLost, agent.LostAt
		}
		all = append(all, row)
	}
	return all, nil
}

// terminals reads the terminals' records of the ledger.
func (a *Admin) terminals(ctx context.Context, registered []exchange.Registration) ([]Terminal, error) {
	records, _, err := a.cfg.Ledger.Load(ctx, roster.KindTerminal)
	if err != nil {
		return nil, fmt.Errorf("terminals: %w", err)
	}
	reached := map[string]bool{}
	for _, r := range registered {
		reached[r.User] = true
	}
	all := make([]Terminal, 0, len(records))
	for _, e := range records {
		var t roster.Terminal
		if err := json.Unmarshal(e.Data, &t); err != nil {
			return nil, fmt.Errorf("terminal %s: %w", e.Subject, err)
		}
		all = append(all, Terminal{t.Extension, t.Type, t.Name, t.Account, t.Holder, reached[t.Extension]})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Extension < all[j].Extension })
	return all, nil
}

func (a *Admin) overview(w http.ResponseWriter, r *http.Request) {
	o, err := a.Look(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, o)
}

// importSetup takes a whole setup.
func (a *Admin) importSetup(w http.ResponseWriter, r *http.Request) {
	var s roster.Setup
	if !read(w, r, &s) {
		return
	}
	a.apply(w, r, s)
}

// one takes a single row and applies it as a setup of one.
func one[T any](a *Admin, add func(*roster.Setup, T)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var row T
		if !read(w, r, &row) {
			return
		}
		var s roster.Setup
		add(&s, row)
		a.apply(w, r, s)
	}
}

func (a *Admin) apply(w http.ResponseWriter, r *http.Request, s roster.Setup) {
	if err := a.cfg.Staff.Apply(r.Context(), s, by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.Info("setup applied", "by", by(r), "accounts", len(s.Accounts), "terminals", len(s.Terminals), "seats", len(s.Seats), "queues", len(s.Queues))
	w.WriteHeader(http.StatusNoContent)
}

func (a *Admin) password(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Password roster.Plain `json:"password"`
	}
	if !read(w, r, &body) {
		return
	}
	if err := a.setPassword(r, r.PathValue("account"), wire.Secret(body.Password)); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *Admin) setPassword(r *http.Request, account string, password wire.Secret) error {
	if err := a.cfg.Staff.SetPassword(r.Context(), account, password, by(r)); err != nil {
		return err
	}
	a.sessions.endOf(account)
	a.log.Info("password set", "account", account, "by", by(r))
	return nil
}

// backup sends the whole log as compressed lines.
func (a *Admin) backup(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Time{}) // as long as it takes
	w.Header().Set("Content-Type", "application/gzip")
	if err := WriteBackup(r.Context(), a.cfg.Ledger, w); err != nil {
		a.log.Error("backup", "err", err)
		panic(http.ErrAbortHandler) // the other side must not take half for whole
	}
}

// Line is an event in a backup.
type Line struct {
	Seq     ledger.Seq      `json:"seq"`
	Subject string          `json:"subject"`
	Op      string          `json:"op"`
	By      string          `json:"by"`
	Why     string          `json:"why,omitempty"`
	At      time.Time       `json:"at"`
	Data    json.RawMessage `json:"data"`
}

// WriteBackup writes all events there are now, one JSON object a line, compressed. What comes while it writes is left out.
func WriteBackup(ctx context.Context, log Log, w io.Writer) error {
	_, last, err := log.Load(ctx, "")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(w)
	if last > 0 {
		err = copyLog(ctx, log, last, json.NewEncoder(z))
	}
	return errors.Join(err, z.Close())
}

func copyLog(ctx context.Context, log Log, last ledger.Seq, out *json.Encoder) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	whole := false
	err := log.Follow(ctx, 0, func(e ledger.Event) {
		if failed != nil || whole {
			return
		}
		if failed = out.Encode(Line(e)); failed != nil || e.Seq >= last {
			whole = failed == nil
			cancel()
		}
	})
	if failed != nil || whole {
		return failed
	}
	return err
}

// read decodes a JSON body; it has answered when it is false.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		write(w, http.StatusBadRequest, refusal{Error: err.Error()})
		return false
	}
	return true
}

// refusal is an error of the API: a problem for people or a sentence for whoever wrote the request.
type refusal struct {
	*wire.Problem
	Error string `json:"error,omitempty"`
}

// fail answers with what went wrong. What a setup has wrong is told; what we have wrong is logged.
func (a *Admin) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p wire.Problem
	switch {
	case errors.As(err, &p):
		say(w, http.StatusConflict, p)
	case errors.Is(err, ledger.ErrUnknown), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		a.log.Error("admin", "path", r.URL.Path, "err", err)
		say(w, http.StatusServiceUnavailable, wire.Problem{Code: wire.ProblemInternal})
	default:
		write(w, http.StatusUnprocessableEntity, refusal{Error: err.Error()})
	}
}

func say(w http.ResponseWriter, code int, p wire.Problem) { write(w, code, refusal{Problem: &p}) }

func write(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) // the reader may have gone
}
