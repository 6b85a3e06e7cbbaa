package roster

import (
	"encoding/json"

	"zaseki/web/wire"
)

// Site is the center's settings. Read from JSON, what is left out has its default.
type Site struct {
	Name             string `json:"name"`
	Domain           string `json:"domain"`  // SIP domain and digest realm
	Profile          string `json:"profile"` // 3.4, 3.5, 3.6, 3.7, 3.9
	SeatView         bool   `json:"seatView"`
	AfterWorkSeconds int    `json:"afterWorkSeconds"` // 0: straight back to Available
	ExtendSeconds    int    `json:"extendSeconds"`    // step by which after-call work is lengthened
	RingSeconds      int    `json:"ringSeconds"`      // then the next agent's turn
	Misses           int    `json:"misses"`           // so many unanswered calls in a row: Away; 0: never
	ExtensionDigits  int    `json:"extensionDigits"`  // longest extension

	Plan   SitePlan   `json:"plan,omitzero"`
	SIP    SiteSIP    `json:"sip"`
	Policy SitePolicy `json:"policy,omitzero"`

	Zone     string          `json:"zone,omitempty"`     // IANA name of the center's time zone; "" the machine's
	Minutes  map[string]int  `json:"minutes,omitempty"`  // longest time in a standard status by its ID; 0 or not there: no limit
	Switches map[string]bool `json:"switches,omitempty"` // switches of the profile set alone: field of wire.Profile → value
	Factor   SiteFactor      `json:"factor,omitzero"`
	OIDC     SiteOIDC        `json:"oidc,omitzero"`
	Mail     SiteMail        `json:"mail,omitzero"`
	CRM      *wire.CRM       `json:"crm,omitempty"`
	Latest   *wire.Release   `json:"latest,omitempty"`

	DawnCheck string `json:"dawnCheck,omitempty"` // when all seats are checked each day, 07:30 in Zone; "" only when somebody wishes it
}

// SiteFactor is where a second factor is asked for (PRODUCT A13): off, allowed (whoever set one up), required.
type SiteFactor struct {
	Agent string `json:"agent,omitempty"` // at phones; "" allowed
	Admin string `json:"admin,omitempty"` // at the administration; "" allowed
	Days  int    `json:"days,omitempty"`  // a device may be trusted for so long; 0: never
}

// SiteOIDC is single sign-on by OpenID Connect; without an issuer there is none.
type SiteOIDC struct {
	Issuer string `json:"issuer,omitempty"`
	Client string `json:"client,omitempty"`
	Sealed []byte `json:"sealed,omitempty"` // client secret, sealed with the center's key
	Secret Plain  `json:"secret,omitzero"`  // in a setup only
	Name   string `json:"name,omitempty"`   // on the button
	Claim  string `json:"claim,omitempty"`  // that names the account at the first time: preferred_username (default), email, sub
	Only   bool   `json:"only,omitempty"`   // agents and supervisors may not use a password
	Mfa    bool   `json:"mfa,omitempty"`    // the provider's own second factor (amr) stands for ours
}

// SiteMail is how the center sends mail: codes, and nothing else.
type SiteMail struct {
	Server string `json:"server,omitempty"` // host:port; 465 TLS at once, else STARTTLS is demanded, but on loopback
	User   string `json:"user,omitempty"`
	Sealed []byte `json:"sealed,omitempty"`
	Secret Plain  `json:"secret,omitzero"` // in a setup only
	From   string `json:"from,omitempty"`
}

// SitePolicy is what the center allows with the sound of its calls; see wire.Policy.
type SitePolicy struct {
	Record string `json:"record"` // "" never, asked, always
	Tone   bool   `json:"tone"`   // both sides hear two beeps before recording begins
	Replay bool   `json:"replay"` // the agent may hear the caller's last 20 s again
	Hear   bool   `json:"hear"`   // the agent may listen to recordings of own calls
	Days   int    `json:"days"`   // recordings are deleted that long after they came; 0: never
}

// SitePlan is how outside numbers are written here; see wire.Plan.
type SitePlan struct {
	Country  string      `json:"country,omitempty"`  // country code without +, such as 81
	National string      `json:"national,omitempty"` // before a national number, such as 0
	Abroad   string      `json:"abroad,omitempty"`   // before a country code, such as 010
	Line     string      `json:"line,omitempty"`     // before every outside number, such as 0 or 9
	Marks    []wire.Mark `json:"marks,omitempty"`    // headers by which the PBX tells inside from outside
	Short    []string    `json:"short,omitempty"`    // outside numbers as short as extensions: 110, 119
}

