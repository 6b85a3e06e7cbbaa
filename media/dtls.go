package media

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v5/packetio"
)

// fingerprint is one a=fingerprint (RFC 8122 §5).
type fingerprint struct {
	hash string // lower case
	sum  []byte
}

// hashes are those a fingerprint may be made with; MD5 and SHA-1 no longer may (RFC 8122 §5.1).
var hashes = map[string]func([]byte) []byte{
	"sha-256": func(b []byte) []byte { s := sha256.Sum256(b); return s[:] },
	"sha-384": func(b []byte) []byte { s := sha512.Sum384(b); return s[:] },
	"sha-512": func(b []byte) []byte { s := sha512.Sum512(b); return s[:] },
}

// parseFingerprint reads the value of a=fingerprint; names of hashes come in any case. False: a hash that does not count.
func parseFingerprint(value string) (fingerprint, bool) {
	f := strings.Fields(value)
	if len(f) != 2 {
		return fingerprint{}, false
	}
	name := strings.ToLower(f[0])
	digest := hashes[name]
	sum, err := hex.DecodeString(strings.ReplaceAll(f[1], ":", ""))
	if digest == nil || err != nil || len(sum) != len(digest(nil)) {
		return fingerprint{}, false
	}
	return fingerprint{name, sum}, true
}

func (f fingerprint) of(certificate []byte) bool {
	return bytes.Equal(f.sum, hashes[f.hash](certificate))
}

func (f fingerprint) String() string {
	pairs := make([]string, len(f.sum))
	for i, b := range f.sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return f.hash + " " + strings.Join(pairs, ":")
}

// identity is the certificate that lines show by DTLS. Only its fingerprint counts.
type identity struct {
	certificate tls.Certificate
	print       fingerprint
}

// identityLocked makes it for the first line that needs it; it stays while the phone runs.
func (e *Engine) identityLocked() (*identity, error) {
	if e.self != nil {
		return e.self, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key for lines: %w", err)
	}
	certificate, err := selfsign.SelfSign(key)
	if err != nil {
		return nil, fmt.Errorf("certificate for lines: %w", err)
	}
	e.self = &identity{certificate, fingerprint{"sha-256", hashes["sha-256"](certificate.Certificate[0])}}
	return e.self, nil
}

// association is one DTLS association of a line (RFC 5764). To DTLS it is the socket: what the line's reader finds to be
// DTLS comes in by take, and goes out where the line's packets go.
type association struct {
	l      *line
	shield *shield
	client bool
	prints []fingerprint
	in     *packetio.Buffer

	running bool // guarded by the engine's mutex

	mu   sync.Mutex
	conn *dtls.Conn
	over bool
}

// flight is a datagram that came before the answer: the far side may begin as soon as it has answered (RFC 5763 §6.2).
type flight struct {
	from netip.AddrPort
	data []byte
}

const maxEarly = 8 // datagrams

// tooEarly keeps what comes before the answer names its sender.
func (l *line) tooEarly(b []byte, from netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.early) < maxEarly {
		l.early = append(l.early, flight{from, append([]byte(nil), b...)})
	}
}

const (
	handshakeTime = 15 * time.Second
	flightTime    = 100 * time.Millisecond // doubled with each repetition
)

// associateLocked keeps the association while the far side shows the same certificate (RFC 8842 §3.2), and makes another
// one otherwise. What it says of its part then counts for nothing: some say actpass or active whatever they were.
func (l *line) associateLocked(s section, offered bool) (*shield, error) {
	t := &l.talk
	client := s.setup == "passive" || offered && s.setup != "active"
	if a := l.assoc; a != nil {
		if slices.ContainsFunc(s.prints, a.knows) {
			t.setup = role(a.client)
			return a.shield, nil
		}
	}
	self, err := l.e.identityLocked()
	if err != nil {
		return nil, err
	}
	t.print, t.setup, t.source = self.print, role(client), l.named()
	old := l.assoc
	l.assoc = &association{l: l, shield: &shield{}, client: client, prints: s.prints, in: packetio.NewBuffer()}
	if old != nil {
		l.done.Go(old.close)
	}
	return l.assoc.shield, nil
}

// named is our source as a=ssrc says it.
func (l *line) named() string {
	return fmt.Sprintf("%d cname:%s", l.out.ssrc, l.e.cname)
}

// role is what an answer says (RFC 5763 §5).
func role(client bool) string {
	if client {
		return "active"
	}
	return "passive"
}

// beginLocked starts the association of the route that was just made, if it did not run yet, and gives it what came early.
func (l *line) beginLocked() {
	a, r := l.assoc, l.route.Load()
	if a == nil || r == nil || a.running || !l.running || r.way != nil && (!r.way.Load() || l.restarting()) {
		return
	}
	a.running = true
	certificate := l.e.self.certificate
	l.done.Go(func() { a.run(certificate) })
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.early {
		if r.way == nil && f.from.Addr() == r.remote.Addr() || r.way != nil && l.provedFrom(f.from) {
			a.take(f.data)
		}
	}
	l.early = nil
}

// take gives it a datagram. rtpengine begins as client as soon as it has our offer, and may then answer that it is the server:
// that first ClientHello would stand in the way of the ServerHello, which has the same number.
func (a *association) take(b []byte) {
	const record, clientHello = 13, 1 // bytes of header (RFC 6347 §4.1), and its type (RFC 5246 §7.4)
	if a.client && len(b) > record && b[0] == 22 && b[3] == 0 && b[4] == 0 && b[record] == clientHello {
		return
	}
	_, _ = a.in.Write(b, nil)
}

