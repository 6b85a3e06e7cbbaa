package stack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/gorilla/websocket"
)

// certificate is one for these names, with the roots that vouch for it.
func certificate(t *testing.T, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: names, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, roots
}

// asks sends an OPTIONS over the link and returns how it ended.
func asks(t *testing.T, s *Stack, link *Link) string {
	t.Helper()
	msg, err := sip.ParseMessage([]byte(message("OPTIONS", sip.GenerateTagN(8), 1)))
	if err != nil {
		t.Fatal(err)
	}
	req := msg.(*sip.Request)
	req.RemoveHeader("Via")
	codes := make(chan string, 1)
	if _, err := s.Send(req, link, link.Remote(), func(res *sip.Response, err error) {
		if err != nil {
			codes <- err.Error()
			return
		}
		codes <- fmt.Sprint(res.StatusCode, " ", Header(res, "Via"))
	}); err != nil {
		t.Fatal(err)
	}
	return next(t, codes)
}

func TestTLSIsForOneOfTheNames(t *testing.T) {
	cert, roots := certificate(t, "zaseki.test")
	server := New(Config{})
	server.Handle(Handlers{Request: func(in *Inbound) { _ = in.Answer(200, "OK") }})
	addr, err := server.ListenTLS("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	run(t, server)
	s := New(Config{})
	run(t, s)
	good := &tls.Config{RootCAs: roots}
	for name, row := range map[string]struct {
		cfg   *tls.Config
		names []string
		fails bool
	}{
		"the domain":            {good, []string{"zaseki.test"}, false},
		"one of two":            {good, []string{"other.test", "zaseki.test"}, false},
		"another domain":        {good, []string{"other.test"}, true},
		"two others":            {good, []string{"other.test", "127.0.0.1"}, true},
		"the system's roots":    {nil, []string{"zaseki.test"}, true},
		"two, system's roots":   {nil, []string{"zaseki.test", "other.test"}, true},
		"no name":               {good, nil, true},
		"no verification":       {&tls.Config{InsecureSkipVerify: true}, []string{"zaseki.test"}, true},
		"only old versions":     {&tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11}, []string{"zaseki.test"}, true},
		"pinned":                {&tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }}, []string{"x"}, false},
		"pinned to another":     {&tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return errors.New("not it") }}, []string{"x"}, true},
		"roots and a refusal":   {&tls.Config{RootCAs: roots, VerifyConnection: func(tls.ConnectionState) error { return errors.New("no") }}, []string{"zaseki.test", "x"}, true},
		"roots and an approval": {&tls.Config{RootCAs: roots, VerifyConnection: func(tls.ConnectionState) error { return nil }}, []string{"zaseki.test", "x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			link, err := s.DialTLS(context.Background(), addr.String(), row.cfg, row.names...)
			if (err != nil) != row.fails {
				t.Fatalf("%v", err)
			}
			if err != nil {
				return
			}
			defer link.Close()
			if got := asks(t, s, link); !strings.HasPrefix(got, "200 SIP/2.0/TLS 127.0.0.1:") || !link.Secure() || link.Network() != "tls" {
				t.Error(got, link.Network())
			}
			if got := link.ContactFor("a", link.Remote()); !strings.HasSuffix(got, ";transport=tls>") {
				t.Error(got)
			}
			if known, err := s.Link(context.Background(), "TLS", addr); err != nil || known != link {
				t.Errorf("in a dialog: %v %v", known, err)
			}
		})
	}
	if _, err := s.Link(context.Background(), "tls", addr); err == nil {
		t.Error("a lost TLS connection was dialled by its address")
	}
}

// TestSilentTLSClientBlocksNobody: hands are shaken outside the accept loop.
func TestSilentTLSClientBlocksNobody(t *testing.T) {
	cert, roots := certificate(t, "zaseki.test")
	server := New(Config{})
	server.Handle(Handlers{Request: func(in *Inbound) { _ = in.Answer(200, "OK") }})
	addr, err := server.ListenTLS("[::1]:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	run(t, server)
	dial(t, "tcp", addr)
	s := New(Config{})
	run(t, s)
	link, err := s.DialTLS(context.Background(), addr.String(), &tls.Config{RootCAs: roots}, "zaseki.test")
	if err != nil {
		t.Fatal(err)
	}
	if got := asks(t, s, link); !strings.HasPrefix(got, "200 SIP/2.0/TLS [::1]:") {
		t.Error(got)
	}
}

// wsServer answers every request with 200 over WebSockets and pings with a payload, as Kamailio can.
func wsServer(t *testing.T, subprotocol string, pings bool) (*httptest.Server, *x509.CertPool, chan string) {
	t.Helper()
	got := make(chan string, 100)
	up := websocket.Upgrader{Subprotocols: []string{subprotocol}, CheckOrigin: func(*http.Request) bool { return true }}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetPongHandler(func(payload string) error { got <- "pong " + payload; return nil })
		if pings {
			_ = conn.WriteControl(websocket.PingMessage, []byte("kam-ping"), time.Now().Add(time.Second))
		}
		for {
			_, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if string(data) == "close" {
				return
			}
			got <- string(data)
			if msg, err := sip.ParseMessage(data); err == nil {
				_ = conn.WriteMessage(websocket.TextMessage, []byte(sip.NewResponseFromRequest(msg.(*sip.Request), 200, "OK", nil).String()))
			}
		}
	}))
	cert, roots := certificate(t, "zaseki.test")
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, roots, got
}

