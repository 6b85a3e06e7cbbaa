package roster

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/web/wire"
)

// maxBody of a request, bytes.
const maxBody = 16 << 10

// Handler serves /api/v1/{check,signin,resume,signout,ws}.
func (r *Roster) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/check", answer(r, r.check))
	mux.HandleFunc("POST /api/v1/signin", answer(r, r.signIn))
	mux.HandleFunc("POST /api/v1/resume", answer(r, r.resume))
	mux.HandleFunc("POST /api/v1/signout", r.signOut)
	mux.HandleFunc("GET /api/v1/ws", r.ws)
	return mux
}

// answer reads a request's body, and writes what do says or its problem.
func answer[In, Out any](r *Roster, do func(*http.Request, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxBody)).Decode(&in); err != nil {
			refuse(w, http.StatusBadRequest, wire.Problem{Code: wire.ProblemCenter})
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
	case wire.ProblemSignIn, wire.ProblemTicket, wire.ProblemExpired, wire.ProblemInvisible:
		return http.StatusUnauthorized
	case wire.ProblemLimited:
		return http.StatusTooManyRequests
	case wire.ProblemSeatTaken, wire.ProblemTerminalTaken, wire.ProblemElsewhere:
		return http.StatusConflict
	case wire.ProblemSeatUnknown, wire.ProblemTerminalUnknown, wire.ProblemStatusUnknown, wire.ProblemNoTerminal:
		return http.StatusNotFound
	case wire.ProblemForbidden:
		return http.StatusForbidden
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

// check is step one of sign-in (PRODUCT A1–A3, A5).
func (r *Roster) check(req *http.Request, in wire.CheckRequest) (wire.Checked, error) {
	p, err := r.Authenticate(req.Context(), in.Account, wire.Secret(in.Password), address(req))
	if err != nil {
		return wire.Checked{}, err
	}
	r.mu.RLock()
	choice := r.view.choice(p.Account)
	r.mu.RUnlock()
	if len(choice.Terminals) == 0 {
		return wire.Checked{}, wire.Problem{Code: wire.ProblemNoTerminal}
	}
	plain, hash := token()
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for h, t := range r.tickets {
		if now.After(t.until) {
			delete(r.tickets, h)
		}
	}
	r.tickets[hash] = ticket{p.Account, now.Add(r.cfg.Timing.Ticket)}
	return wire.Checked{Ticket: plain.Reveal(), Choice: choice}, nil
}

// Authenticate checks a password, with the limits of a sign-in from that address. Its error is a wire.Problem, the same for an
// unknown account and a wrong password.
func (r *Roster) Authenticate(ctx context.Context, account string, password wire.Secret, address string) (Person, error) {
	r.mu.RLock()
	profile := r.view.profile()
	r.mu.RUnlock()
	account, plain, err := clean(profile, account, password.Reveal())
	if err != nil {
		return Person{}, err
	}
	if err := r.admit(account, address); err != nil {
		return Person{}, err
	}
	r.mu.RLock()
	row, ok := r.view.accounts[account]
	r.mu.RUnlock()
	right, err := r.passwords.right(ctx, row.v.Hash, plain)
	if err != nil {
		return Person{}, err
	}
	if !right || !ok {
		r.log.Info("sign-in refused", "peer", address)
		return Person{}, wire.Problem{Code: wire.ProblemSignIn}
	}
	r.accounts.give(account)
	r.addresses.give(address)
	return person(row.v), nil
}

// clean removes pasted tabs and line breaks (PRODUCT A2), or says that they are there (A3).
func clean(p wire.Profile, account, password string) (string, string, error) {
	const invisible = "\t\r\n"
	if p.StripPasted {
		strip := strings.NewReplacer("\t", "", "\r", "", "\n", "")
		return strip.Replace(account), strip.Replace(password), nil
	}
	if strings.ContainsAny(account, invisible) || strings.ContainsAny(password, invisible) {
		return "", "", wire.Problem{Code: wire.ProblemInvisible}
	}
	return account, password, nil
}

// admit keeps guessing slow: before the password is looked at, and without locking anybody out for good.
func (r *Roster) admit(account, address string) error {
	now := time.Now()
	wait, ok := r.addresses.take(address, now)
	if ok {
		if wait, ok = r.accounts.take(account, now); ok {
			return nil
		}
	}
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return wire.Problem{Code: wire.ProblemLimited, Holes: map[string]string{"seconds": seconds}}
}

func address(req *http.Request) string {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return req.RemoteAddr
	}
	return host
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
	hash := hashOf(in.Ticket)
	r.mu.RLock()
	t, ok := r.tickets[hash]
	r.mu.RUnlock()
	if !ok || time.Now().After(t.until) {
		return wire.Welcome{}, wire.Problem{Code: wire.ProblemTicket}
	}
	tok, tokHash := token()
	res, resHash := token()
	id, _ := token()
	now := time.Now().UTC()
	err := r.change(req.Context(), t.account, func(d *draft) error {
		return d.claim(claim{
			account: t.account, terminal: in.Terminal, status: in.Status, seat: in.Seat, takeover: in.Takeover,
			live: func(account string) bool { return r.liveLocked(account, in.Machine) },
			session: Session{
				ID: id.Reveal()[:16], Token: tokHash, Resume: resHash, Rotated: now, Expires: now.Add(r.cfg.Timing.Token),
				Machine: in.Machine, Node: r.cfg.Node, Began: now,
			},
		})
	})
	if err != nil {
		return wire.Welcome{}, err
	}
	r.mu.Lock()
	delete(r.tickets, hash)
	r.mu.Unlock()
	r.log.Info("signed in", "account", t.account, "seat", in.Seat, "terminal", in.Terminal, "peer", address(req))
	return r.welcome(req, t.account, tok, res), nil
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
		return r.view.agents[account].v.Conn == connUp
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

// welcome is everything a phone needs to work.
func (r *Roster) welcome(req *http.Request, account string, tok, res wire.Secret) wire.Welcome {
	r.mu.RLock()
	defer r.mu.RUnlock()
	v := r.view
	a, acct, site := v.agents[account].v, v.accounts[account].v, v.site.v
	t := v.terminals[a.Terminal].v
	return wire.Welcome{
		Token: tok.Reveal(), Resume: res.Reveal(), Epoch: a.Epoch, Center: site.Name,
		Me: wire.Me{Account: account, Name: v.name(account), Role: acct.Role, Terminal: t.wire(),
			Encrypted: t.encrypted()},
		Statuses: v.defs, State: v.state(account), SIP: r.sipLocked(t, req.Host), Profile: v.profile(), SeatView: site.SeatView,
		Plan: site.plan(),
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
	return s
}