// run shakes hands, gives the shield its keys and then answers whatever the far side repeats, until close.
func (a *association) run(certificate tls.Certificate) {
	began := time.Now()
	err := a.shake(certificate)
	log := a.l.e.log.With("call", a.l.id, "took", time.Since(began))
	a.mu.Lock()
	conn, over := a.conn, a.over
	a.mu.Unlock()
	if err != nil {
		a.close()
		if !over {
			log.Info("line not encrypted: DTLS failed", "err", err)
			a.l.e.tell(Secured{Line: a.l.id, Err: err})
		}
		return
	}
	log.Debug("line encrypted", "suite", a.shield.name)
	a.l.e.tell(Secured{Line: a.l.id, Suite: a.shield.name})
	buf := make([]byte, 2048)
	for err == nil {
		_, err = conn.Read(buf)
	}
	a.close()
}

// shake does the handshake and takes the keys out of it (RFC 5764 §4.2).
func (a *association) shake(certificate tls.Certificate) error {
	conn, err := a.dial(certificate)
	if err != nil {
		return fmt.Errorf("dtls: %w", err)
	}
	a.mu.Lock()
	a.conn = conn
	over := a.over
	a.mu.Unlock()
	if over {
		_ = conn.Close()
		return net.ErrClosed
	}
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("dtls handshake: %w", err)
	}
	chosen, ok := conn.SelectedSRTPProtectionProfile()
	suite := suiteOf(srtp.ProtectionProfile(chosen))
	state, known := conn.ConnectionState()
	if !ok || !known || suite == nil {
		return errors.New("dtls: no SRTP profile agreed")
	}
	keys := srtp.Config{Profile: suite.profile}
	if err := keys.ExtractSessionKeysFromDTLS(&state, a.client); err != nil {
		return fmt.Errorf("dtls keys: %w", err)
	}
	k := keys.Keys
	return a.shield.lock("DTLS "+suite.name, suite, newSecret(string(k.LocalMasterKey)+string(k.LocalMasterSalt)),
		newSecret(string(k.RemoteMasterKey)+string(k.RemoteMasterSalt)))
}

// dial makes the connection. Certificates are nobody's: what must match is the fingerprint (RFC 5763 §5).
func (a *association) dial(certificate tls.Certificate) (*dtls.Conn, error) {
	options := []dtls.Option{
		dtls.WithCertificates(certificate),
		dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyPeerCertificate(a.verify),
		dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM),
		dtls.WithFlightInterval(flightTime),
		dtls.WithLoggerFactory(quiet{a.l.e.log}),
	}
	if a.client {
		var all []dtls.ClientOption
		for _, o := range options {
			all = append(all, o)
		}
		return dtls.ClientWithOptions(a, a.RemoteAddr(), all...)
	}
	all := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert)}
	for _, o := range options {
		all = append(all, o)
	}
	return dtls.ServerWithOptions(a, a.RemoteAddr(), all...)
}

// knows says that it is one of the fingerprints which the association was made for.
func (a *association) knows(f fingerprint) bool {
	return slices.ContainsFunc(a.prints, func(own fingerprint) bool { return own.hash == f.hash && bytes.Equal(own.sum, f.sum) })
}

// verify compares the certificate with the fingerprints of the session description.
func (a *association) verify(certificates [][]byte, _ [][]*x509.Certificate) error {
	if len(certificates) > 0 {
		for _, f := range a.prints {
			if f.of(certificates[0]) {
				return nil
			}
		}
	}
	return errors.New("dtls: not the certificate that was announced")
}

// close ends the association and says so to the far side.
func (a *association) close() {
	a.mu.Lock()
	conn, over := a.conn, a.over
	a.over = true
	a.mu.Unlock()
	if over {
		return
	}
	if conn != nil {
		_ = conn.Close()
	}
	_ = a.in.Close()
}

// The rest makes an association the net.PacketConn of its own DTLS.

// ReadFrom waits for a datagram of the far side.
func (a *association) ReadFrom(b []byte) (int, net.Addr, error) {
	n, _, err := a.in.Read(b, nil)
	return n, a.RemoteAddr(), err
}

// WriteTo sends where the line's packets go; before that is known, nowhere.
func (a *association) WriteTo(b []byte, _ net.Addr) (int, error) {
	a.l.mu.Lock()
	defer a.l.mu.Unlock()
	a.l.writeLocked(b)
	return len(b), nil
}

// Close is for DTLS, which closes when we do.
func (a *association) Close() error { return a.in.Close() }

// LocalAddr is the line's.
func (a *association) LocalAddr() net.Addr {
	a.l.mu.Lock()
	defer a.l.mu.Unlock()
	return a.l.rtp.conn.LocalAddr()
}

// RemoteAddr is where packets go.
func (a *association) RemoteAddr() net.Addr {
	if to := a.l.to.Load(); to != nil {
		return net.UDPAddrFromAddrPort(*to)
	}
	return &net.UDPAddr{}
}

// SetDeadline is SetReadDeadline: writing never waits.
func (a *association) SetDeadline(t time.Time) error { return a.in.SetReadDeadline(t) }

// SetReadDeadline ends a ReadFrom at that time.
func (a *association) SetReadDeadline(t time.Time) error { return a.in.SetReadDeadline(t) }

// SetWriteDeadline does nothing: writing never waits.
func (a *association) SetWriteDeadline(time.Time) error { return nil }
