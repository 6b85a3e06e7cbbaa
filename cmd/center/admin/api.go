package admin

import (
	"crypto/rand"
	"encoding/base32"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

type (
	// NewPassword is one to be set; empty: the center makes one.
	NewPassword struct {
		Password roster.Plain `json:"password,omitempty"`
	}
	// Password is one that the center made, told once.
	Password struct {
		Password string `json:"password,omitempty"`
	}
	// Versions is what phones are told of newer ones.
	Versions struct {
		Latest *wire.Release `json:"latest"`
	}
	// Order is a list of IDs.
	Order struct {
		IDs []string `json:"ids"`
	}
	// MailTo is where a test mail goes.
	MailTo struct {
		To string `json:"to"`
	}
	mapRow struct {
		Rev roster.Rev      `json:"rev"`
		Map roster.FloorMap `json:"map"`
	}
)

func (a *Admin) site(w http.ResponseWriter, r *http.Request) {
	row, _ := a.cfg.Staff.Row(roster.KindSite, "site")
	writeRow(w, http.StatusOK, row)
}

func (a *Admin) putSite(w http.ResponseWriter, r *http.Request) {
	var s roster.Site
	if !read(w, r, &s) {
		return
	}
	if _, err := a.cfg.Staff.Put(r.Context(), roster.Setup{Site: &s}, expected(r), by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.Info("site changed", "by", by(r))
	a.site(w, r)
}

func (a *Admin) versions(w http.ResponseWriter, r *http.Request) {
	row, _ := a.cfg.Staff.Row(roster.KindSite, "site")
	w.Header().Set("ETag", `"`+string(row.Rev)+`"`)
	write(w, http.StatusOK, Versions{a.cfg.Staff.Site().Latest})
}

func (a *Admin) putVersions(w http.ResponseWriter, r *http.Request) {
	var v Versions
	if !read(w, r, &v) {
		return
	}
	s := a.cfg.Staff.Site()
	s.Latest = v.Latest
	if _, err := a.cfg.Staff.Put(r.Context(), roster.Setup{Site: &s}, expected(r), by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	a.versions(w, r)
}

func (a *Admin) password(w http.ResponseWriter, r *http.Request) {
	var in NewPassword
	if !read(w, r, &in) {
		return
	}
	account, made := r.PathValue("id"), ""
	if in.Password == "" {
		made = freshPassword()
		in.Password = roster.Plain(made)
	}
	if err := a.cfg.Staff.SetPassword(r.Context(), account, wire.Secret(in.Password), by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	a.sessions.endOf(account)
	a.log.Info("password set", "account", account, "by", by(r))
	write(w, http.StatusOK, Password{made})
}

// freshPassword is 80 bits in groups that a person can read out.
func freshPassword() string {
	var raw [10]byte
	rand.Read(raw[:]) // never fails
	s := strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// act does something to an account and says nothing else.
func (a *Admin) act(w http.ResponseWriter, r *http.Request, what string, do func(account, by string) error) {
	account := r.PathValue("id")
	if err := do(account, by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.Info(what, "account", account, "by", by(r))
	w.WriteHeader(http.StatusNoContent)
}

func (a *Admin) endSession(w http.ResponseWriter, r *http.Request) {
	a.act(w, r, "signed out by an administrator", func(account, by string) error { return a.cfg.Staff.SignOut(r.Context(), account, by) })
}

func (a *Admin) factorReset(w http.ResponseWriter, r *http.Request) {
	a.act(w, r, "second factor reset", func(account, by string) error { return a.cfg.Staff.ResetFactor(r.Context(), account, by) })
}

func (a *Admin) forgetDevices(w http.ResponseWriter, r *http.Request) {
	a.act(w, r, "trusted devices forgotten", func(account, by string) error { return a.cfg.Staff.ForgetDevice(r.Context(), account, "", by) })
}

func (a *Admin) sort(w http.ResponseWriter, r *http.Request) {
	var in Order
	if !read(w, r, &in) {
		return
	}
	if err := a.cfg.Staff.Sort(r.Context(), in.IDs, by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *Admin) names(w http.ResponseWriter, r *http.Request) {
	var in Order
	if !read(w, r, &in) {
		return
	}
	sc := a.scopeOf(asks(r))
	write(w, http.StatusOK, a.cfg.Staff.Names(slices.DeleteFunc(in.IDs, func(id string) bool { return !sc.sees(id) })))
}

func (a *Admin) floorMap(w http.ResponseWriter, r *http.Request) {
	m, rev, ok := a.cfg.Staff.Map(r.PathValue("id"))
	if !ok {
		say(w, http.StatusNotFound, wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": r.PathValue("id")}})
		return
	}
	w.Header().Set("ETag", `"`+string(rev)+`"`)
	write(w, http.StatusOK, mapRow{rev, m})
}

func (a *Admin) putMap(w http.ResponseWriter, r *http.Request) {
	var m roster.FloorMap
	if !read(w, r, &m) {
		return
	}
	m.Floor.ID = r.PathValue("id")
	if _, err := a.cfg.Staff.PutMap(r.Context(), m, expected(r), by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.Info("map saved", "id", m.Floor.ID, "seats", len(m.Seats), "by", by(r))
	a.floorMap(w, r)
}

func (a *Admin) preview(w http.ResponseWriter, r *http.Request) {
	var p roster.Policy
	if !read(w, r, &p) {
		return
	}
	write(w, http.StatusOK, a.cfg.Staff.Preview(p))
}

// importSetup takes a whole setup.
func (a *Admin) importSetup(w http.ResponseWriter, r *http.Request) {
	var s roster.Setup
	if !read(w, r, &s) {
		return
	}
	if err := a.cfg.Staff.Apply(r.Context(), s, by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.Info("setup applied", "by", by(r), "accounts", len(s.Accounts), "terminals", len(s.Terminals), "seats", len(s.Seats), "queues", len(s.Queues))
	w.WriteHeader(http.StatusNoContent)
}

// settings are what a policy may lock.
func (a *Admin) settings(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, wire.AllSettings())
}

func (a *Admin) testMail(w http.ResponseWriter, r *http.Request) {
	var in MailTo
	if !read(w, r, &in) {
		return
	}
	if err := a.cfg.Staff.TestMail(r.Context(), in.To, lang(r), by(r)); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// audit tells a period's changes.
func (a *Admin) audit(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "from", "to", "actor", "kind", "id", "before", "limit")
	if !ok {
		return
	}
	now := a.cfg.Now()
	ask := report.AuditQuery{From: now.AddDate(0, 0, -30), To: now.Add(time.Second), Actor: q.Get("actor"), Kind: q.Get("kind"), ID: q.Get("id")}
	before, ok := number(w, q, "before", 0, math.MaxInt, 0)
	if !ok {
		return
	}
	ask.Before = uint64(before)
	if ask.Most, ok = number(w, q, "limit", 1, 1000, 100); !ok {
		return
	}
	for name, at := range map[string]*time.Time{"from": &ask.From, "to": &ask.To} {
		t, err := a.moment(q.Get(name), name == "to")
		if err != nil {
			write(w, http.StatusBadRequest, refusal{Error: name + " is neither a date nor a time (RFC 3339)"})
			return
		}
		if !t.IsZero() {
			*at = t
		}
	}
	changes, err := a.cfg.History.Audit(r.Context(), ask)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, changes)
}

// moment is a time, or a date at the center: its beginning, or its end. Zero: nothing was said.
func (a *Admin) moment(text string, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	zone, err := time.LoadLocation(a.cfg.Staff.Site().Zone)
	if err != nil || a.cfg.Staff.Site().Zone == "" {
		zone = time.Local
	}
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err == nil && end {
		t = t.AddDate(0, 0, 1)
	}
	return t, err
}
