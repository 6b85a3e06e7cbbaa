package node

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
)

// signed is a certificate for 127.0.0.1 that an authority of its own has signed, and that authority in PEM.
func signed(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	made := func(of, by *x509.Certificate, key, with *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, of, by, &key.PublicKey, with)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	top, leaf := newKey(), newKey()
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der := made(authority, authority, top, top)
	cert := made(&x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, authority, leaf, top)
	return tls.Certificate{Certificate: [][]byte{cert}, PrivateKey: leaf}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// manager is as much of Asterisk's manager interface as an empty floor needs.
func manager(t *testing.T, cert tls.Certificate) (addr string) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { manages(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); work.Wait() })
	return l.Addr().String()
}

func manages(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "Asterisk Call Manager/9.0.0\r\n")
	action, id := "", ""
	for in := bufio.NewScanner(conn); in.Scan(); {
		name, value, _ := strings.Cut(in.Text(), ": ")
		switch name {
		case "Action":
			action = value
		case "ActionID":
			id = value
		case "": // the end of an action
			fmt.Fprintf(conn, "Response: Success\r\nActionID: %s\r\nMessage: ok\r\n\r\n", id)
			switch action {
			case "Login":
				fmt.Fprint(conn, "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n")
			case "QueueStatus":
				fmt.Fprintf(conn, "Event: QueueStatusComplete\r\nActionID: %s\r\n\r\n", id)
			}
		}
	}
}

// TestAnAsteriskWithAnAuthorityOfItsOwn is told over TLS when the center knows that authority, and refused in words until it does.
func TestAnAsteriskWithAnAuthorityOfItsOwn(t *testing.T) {
	t.Parallel()
	cert, ca := signed(t)
	_, another := signed(t)
	addr := manager(t, cert) // ends after the node, which would come again
	n := start(t, t.TempDir())
	box := roster.PBX{ID: "ast", Name: "Asterisk", Kind: "asterisk", Addr: "tls://" + addr, User: "zaseki", Queues: map[string]string{"7000": "support"}}
	for _, r := range []struct{ name, ca, says string }{
		{"nobody's", "", "unknown authority"},
		{"another's", another, "unknown authority"},
		{"its own", ca, ""},
	} {
		box.CA = r.ca
		if err := n.Apply(t.Context(), roster.Setup{PBXs: []roster.PBXSetup{{PBX: box, Secret: "ami-secret"}}}); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		t.Log(r.name)
		until(t, func() bool {
			s := n.PBXs()
			return len(s) == 1 && s[0].Connected == (r.says == "") && strings.Contains(s[0].Error, r.says)
		})
	}
	row, ok := n.Roster().Row(roster.KindPBX, "ast")
	if shown, _ := row.Data.(roster.PBXRow); !ok || shown.CA != ca || len(shown.Sealed) != 0 {
		t.Errorf("the row %+v", row)
	}
}

func TestAnAuthorityThatIsNoneIsRefused(t *testing.T) {
	_, ca := signed(t)
	n := start(t, t.TempDir())
	for name, b := range map[string]roster.PBX{
		"no certificate":         {Kind: "asterisk", Addr: "tls://192.0.2.1:5039", CA: "nonsense"},
		"too long":               {Kind: "asterisk", Addr: "tls://192.0.2.1:5039", CA: strings.Repeat(ca, 200)},
		"nobody would look":      {Kind: "asterisk", Addr: "192.0.2.1:5038", CA: ca},
		"nor with plain HTTP":    {Kind: "kamailio", Addr: "http://192.0.2.1/RPC", CA: ca},
		"of who comes by itself": {Kind: "route", Accept: []string{"192.0.2.1"}, CA: ca},
	} {
		b.ID, b.Name = "x", "X"
		if err := n.Apply(t.Context(), roster.Setup{PBXs: []roster.PBXSetup{{PBX: b}}}); err == nil || !strings.Contains(err.Error(), "pbxs[0].ca: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAPBXIsKnownWhenTheSiteSaysSo: whoever has just named it may call from it at once.
func TestAPBXIsKnownWhenTheSiteSaysSo(t *testing.T) {
	n := start(t, t.TempDir())
	conn, err := net.Dial("udp", n.SIP())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	at, calls := conn.LocalAddr(), 0
	hears := func(code string) {
		t.Helper()
		calls++
		fmt.Fprintf(conn, "INVITE sip:7000@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[1]s;branch=z9hG4bK%[2]d;rport\r\nFrom: <sip:pbx@x>;tag=1\r\nTo: <sip:7000@x>\r\n"+
			"Call-ID: %[2]d\r\nCSeq: 1 INVITE\r\nContact: <sip:pbx@%[1]s>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", at, calls)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		for buf := make([]byte, 1500); ; {
			size, err := conn.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			answer := string(buf[:size])
			if strings.HasPrefix(answer, "SIP/2.0 1") || !strings.Contains(answer, fmt.Sprintf("Call-ID: %d\r\n", calls)) {
				continue
			}
			if !strings.HasPrefix(answer, "SIP/2.0 "+code) {
				t.Errorf("call %d heard %s, want %s", calls, answer, code)
			}
			return
		}
	}
	box := roster.PBX{ID: "main", Name: "Main", Kind: "route", Accept: []string{"127.0.0.1"}, Domain: "pbx.test"}
	for range 20 {
		hears("407") // a stranger
		if err := n.Apply(t.Context(), roster.Setup{PBXs: []roster.PBXSetup{{PBX: box}}}); err != nil {
			t.Fatal(err)
		}
		hears("404") // known, but there is no such queue
		if err := n.roster.Remove(t.Context(), roster.KindPBX, "main", nil, "root"); err != nil {
			t.Fatal(err)
		}
	}
}
