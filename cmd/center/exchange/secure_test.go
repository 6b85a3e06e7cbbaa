package exchange

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/sip"
)

// certified is a TLS configuration for the domain, and the roots that trust it.
func certified(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{domain}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// secureFloor is a floor with TLS, and what a phone needs to register there.
func secureFloor(t *testing.T) (*floor, func(*sip.Account)) {
	t.Helper()
	served, roots := certified(t)
	f := newFloor(t, func(c *Config) { c.Secure, c.TLS = "127.0.0.1:0", served })
	return f, func(a *sip.Account) { a.Server, a.Transport, a.TLS = f.x.Secure(), "tls", &tls.Config{RootCAs: roots} }
}

func keys(letter string) string {
	return "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat(letter, 40) + "\r\n"
}

func TestEncryptedTerminalsTalkOverTLSWithTheirOwnKeys(t *testing.T) {
	f, byTLS := secureFloor(t)
	a, b, c := f.unheard("2001", 40000), f.unheard("2002", 40010), f.unheard("2003", 40020)
	a.crypto, b.crypto, c.crypto = keys("A"), keys("B"), keys("C")
	for _, s := range []*speaker{a, b, c} {
		f.register(s.phone, "tls", byTLS)
	}
	there := a.call("c1", b, "2002")
	hear(t, a, "c1", b, there)
	b.hold(there, true)
	third := b.call("c2", c, "2003")
	hear(t, b, "c2", c, third)
	if err := b.Connect(ctxFor(t), there, "c2"); err != nil {
		t.Fatal(err)
	}
	hear(t, a, "c1", c, third)
	if got := f.x.Registered(); len(got) != 3 || got[0].Network != "tls" {
		t.Fatalf("registered %+v", got)
	}
}

func TestAnEncryptedTerminalIsServedWithTLSOnly(t *testing.T) {
	f, _ := secureFloor(t)
	for _, transport := range []string{"udp", "tcp"} {
		p := f.unregistered("2001")
		err := p.Register(ctxFor(t), sip.Account{User: "2001", Domain: domain, Server: f.x.Addr(), Transport: transport, Password: secret("2001-secret"), Expires: time.Minute})
		refusedWith(t, err, 403)
	}
	if got := f.x.Registered(); len(got) != 0 {
		t.Fatalf("registered %+v", got)
	}
}

func TestAPlainPhoneIsToldWhenTheOtherWantsEncryption(t *testing.T) {
	f, byTLS := secureFloor(t)
	plain, locked := f.speaker("1001", 40000), f.unheard("2001", 40010)
	f.register(locked.phone, "tls", byTLS)
	plain.Dial(ctxFor(t), "c1", "2001", plain.sdp())
	locked.Reject(ctxFor(t), next[sip.Incoming](locked.phone).Call, 488, "Not Acceptable Here") // as a phone does that must not talk openly
	if e := next[sip.Failed](plain.phone); e.Code != 488 {
		t.Fatalf("the caller hears %+v", e)
	}
	if r := f.record(); r.Result != "refused" || r.Code != 488 {
		t.Fatalf("record %+v", r)
	}
}

func TestKeysDoNotLeaveTheEncryptedSide(t *testing.T) {
	f, byTLS := secureFloor(t)
	plain, locked, either := f.speaker("1001", 40000), f.unheard("2001", 40010), f.unheard("1002", 40020)
	locked.crypto = keys("L")
	f.register(locked.phone, "tls", byTLS)
	f.register(either.phone, "tls", byTLS)
	locked.Dial(ctxFor(t), "c1", "1001", locked.sdp())
	if e := next[sip.Failed](locked.phone); e.Code != 488 {
		t.Fatalf("the caller hears %+v", e)
	}
	optional := strings.Replace(either.sdp(), "a=sendrecv", keys("E")+"a=sendrecv", 1)
	if err := either.Dial(ctxFor(t), "c2", "1001", optional); err != nil {
		t.Fatal(err)
	}
	in := plain.take()
	next[sip.Answered](either.phone)
	if strings.Contains(in.SDP, "crypto") || !strings.Contains(in.SDP, "m=audio 40020 RTP/AVP 0") || in.User != "1002" {
		t.Fatalf("the plain phone sees %q with %q", in.User, in.SDP)
	}
	if _, err := either.Reinvite(ctxFor(t), "c2", optional); err != nil {
		t.Fatal(err)
	}
	if key := plain.hearsKey(in.Call); key != "" {
		t.Fatalf("a later offer showed %q", key)
	}
}

// cable is a connection that can be cut, between phones and the exchange.
type cable struct {
	listener net.Listener
	mu       sync.Mutex
	open     []net.Conn
}

func lay(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.open = append(c.open, near, far)
			c.mu.Unlock()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				running.Go(func() {
					io.Copy(way[0], way[1])
					way[0].Close()
					way[1].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.cut()
		running.Wait()
	})
	return c
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.Close()
	}
	c.open = nil
}

