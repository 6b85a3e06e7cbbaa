package roster

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"zaseki/web/wire"
)

// plan is a setup on its way into the present state.
type plan struct {
	*view
	vault  vault
	setup  Setup
	hashes map[string]string
	draft  *draft

	gone  map[string]bool // seats that go with this change
	named map[string]bool // rows of the setup, see setupHas

	problems []error
}

// bad notes what is wrong with a row.
func (p *plan) bad(list string, i int, field, format string, args ...any) {
	p.problems = append(p.problems, Fault{list, i, field, format, args})
}

var (
	statusID  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)
	extension = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)
	queueExt  = regexp.MustCompile(`^7[0-9]{3}$`)

	roles     = []string{"agent", "supervisor", "administrator"}
	types     = []string{"softphone", typeEncrypted, "desk", "mobile", typeTrunk}
	classes   = []string{"available", "work", "pause"}
	colours   = []string{"green", "blue", "amber", "grey", "red", "violet"}
	profiles  = []string{"3.4", "3.5", "3.6", "3.7", "3.9"}
	transport = []string{"", "udp", "tcp", "tls", "wss"}
	voices    = []string{"", wire.VoiceOff, wire.VoiceOptional, wire.VoiceRequired, wire.VoiceDTLS}
	records   = []string{wire.RecordNever, wire.RecordAsked, wire.RecordAlways}
	prefix    = regexp.MustCompile(`^[0-9*#]{0,8}$`)
	country   = regexp.MustCompile(`^([1-9][0-9]{0,2})?$`)
	short     = regexp.MustCompile(`^[0-9*#]{2,8}$`)
	ofDay     = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	header    = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// check names every fault of the setup by row and field.
func (p *plan) check() error {
	p.checkSite()
	p.checkTerminals()
	p.checkAccounts()
	p.checkStatuses()
	p.checkFloors()
	p.checkOutside()
	p.checkQueues()
	p.checkCalendars()
	p.checkSiteRules()
	p.checkPeople()
	p.checkOutcomes()
	p.checkContacts()
	return errors.Join(p.problems...)
}

func (p *plan) once(list string, i int, field, id string, seen map[string]bool) {
	if seen[id] {
		p.bad(list, i, field, "%q is named twice", id)
	}
	seen[id] = true
}

// text is something a person reads: at most 64 characters, none of them a control character.
func (p *plan) text(list string, i int, field, s string, least int) {
	n := utf8.RuneCountInString(s)
	if n < least || n > 64 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || s != strings.TrimSpace(s) {
		p.bad(list, i, field, "%q is not a name of %d to 64 characters", s, least)
	}
}

func (p *plan) oneOf(list string, i int, field, s string, of []string) {
	if !slices.Contains(of, s) {
		p.bad(list, i, field, "%q is none of %s", s, strings.Join(of, ", "))
	}
}

func (p *plan) checkSite() {
	s := p.setup.Site
	if s == nil {
		return
	}
	no := func(field, format string, args ...any) {
		p.problems = append(p.problems, Fault{"site", -1, field, format, args})
	}
	switch {
	case s.Name == "":
		no("name", "is missing")
	case s.Domain == "" || strings.ContainsAny(s.Domain, " \t\r\n@:\"<>;"):
		no("domain", "%q is not a domain", s.Domain)
	case !slices.Contains(profiles, s.Profile):
		no("profile", "%q is none of %s", s.Profile, strings.Join(profiles, ", "))
	case !slices.Contains(transport, s.SIP.Transport):
		no("sip.transport", "%q is none of %s", s.SIP.Transport, strings.Join(transport[1:], ", "))
	case s.SIP.Transport == "wss" && s.SIP.Server == "":
		no("sip.transport", "wss needs an outside server in sip.server")
	case strings.ContainsAny(s.SIP.Server, " \t\r\n\"<>;@/"):
		no("sip.server", "%q is not a host or host:port", s.SIP.Server)
	case !slices.Contains(voices, s.SIP.Voice):
		no("sip.voice", "%q is none of %s", s.SIP.Voice, strings.Join(voices[1:], ", "))
	case s.SIP.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(s.SIP.CA)):
		no("sip.ca", "holds no certificate in PEM")
	case !slices.Contains(records, s.Policy.Record):
		no("policy.record", "%q is none of %s, or empty for never", s.Policy.Record, strings.Join(records[1:], ", "))
	case s.Policy.Days < 0 || s.Policy.Days > 36500:
		no("policy.days", "%d is not 0 (for ever) to 36500", s.Policy.Days)
	case s.SIP.Expires < 30 || s.SIP.Expires > 3600:
		no("sip.expires", "%d is not 30 to 3600 seconds", s.SIP.Expires)
	case s.AfterWorkSeconds < 0 || s.AfterWorkSeconds > 3600:
		no("afterWorkSeconds", "%d is not 0 to 3600", s.AfterWorkSeconds)
	case s.ExtendSeconds < 1 || s.ExtendSeconds > 3600:
		no("extendSeconds", "%d is not 1 to 3600", s.ExtendSeconds)
	case s.RingSeconds < 1 || s.RingSeconds > 120:
		no("ringSeconds", "%d is not 1 to 120", s.RingSeconds)
	case s.DawnCheck != "" && !ofDay.MatchString(s.DawnCheck):
		no("dawnCheck", "%q is not a time of the day, such as 07:30", s.DawnCheck)
	case s.Misses < 0 || s.Misses > 100:
		no("misses", "%d is not 0 to 100", s.Misses)
	case s.ExtensionDigits < 1 || s.ExtensionDigits > 8:
		no("extensionDigits", "%d is not 1 to 8", s.ExtensionDigits)
	}
	checkPlan(s.Plan, no)
}

