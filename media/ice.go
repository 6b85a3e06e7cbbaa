package media

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/stun/v3"
)

// lite is our end of ICE when a gateway insists on it (RFC 8445 §2.5): we have one address, name it, and answer the checks.
type lite struct {
	ufrag  string
	pass   secret
	theirs string // their name; with another one they start anew (RFC 8445 §9)
}

func newLite(theirs string) *lite {
	var raw [20]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	text := strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))
	return &lite{text[:8], newSecret(text[8:]), theirs} // 24 characters; RFC 8839 §5.4 wants 22 at least
}

// write puts our candidates into the section.
func (i *lite) write(b *strings.Builder, at netip.AddrPort, mux bool) {
	fmt.Fprintf(b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", i.ufrag, i.pass.reveal())
	fmt.Fprintf(b, "a=candidate:1 1 UDP 2130706431 %s %d typ host\r\n", at.Addr(), at.Port())
	if !mux {
		fmt.Fprintf(b, "a=candidate:1 2 UDP 2130706430 %s %d typ host\r\n", at.Addr(), at.Port()+1)
	}
}

// checked answers a connectivity check with our password; packets go where a checked pair was nominated (RFC 8445 §7.3).
func (l *line) checked(r *route, b []byte, from netip.AddrPort) {
	if r.ice == nil || !stun.IsMessage(b) {
		return
	}
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if err := m.Decode(); err != nil || m.Type != stun.BindingRequest {
		return
	}
	var name stun.Username
	if err := name.GetFrom(m); err != nil || !strings.HasPrefix(name.String(), r.ice.ufrag+":") {
		return
	}
	proof := stun.NewShortTermIntegrity(r.ice.pass.reveal())
	if err := proof.Check(m); err != nil {
		return
	}
	answer, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}, proof, stun.Fingerprint)
	if err != nil {
		return
	}
	if pair := l.pair.Load(); pair == nil || *pair != from && m.Contains(stun.AttrUseCandidate) {
		checked := from
		l.pair.Store(&checked)
		l.to.Store(&checked)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.rtp.WriteToUDPAddrPort(answer.Raw, from)
}
