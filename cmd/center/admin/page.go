package admin

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/static"
	"zaseki/web/wire"
)

// view is what a page is made of.
type view struct {
	Lang     string
	Other    string // the other language
	Center   string
	Me       person
	Overview Overview
	Account  string // as typed at sign-in
	Problem  string // a sentence
	Done     string // a sentence
}

// SignedIn says whether there is somebody to sign out.
func (v view) SignedIn() bool { return v.Me != person{} }

// Admin says whether the setup page is shown.
func (v view) Admin() bool { return v.Me.role == administrator }

// Since is a time of the day on the center's clock.
func (v view) Since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("15:04:05")
}

// Status is the status as it is shown: sign and word.
func (v view) Status(id string) string {
	for _, d := range v.Overview.Statuses {
		if d.ID == id {
			return d.Sign + " " + d.Name.In(v.Lang)
		}
	}
	return id
}

// Colour is the status's token of the style sheet.
func (v view) Colour(id string) string {
	for _, d := range v.Overview.Statuses {
		if d.ID == id {
			return d.Colour
		}
	}
	return "grey"
}

func (a *Admin) overviewPage(w http.ResponseWriter, r *http.Request) {
	who, ok := a.who(r)
	if !ok {
		a.signInPage(w, r, http.StatusOK, nil)
		return
	}
	o, err := a.Look(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Refresh", "5")
	a.show(w, r, http.StatusOK, "overview.html", view{Me: who, Overview: o})
}

func (a *Admin) signInPage(w http.ResponseWriter, r *http.Request, code int, err error) {
	a.show(w, r, code, "signin.html", view{Account: r.PostFormValue("account"), Problem: sentence(lang(r), err)})
}

func (a *Admin) setupPage(w http.ResponseWriter, r *http.Request) {
	who, ok := a.who(r)
	switch {
	case !ok:
		http.Redirect(w, r, "/"+langQuery(r), http.StatusSeeOther)
	case who.role != administrator:
		a.show(w, r, http.StatusForbidden, "overview.html", view{Me: who, Problem: sentence(lang(r), wire.Problem{Code: wire.ProblemForbidden})})
	default:
		a.setup(w, r, who, http.StatusOK, nil)
	}
}

// setup shows the forms; err is what was wrong with the last one.
func (a *Admin) setup(w http.ResponseWriter, r *http.Request, who person, code int, err error) {
	o, lookErr := a.Look(r.Context())
	v := view{Me: who, Overview: o, Problem: sentence(lang(r), errors.Join(err, lookErr))}
	if r.URL.Query().Get("done") != "" {
		v.Done = static.Say(lang(r), "admin.saved", nil)
	}
	a.show(w, r, code, "setup.html", v)
}

func (a *Admin) addAccount(w http.ResponseWriter, r *http.Request) {
	row := roster.AccountSetup{
		Account: r.PostFormValue("account"), Name: r.PostFormValue("name"), Role: r.PostFormValue("role"),
		Password: roster.Plain(r.PostFormValue("password")),
	}
	if ext := strings.TrimSpace(r.PostFormValue("terminal")); ext != "" {
		row.Terminals = []string{ext}
	}
	a.submit(w, r, roster.Setup{Accounts: []roster.AccountSetup{row}})
}

func (a *Admin) addTerminal(w http.ResponseWriter, r *http.Request) {
	a.submit(w, r, roster.Setup{Terminals: []roster.TerminalSetup{{
		Extension: r.PostFormValue("extension"), Type: r.PostFormValue("type"), Name: r.PostFormValue("name"),
		Account: r.PostFormValue("account"), Secret: roster.Plain(r.PostFormValue("secret")),
	}}})
}

func (a *Admin) addSeat(w http.ResponseWriter, r *http.Request) {
	x, errX := strconv.Atoi(r.PostFormValue("x"))
	y, errY := strconv.Atoi(r.PostFormValue("y"))
	if err := errors.Join(errX, errY); err != nil {
		a.answer(w, r, fmt.Errorf("seat: %w", err))
		return
	}
	floor := r.PostFormValue("floor")
	s := roster.Setup{Seats: []roster.SeatSetup{{ID: r.PostFormValue("id"), Name: r.PostFormValue("name"), Floor: floor, X: x, Y: y}}}
	if !a.hasFloor(floor) {
		s.Floors = []roster.FloorSetup{{ID: floor, Name: floor}}
	}
	a.submit(w, r, s)
}

func (a *Admin) hasFloor(id string) bool {
	for _, f := range a.cfg.Staff.Floor().Floors {
		if f.ID == id {
			return true
		}
	}
	return false
}

func (a *Admin) newPassword(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, a.setPassword(r, r.PostFormValue("account"), wire.Secret(r.PostFormValue("password"))))
}

func (a *Admin) submit(w http.ResponseWriter, r *http.Request, s roster.Setup) {
	a.answer(w, r, a.cfg.Staff.Apply(r.Context(), s, by(r)))
}

// answer shows the forms again: with what was wrong, or after a redirect, so that a reload does not send the form again.
func (a *Admin) answer(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		a.setup(w, r, person{by(r), administrator}, http.StatusUnprocessableEntity, err)
		return
	}
	a.log.Info("setup changed", "path", r.URL.Path, "by", by(r))
	q := url.Values{"done": {"1"}}
	if l := r.URL.Query().Get("lang"); l != "" {
		q.Set("lang", lang(r))
	}
	http.Redirect(w, r, "/admin/setup?"+q.Encode(), http.StatusSeeOther)
}

// show renders a page whole before it sends any of it.
func (a *Admin) show(w http.ResponseWriter, r *http.Request, code int, name string, v view) {
	v.Lang, v.Other = lang(r), "ja"
	if v.Lang == "ja" {
		v.Other = "en"
	}
	v.Center = a.cfg.Staff.Site().Name
	var b bytes.Buffer
	if err := a.page.ExecuteTemplate(&b, name, v); err != nil {
		a.log.Error("page", "name", name, "err", err)
		http.Error(w, "the page cannot be shown; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(b.Bytes())
}

func (a *Admin) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pages, "pages/style.css")
}

// sentence is an error in a person's language; a setup's errors are for administrators and stay English.
func sentence(lang string, err error) string {
	var p wire.Problem
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p):
		return static.Say(lang, "problem."+p.Code, p.Holes)
	}
	return err.Error()
}

// lang is the page's language: what the address says, else what the browser prefers.
func lang(r *http.Request) string {
	if l := r.URL.Query().Get("lang"); l == "en" || l == "ja" {
		return l
	}
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		switch l, _, _ := strings.Cut(strings.TrimSpace(part), "-"); l {
		case "en", "ja":
			return l
		}
	}
	return "en"
}

// langQuery keeps a language that was chosen by address.
func langQuery(r *http.Request) string {
	if l := r.URL.Query().Get("lang"); l == "en" || l == "ja" {
		return "?lang=" + l
	}
	return ""
}