func checkPlan(n SitePlan, no func(field, format string, args ...any)) {
	if !country.MatchString(n.Country) {
		no("plan.country", "%q is not a country code without +", n.Country)
	}
	for field, value := range map[string]string{"plan.national": n.National, "plan.abroad": n.Abroad, "plan.line": n.Line} {
		if !prefix.MatchString(value) {
			no(field, "%q is not up to 8 digits", value)
		}
	}
	for _, s := range n.Short {
		if !short.MatchString(s) {
			no("plan.short", "%q is not 2 to 8 digits", s)
		}
	}
	for i, m := range n.Marks {
		if !header.MatchString(m.Header) || len(m.Has) > 128 || strings.ContainsFunc(m.Has, unicode.IsControl) {
			no(fmt.Sprintf("plan.marks[%d]", i), "%q with %q is not a header and what it contains", m.Header, m.Has)
		}
	}
}

func (p *plan) checkTerminals() {
	seen := map[string]bool{}
	for i, t := range p.setup.Terminals {
		if !extension.MatchString(t.Extension) || queueExt.MatchString(t.Extension) {
			p.bad("terminals", i, "extension", "%q is not an extension (7000 to 7999 are queues)", t.Extension)
		}
		p.once("terminals", i, "extension", t.Extension, seen)
		p.oneOf("terminals", i, "type", t.kind(), types)
		p.text("terminals", i, "name", t.Name, 0)
		if t.Account != "" && !p.hasAccount(t.Account) {
			p.bad("terminals", i, "account", "there is no account %q", t.Account)
		}
	}
}

func (p *plan) checkAccounts() {
	seen, owners := map[string]bool{}, map[string]string{}
	for i, a := range p.setup.Accounts {
		p.text("accounts", i, "account", a.Account, 1)
		p.once("accounts", i, "account", a.Account, seen)
		p.text("accounts", i, "name", a.Name, 0)
		p.oneOf("accounts", i, "role", a.role(), roles)
		_, exists := p.accounts[a.Account]
		switch {
		case a.Hash != "":
			if _, _, _, _, _, err := parsePHC(a.Hash); err != nil {
				p.bad("accounts", i, "hash", "%v", err)
			}
		case a.Password != "":
			if err := goodPassword(a.Account, a.Password.Reveal()); err != nil {
				p.bad("accounts", i, "password", "%v", err)
			}
		case !exists && !p.singleSignOn():
			p.bad("accounts", i, "password", "is missing for a new account")
		}
		for _, ext := range a.Terminals {
			if !p.hasTerminal(ext) {
				p.bad("accounts", i, "terminals", "there is no terminal %q", ext)
			}
			if other := owners[ext]; other != "" {
				p.bad("accounts", i, "terminals", "%q is %s's already", ext, other)
			}
			owners[ext] = a.Account
		}
	}
}

