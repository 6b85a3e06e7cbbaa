package roster

import (
	"net"
	"net/http"

	"zaseki/web/wire"
)

// ProbeKey is what the datagrams of a phone's network test begin with (wire.Probe).
type ProbeKey [16]byte

// probing is whose key it is.
type probing struct{ account, session string }

// probeKey follows from the session, so that it is good for as long, also after a restart of the center, and is kept nowhere.
func (v vault) probeKey(session string) (k ProbeKey) {
	copy(k[:], v.derive("probe "+session))
	return k
}

// Probing says that a session with that key lives. It is asked for every datagram.
func (r *Roster) Probing(k ProbeKey) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, ok := r.probes[k]
	return ok && r.aliveLocked(p)
}

func (r *Roster) aliveLocked(p probing) bool {
	s := r.view.agents[p.account].v.Session
	return s != nil && s.ID == p.session
}

// letProbe makes the key of a session known.
func (r *Roster) letProbe(account, session string) ProbeKey {
	k := r.vault.probeKey(session)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.probes) > 2*len(r.view.agents) { // half of them at least are over
		for k, p := range r.probes {
			if !r.aliveLocked(p) {
				delete(r.probes, k)
			}
		}
	}
	r.probes[k] = probing{account, session}
	return k
}

// probe tells a phone where to test the network; nil: nowhere.
func (r *Roster) probe(req *http.Request, account string) *wire.Probe {
	if r.cfg.Probe == nil {
		return nil
	}
	host, _, err := net.SplitHostPort(req.Host)
	if err != nil {
		host = req.Host
	}
	addr := r.cfg.Probe(host)
	r.mu.RLock()
	s := r.view.agents[account].v.Session
	r.mu.RUnlock()
	if addr == "" || s == nil {
		return nil
	}
	k := r.letProbe(account, s.ID)
	return &wire.Probe{Addr: addr, Key: k[:]}
}
