package roster

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"zaseki/web/wire"
)

var (
	factors = []string{"", factorOff, factorAllowed, factorRequired}
	claims  = []string{"", "preferred_username", "email", "sub"}
	hole    = regexp.MustCompile(`\{[^{}]*\}`)
	holes   = []string{"{caller}", "{called}", "{queue}", "{callId}", "{account}"}
	release = regexp.MustCompile(`^[0-9]+(\.[0-9]+){1,3}([-+][0-9A-Za-z.-]+)?$`)
)

// checkSiteRules finds what is wrong with the site's settings of sign-in, mail and links.
func (p *plan) checkSiteRules() {
	s := p.setup.Site
	if s == nil {
		return
	}
	no := func(field, format string, args ...any) { p.bad("site", -1, field, format, args...) }
	if s.Zone != "" {
		if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
			no("zone", "%q is not a time zone such as Asia/Tokyo", s.Zone)
		}
	}
	for name := range s.Switches {
		if switchOf(&wire.Profile{}, name) == nil {
			no("switches", "%q is none of %s", name, strings.Join(switchNames, ", "))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.Minutes)) {
		if !slices.Contains(timed(), id) {
			no("minutes", "%q is no standard status of %s", id, strings.Join(timed(), ", "))
		} else if n := s.Minutes[id]; n < 0 || n > 1440 {
			no("minutes."+id, "%d is not 0 (no limit) to 1440", n)
		}
	}
	p.oneOf("site", -1, "factor.agent", s.Factor.Agent, factors)
	p.oneOf("site", -1, "factor.admin", s.Factor.Admin, factors)
	if s.Factor.Days < 0 || s.Factor.Days > 365 {
		no("factor.days", "%d is not 0 (never) to 365", s.Factor.Days)
	}
	p.checkOIDC(s.OIDC, no)
	p.checkMail(s.Mail, no)
	if s.CRM != nil {
		checkCRM(*s.CRM, no)
	}
	if s.Latest != nil {
		checkRelease(*s.Latest, no)
	}
}

func (p *plan) checkOIDC(o SiteOIDC, no func(string, string, ...any)) {
	if o.Issuer == "" {
		if o.Only || o.Client != "" {
			no("oidc.issuer", "is missing")
		}
		return
	}
	if !secureURL(o.Issuer) {
		no("oidc.issuer", "%q is not an https address (http only on loopback)", o.Issuer)
	}
	if o.Client == "" {
		no("oidc.client", "is missing")
	}
	p.oneOf("site", -1, "oidc.claim", o.Claim, claims)
	p.text("site", -1, "oidc.name", o.Name, 0)
}

// secureURL is an address that nobody on the way can change.
func secureURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	at, err := netip.ParseAddr(u.Hostname())
	here := u.Hostname() == "localhost" || err == nil && at.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && here
}

func (p *plan) checkMail(m SiteMail, no func(string, string, ...any)) {
	if m.Server == "" {
		if m.From != "" || m.User != "" {
			no("mail.server", "is missing")
		}
		return
	}
	if host, port, err := net.SplitHostPort(m.Server); err != nil || host == "" || port == "" {
		no("mail.server", "%q is not host:port", m.Server)
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		no("mail.from", "%q is not a mail address", m.From)
	}
}

func checkCRM(c wire.CRM, no func(string, string, ...any)) {
	for field, one := range map[string]struct {
		text string
		may  []string
	}{"crm.login": {c.Login, []string{"{account}"}}, "crm.call": {c.Call, holes}} {
		checkTemplate(one.text, one.may, func(format string, args ...any) { no(field, format, args...) })
	}
	if c.Call != "" && c.When != "ring" && c.When != "answer" {
		no("crm.when", "%q is none of ring, answer", c.When)
	}
}

