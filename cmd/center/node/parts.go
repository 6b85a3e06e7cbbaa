package node

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"zaseki/cmd/center/admin"
)

// parts are how this node and what stands beside it are, for the overview of administrators.
func (n *Node) parts() admin.Parts {
	p := admin.Parts{Node: n.cfg.Cluster.Name, Trunks: n.exchange.Trunks(), PBXs: n.pbxs.States()}
	if n.others != nil {
		p.Nodes = n.others.states()
	}
	if n.secure || n.exchange.Secure() != "" {
		p.Certificates = append(p.Certificates, admin.Certificate{Name: n.ca.cert.Subject.CommonName, Until: n.ca.cert.NotAfter})
	}
	if n.public != nil {
		p.Certificates = append(p.Certificates, n.public.states()...)
	}
	return p
}

// states are all nodes that were ever seen, by name.
func (o *others) states() []admin.NodeState {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := []admin.NodeState{}
	for name, at := range o.seen {
		c, alive := o.cards[name]
		all = append(all, admin.NodeState{Name: name, HTTP: c.HTTP, Seen: at.UTC(), Alive: alive, Lines: name == o.lines})
	}
	slices.SortFunc(all, func(a, b admin.NodeState) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// states are the public names with how long their certificates are good; zero: there is none yet.
func (p *public) states() []admin.Certificate {
	all := make([]admin.Certificate, len(p.cfg.Names))
	for i, name := range p.cfg.Names {
		all[i] = admin.Certificate{Name: name, Public: true, Until: p.until(name)}
	}
	return all
}

func (p *public) until(name string) time.Time {
	p.mu.Lock()
	have := p.have[name]
	p.mu.Unlock()
	if !have { // the manager would ask the ACME server
		return time.Time{}
	}
	cert, err := p.manager.GetCertificate(&tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
	if err != nil || cert.Leaf == nil {
		return time.Time{}
	}
	return cert.Leaf.NotAfter
}
