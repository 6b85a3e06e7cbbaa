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

	Plan SitePlan `json:"plan,omitzero"`
	SIP  SiteSIP  `json:"sip"`
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
		Plan: SitePlan{Short: []string{"110", "118", "119"}}, SIP: SiteSIP{Transport: "udp", Expires: 120}}
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
	}
	TerminalSetup struct {
		Extension string `json:"extension"`
		Type      string `json:"type,omitempty"` // softphone (default), softphone-encrypted, desk, mobile, trunk
		Name      string `json:"name,omitempty"`
		Secret    Plain  `json:"secret,omitempty"`  // fixed SIP secret: desk phones, trunks, outside SIP servers
		Account   string `json:"account,omitempty"` // whose softphone it is
	}
	FloorSetup struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	SeatSetup struct {
		ID    string `json:"id"`
		Name  string `json:"name,omitempty"` // "" = the ID
		Floor string `json:"floor"`
		X     int    `json:"x"` // grid cells
		Y     int    `json:"y"`
	}
	QueueSetup struct {
		Extension string   `json:"extension"` // 7000–7999
		Name      string   `json:"name"`
		Agents    []string `json:"agents,omitempty"` // accounts that it rings; none: every agent
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
