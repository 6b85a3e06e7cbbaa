package roster

import (
	"crypto/x509"
	"net/netip"
	"strings"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

// Kinds of PBX.
const (
	pbxRoute    = "route"
	pbxAsterisk = "asterisk"
	pbxKamailio = "kamailio"
)

// Outside is who stands beside the exchange: the providers of the trunks and the PBXs that ask who is free.
func (r *Roster) Outside() exchange.Outside {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var o exchange.Outside
	for _, id := range r.trunksLocked() {
		o.Trunks = append(o.Trunks, r.providerLocked(r.view.terminals[id].v))
	}
	for _, id := range sorted(r.view.pbxs) {
		if p := r.view.pbxs[id].v; p.Kind == pbxRoute {
			o.Askers = append(o.Askers, exchange.Asker{ID: p.ID, Accept: networks(p.Accept), Domain: p.Domain})
		}
	}
	return o
}

// besideLocked says that it is one of those of whom Outside tells.
func (r *Roster) besideLocked(kind, id string) bool {
	return kind == KindPBX || kind == KindTerminal && r.view.terminals[id].v.Type == typeTrunk
}

// trunksLocked are the extensions of the trunks that say how their provider is reached, in order.
func (r *Roster) trunksLocked() []string {
	found := map[string]bool{}
	for id, t := range r.view.terminals {
		if t.v.Type == typeTrunk && t.v.Trunk != nil {
			found[id] = true
		}
	}
	return sorted(found)
}

func (r *Roster) providerLocked(t Terminal) exchange.Provider {
	k := *t.Trunk
	p := exchange.Provider{
		User: t.Extension, Server: k.Server, Transport: k.Transport, CA: k.CA, Account: or(k.User, t.Extension), Domain: or(k.Domain, k.Server),
		Realm: k.Realm, Register: k.Register, Expires: time.Duration(k.Expires) * time.Second, Accept: networks(k.Accept), Caller: k.Caller,
	}
	if secret, ok := r.vault.secret(t); ok && k.Server != "" {
		p.Secret = wire.Secret(secret)
	}
	if p.Realm == "" && !p.Register { // nothing teaches it
		p.Realm = p.Domain
		if host, _, ok := strings.Cut(p.Realm, ":"); ok {
			p.Realm = host
		}
	}
	if len(k.Numbers) > 0 {
		p.Numbers = map[string]string{}
		for _, n := range k.Numbers {
			p.Numbers[exchange.PlainNumber(n.Number)] = n.To
		}
	}
	return p
}

// networks are those of the texts that are addresses or networks; what is not was refused when it was set up.
func networks(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		if p, ok := network(text); ok {
			all = append(all, p)
		}
	}
	return all
}

func network(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil
}

// checkOutside finds what is wrong with trunks and PBXs.
func (p *plan) checkOutside() {
	for i, t := range p.setup.Terminals {
		if t.Trunk != nil {
			p.checkTrunk(i, t)
		}
	}
	seen := map[string]bool{}
	for i, b := range p.setup.PBXs {
		p.once("pbxs", i, "id", b.ID, seen)
		p.checkPBX(i, b.PBX)
	}
}

func (p *plan) checkTrunk(i int, t TerminalSetup) {
	k := *t.Trunk
	if t.kind() != typeTrunk {
		p.bad("terminals", i, "trunk", "belongs to a terminal of type trunk")
	}
	p.oneOf("terminals", i, "trunk.transport", k.Transport, []string{"", "udp", "tcp", "tls"})
	for field, text := range map[string]string{"trunk.server": k.Server, "trunk.domain": k.Domain, "trunk.realm": k.Realm, "trunk.user": k.User} {
		if strings.ContainsAny(text, " \t\r\n\"<>;@") || len(text) > 255 {
			p.bad("terminals", i, field, "%q cannot stand in an address", text)
		}
	}
	if k.Register && k.Server == "" {
		p.bad("terminals", i, "trunk.server", "is missing where to register")
	}
	if k.Expires < 0 || k.Expires > 86400 {
		p.bad("terminals", i, "trunk.expires", "%d is not 0 to 86400", k.Expires)
	}
	if k.Caller != "" && !exchange.Dialable(k.Caller) {
		p.bad("terminals", i, "trunk.caller", "%q is not a number", k.Caller)
	}
	p.checkNetworks("terminals", i, "trunk.accept", k.Accept)
	for _, n := range k.Numbers {
		if n.Number != "*" && !exchange.Dialable(exchange.PlainNumber(n.Number)) {
			p.bad("terminals", i, "trunk.numbers", "%q is not a number, nor *", n.Number)
		}
		if !p.reachable(n.To) {
			p.bad("terminals", i, "trunk.numbers", "there is no extension or queue %q", n.To)
		}
	}
}

