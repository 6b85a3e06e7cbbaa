package roster

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"zaseki/cmd/center/roster/sso"
	"zaseki/static"
	"zaseki/web/wire"
)

const (
	callbackPath = "/auth/oidc/callback"
	adminPath    = "/admin/sso" // where the administration takes over
	attemptLife  = 10 * time.Minute
	handoffLife  = time.Minute
)

// single is the provider of single sign-on, made anew when the site names another.
type single struct {
	mu sync.Mutex
	p  *sso.Provider
}

func (s *single) of(c sso.Client) *sso.Provider {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.p.Is(c) {
		s.p = sso.New(c, nil)
	}
	return s.p
}

// attempt is a sign-in on its way through the provider: it lies sealed in a cookie of the browser that began it, so that nobody else
// ends it and any node can.
type attempt struct {
	sso.Attempt
	Handoff string // base64url(SHA-256(verifier)) of the phone, or of Own
	Own     string // the administration's verifier; "" a phone
	Port    int    // loopback port of the phone; 0: the administration
	Until   time.Time
}

// provider is who is asked; nil: there is none.
func (r *Roster) provider() *sso.Provider {
	r.mu.RLock()
	o := r.view.site.v.OIDC
	r.mu.RUnlock()
	if o.Issuer == "" {
		return nil
	}
	c := sso.Client{Issuer: o.Issuer, ID: o.Client}
	if plain, err := r.vault.open(o.Sealed, "oidc"); err == nil {
		c.Secret = wire.Secret(plain)
	}
	return r.single.of(c)
}

// singleSignOn says whether a person can sign in elsewhere.
func (r *Roster) singleSignOn(w http.ResponseWriter, _ *http.Request) {
	s, ok := r.SingleSignOn()
	if !ok {
		http.Error(w, "no single sign-on", http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, s)
}

// SingleSignOn is what a sign-in page says of it; ok is false when there is none.
func (r *Roster) SingleSignOn() (s wire.SingleSignOn, ok bool) {
	o := r.Site().OIDC
	return wire.SingleSignOn{Name: or(o.Name, "OpenID Connect"), Only: o.Only}, o.Issuer != ""
}

// start sends the browser to the provider.
func (r *Roster) start(w http.ResponseWriter, req *http.Request) {
	p := r.provider()
	if p == nil {
		http.Error(w, "no single sign-on", http.StatusNotFound)
		return
	}
	a, err := newAttempt(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to, err := p.URL(req.Context(), a.Attempt)
	if err != nil {
		r.log.Error("single sign-on", "err", err)
		r.back(w, req, a, url.Values{"problem": {wire.ProblemSingleSignOn}, "reason": {"the provider does not answer"}})
		return
	}
	if err := r.keep(w, req, a); err != nil {
		r.refused(w, req, err)
		return
	}
	http.Redirect(w, req, to, http.StatusFound)
}

func newAttempt(req *http.Request) (attempt, error) {
	q := req.URL.Query()
	a := attempt{Handoff: q.Get("handoff"), Until: time.Now().Add(attemptLife)}
	scheme := "http://"
	if req.TLS != nil {
		scheme = "https://"
	}
	a.Attempt = sso.Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), Redirect: scheme + req.Host + callbackPath}
	if !q.Has("handoff") && !q.Has("port") {
		a.Own = rand.Text()
		a.Handoff = challenge(a.Own)
		return a, nil
	}
	var err error
	a.Port, err = strconv.Atoi(q.Get("port"))
	if raw, e := base64.RawURLEncoding.DecodeString(a.Handoff); e != nil || len(raw) != sha256.Size || err != nil || a.Port < 1024 || a.Port > 65535 {
		return attempt{}, errors.New("handoff or port is missing")
	}
	return a, nil
}

// challenge is what stands for a verifier until it is shown.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (r *Roster) keep(w http.ResponseWriter, req *http.Request, a attempt) error {
	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	sealed, err := r.vault.seal(string(plain), "attempt")
	if err != nil {
		return err
	}
	setAttempt(w, req, base64.RawURLEncoding.EncodeToString(sealed), int(attemptLife.Seconds()))
	return nil
}

// setAttempt: Lax, since it is the provider's page that the browser comes back from.
func setAttempt(w http.ResponseWriter, req *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: attemptCookie(req), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: req.TLS != nil, SameSite: http.SameSiteLaxMode})
}

func attemptCookie(req *http.Request) string {
	if req.TLS != nil {
		return "__Host-sso"
	}
	return "sso"
}

// attempt is the one that this browser began.
func (r *Roster) attempt(req *http.Request) (a attempt, ok bool) {
	c, err := req.Cookie(attemptCookie(req))
	if err != nil {
		return a, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return a, false
	}
	plain, err := r.vault.open(raw, "attempt")
	if err != nil || json.Unmarshal([]byte(plain), &a) != nil {
		return a, false
	}
	return a, time.Now().Before(a.Until)
}

// callback is where the provider sends the browser back to.
func (r *Roster) callback(w http.ResponseWriter, req *http.Request) {
	a, ok := r.attempt(req)
	q := req.URL.Query()
	if !ok || !hmac.Equal([]byte(q.Get("state")), []byte(a.State)) {
		lang := "en"
		if strings.HasPrefix(req.Header.Get("Accept-Language"), "ja") {
			lang = "ja"
		}
		http.Error(w, static.Say(lang, "problem."+wire.ProblemTicket, nil), http.StatusBadRequest)
		return
	}
	if a.Port != 0 {
		setAttempt(w, req, "", -1)
	}
	code, err := r.vouched(req, a)
	if err != nil {
		r.log.Warn("single sign-on refused", "peer", address(req), "err", err)
		r.back(w, req, a, problemQuery(err))
		return
	}
	r.back(w, req, a, url.Values{"code": {code}})
}

