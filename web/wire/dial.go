package wire

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"
)

// Dialled is what Plan.Dial makes of what a person typed, pasted or clicked.
type Dialled struct {
	Number string // what the PBX is asked for: digits, or user@host
	Shown  string // what a person reads, without the site's prefixes; Dial makes the same of it again
	Then   string // digits to send once somebody answers, such as an extension behind a main number
}

// Longest of each, in characters.
const (
	typedMax  = 256
	numberMax = 32
	userMax   = 64
	hostMax   = 253
)

// Dial reads digits with all that people write between them, in full width too, tel: (RFC 3966), callto:, sip: and sips: (RFC 3261
// §19.1), and user@host. What it does not understand it refuses: nothing that leaves here needs care on the wire.
func (p Plan) Dial(typed string) (Dialled, bool) {
	if len(typed) > 4*typedMax {
		return Dialled{}, false
	}
	text := narrow(strings.TrimSpace(typed))
	if len(text) > typedMax || strings.ContainsFunc(text, unicode.IsControl) {
		return Dialled{}, false
	}
	scheme, rest := cutScheme(text)
	switch scheme {
	case "tel":
		return p.tel(rest)
	case "sip", "sips", "callto":
		rest, _, _ = strings.Cut(rest, "?") // headers are never taken from a link
		if user, host, ok := cutLast(rest, "@"); ok {
			host, _, _ = strings.Cut(host, ";")
			user, _, _ = strings.Cut(user, ";")
			return p.address(user, host, true)
		}
		if scheme != "callto" {
			return Dialled{}, false
		}
		rest, _, _ = strings.Cut(rest, ";")
		if rest, ok := decode(rest); ok {
			return p.number(rest)
		}
		return Dialled{}, false
	}
	if user, host, ok := cutLast(text, "@"); ok {
		return p.address(user, host, false)
	}
	return p.number(text)
}

// tel is RFC 3966. Of its parameters ext is dialled after the answer and phone-context completes a local number.
func (p Plan) tel(rest string) (Dialled, bool) {
	parts := strings.Split(rest, ";")
	text, ok := decode(parts[0])
	d, read := p.number(text)
	if !ok || !read {
		return Dialled{}, false
	}
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(part, "=")
		if value, ok = decode(value); !ok {
			return Dialled{}, false
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "ext":
			if d.Then, ok = tones(value); !ok {
				return Dialled{}, false
			}
		case "phone-context":
			d.Shown = p.within(d.Shown, value)
		}
	}
	return p.dialled(d.Shown, d.Then)
}

// within completes a local number by its context (RFC 3966 §5.1.5). A context that is a domain says nothing to a PBX.
func (p Plan) within(n, context string) string {
	country, ok := digits(context)
	switch {
	case !ok || country[0] != '+' || strings.ContainsRune("+*#", rune(n[0])):
		return n
	case p.Country != "" && country == "+"+p.Country && p.National != "" && strings.HasPrefix(n, p.National):
		return n
	}
	return country + n
}

func (p Plan) number(text string) (Dialled, bool) {
	text, then, _ := strings.Cut(text, ",") // a comma is a pause: what follows is for whoever answers
	n, ok := digits(text)
	if !ok {
		return Dialled{}, false
	}
	if then, ok = tones(then); !ok {
		return Dialled{}, false
	}
	return p.dialled(n, then)
}

// dialled is the number with the site's prefixes.
func (p Plan) dialled(n, then string) (Dialled, bool) {
	if len(n) > numberMax {
		return Dialled{}, false
	}
	d := Dialled{Number: p.outward(n), Shown: n, Then: then}
	return d, len(d.Number) <= 2*numberMax
}

// address is user@host. A number at our own domain is a number like any other.
func (p Plan) address(user, host string, escaped bool) (Dialled, bool) {
	if escaped {
		var ok bool
		if user, ok = decode(user); !ok {
			return Dialled{}, false
		}
	}
	if p.ours(host) {
		if d, ok := p.number(user); ok {
			return d, true
		}
	}
	if !p.ours(host) && !reachable(host) || user == "" || len(user) > userMax || strings.Trim(user, userLetters) != "" {
		return Dialled{}, false
	}
	at := user + "@" + strings.ToLower(host)
	return Dialled{Number: at, Shown: at}, true
}

// userLetters may stand in a SIP user part as they are (RFC 3261 §25.1), and mean nothing special anywhere else.
const userLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*&=+$"

// reachable says whether this is a whole host name, with a dot, or an IP address; a port may follow.
func reachable(host string) bool {
	name, ok := cutPort(host)
	if !ok || len(name) > hostMax {
		return false
	}
	if in, ok := strings.CutPrefix(name, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(in, "]"))
		return err == nil && addr.Is6() && addr.Zone() == ""
	}
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(name, ".")), ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(labels) > 1
}

// cutPort takes the port off a host; ok is false when what follows the colon is none.
func cutPort(host string) (name string, ok bool) {
	name, port, found := cutLast(host, ":")
	switch {
	case !found || strings.HasSuffix(host, "]"):
		return host, true
	case port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "":
		return host, false
	}
	return name, true
}

// separators stand between digits for the eye.
const separators = " .-()[]/"

// digits is a number without what people write between its parts: + first, then 0-9 * #.
func digits(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "+") {
		text = strings.Replace(text, "(0)", "", 1) // +81 (0)3: the 0 is for callers at home
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9', r == '*', r == '#', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case strings.ContainsRune(separators, r):
		default:
			return "", false
		}
	}
	n := b.String()
	return n, n != "" && n != "+"
}

// tones are digits for DTMF; "" is none of them, which is fine.
func tones(text string) (string, bool) {
	text = strings.Map(func(r rune) rune {
		if r == ',' || strings.ContainsRune(separators, r) {
			return -1
		}
		return r
	}, strings.ToUpper(text))
	return text, len(text) <= numberMax && strings.Trim(text, "0123456789*#ABCD") == ""
}

// narrow writes full-width forms (U+FF01–U+FF5E) as the ASCII they stand for, every kind of dash and space as one, and leaves
// out marks that cannot be seen, which come along with numbers copied from address books.
func narrow(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - ('！' - '!')
		case strings.ContainsRune("‐‑‒–—―−ー─━ｰ", r):
			return '-'
		case unicode.Is(unicode.Zs, r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		case r == '、': // the Japanese comma, typed with an input method on
			return ','
		}
		return r
	}, text)
}

func cutScheme(text string) (scheme, rest string) {
	scheme, rest, ok := strings.Cut(text, ":")
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "tel", "callto", "sip", "sips":
		if ok {
			return scheme, strings.TrimPrefix(rest, "//")
		}
	}
	return "", text
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// decode undoes percent-encoding; what appears then is read like anything typed.
func decode(text string) (string, bool) {
	plain, err := url.PathUnescape(text)
	if err != nil || strings.ContainsFunc(plain, unicode.IsControl) {
		return "", false
	}
	return narrow(plain), true
}
