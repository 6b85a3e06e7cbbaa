package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
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
	stamp       string // of the account when it began: with another password, second factor or role it is over
	began, seen time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{of: map[[32]byte]*session{}, now: now}
}

// begin makes a session and returns its token, 256 bits.
func (s *sessions) begin(p person, stamp string) string {
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
	s.of[sha256.Sum256([]byte(token))] = &session{person: p, stamp: stamp, began: now, seen: now}
	return token
}

func (s *sessions) find(token string) (p person, stamp string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	v := s.of[sha256.Sum256([]byte(token))]
	if v == nil || v.over(now) {
		return person{}, "", false
	}
	v.seen = now
	return v.person, v.stamp, true
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
	c, err := r.Cookie(a.cookie("center"))
	if err != nil {
		return person{}, false
	}
	p, stamp, ok := a.sessions.find(c.Value)
	if ok && (stamp == "" || stamp != a.cfg.Staff.Stamp(p.account)) {
		a.sessions.end(c.Value)
		return person{}, false
	}
	return p, ok
}

// Staff is the account of an administrator or supervisor who asks, or "operator" for the command line.
func (a *Admin) Staff(r *http.Request) (account string, ok bool) {
	p, ok := a.who(r)
	return p.account, ok && p.has([]string{administrator, supervisor})
}

// cookie is a cookie's name; __Host- ties it to this host and TLS.
func (a *Admin) cookie(name string) string {
	if a.cfg.Secure {
		return "__Host-" + name
	}
	return name
}

func (a *Admin) setCookie(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: a.cookie(name), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: a.cfg.Secure, SameSite: http.SameSiteStrictMode,
	})
}

func (a *Admin) endCookie(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(a.cookie("center")); err == nil {
		a.sessions.end(c.Value)
	}
	a.setCookie(w, "center", "", -1)
}

// device is the secret of a browser that is trusted.
func (a *Admin) device(r *http.Request) wire.Secret {
	c, err := r.Cookie(a.cookie("device"))
	if err != nil {
		return ""
	}
	return wire.Secret(c.Value)
}
