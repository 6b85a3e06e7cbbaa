package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/sip"
)

func TestTelephonesRegisterWithTLSByTheCentersOwnAuthority(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir())
	if err := n.Apply(t.Context(), floor(t)); err != nil {
		t.Fatal(err)
	}
	server, ca := n.registrar("localhost", true)
	if server != n.SIPS() || server == n.SIP() {
		t.Fatalf("phones are sent to %q", server)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		t.Fatal("no authority for the phone")
	}
	register := func(domain, user string, cfg *tls.Config) error {
		p := sip.New(sip.Config{UserAgent: "test", Log: logFor(t)})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		limited, stop := context.WithTimeout(t.Context(), long)
		defer stop()
		return p.Register(limited, sip.Account{User: user, Domain: domain, Server: server, Transport: "tls", TLS: cfg,
			Password: secret("change-this-" + map[string]string{"1101": "desk", "trunk": "trunk"}[user] + "-secret"), Expires: time.Minute})
	}
	if err := register("center.internal", "1101", &tls.Config{RootCAs: roots}); err != nil {
		t.Fatal(err)
	}
	for _, r := range n.Exchange().Registered() {
		if r.Network != "tls" {
			t.Fatalf("registered %+v", r)
		}
	}
	if err := register("center.internal", "trunk", nil); err == nil {
		t.Fatal("the system's roots know our authority")
	}
	var named x509.HostnameError // an import gives the domain another name: the certificate follows, the connection that is stays
	site := roster.DefaultSite()
	site.Domain = "moved.test"
	if err := n.Apply(t.Context(), roster.Setup{Site: &site}); err != nil {
		t.Fatal(err)
	}
	if err := register("moved.test", "trunk", &tls.Config{RootCAs: roots}); err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", server, &tls.Config{RootCAs: roots, ServerName: "elsewhere.test"})
	if !errors.As(err, &named) {
		if err == nil {
			conn.Close()
		}
		t.Fatalf("a certificate for any name: %v", err)
	}
}

func TestWhereTelephonesAreServedWithTLS(t *testing.T) {
	rows := []struct{ sip, sips, want string }{
		{"127.0.0.1:5060", "", "127.0.0.1:5061"},
		{"[::1]:0", "", "[::1]:0"},
		{":5080", "", ":5081"},
		{"127.0.0.1:5060", "off", "off"},
		{"127.0.0.1:5060", "192.0.2.1:6000", "192.0.2.1:6000"},
		{"127.0.0.1:65535", "", "off"},
		{"nonsense", "", "off"},
	}
	for _, r := range rows {
		if got := (Config{SIP: r.sip, SIPS: r.sips}).SecureSIP(); got != r.want {
			t.Errorf("-sip %s -sips %q: %s, want %s", r.sip, r.sips, got, r.want)
		}
	}
	n, err := New(Config{Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", SIPS: "off"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if n.SIPS() != "" {
		t.Fatalf("serves %s", n.SIPS())
	}
	if server, ca := n.registrar("box", true); server != "box:5061" || ca == "" { // the phone says that it finds nobody there
		t.Fatal(server, ca)
	}
}