func TestWebSocketCarriesMessagesAndAnswersPings(t *testing.T) {
	server, roots, got := wsServer(t, "sip", true)
	s := New(Config{})
	run(t, s)
	at := &url.URL{Scheme: "wss", Host: "zaseki.test"}
	link, err := s.DialWSS(context.Background(), server.Listener.Addr().String(), at, &tls.Config{RootCAs: roots}, "zaseki.test")
	if err != nil {
		t.Fatal(err)
	}
	if have := asks(t, s, link); !strings.HasPrefix(have, "200 SIP/2.0/WSS ") || !strings.Contains(have, ".invalid;") {
		t.Error(have)
	}
	contact := link.ContactFor("alice", link.Remote())
	if !link.Secure() || !strings.HasPrefix(contact, "<sip:alice@") || !strings.HasSuffix(contact, ".invalid;transport=ws>") {
		t.Error(contact)
	}
	seen := map[string]bool{}
	for range 2 {
		m, _, _ := strings.Cut(next(t, got), " sip:")
		seen[m] = true
	}
	if !seen["pong kam-ping"] || !seen["OPTIONS"] {
		t.Error(seen)
	}
	if !link.alive() {
		t.Error("our own ping was not answered")
	}
	_ = link.write([]byte("close"), link.Remote())
	<-link.Done()
}

func TestWebSocketOfSomethingElseIsRefused(t *testing.T) {
	server, roots, _ := wsServer(t, "chat", false)
	s := New(Config{})
	run(t, s)
	at := &url.URL{Scheme: "wss", Host: "zaseki.test"}
	if link, err := s.DialWSS(context.Background(), server.Listener.Addr().String(), at, &tls.Config{RootCAs: roots}, "zaseki.test"); err == nil {
		t.Error(link)
	}
	if _, err := s.DialWSS(context.Background(), server.Listener.Addr().String(), at, &tls.Config{RootCAs: roots}, "other.test"); err == nil {
		t.Error("another's certificate was taken")
	}
}

// TestLargeRequestsOfAnAutomaticLineGoByTCP, and their CANCEL with them; without TCP they stay.
func TestLargeRequestsOfAnAutomaticLineGoByTCP(t *testing.T) {
	large := message("OPTIONS", "large", 1)
	large = strings.Replace(large, "Content-Length: 0\r\n\r\n", "Content-Length: 1400\r\n\r\n"+strings.Repeat("x", 1400), 1)
	for _, tcp := range []bool{true, false} {
		t.Run(fmt.Sprint("tcp ", tcp), func(t *testing.T) {
			far := New(Config{})
			far.Handle(Handlers{Request: func(in *Inbound) { _ = in.Answer(200, "OK") }})
			udp := listens(t, far, tcp)
			run(t, far)
			s := New(Config{})
			run(t, s)
			link, err := s.ListenUDP("127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			link.Large()
			msg, err := sip.ParseMessage([]byte(large))
			if err != nil {
				t.Fatal(err)
			}
			req := msg.(*sip.Request)
			req.RemoveHeader("Via")
			done := make(chan string, 1)
			out, err := s.Send(req, link, udp.Local(), func(res *sip.Response, err error) { done <- fmt.Sprint(res.StatusCode, err) })
			if err != nil {
				t.Fatal(err)
			}
			if got := next(t, done); got != "200 <nil>" {
				t.Error(got)
			}
			if got := out.Request().Via().Transport; (got == "TCP") != tcp {
				t.Error(got)
			}
			if got := s.fitting(out.Request(), link, udp.Local()).Network(); (got == "tcp") != tcp {
				t.Errorf("what follows its Via goes by %s", got)
			}
		})
	}
}

// TestServersThatNeverPongKeepTheirConnection, and one that did once loses it by silence.
func TestServersThatNeverPongKeepTheirConnection(t *testing.T) {
	_, link, conn := connected(t)
	link.KeepAlive(10 * time.Millisecond)
	buf := make([]byte, 4)
	if _, err := conn.Read(buf); err != nil || string(buf) != "\r\n\r\n" {
		t.Fatalf("%q %v", buf, err)
	}
	_, _ = conn.Write([]byte("\r\n"))
	if _, err := conn.Read(buf); err != nil {
		t.Fatalf("no second ping: %v", err)
	}
	select {
	case <-link.Done():
		t.Error("lost before its time", link.Err())
	default:
	}
}

// listens on a port that is free for UDP, and for TCP when that is wanted.
func listens(t *testing.T, s *Stack, tcp bool) *Link {
	t.Helper()
	for range 100 {
		udp, err := s.ListenUDP("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if !tcp {
			return udp
		}
		if _, err := s.ListenTCP(udp.Local().String()); err == nil {
			return udp
		}
		_ = udp.Close()
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil
}

func TestSocketsAreChosenByFamily(t *testing.T) {
	s := New(Config{})
	run(t, s)
	six, err := s.ListenUDP("[::1]:0")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no IPv6: ", err)
		}
		t.Skip("no IPv6: ", err)
	}
	four, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]*Link{"[::1]:5060": six, "127.0.0.1:5060": four, "192.0.2.1:5060": four} {
		if got, err := s.Link(context.Background(), "udp", netip.MustParseAddrPort(to)); err != nil || got != want {
			t.Errorf("%s: %v %v", to, got, err)
		}
	}
	if got := six.ContactFor("a", netip.MustParseAddrPort("[::1]:5060")); !strings.HasPrefix(got, "<sip:a@[::1]:") {
		t.Error(got)
	}
}