// vouched trades the provider's code for one of ours.
func (r *Roster) vouched(req *http.Request, a attempt) (string, error) {
	q, p := req.URL.Query(), r.provider()
	if p == nil {
		return "", wire.Problem{Code: wire.ProblemTicket}
	}
	if reason := q.Get("error"); reason != "" {
		return "", refusedBy(label(reason))
	}
	id, err := p.Exchange(req.Context(), a.Attempt, q.Get("code"))
	if err != nil {
		r.log.Warn("single sign-on", "peer", address(req), "err", err)
		return "", refusedBy("its answer cannot be trusted")
	}
	account, err := r.known(req.Context(), id)
	if err != nil {
		return "", err
	}
	k := ticket{Account: account, For: forAgent, Stage: stageHandoff, Handoff: a.Handoff, Mfa: id.Mfa}
	if a.Port == 0 {
		k.For = forAdmin
	}
	return r.issue(k, handoffLife)
}

func refusedBy(reason string) error {
	return wire.Problem{Code: wire.ProblemSingleSignOn, Holes: map[string]string{"reason": reason}}
}

func problemQuery(err error) url.Values {
	p := wire.Problem{Code: wire.ProblemCenter}
	errors.As(err, &p)
	q := url.Values{"problem": {p.Code}}
	if reason := p.Holes["reason"]; reason != "" {
		q.Set("reason", reason)
	}
	return q
}

// back hands over to whoever began: a phone on the browser's own machine, or the administration.
func (r *Roster) back(w http.ResponseWriter, req *http.Request, a attempt, q url.Values) {
	to := adminPath + "?" + q.Encode()
	if a.Port != 0 {
		to = "http://127.0.0.1:" + strconv.Itoa(a.Port) + "/signed-in?" + q.Encode()
	}
	http.Redirect(w, req, to, http.StatusFound)
}

// handoff is the phone that takes over from the browser; with the verifier it proves that it began.
func (r *Roster) handoff(req *http.Request, in wire.Handoff) (wire.Checked, error) {
	k, err := r.handedOver(in.Code, in.Verifier, forAgent)
	if err != nil {
		return wire.Checked{}, err
	}
	return r.passed(ticket{Account: k.Account, For: forAgent, Mfa: k.Mfa}, in.Device)
}

func (r *Roster) handedOver(sealed, verifier, use string) (ticket, error) {
	k, err := r.ticket(sealed, stageHandoff)
	if err != nil {
		return k, err
	}
	if k.For != use || !hmac.Equal([]byte(challenge(verifier)), []byte(k.Handoff)) || !r.tickets.spend(k) {
		return k, wire.Problem{Code: wire.ProblemTicket}
	}
	return k, nil
}

// SignedOn ends a sign-in of the administration by single sign-on, in a request of the browser that began it: code is what GET
// /auth/oidc/callback led to the page /admin/sso with. device is the secret of a device that may be trusted. Errors as of
// AuthenticateAt.
func (r *Roster) SignedOn(w http.ResponseWriter, req *http.Request, code string, device wire.Secret) (Person, error) {
	a, ok := r.attempt(req)
	setAttempt(w, req, "", -1)
	if !ok || a.Own == "" {
		return Person{}, wire.Problem{Code: wire.ProblemTicket}
	}
	k, err := r.handedOver(code, a.Own, forAdmin)
	if err != nil {
		return Person{}, err
	}
	r.mu.RLock()
	p := person(r.view.accounts[k.Account].v)
	r.mu.RUnlock()
	return r.admitted(p, ticket{Account: k.Account, For: forAdmin, Mfa: k.Mfa}, device)
}

// known is the account of an identity. The first time it is found by the claim that the site names, and from then on by issuer and
// subject, whatever name or mail address the provider gives. An administrator is never found by a claim: people can choose their names
// at many providers.
func (r *Roster) known(ctx context.Context, id sso.Identity) (string, error) {
	key := id.Issuer + " " + id.Subject
	found := ""
	err := r.change(ctx, bySystem, func(d *draft) error {
		found = ""
		for account, a := range d.accounts {
			if a.v.Subject == key {
				found = account
			}
		}
		if found == "" {
			found = d.claimed(id)
			if found == "" {
				return refusedBy("no account is known for " + label(or(id.Name, id.Subject)))
			}
			row := d.accounts[found]
			a := row.v
			a.Subject = key
			d.add(KindAccount, found, row.seq, &a, "found by single sign-on")
		}
		if d.accounts[found].v.Off {
			return wire.Problem{Code: wire.ProblemAccountOff}
		}
		return nil
	})
	return found, err
}

// claimed is the account that a claim names, if nobody else has it and it is no administrator's.
func (v *view) claimed(id sso.Identity) string {
	var all []string
	for account, row := range v.accounts {
		a := row.v
		named := false
		switch v.site.v.OIDC.Claim {
		case "sub":
			named = account == id.Subject
		case "email":
			named = id.Mail != "" && (strings.EqualFold(a.Mail, id.Mail) || strings.EqualFold(account, id.Mail))
		default:
			named = account == id.Name
		}
		if named && a.Subject == "" && a.Role != "administrator" {
			all = append(all, account)
		}
	}
	if len(all) != 1 {
		return ""
	}
	return all[0]
}
