package roster

// Queue is an extension whose calls are brought to the agent who is Available the longest, among those of the best level.
type Queue struct {
	Extension   string         `json:"extension"` // 7000–7999
	Name        string         `json:"name"`
	Agents      []string       `json:"agents,omitempty"`      // accounts that it rings; none: every agent
	Groups      []string       `json:"groups,omitempty"`      // and everybody of these
	Levels      map[string]int `json:"levels,omitempty"`      // account → 1 (first) to 9; not named: 1
	Priority    int            `json:"priority,omitempty"`    // 1 (first) to 9 among queues that wait for the same agents; 0: 5
	RingSeconds int            `json:"ringSeconds,omitempty"` // 0: the site's
	Wait        string         `json:"wait,omitempty"`        // what waiting callers hear: ring (default), music
	Language    string         `json:"language,omitempty"`    // of what they are told: ja (default), en
	Place       bool           `json:"place,omitempty"`       // and are told their place in the queue
	Most        int            `json:"most,omitempty"`        // callers that may wait; 0: no limit
	Calendar    string         `json:"calendar,omitempty"`    // its opening hours; "" always open
	Rules       []QueueRule    `json:"rules,omitempty"`       // the first that fits counts
}

// QueueRule says what becomes of a call that nobody takes.
type QueueRule struct {
	When  string `json:"when"`            // closed, holiday, empty (nobody is signed in for it), full, late (After has passed)
	After int    `json:"after,omitempty"` // seconds, with late
	Do    string `json:"do"`              // busy, number, queue, voice (a message is recorded)
	To    string `json:"to,omitempty"`    // with number and queue
}

// Calendar is opening hours.
type Calendar struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Zone     string    `json:"zone,omitempty"`  // IANA name; "" the site's
	Hours    []Hours   `json:"hours,omitempty"` // none: open on every day that is no holiday
	Holidays []Holiday `json:"holidays,omitempty"`
}

// Hours are open on these days; From before To, both HH:MM, To at most 24:00.
type Hours struct {
	Days string `json:"days"` // mon,tue,wed,thu,fri,sat,sun; comma-separated
	From string `json:"from"`
	To   string `json:"to"`
}

// Holiday is a day, closed whatever the hours say.
type Holiday struct {
	Date string `json:"date"` // YYYY-MM-DD
	Name string `json:"name,omitempty"`
}

// Trunk is how a provider is reached, in a terminal of type trunk. Without a server the provider registers at us.
type Trunk struct {
	Server    string   `json:"server,omitempty"`    // host or host:port of the provider
	Transport string   `json:"transport,omitempty"` // udp, tcp, tls; "" by DNS
	User      string   `json:"user,omitempty"`      // digest user name; "" the extension
	Domain    string   `json:"domain,omitempty"`    // of our address there; "" the server's host
	Realm     string   `json:"realm,omitempty"`     // of its digest; "" learnt when registering, else the domain
	CA        string   `json:"ca,omitempty"`        // with tls: PEM of who signs its certificate; "" the system's authorities
	Register  bool     `json:"register,omitempty"`  // else calls come from Accept only
	Expires   int      `json:"expires,omitempty"`   // seconds; 0: 3600
	Accept    []string `json:"accept,omitempty"`    // addresses or networks calls come from without digest
	Numbers   []Number `json:"numbers,omitempty"`   // what is called on it
	Caller    string   `json:"caller,omitempty"`    // number we show; "" the user
}

// Number says where a number that is called on a trunk leads.
type Number struct {
	Number string `json:"number"` // as the provider writes it; "*": all others
	To     string `json:"to"`     // extension or queue
}

// PBX is an existing exchange that the center serves: it asks us who is free (route), or we tell it who is (asterisk, kamailio).
type PBX struct {
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Kind   string            `json:"kind"`             // route, asterisk, kamailio
	Addr   string            `json:"addr,omitempty"`   // host:port of AMI, tls://host:port for TLS; URL of Kamailio's JSON-RPC
	CA     string            `json:"ca,omitempty"`     // PEM of who signs its certificate; "" the authorities that the system knows
	User   string            `json:"user,omitempty"`   // of AMI
	Sealed []byte            `json:"sealed,omitempty"` // its secret, sealed with the center's key
	Accept []string          `json:"accept,omitempty"` // route: addresses or networks that may ask
	Domain string            `json:"domain,omitempty"` // route: host of the Contact in a 302; "" where the question came from
	Queues map[string]string `json:"queues,omitempty"` // asterisk: our queue's extension → its queue's name
	Member string            `json:"member,omitempty"` // asterisk: interface of an agent; "" PJSIP/{terminal}
	Table  string            `json:"table,omitempty"`  // kamailio: htable; "" avail

	// Ephemeral: softphones register there with passwords that expire, made from its secret (auth_ephemeral).
	Ephemeral bool `json:"ephemeral,omitempty"`
}