// reachable says that a trunk's number may lead there: a terminal that is no trunk, or a queue.
func (p *plan) reachable(extension string) bool {
	if _, ok := p.queues[extension]; ok {
		return true
	}
	for _, q := range p.setup.Queues {
		if q.Extension == extension {
			return true
		}
	}
	for _, t := range p.setup.Terminals {
		if t.Extension == extension {
			return t.kind() != typeTrunk
		}
	}
	t, ok := p.terminals[extension]
	return ok && t.v.Type != typeTrunk
}

func (p *plan) checkNetworks(list string, i int, field string, texts []string) {
	for _, text := range texts {
		n, ok := network(text)
		if !ok {
			p.bad(list, i, field, "%q is neither an address nor a network such as 192.0.2.0/24", text)
		} else if n.Bits() == 0 {
			p.bad(list, i, field, "%q is everybody", text)
		}
	}
}

const mostCA = 64 << 10 // bytes of certificates

// checkCA refuses certificates that nobody would be believed by, or that a connection without TLS would never look at.
func (p *plan) checkCA(i int, b PBX) {
	switch {
	case b.Kind == pbxRoute:
		p.bad("pbxs", i, "ca", "belongs to asterisk and kamailio")
	case len(b.CA) > mostCA || !x509.NewCertPool().AppendCertsFromPEM([]byte(b.CA)):
		p.bad("pbxs", i, "ca", "holds no certificate in PEM, or more than 64 KiB")
	case !strings.HasPrefix(b.Addr, "tls://") && !strings.HasPrefix(b.Addr, "https://"):
		p.bad("pbxs", i, "ca", "needs an address with TLS: tls://host:port of Asterisk, https://… of Kamailio")
	}
}

func (p *plan) checkPBX(i int, b PBX) {
	p.text("pbxs", i, "id", b.ID, 1)
	p.text("pbxs", i, "name", b.Name, 0)
	if !statusID.MatchString(b.ID) {
		p.bad("pbxs", i, "id", "%q is not small letters, digits, - and _", b.ID)
	}
	p.oneOf("pbxs", i, "kind", b.Kind, []string{pbxRoute, pbxAsterisk, pbxKamailio})
	p.checkNetworks("pbxs", i, "accept", b.Accept)
	if b.Kind == pbxRoute && len(b.Accept) == 0 {
		p.bad("pbxs", i, "accept", "names nobody who may ask")
	}
	if b.Ephemeral && b.Kind != pbxKamailio {
		p.bad("pbxs", i, "ephemeral", "belongs to kamailio")
	}
	if b.Kind != pbxRoute && b.Addr == "" && !b.Ephemeral {
		p.bad("pbxs", i, "addr", "is missing")
	}
	if b.CA != "" {
		p.checkCA(i, b)
	}
	for field, text := range map[string]string{"domain": b.Domain, "user": b.User, "member": b.Member, "table": b.Table, "addr": b.Addr} {
		if strings.ContainsAny(text, " \t\r\n\"<>;") || len(text) > 255 {
			p.bad("pbxs", i, field, "%q has characters that cannot stand there", text)
		}
	}
	for extension, queue := range b.Queues {
		if strings.ContainsAny(extension+queue, "\r\n") || queue == "" {
			p.bad("pbxs", i, "queues", "%q is not the name of a queue", queue)
		}
	}
}