func (p *plan) checkStatuses() {
	seen := map[string]bool{}
	for i, s := range p.setup.Statuses {
		if !statusID.MatchString(s.ID) {
			p.bad("statuses", i, "id", "%q is not small letters, digits, - and _", s.ID)
		}
		p.once("statuses", i, "id", s.ID, seen)
		if slices.ContainsFunc(wire.StandardStatuses(), func(d wire.StatusDef) bool { return d.ID == s.ID }) {
			p.bad("statuses", i, "id", "%q is a standard status", s.ID)
		}
		p.oneOf("statuses", i, "class", s.Class, classes)
		if s.Colour != "" {
			p.oneOf("statuses", i, "colour", s.Colour, colours)
		}
		p.text("statuses", i, "name.en", s.Name["en"], 1)
		p.text("statuses", i, "name.ja", s.Name["ja"], 1)
		if s.Minutes < 0 || s.Minutes > 1440 {
			p.bad("statuses", i, "minutes", "%d is not 0 (no limit) to 1440", s.Minutes)
		}
		if old, ok := p.statuses[s.ID]; ok && old.v.Class != s.Class && p.inUse(s.ID) {
			p.bad("statuses", i, "class", "cannot change while somebody is in the status")
		}
	}
}

func (p *plan) inUse(status string) bool {
	for _, a := range p.agents {
		if a.v.Status == status || a.v.Next == status {
			return true
		}
	}
	return false
}

func (p *plan) checkFloors() {
	seen := map[string]bool{}
	for i, f := range p.setup.Floors {
		p.text("floors", i, "id", f.ID, 1)
		p.once("floors", i, "id", f.ID, seen)
		p.text("floors", i, "name", f.Name, 1)
		p.checkSize(i, f)
	}
	here := seen
	seen = map[string]bool{}
	for i, s := range p.setup.Seats {
		p.text("seats", i, "id", s.ID, 1)
		p.once("seats", i, "id", s.ID, seen)
		p.text("seats", i, "name", s.Name, 0)
		if _, ok := p.floors[s.Floor]; !ok && !here[s.Floor] {
			p.bad("seats", i, "floor", "there is no floor %q", s.Floor)
		}
		if s.X < 0 || s.Y < 0 || s.X > 999 || s.Y > 999 {
			p.bad("seats", i, "x", "%d, %d is not within 0 to 999", s.X, s.Y)
		} else if f := p.floorOf(s.Floor); !f.has(s.X, s.Y) {
			p.bad("seats", i, "x", "%q at %d, %d is outside of %d × %d", or(s.Name, s.ID), s.X, s.Y, f.Width, f.Height)
		}
	}
}

// has says whether there is such a cell; a floor without a size grows with its seats.
func (f Floor) has(x, y int) bool {
	return (f.Width == 0 || x < f.Width) && (f.Height == 0 || y < f.Height)
}

// floorOf is a floor as it will be.
func (p *plan) floorOf(id string) Floor {
	if i := slices.IndexFunc(p.setup.Floors, func(f FloorSetup) bool { return f.ID == id }); i >= 0 {
		return p.setup.Floors[i]
	}
	return p.floors[id].v
}

// checkSize refuses a size that seats fall out of which are there and stay where they are.
func (p *plan) checkSize(i int, f Floor) {
	const most = 999
	if f.Width < 0 || f.Width > most || f.Height < 0 || f.Height > most {
		p.bad("floors", i, "width", "%d, %d is not within 0 to 999", f.Width, f.Height)
		return
	}
	for _, id := range sorted(p.seats) {
		s := p.seats[id].v
		moves := func(o SeatSetup) bool { return o.ID == id }
		if s.Floor == f.ID && !f.has(s.X, s.Y) && !p.gone[id] && !slices.ContainsFunc(p.setup.Seats, moves) {
			p.bad("floors", i, "width", "%q at %d, %d is outside of %d × %d", s.Name, s.X, s.Y, f.Width, f.Height)
			return // one is enough to look for the others
		}
	}
	for _, s := range f.Shapes {
		if s.X < 0 || s.Y < 0 || !f.has(s.X+max(s.Width, 1)-1, s.Y+max(s.Height, 1)-1) {
			p.bad("floors", i, "width", "%q at %d, %d is outside of %d × %d", or(s.Text, s.Kind), s.X, s.Y, f.Width, f.Height)
			return
		}
	}
}

func (p *plan) hasAccount(account string) bool {
	_, ok := p.accounts[account]
	return ok || p.setupHas("account", account)
}

func (p *plan) hasTerminal(ext string) bool {
	_, ok := p.terminals[ext]
	return ok || p.setupHas("terminal", ext)
}

// setupHas says whether the setup itself has a row; large imports ask for each of theirs.
func (p *plan) setupHas(kind, id string) bool {
	if p.named == nil {
		p.named = map[string]bool{}
		for _, a := range p.setup.Accounts {
			p.named["account "+a.Account] = true
		}
		for _, t := range p.setup.Terminals {
			p.named["terminal "+t.Extension] = true
		}
	}
	return p.named[kind+" "+id]
}
