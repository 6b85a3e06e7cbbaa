package wire

import "strings"

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

// CallHeader is how our exchange names a call to a phone of its own.
const CallHeader = "X-Center-Id"

// What Plan.Mark says of a call that no queue sent.
const (
	MarkInside = "inside"
	MarkDirect = "direct" // from outside, to this person
)

// Mark is what the headers of an INVITE say about the caller: the value of QueueHeader, or MarkInside or MarkDirect by the
// first of Marks that fits, or "". header gives a header's value, "" when there is none.
func (p Plan) Mark(header func(string) string) string {
	if v := strings.TrimSpace(header(QueueHeader)); v != "" {
		return v
	}
	for _, m := range p.Marks {
		v := header(m.Header)
		if v == "" || !strings.Contains(strings.ToLower(v), strings.ToLower(m.Has)) {
			continue
		}
		if m.Outside {
			return MarkDirect
		}
		return MarkInside
	}
	return ""
}

// Outside says whether a call of this caller needs a status that takes outside calls. mark is what Plan.Mark found:
// MarkInside makes it inside, anything else that is not empty makes it outside.
func (p Plan) Outside(user, host, mark string) bool {
	switch {
	case mark == MarkInside:
		return false
	case mark != "":
		return true
	case p.Domain != "" && !p.ours(host):
		return true
	}
	return !p.extension(user)
}

// ours says whether the host, with or without a port, is our domain.
func (p Plan) ours(host string) bool {
	host, _ = cutPort(host)
	return p.Domain != "" && strings.EqualFold(strings.TrimSuffix(host, "."), p.Domain)
}

func (p Plan) extension(user string) bool {
	return user != "" && len(user) <= p.Digits && strings.Trim(user, "0123456789") == ""
}

// Same says whether two numbers reach the same telephone: +81 3…, 010 81 3… and 03… are one.
func (p Plan) Same(a, b string) bool { return p.Key(a) == p.Key(b) }

// Key is the same for all ways to write a number that Same takes for one: for an index of many numbers.
func (p Plan) Key(number string) string { return p.national(number) }

// national is the number as it is dialled within the country, if it belongs there.
func (p Plan) national(n string) string {
	if p.Country == "" {
		return n
	}
	rest, here := strings.CutPrefix(n, "+"+p.Country)
	if !here && p.Abroad != "" {
		rest, here = strings.CutPrefix(n, p.Abroad+p.Country)
	}
	if !here || rest == "" {
		return n
	}
	return p.National + strings.TrimPrefix(rest, p.National) // some write the 0 behind +81 too
}

// outward puts before a number what the PBX wants there. Extensions and service codes go as they are.
func (p Plan) outward(n string) string {
	if p.extension(n) || strings.ContainsRune("*#", rune(n[0])) {
		return n
	}
	n = p.national(n)
	if abroad, ok := strings.CutPrefix(n, "+"); ok {
		if p.Country == "" || p.Abroad == "" {
			return n
		}
		n = p.Abroad + abroad
	}
	return p.Line + n
}
