package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"zaseki/web/wire"
)

const (
	sessionLife = 12 * time.Hour   // absolute
	sessionIdle = 30 * time.Minute // without a request
	maxSessions = 1000
	operator    = "operator" // who the command line is, in the records
)

// person is who asks.
type person struct {
	account, role string
}

func (p person) has(roles []string) bool { return slices.Contains(roles, p.role) }

// sessions of pages, by the hash of their token: what is in memory is not what the cookie holds.
type sessions struct {
	mu  sync.Mutex
	of  map[[32]byte]*session
	now func() time.Time
}

type session struct {
	person
	began, seen time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{of: map[[32]byte]*session{}, now: now}
}

// begin makes a session and returns its token, 256 bits.
func (s *sessions) begin(p person) string {
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for k, v := range s.of {
		if v.over(now) || len(s.of) >= maxSessions {
			delete(s.of, k)
		}
	}
	s.of[sha256.Sum256([]byte(token))] = &session{person: p, began: now, seen: now}
	return token
}

func (s *sessions) find(token string) (person, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	v := s.of[sha256.Sum256([]byte(token))]
	if v == nil || v.over(now) {
		return person{}, false
	}
	v.seen = now
	return v.person, true
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, sha256.Sum256([]byte(token)))
}

// endOf ends all sessions of an account: its password has changed.
func (s *sessions) endOf(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.of {
		if v.account == account {
			delete(s.of, k)
		}
	}
}

func (v *session) over(now time.Time) bool {
	return now.Sub(v.began) > sessionLife || now.Sub(v.seen) > sessionIdle
}

// who is the person of a request: the operator by bearer, others by cookie.
func (a *Admin) who(r *http.Request) (person, bool) {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		want := a.cfg.Operator.Reveal()
		right := want != "" && subtle.ConstantTimeCompare([]byte(bearer), []byte(want)) == 1
		return person{operator, administrator}, right
	}
	c, err := r.Cookie(a.cookie())
	if err != nil {
		return person{}, false
	}
	return a.sessions.find(c.Value)
}

// cookie is the session cookie's name; __Host- ties it to this host and TLS.
func (a *Admin) cookie() string {
	if a.cfg.Secure {
		return "__Host-center"
	}
	return "center"
}

func (a *Admin) setCookie(w http.ResponseWriter, token string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: a.cookie(), Value: token, Path: "/", MaxAge: age, HttpOnly: true, Secure: a.cfg.Secure, SameSite: http.SameSiteStrictMode,
	})
}

// signIn takes the form of the sign-in page.
func (a *Admin) signIn(w http.ResponseWriter, r *http.Request) {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	who, err := a.cfg.Staff.Authenticate(r.Context(), r.PostFormValue("account"), wire.Secret(r.PostFormValue("password")), address)
	if err == nil && who.Role != administrator && who.Role != supervisor {
		err = wire.Problem{Code: wire.ProblemForbidden}
	}
	if err != nil {
		a.log.Warn("admin sign-in refused", "account", r.PostFormValue("account"), "peer", address, "err", err)
		a.signInPage(w, r, http.StatusUnauthorized, err)
		return
	}
	a.setCookie(w, a.sessions.begin(person{who.Account, who.Role}), int(sessionLife.Seconds()))
	a.log.Info("admin signed in", "account", who.Account, "peer", address)
	http.Redirect(w, r, "/"+langQuery(r), http.StatusSeeOther)
}

func (a *Admin) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(a.cookie()); err == nil {
		a.sessions.end(c.Value)
	}
	a.setCookie(w, "", -1)
	http.Redirect(w, r, "/"+langQuery(r), http.StatusSeeOther)
}
