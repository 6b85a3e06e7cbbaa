package roster

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"zaseki/web/wire"
)

// maxBody of a request, bytes.
const maxBody = 16 << 10

// Handler serves what phones ask under /api/v1, and /auth/oidc.
func (r *Roster) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/check", answer(r, r.check))
	mux.HandleFunc("GET /api/v1/check", r.dawnCheck)
	mux.HandleFunc("POST /api/v1/signin", answer(r, r.signIn))
	mux.HandleFunc("POST /api/v1/resume", answer(r, r.resume))
	mux.HandleFunc("POST /api/v1/signout", r.signOut)
	mux.HandleFunc("POST /api/v1/mail", done(r, r.mail))
	mux.HandleFunc("POST /api/v1/code", answer(r, r.code))
	mux.HandleFunc("GET /api/v1/factor", r.factorState)
	mux.HandleFunc("POST /api/v1/factor/start", answer(r, r.factorStart))
	mux.HandleFunc("POST /api/v1/factor/confirm", answer(r, r.factorConfirm))
	mux.HandleFunc("POST /api/v1/factor/off", done(r, r.factorGone))
	mux.HandleFunc("POST /api/v1/factor/codes", answer(r, r.factorCodes))
	mux.HandleFunc("POST /api/v1/factor/forget", done(r, r.factorForget))
	mux.HandleFunc("GET /api/v1/oidc", r.singleSignOn)
	mux.HandleFunc("GET /api/v1/profile", r.generation)
	mux.HandleFunc("GET /auth/oidc/start", r.start)
	mux.HandleFunc("GET "+callbackPath, r.callback)
	mux.HandleFunc("POST /api/v1/handoff", answer(r, r.handoff))
	mux.HandleFunc("POST /api/v1/password", done(r, r.newPassword))
	mux.HandleFunc("GET /api/v1/phonebook", r.phonebook)
	mux.HandleFunc("GET /api/v1/ws", r.ws)
	return mux
}

// answer reads a request's body, and writes what do says or its problem.
func answer[In, Out any](r *Roster, do func(*http.Request, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var in In
		if !body(w, req, &in) {
			return
		}
		out, err := do(req, in)
		if err != nil {
			r.refused(w, req, err)
			return
		}
		reply(w, http.StatusOK, out)
	}
}

func (r *Roster) refused(w http.ResponseWriter, req *http.Request, err error) {
	var p wire.Problem
	if !errors.As(err, &p) {
		r.log.Error("request", "path", req.URL.Path, "err", err)
		refuse(w, http.StatusInternalServerError, wire.Problem{Code: wire.ProblemCenter})
		return
	}
	refuse(w, statusOf(p), p)
}