// SiteSIP names an outside SIP server for the softphones. Without a server they register at the center itself.
type SiteSIP struct {
	Server    string `json:"server"`          // host:port; only a host: found by DNS
	Transport string `json:"transport"`       // udp, tcp, tls, wss; "" by DNS; the center itself has no wss
	Domain    string `json:"domain"`          // "" = the site's
	Expires   int    `json:"expires"`         // seconds
	Voice     string `json:"voice,omitempty"` // off, optional, required, dtls; "" optional with tls and wss, else off
	CA        string `json:"ca,omitempty"`    // PEM of who signs the outside server's certificate; "" the system's authorities
}

// DefaultSite is what a new center has.
func DefaultSite() Site {
	return Site{Name: "Zaseki", Domain: "center.internal", Profile: "3.9", SeatView: true, AfterWorkSeconds: 30,
		ExtendSeconds: 30, RingSeconds: 15, Misses: 3, ExtensionDigits: 4,
		Plan: SitePlan{Short: []string{"110", "118", "119"}}, SIP: SiteSIP{Transport: "udp", Expires: 120},
		Policy: SitePolicy{Tone: true, Days: 90}}
}

// UnmarshalJSON starts from the defaults.
func (s *Site) UnmarshalJSON(data []byte) error {
	type plain Site
	p := plain(DefaultSite())
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*s = Site(p)
	return nil
}

// Setup is what an administrator prepares before the first day: the content of an import file.
type Setup struct {
	Site      *Site            `json:"site,omitempty"`
	Accounts  []AccountSetup   `json:"accounts,omitempty"`
	Terminals []TerminalSetup  `json:"terminals,omitempty"`
	Statuses  []wire.StatusDef `json:"statuses,omitempty"` // own ones, after the standard nine
	Floors    []FloorSetup     `json:"floors,omitempty"`
	Seats     []SeatSetup      `json:"seats,omitempty"`
	Queues    []QueueSetup     `json:"queues,omitempty"`
	Groups    []Group          `json:"groups,omitempty"`
	Policies  []Policy         `json:"policies,omitempty"`
	Calendars []Calendar       `json:"calendars,omitempty"`
	PBXs      []PBXSetup       `json:"pbxs,omitempty"`
	Outcomes  []Outcome        `json:"outcomes,omitempty"`
	Contacts  []Contact        `json:"contacts,omitempty"` // of the shared phonebook; without ID: the one of the same number and name
}

type (
	AccountSetup struct {
		Account   string   `json:"account"`
		Name      string   `json:"name"`
		Password  Plain    `json:"password,omitempty"`  // may be left out for an account that exists
		Hash      string   `json:"hash,omitempty"`      // argon2id PHC string instead of a password
		Role      string   `json:"role,omitempty"`      // agent (default), supervisor, administrator
		Agent     *bool    `json:"agent,omitempty"`     // default: true for agents and supervisors
		Terminals []string `json:"terminals,omitempty"` // extensions of the own softphones
		Groups    []string `json:"groups,omitempty"`
		Mail      string   `json:"mail,omitempty"`
		Subject   string   `json:"subject,omitempty"` // of single sign-on: issuer and "sub" with a space between; "" leaves it, "-" forgets it
		Off       bool     `json:"off,omitempty"`
	}
	TerminalSetup struct {
		Extension string `json:"extension"`
		Type      string `json:"type,omitempty"` // softphone (default), softphone-encrypted, desk, mobile, trunk
		Name      string `json:"name,omitempty"`
		Secret    Plain  `json:"secret,omitempty"`  // fixed SIP secret: desk phones, trunks, outside SIP servers
		Account   string `json:"account,omitempty"` // whose softphone it is
		Trunk     *Trunk `json:"trunk,omitempty"`   // how a provider is reached; nil leaves it
	}
	FloorSetup = Floor
	SeatSetup  struct {
		ID    string `json:"id"`
		Name  string `json:"name,omitempty"` // "" = the ID
		Floor string `json:"floor"`
		X     int    `json:"x"` // grid cells
		Y     int    `json:"y"`
	}
	QueueSetup = Queue
	// PBXSetup is a PBX with its secret, which may be left out for one that exists.
	PBXSetup struct {
		PBX
		Secret Plain `json:"secret,omitzero"`
	}
)

// Plain is a secret that may be read from a file, and like every wire.Secret never printed or written.
type Plain wire.Secret

// UnmarshalJSON reads the secret.
func (p *Plain) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, (*string)(p)) }

// Reveal is the secret itself.
func (p Plain) Reveal() string { return string(p) }

func (Plain) String() string               { return wire.Secret("").String() }
func (Plain) GoString() string             { return wire.Secret("").String() }
func (Plain) MarshalJSON() ([]byte, error) { return wire.Secret("").MarshalJSON() }
