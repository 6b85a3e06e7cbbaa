package roster

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"zaseki/web/wire"
)

// Where somebody who signs in is at.
const (
	stageProve   = "prove"   // the password is right, a code is missing
	stageEnrol   = "enrol"   // the password is right, and a second factor must be set up first
	stageChoose  = "choose"  // all is proven: terminal, status, seat
	stageHandoff = "handoff" // the provider of single sign-on knows who it is
)

// What somebody signs in for.
const (
	forAgent = "agent" // a phone
	forAdmin = "admin" // the administration
)

// provingTries are the codes that one may get wrong before the password is asked for again.
const provingTries = 5

// ticket is what leads from one step of sign-in to the next. It is sealed with the center's key, so that any node takes it and a
// restart in between ends no sign-in; that it is good once is kept in memory.
type ticket struct {
	ID      string    `json:"i"`
	Account string    `json:"a"`
	For     string    `json:"f"`
	Stage   string    `json:"s"`
	Until   time.Time `json:"u"`
	Stamp   string    `json:"p"`           // of the account's proofs: with another password this is worth nothing
	Handoff string    `json:"h,omitempty"` // base64url(SHA-256(verifier)) of whom the provider's answer is for
	Mfa     bool      `json:"m,omitempty"` // the provider asked for a second factor
}

// tickets remembers those that are used up, until they would have ended.
type tickets struct {
	mu    sync.Mutex
	spent map[string]time.Time
	tries map[string]int
}

func newTickets() *tickets { return &tickets{spent: map[string]time.Time{}, tries: map[string]int{}} }

// spend uses a ticket up; false: it was already.
func (t *tickets) spend(k ticket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for id, until := range t.spent {
		if now.After(until) {
			delete(t.spent, id)
			delete(t.tries, id)
		}
	}
	if _, ok := t.spent[k.ID]; ok {
		return false
	}
	t.spent[k.ID] = k.Until
	return true
}

func (t *tickets) good(k ticket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, spent := t.spent[k.ID]
	return !spent
}

// try counts a code before it is looked at; left are those after this one.
func (t *tickets) try(k ticket) (left int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tries[k.ID] >= provingTries {
		return 0, false
	}
	t.tries[k.ID]++
	return provingTries - t.tries[k.ID], true
}

// untry: that one was no guess.
func (t *tickets) untry(k ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tries[k.ID]--
}

// issue seals a ticket; its name, end and stamp are set here.
func (r *Roster) issue(k ticket, life time.Duration) (string, error) {
	k.ID, k.Until = rand.Text(), time.Now().UTC().Add(life)
	r.mu.RLock()
	k.Stamp = r.view.stamp(k.Account)
	r.mu.RUnlock()
	plain, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	sealed, err := r.vault.seal(string(plain), "ticket "+k.Stage)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// ticket opens one of that stage. Its error is a wire.Problem.
func (r *Roster) ticket(sealed, stage string) (k ticket, err error) {
	gone := wire.Problem{Code: wire.ProblemTicket}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return k, gone
	}
	plain, err := r.vault.open(raw, "ticket "+stage)
	if err != nil || json.Unmarshal([]byte(plain), &k) != nil {
		return k, gone
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	a, ok := r.view.accounts[k.Account]
	switch {
	case !ok || time.Now().After(k.Until) || k.Stamp != r.view.stamp(k.Account) || !r.tickets.good(k):
		return k, gone
	case a.v.Off:
		return k, wire.Problem{Code: wire.ProblemAccountOff}
	}
	return k, nil
}

// stamp changes when an account's proofs of identity do: another password, another authenticator. Sessions from before end.
func (v *view) stamp(account string) string {
	return stampOf(v.accounts[account].v, v.factors[account].v)
}

func stampOf(a Account, f Factor) string {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(or(a.Was, a.Hash)), f.App, []byte(f.Since.Format(time.RFC3339Nano))} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// Stamp changes when sessions of the account must end that began before: another password or second factor, another role, suspended,
// removed. It says nothing about either.
func (r *Roster) Stamp(account string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a, ok := r.view.accounts[account]
	if !ok || a.v.Off {
		return ""
	}
	return r.view.stamp(account) + " " + a.v.Role
}
