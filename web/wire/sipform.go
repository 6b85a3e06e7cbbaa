package wire

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean is the form as it can be used: full-width forms narrowed, spaces around taken off, user@domain taken apart, what is empty
// filled in. field names the first one that cannot be used as typed; "" is none.
func (f SIPForm) Clean() (clean SIPForm, field string) {
	f.Server = bare(f.Server)
	f.User, f.AuthUser, f.Domain = bare(f.User), strings.TrimSpace(narrow(f.AuthUser)), bare(f.Domain)
	f.Display = strings.TrimSpace(f.Display) // a name may well be full width
	f.Transport, f.Voice = strings.ToLower(strings.TrimSpace(f.Transport)), strings.ToLower(strings.TrimSpace(f.Voice))
	if user, domain, ok := strings.Cut(f.User, "@"); ok {
		f.User = user
		if f.Domain == "" {
			f.Domain = domain
		}
	}
	if f.Server == "" {
		f.Server = f.Domain
	}
	if f.Voice == "" {
		f.Voice = VoiceOff
	}
	return f, f.wrong()
}

func (f SIPForm) wrong() string {
	odd := func(text string) bool {
		return utf8.RuneCountInString(text) > userMax || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl)
	}
	switch {
	case !serverName(f.Server):
		return "server"
	case f.User == "" || len(f.User) > userMax || strings.Trim(f.User, userLetters) != "":
		return "user"
	case odd(f.AuthUser) || strings.ContainsAny(f.AuthUser, "\"\\"):
		return "authUser"
	case odd(f.Display):
		return "display"
	case f.Domain != "" && !domainName(f.Domain):
		return "domain"
	case !slices.Contains([]string{"", "udp", "tcp", "tls", "wss"}, f.Transport):
		return "transport"
	case !slices.Contains([]string{VoiceOff, VoiceOptional, VoiceRequired, VoiceDTLS}, f.Voice):
		return "voice"
	}
	return ""
}

// bare is what was typed without a scheme before it.
func bare(typed string) string {
	_, rest := cutScheme(strings.TrimSpace(narrow(typed)))
	return rest
}

// serverName is a host as a SIP server may be called within a house: one label is enough, and IPv6 needs no brackets.
func serverName(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == ""
	}
	name, ok := cutPort(host)
	return ok && (reachable(host) || name != "" && !strings.ContainsAny(name, ".[]") && reachable(name+".internal"))
}

// domainName is a server's name without a port.
func domainName(host string) bool {
	_, err := netip.ParseAddr(host)
	return serverName(host) && (err == nil || !strings.Contains(host, ":") || strings.HasSuffix(host, "]"))
}
