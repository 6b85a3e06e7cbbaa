package wire

// Plan is a site's numbers: how what a person types becomes what is dialled, and which callers are outside.
type Plan struct {
	Domain string `json:"domain"` // ours; a caller from another domain is outside
	Digits int    `json:"digits"` // an extension has at most so many digits

	Country  string `json:"country,omitempty"`  // country code without +, such as 81; "" leaves numbers with + as they are
	National string `json:"national,omitempty"` // what stands before a national number, such as 0
	Abroad   string `json:"abroad,omitempty"`   // what stands before a country code, such as 010
	Line     string `json:"line,omitempty"`     // what the PBX wants before every outside number, such as 0 or 9
	Marks    []Mark `json:"marks,omitempty"`    // of the PBX, read before From and number
}

// Mark is a header by which a PBX tells inside from outside.
type Mark struct {
	Header  string `json:"header"` // such as Alert-Info
	Has     string `json:"has"`    // the value contains this, in any case; "" any value
	Outside bool   `json:"outside"`
}

// QueueHeader is the mark a PBX or our exchange puts on calls that a status must take: its value is the queue's name.
const QueueHeader = "X-Center-Call"

// Outside says whether a call of this caller needs a status that takes outside calls.
// mark is the value of QueueHeader: "inside" makes it inside, anything else that is not empty makes it outside.
func (p Plan) Outside(user, host, mark string) bool {
	switch {
	case mark == "inside":
		return false
	case mark != "":
		return true
	case p.Domain != "" && host != p.Domain:
		return true
	}
	for _, r := range user {
		if r < '0' || r > '9' {
			return true
		}
	}
	return user == "" || len(user) > p.Digits
}