// checkTemplate finds what is wrong with an address that has holes: what stands in them is a caller's word, so none decides where the
// browser goes.
func checkTemplate(text string, may []string, no func(string, ...any)) {
	if text == "" {
		return
	}
	for _, h := range hole.FindAllString(text, -1) {
		if !slices.Contains(may, h) {
			no("%s is none of %s", h, strings.Join(may, ", "))
		}
	}
	bare := hole.ReplaceAllString(text, "x")
	u, err := url.Parse(bare)
	switch before, _, _ := strings.Cut(hole.ReplaceAllString(text, "\x00"), "?"); {
	case strings.ContainsAny(bare, "{}"):
		no("%q has a brace without its other half", text)
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		no("%q is not a web address", text)
	case strings.Contains(hostOf(before), "\x00"):
		no("%q has a hole in the name of the server", text)
	}
}

// hostOf is what stands before the path of an address.
func hostOf(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + host
}

// systems are those that phones are made for, as GOOS/GOARCH.
var systems = []string{"windows/amd64", "windows/arm64", "darwin/arm64", "darwin/amd64", "linux/amd64", "linux/arm64"}

// checkRelease finds what a phone would refuse after it has loaded the file: it trusts neither the address nor the center.
func checkRelease(r wire.Release, no func(string, string, ...any)) {
	if !release.MatchString(r.Version) {
		no("latest.version", "%q is not a version such as 1.2.3", r.Version)
	}
	for _, lang := range slices.Sorted(maps.Keys(r.Notes)) {
		if n := utf8.RuneCountInString(r.Notes[lang]); n > mostNotes || lang != "en" && lang != "ja" {
			no("latest.notes", "has %d characters, not up to %d", n, mostNotes)
		}
	}
	for field, of := range map[string]map[string]string{"latest.files": r.Files, "latest.hashes": r.Hashes, "latest.signs": r.Signs} {
		for _, system := range slices.Sorted(maps.Keys(of)) {
			if !slices.Contains(systems, system) {
				no(field, "%q is none of %s", system, strings.Join(systems, ", "))
			} else if r.Files[system] == "" {
				no("latest.files", "of %s is missing: where the file lies", system)
			}
		}
	}
	for _, system := range slices.Sorted(maps.Keys(r.Files)) {
		if !secureURL(r.Files[system]) {
			no("latest.files", "%q for %s is not an https address", r.Files[system], system)
		}
		if sum, err := hex.DecodeString(r.Hashes[system]); err != nil || len(sum) != sha256.Size {
			no("latest.hashes", "of %s is not a SHA-256 in hex", system)
		}
		if sign, err := base64.StdEncoding.DecodeString(r.Signs[system]); err != nil || len(sign) != ed25519.SignatureSize {
			no("latest.signs", "of %s is not an ed25519 signature in base64", system)
		}
	}
	if !slices.Contains([]string{"", wire.NoticeDialog, wire.NoticeMark, wire.NoticeGet}, r.Notice) {
		no("latest.notice", "%q is none of dialog, mark, get", r.Notice)
	}
}

// mostNotes is how long the words about a version may be.
const mostNotes = 2000

// checkPeople finds what is wrong with groups, policies and what accounts have of them.
func (p *plan) checkPeople() {
	seen := map[string]bool{}
	for i, g := range p.setup.Groups {
		p.text("groups", i, "id", g.ID, 1)
		p.once("groups", i, "id", g.ID, seen)
		p.text("groups", i, "name", g.Name, 1)
	}
	seen = map[string]bool{}
	for i, v := range p.setup.Policies {
		p.text("policies", i, "id", v.ID, 1)
		p.once("policies", i, "id", v.ID, seen)
		p.text("policies", i, "name", v.Name, 1)
		p.haveGroups("policies", i, v.Groups)
		for _, a := range v.Accounts {
			if !p.hasAccount(a) {
				p.bad("policies", i, "accounts", "there is no account %q", a)
			}
		}
		p.checkSet(i, v.Set)
	}
	for i, a := range p.setup.Accounts {
		p.haveGroups("accounts", i, a.Groups)
		if m, err := mail.ParseAddress(a.Mail); a.Mail != "" && (err != nil || m.Address != a.Mail) {
			p.bad("accounts", i, "mail", "%q is not a mail address", a.Mail)
		}
		if len(a.Subject) > 512 || strings.ContainsFunc(a.Subject, unicode.IsControl) {
			p.bad("accounts", i, "subject", "is not a subject of single sign-on")
		}
	}
}

