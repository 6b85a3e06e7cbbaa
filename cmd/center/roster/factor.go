package roster

import (
	"crypto/hmac"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster/code"
	"zaseki/web/wire"
)

// Where a second factor is asked for (SiteFactor, PolicySet.Factor).
const (
	factorOff      = "off"
	factorAllowed  = "allowed"
	factorRequired = "required"
)

// Factor is an account's second factor (PRODUCT A13). Codes are kept as marks that need the center's key, devices as hashes; the
// authenticator's secret is sealed with the center's key.
type Factor struct {
	Account string    `json:"account"`
	App     []byte    `json:"app,omitempty"`     // sealed TOTP secret; nil: none
	Pending []byte    `json:"pending,omitempty"` // sealed, not confirmed yet
	Last    uint64    `json:"last,omitempty"`    // last TOTP step taken: a code counts once
	Burnt   []uint64  `json:"burnt,omitempty"`   // steps whose code was told to be right, but of another time
	Mail    bool      `json:"mail,omitempty"`    // codes may come by mail
	Sent    *Sent     `json:"sent,omitempty"`    // the code that went by mail
	Codes   []string  `json:"codes,omitempty"`   // recovery codes left
	Devices []Device  `json:"devices,omitempty"` // trusted ones
	Since   time.Time `json:"since,omitzero"`    // when what is set up changed last: sessions from before end
}

// Sent is a code that went by mail, good once.
type Sent struct {
	Mark  string    `json:"mark"`
	Until time.Time `json:"until"`
}

// Device is trusted: nobody is asked there until then.
type Device struct {
	Hash  string    `json:"hash"` // hex SHA-256 of its secret
	For   string    `json:"for"`  // agent, admin
	Label string    `json:"label"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// burnt is the cause of a change that is kept though the code is refused.
const burnt = "code of another time"

const (
	mailLife   = 10 * time.Minute
	maxDevices = 10
	maxLabel   = 64 // characters
)

// set says that there is something to be asked for.
func (f Factor) set() bool { return len(f.App) > 0 || f.Mail }

func (f Factor) clone() Factor {
	f.Burnt, f.Codes, f.Devices = slices.Clone(f.Burnt), slices.Clone(f.Codes), slices.Clone(f.Devices)
	return f
}

// mark is what is kept of a code: without the center's key nobody can try all of them.
func (v vault) mark(account, code string) string {
	return hex.EncodeToString(v.derive("code " + account + "\x00" + code))
}

// factor is the account's second factor, to be changed in place.
func (d *draft) factor(account, why string) *Factor {
	if c := d.find(KindFactor, account, why); c != nil {
		return c.value.(*Factor)
	}
	row := d.factors[account]
	f := row.v.clone()
	f.Account = account
	d.add(KindFactor, account, max(row.seq, d.gone[ledger.Subject(KindFactor, account)]), &f, why)
	return &f
}

// demand is what the center asks of the account beside the password: off, allowed, required.
func (v *view) demand(account, use string) string {
	rule := v.site.v.Factor.Admin
	if use == forAgent {
		rule = v.rulesOf(account).Factor
	}
	return or(rule, factorAllowed)
}

// need is what is missing besides the password; nil: nothing. device is the secret of a device that may be trusted.
func (v *view) need(account, use, device string, now time.Time) *wire.Need {
	rule, f := v.demand(account, use), v.factors[account].v
	if rule == factorOff || rule == factorAllowed && !f.set() || v.trusted(f, use, device, now) {
		return nil
	}
	n := &wire.Need{Ways: []string{}, Days: v.site.v.Factor.Days, Keep: use == forAdmin || v.rulesOf(account).Keep}
	if len(f.App) > 0 {
		n.Ways = append(n.Ways, wire.WayApp)
	}
	if v.mailable(account) && (f.Mail || len(f.App) == 0) {
		n.Ways = append(n.Ways, wire.WayMail)
		n.Mail = maskMail(v.accounts[account].v.Mail)
	}
	if len(f.Codes) > 0 {
		n.Ways = append(n.Ways, wire.WayRecovery)
	}
	n.Enrol = len(n.Ways) == 0
	return n
}

// mailable: the center sends mail and knows where to.
func (v *view) mailable(account string) bool {
	return v.site.v.Mail.Server != "" && v.accounts[account].v.Mail != ""
}

func (v *view) trusted(f Factor, use, device string, now time.Time) bool {
	days := time.Duration(v.site.v.Factor.Days) * 24 * time.Hour
	if device == "" {
		return false
	}
	hash := hashOf(device)
	return slices.ContainsFunc(f.Devices, func(d Device) bool {
		return d.For == use && now.Before(d.Until) && now.Before(d.Since.Add(days)) && hmac.Equal([]byte(d.Hash), []byte(hash))
	})
}

// maskMail shows whose a mail address is and not what it is: t…@example.jp.
func maskMail(addr string) string {
	name, domain, _ := strings.Cut(addr, "@")
	for _, first := range name {
		return string(first) + "…@" + domain
	}
	return "…"
}

// prove takes a code. What it did is in the draft even when the code is refused: one of another time is burnt.
func (d *draft) prove(v vault, account, way, typed string) (refused error) {
	f := d.factors[account].v
	switch way {
	case wire.WayApp:
		return d.proveApp(v, account, f.App, typed)
	case wire.WayMail:
		if f.Sent == nil || !d.now.Before(f.Sent.Until) || !hmac.Equal([]byte(f.Sent.Mark), []byte(v.mark(account, "mail "+code.Clean(typed)))) {
			return wire.Problem{Code: wire.ProblemFactor}
		}
		d.factor(account, "code by mail taken").Sent = nil
		return nil
	case wire.WayRecovery:
		i := slices.Index(f.Codes, v.mark(account, code.Clean(typed)))
		if i < 0 {
			return wire.Problem{Code: wire.ProblemFactor}
		}
		put := d.factor(account, "recovery code taken")
		put.Codes = slices.Delete(put.Codes, i, i+1)
		return nil
	}
	return wire.Problem{Code: wire.ProblemFactor}
}

func (d *draft) proveApp(v vault, account string, sealed []byte, typed string) error {
	if len(sealed) == 0 {
		return wire.Problem{Code: wire.ProblemFactor}
	}
	secret, err := v.open(sealed, "factor "+account)
	if err != nil {
		return err
	}
	f := d.factors[account].v
	verdict, step, off := code.Check(secret, typed, d.now, f.Last, f.Burnt)
	switch verdict {
	case code.Right:
		put := d.factor(account, "code taken")
		put.Last = step
		return nil
	case code.Used:
		return wire.Problem{Code: wire.ProblemFactorUsed}
	case code.Skewed:
		put := d.factor(account, burnt)
		put.Burnt = append(slices.DeleteFunc(put.Burnt, func(s uint64) bool { return s < code.Far(d.now) }), step)
		minutes := math.Ceil(math.Abs(float64(off)) * code.Step.Minutes())
		return wire.Problem{Code: wire.ProblemFactorClock, Holes: map[string]string{"minutes": strconv.Itoa(int(minutes))}}
	}
	return wire.Problem{Code: wire.ProblemFactor}
}

// trust remembers a device of somebody who has proven who it is.
func (d *draft) trust(account string, dev Device) {
	f := d.factor(account, "device trusted")
	f.Devices = slices.DeleteFunc(f.Devices, func(old Device) bool { return !d.now.Before(old.Until) })
	if len(f.Devices) >= maxDevices {
		f.Devices = f.Devices[1:]
	}
	f.Devices = append(f.Devices, dev)
}