func statusOf(p wire.Problem) int {
	switch p.Code {
	case wire.ProblemSignIn, wire.ProblemTicket, wire.ProblemExpired, wire.ProblemInvisible, wire.ProblemFactor, wire.ProblemFactorUsed,
		wire.ProblemFactorClock, wire.ProblemAccountOff, wire.ProblemPasswordOff, wire.ProblemSingleSignOn:
		return http.StatusUnauthorized
	case wire.ProblemLimited:
		return http.StatusTooManyRequests
	case wire.ProblemSeatTaken, wire.ProblemTerminalTaken, wire.ProblemElsewhere:
		return http.StatusConflict
	case wire.ProblemSeatUnknown, wire.ProblemTerminalUnknown, wire.ProblemStatusUnknown, wire.ProblemNoTerminal:
		return http.StatusNotFound
	case wire.ProblemForbidden, wire.ProblemFactorNeeded:
		return http.StatusForbidden
	case wire.ProblemPassword:
		return http.StatusUnprocessableEntity
	case wire.ProblemReadOnly:
		return http.StatusServiceUnavailable
	case wire.ProblemFactorMail:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

func refuse(w http.ResponseWriter, status int, err error) {
	p := wire.Problem{Code: wire.ProblemCenter}
	errors.As(err, &p)
	if s := p.Holes["seconds"]; status == http.StatusTooManyRequests && s != "" {
		w.Header().Set("Retry-After", s)
	}
	reply(w, status, p)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the far side may be gone
}

func address(req *http.Request) string {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return req.RemoteAddr
	}
	return host
}

// generation tells the profile to whoever asks: the form of sign-in goes by it (PRODUCT A4).
func (r *Roster) generation(w http.ResponseWriter, _ *http.Request) {
	r.mu.RLock()
	profile := r.view.profile()
	r.mu.RUnlock()
	reply(w, http.StatusOK, profile)
}

// choice is what step two offers the account (PRODUCT A5–A10).
func (v *view) choice(account string) wire.Choice {
	last := v.agents[account].v
	c := wire.Choice{
		Center: v.site.v.Name, Name: v.name(account), SeatView: v.site.v.SeatView, Profile: v.profile(),
		Terminals: []wire.Terminal{}, Statuses: []wire.StatusDef{},
	}
	for _, id := range sorted(v.terminals) {
		if t := v.terminals[id].v; t.offeredTo(account) {
			c.Terminals = append(c.Terminals, t.wire())
		}
	}
	slices.SortStableFunc(c.Terminals, func(a, b wire.Terminal) int { return soft(b) - soft(a) }) // the own softphone first
	if len(c.Terminals) > 0 {
		c.Terminal = c.Terminals[0].ID
	}
	if slices.ContainsFunc(c.Terminals, func(t wire.Terminal) bool { return t.ID == last.LastTerminal }) {
		c.Terminal = last.LastTerminal
	}
	if v.accounts[account].v.Agent {
		for _, d := range v.defs {
			if d.Pickable {
				c.Statuses = append(c.Statuses, d)
			}
		}
		c.Status = wire.StatusAway
		if d, ok := v.def(last.Picked); ok && d.Pickable && !d.TakesOutside() { // A7: never one that takes outside calls
			c.Status = last.Picked
		}
	}
	if v.site.v.SeatView {
		v.offerSeats(&c, account, last.LastSeat)
	}
	return c
}

func (v *view) offerSeats(c *wire.Choice, account, last string) {
	for _, id := range sorted(v.seats) {
		s := v.seats[id].v
		o := wire.SeatOffer{ID: s.ID, Name: s.Name, Floor: s.Floor}
		if s.Holder != "" && s.Holder != account {
			o.By, o.Since = v.name(s.Holder), s.Since
		} else if id == last {
			c.Seat = id
		}
		c.Seats = append(c.Seats, o)
	}
}

func soft(t wire.Terminal) int {
	if t.Soft() {
		return 1
	}
	return 0
}

// signIn is step two. A refusal leaves the ticket good, so that the person can take over or choose again.
func (r *Roster) signIn(req *http.Request, in wire.SignInRequest) (wire.Welcome, error) {
	t, err := r.ticket(in.Ticket, stageChoose)
	if err != nil {
		return wire.Welcome{}, err
	}
	tok, tokHash := token()
	res, resHash := token()
	id, _ := token()
	now := time.Now().UTC()
	err = r.change(req.Context(), t.Account, func(d *draft) error {
		return d.claim(claim{
			account: t.Account, terminal: in.Terminal, status: in.Status, seat: in.Seat, takeover: in.Takeover,
			live: func(account string) bool { return r.liveLocked(account, in.Machine) },
			session: Session{
				ID: id.Reveal()[:16], Token: tokHash, Resume: resHash, Rotated: now, Expires: now.Add(r.cfg.Timing.Token),
				Machine: in.Machine, Node: r.cfg.Node, Began: now, Stamp: t.Stamp,
			},
		})
	})
	if err != nil {
		return wire.Welcome{}, err
	}
	r.tickets.spend(t)
	r.log.Info("signed in", "account", t.Account, "seat", in.Seat, "terminal", in.Terminal, "peer", address(req))
	return r.welcome(req, t.Account, tok, res), nil
}

// liveLocked says whether the account's phone is connected. One that has just signed in and not connected yet counts, unless the
// same machine asks again.
func (r *Roster) liveLocked(account, machine string) bool {
	s := r.view.agents[account].v.Session
	switch {
	case s == nil:
		return false
	case r.presenceLocked(account).linked:
		return true
	case s.Node != r.cfg.Node:
		_, lost := r.lostLocked(s.Node)
		return !lost && r.view.agents[account].v.Conn == connUp
	}
	return s.Machine != machine && time.Since(s.Began) < r.cfg.Timing.Grace && r.dropped[account].Before(s.Began)
}

// resume gives a phone that was away new tokens for its session (PRODUCT D11).
func (r *Roster) resume(req *http.Request, in wire.ResumeRequest) (wire.Welcome, error) {
	hash := hashOf(in.Resume)
	r.mu.RLock()
	account, ok := r.view.resumes[hash]
	r.mu.RUnlock()
	if !ok {
		var err error
		if account, err = r.resumedElsewhere(req.Context(), hash); err != nil {
			return wire.Welcome{}, err
		}
	}
	if account == "" {
		return wire.Welcome{}, wire.Problem{Code: wire.ProblemExpired}
	}
	tok, tokHash := token()
	res, resHash := token()
	err := r.change(req.Context(), account, func(d *draft) error {
		return d.resume(account, hash, tokHash, resHash, time.Now().UTC().Add(r.cfg.Timing.Token))
	})
	if err != nil {
		return wire.Welcome{}, err
	}
	return r.welcome(req, account, tok, res), nil
}

func (r *Roster) signOut(w http.ResponseWriter, req *http.Request) {
	account, session, err := r.bearer(req)
	if err == nil {
		err = r.change(req.Context(), account, func(d *draft) error {
			if s := d.agents[account].v.Session; s != nil && s.ID == session {
				d.end(account, "", "signed out")
			}
			return nil
		})
	}
	if err != nil {
		r.refused(w, req, err)
		return
	}
	r.log.Info("signed out", "account", account)
	w.WriteHeader(http.StatusNoContent)
}

// bearer is whose token the request carries.
func (r *Roster) bearer(req *http.Request) (account, session string, err error) {
	plain, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	hash := hashOf(plain)
	r.mu.RLock()
	defer r.mu.RUnlock()
	account, ok := r.view.tokens[hash]
	s := r.view.agents[account].v.Session
	if !ok || s == nil || time.Now().After(s.Expires) {
		return "", "", wire.Problem{Code: wire.ProblemExpired}
	}
	return account, s.ID, nil
}

// Bearer is who is signed in at the phone that asks, by its session's token. Its error is a wire.Problem.
func (r *Roster) Bearer(req *http.Request) (Person, error) {
	account, _, err := r.bearer(req)
	if err != nil {
		return Person{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return person(r.view.accounts[account].v), nil
}

// welcome is everything a phone needs to work.
func (r *Roster) welcome(req *http.Request, account string, tok, res wire.Secret) wire.Welcome {
	probe := r.probe(req, account)
	r.mu.RLock()
	defer r.mu.RUnlock()
	v := r.view
	a, site := v.agents[account].v, v.site.v
	t := v.terminals[a.Terminal].v
	desk := v.desk(account)
	desk.Bound = v.bound(account, a.Terminal)
	return wire.Welcome{
		Token: tok.Reveal(), Resume: res.Reveal(), Epoch: a.Epoch, Center: site.Name,
		Me:       v.me(account, t),
		Statuses: v.defs, State: v.state(account), SIP: r.sipLocked(t, req.Host), Profile: v.profile(), SeatView: site.SeatView,
		Plan: site.plan(), Policy: v.rulesOf(account).sound(r.cfg.Seal), Probe: probe, Desk: desk,
		Nodes: r.nodes.Others,
	}
}

// sipLocked is how the terminal registers; empty for a desk phone, which does it itself.
func (r *Roster) sipLocked(t Terminal, host string) wire.SIPAccount {
	secret, ok := r.vault.secret(t)
	if !ok || !t.wire().Soft() {
		return wire.SIPAccount{}
	}
	site := r.view.site.v
	s := wire.SIPAccount{
		User: t.Extension, Domain: site.sipDomain(), Server: site.SIP.Server, Transport: site.SIP.Transport, CA: site.SIP.CA,
		Secret: secret.Reveal(), Expires: site.SIP.Expires, Voice: site.SIP.Voice,
	}
	if t.encrypted() { // PRODUCT A16: never downgraded
		if s.Voice != wire.VoiceDTLS {
			s.Voice = wire.VoiceRequired
		}
		if s.Transport != "wss" {
			s.Transport = "tls"
		}
	}
	secure := s.Transport == "tls" || s.Transport == "wss"
	if s.Server == "" && r.cfg.SIP != nil {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		s.Server, s.CA = r.cfg.SIP(host, secure)
		s.Transport = or(s.Transport, "udp")
	}
	if secure && s.Voice == "" {
		s.Voice = wire.VoiceOptional
	}
	return r.ephemeralLocked(s)
}