func (p *plan) haveGroups(list string, i int, groups []string) {
	for _, id := range groups {
		_, ok := p.groups[id]
		if !ok && !slices.ContainsFunc(p.setup.Groups, func(g Group) bool { return g.ID == id }) {
			p.bad(list, i, "groups", "there is no group %q", id)
		}
	}
}

func (p *plan) checkSet(i int, s PolicySet) {
	if s.Record != nil {
		p.oneOf("policies", i, "set.record", *s.Record, records)
	}
	if s.Factor != nil {
		p.oneOf("policies", i, "set.factor", *s.Factor, factors[1:])
	}
	for field, limit := range map[string]struct {
		value *int
		most  int
	}{"set.answer": {s.Answer, 60}, "set.afterWorkSeconds": {s.AfterWorkSeconds, 3600}, "set.misses": {s.Misses, 100}} {
		if v := limit.value; v != nil && (*v < 0 || *v > limit.most) {
			p.bad("policies", i, field, "%d is not 0 to %d", *v, limit.most)
		}
	}
	if s.CRM != nil {
		checkCRM(*s.CRM, func(field, format string, args ...any) { p.bad("policies", i, "set."+field, format, args...) })
	}
	for _, name := range slices.Sorted(maps.Keys(s.Locked)) {
		set, known := wire.SettingOf(name)
		if !known {
			p.bad("policies", i, "set.locked."+name, "%q is no setting of a phone", name)
		} else if _, ok := set.Check(s.Locked[name]); !ok {
			p.bad("policies", i, "set.locked."+name, "%v cannot be chosen", s.Locked[name])
		}
	}
}

// kept are the policies with locked settings as phones keep them.
func kept(set PolicySet) PolicySet {
	if len(set.Locked) == 0 {
		set.Locked = nil
		return set
	}
	locked := wire.Values{}
	for name, value := range set.Locked {
		if s, known := wire.SettingOf(name); known {
			locked[name], _ = s.Check(value)
		}
	}
	set.Locked = locked
	return set
}

var switchNames = []string{"stripPasted", "oneStep", "seatAlways", "leaveSeat", "statusShown", "refuseInCall"}

// switchOf is a switch of a profile by its name; nil: there is none of that name.
func switchOf(p *wire.Profile, name string) *bool {
	switch name {
	case "stripPasted":
		return &p.StripPasted
	case "oneStep":
		return &p.OneStep
	case "seatAlways":
		return &p.SeatAlways
	case "leaveSeat":
		return &p.LeaveSeat
	case "statusShown":
		return &p.StatusShown
	case "refuseInCall":
		return &p.RefuseInCall
	}
	return nil
}

// sealSite puts the site's secrets away. One that the setup leaves out stays, as long as it goes to the same place.
func (p *plan) sealSite(s Site) (Site, error) {
	old := p.site.v
	var err error
	s.OIDC.Sealed, err = p.sealed(s.OIDC.Secret, s.OIDC.Sealed, old.OIDC.Sealed, "oidc", s.OIDC.Issuer == old.OIDC.Issuer && s.OIDC.Client == old.OIDC.Client)
	if err != nil {
		return s, fmt.Errorf("site.oidc.secret: %w", err)
	}
	s.Mail.Sealed, err = p.sealed(s.Mail.Secret, s.Mail.Sealed, old.Mail.Sealed, "mail", s.Mail.Server == old.Mail.Server && s.Mail.User == old.Mail.User)
	if err != nil {
		return s, fmt.Errorf("site.mail.secret: %w", err)
	}
	s.OIDC.Secret, s.Mail.Secret = "", ""
	return s, nil
}

func (p *plan) sealed(plain Plain, given, old []byte, name string, same bool) ([]byte, error) {
	switch {
	case plain != "":
		if was, err := p.vault.open(old, name); err == nil && was == plain.Reveal() {
			return old, nil
		}
		return p.vault.seal(plain.Reveal(), name)
	case len(given) > 0:
		return given, nil
	case same:
		return old, nil
	}
	return nil, nil
}

// singleSignOn: accounts need no password of ours.
func (p *plan) singleSignOn() bool {
	if p.setup.Site != nil {
		return p.setup.Site.OIDC.Issuer != ""
	}
	return p.site.v.OIDC.Issuer != ""
}