func TestACallFollowsAPhoneThatLostItsConnection(t *testing.T) {
	for _, transport := range []string{"tls", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			f, byTLS := secureFloor(t)
			to := map[string]string{"tls": f.x.Secure(), "tcp": f.x.Addr()}[transport]
			line := lay(t, to)
			a, b := f.speaker("1001", 40000), f.unheard("1002", 40010)
			f.register(b.phone, transport, byTLS, func(acc *sip.Account) { acc.Server, acc.Transport = line.listener.Addr().String(), transport })
			there := a.call("c1", b, "1002")
			line.cut()
			next[sip.LineLost](b.phone)
			next[sip.Registered](b.phone)
			a.hold("c1", true) // reaches it by its new connection
			if _, sends := b.sound(there); sends {
				t.Fatal("the phone does not hear that it is held")
			}
			a.Hangup(ctxFor(t), "c1")
			if e := next[sip.Ended](b.phone); !e.ByPeer {
				t.Fatalf("the phone hears %+v", e)
			}
		})
	}
}

func TestDescriptionsAcrossSides(t *testing.T) {
	avp, savp := "v=0\r\nm=audio 1 RTP/AVP 0\r\n", "v=0\r\nm=audio 1 RTP/SAVP 0\r\n"
	rows := []struct {
		name     string
		sdp      string
		from, to bool
		want     string
		ok       bool
	}{
		{"plain anywhere", avp, true, false, avp, true},
		{"keys where both are encrypted", savp + keys("A"), true, true, savp + keys("A"), true},
		{"keys where nobody is", savp + keys("A"), false, false, savp + keys("A"), true},
		{"keys that are optional", avp + keys("A") + "a=sendrecv\r\n", true, false, avp + "a=sendrecv\r\n", true},
		{"keys that were seen already", avp + keys("A"), false, true, avp, true},
		{"keys that are demanded", savp + keys("A"), true, false, "", false},
		{"keys that were seen and are demanded", savp + keys("A"), false, true, "", false},
		{"DTLS brings no keys", "m=audio 1 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:x\r\n", true, false, "m=audio 1 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:x\r\n", true},
	}
	for _, r := range rows {
		if got, ok := acrossTo(r.sdp, r.from, r.to); got != r.want || ok != r.ok {
			t.Errorf("%s: %q, %v", r.name, got, ok)
		}
	}
	holds := []struct{ sdp, far, want string }{
		{"a=recvonly\r\n", "a=sendonly\r\n", "a=sendrecv\r\n"},
		{"a=sendrecv\r\n", "a=sendrecv\r\n", "a=sendrecv\r\n"},
		{"a=sendonly\r\n", "a=recvonly\r\n", "a=sendonly\r\n"}, // its own hold
		{"a=inactive\r\n", "a=sendonly\r\n", "a=sendonly\r\n"}, // both hold
		{"a=inactive\r\n", "a=inactive\r\n", "a=sendrecv\r\n"},
		{"a=recvonly", "", "a=sendrecv"},
		{"a=recvonlyx\r\n", "", "a=recvonlyx\r\n"},
	}
	for _, r := range holds {
		if got := unheld(r.sdp, r.far); got != r.want {
			t.Errorf("%q beside %q: %q", r.sdp, r.far, got)
		}
	}
	if !alike(offer, strings.Replace(offer, "o=- 1 1", "o=- 9 9", 1)) || !alike("m=audio 1 RTP/AVP 0 8\r\n", "m=audio 1 RTP/AVP 8\r\na=sendrecv\r\n") ||
		alike(offer, reply) || alike(avp+keys("A"), avp+keys("B")) || alike(avp, avp+"a=sendonly\r\n") {
		t.Error("descriptions are compared wrongly")
	}
}

func FuzzADescriptionCrossesSidesWithoutItsKeys(f *testing.F) {
	for _, seed := range []string{offer, held, "m=audio 1 RTP/SAVP 0\na=crypto:1 x", "\na=crypto:", "a=inactive", "m=", "m= \r\na=crypto:\r\n"} {
		f.Add(seed, reply)
	}
	f.Fuzz(func(t *testing.T, sdp, far string) {
		if got, ok := acrossTo(sdp, true, false); ok && cryptoOf(got) != "" && cryptoOf(sdp) != got {
			if strings.Contains(got, "\na=crypto:") {
				t.Fatalf("%q became %q", sdp, got)
			}
		}
		free := unheld(sdp, far)
		if again := unheld(free, far); again != free {
			t.Fatalf("%q is freed to %q and then to %q", sdp, free, again)
		}
		if !alike(sdp, sdp) {
			t.Fatal("not like itself")
		}
	})
}
