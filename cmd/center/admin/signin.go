package admin

import (
	"errors"
	"net"
	"net/http"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

type (
	// Credentials are the first step of signing in.
	Credentials struct {
		Account  string       `json:"account"`
		Password roster.Plain `json:"password"`
	}
	// SignedIn is where it has led: to Me, or to Need.
	SignedIn struct {
		Me       *Me        `json:"me,omitempty"`
		Need     *wire.Need `json:"need,omitempty"`
		Recovery []string   `json:"recovery,omitempty"` // codes for paper, shown once
	}
	// Me is who is signed in.
	Me struct {
		Account string `json:"account"`
		Name    string `json:"name"`
		Role    string `json:"role"`
		Center  string `json:"center"`
		Version string `json:"version"`
		Fresh   bool   `json:"fresh"` // nobody has set anything yet
		Book    bool   `json:"book"`  // may change the shared phonebook
	}
)

func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (a *Admin) meOf(account, role string) *Me {
	row, _ := a.cfg.Staff.Row(roster.KindAccount, account)
	d, _ := row.Data.(roster.AccountRow)
	name := d.Name
	if name == "" {
		name = account
	}
	site, _ := a.cfg.Staff.Row(roster.KindSite, "site")
	fresh, _ := site.Data.(roster.SiteRow)
	return &Me{account, name, role, a.cfg.Staff.Site().Name, a.cfg.Version, fresh.Fresh, role == administrator || a.cfg.Staff.MayEditBook(account)}
}

func (a *Admin) me(w http.ResponseWriter, r *http.Request) {
	p := asks(r)
	write(w, http.StatusOK, a.meOf(p.account, p.role))
}

// signIn is account and password.
func (a *Admin) signIn(w http.ResponseWriter, r *http.Request) {
	var in Credentials
	if !read(w, r, &in) {
		return
	}
	p, err := a.cfg.Staff.AuthenticateAt(r.Context(), in.Account, wire.Secret(in.Password), a.device(r), addressOf(r))
	if need := (roster.Needed{}); errors.As(err, &need) {
		write(w, http.StatusOK, SignedIn{Need: &need.Need})
		return
	}
	a.enter(w, r, p, SignedIn{}, err)
}

// code is what was missing besides.
func (a *Admin) code(w http.ResponseWriter, r *http.Request) {
	var in wire.CodeRequest
	if !read(w, r, &in) {
		return
	}
	p, device, err := a.cfg.Staff.Prove(r.Context(), in, addressOf(r))
	if err == nil && device != "" {
		const year = 365 * 24 * time.Hour // the center ends the trust itself
		a.setCookie(w, "device", device.Reveal(), int(year.Seconds()))
	}
	a.enter(w, r, p, SignedIn{}, err)
}

func (a *Admin) mail(w http.ResponseWriter, r *http.Request) {
	var in wire.MailRequest
	if !read(w, r, &in) {
		return
	}
	if err := a.cfg.Staff.SendCode(r.Context(), in); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *Admin) factorStart(w http.ResponseWriter, r *http.Request) {
	var in wire.FactorRequest
	if !read(w, r, &in) {
		return
	}
	start, err := a.cfg.Staff.StartFactor(r.Context(), in, addressOf(r))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, start)
}

func (a *Admin) factorConfirm(w http.ResponseWriter, r *http.Request) {
	var in wire.FactorRequest
	if !read(w, r, &in) {
		return
	}
	p, codes, err := a.cfg.Staff.ConfirmFactor(r.Context(), in, addressOf(r))
	a.enter(w, r, p, SignedIn{Recovery: codes}, err)
}

// enter lets in whoever has proven all, and may.
func (a *Admin) enter(w http.ResponseWriter, r *http.Request, p roster.Person, answer SignedIn, err error) {
	if err == nil && p.Role != administrator && p.Role != supervisor {
		err = wire.Problem{Code: wire.ProblemForbidden}
	}
	if err != nil {
		a.log.Warn("admin sign-in refused", "peer", addressOf(r), "err", err)
		a.fail(w, r, err)
		return
	}
	a.Enter(w, r, p)
	answer.Me = a.meOf(p.Account, p.Role)
	write(w, http.StatusOK, answer)
}

// Enter begins a session of the pages for somebody whose role allows it, as single sign-on does.
func (a *Admin) Enter(w http.ResponseWriter, r *http.Request, p roster.Person) bool {
	if p.Role != administrator && p.Role != supervisor {
		return false
	}
	a.setCookie(w, "center", a.sessions.begin(person{p.Account, p.Role}, a.cfg.Staff.Stamp(p.Account)), int(sessionLife.Seconds()))
	a.log.Info("admin signed in", "account", p.Account, "peer", addressOf(r))
	return true
}

func (a *Admin) signOut(w http.ResponseWriter, r *http.Request) {
	a.endCookie(w, r)
	w.WriteHeader(http.StatusNoContent)
}
