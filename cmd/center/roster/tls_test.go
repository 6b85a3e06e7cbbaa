package roster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// TestAPhoneSignsInAndConnectsByTLS: sign-in goes by HTTP/2 where the center offers it, the websocket by HTTP/1.1 (RFC 6455), both
// with the one configuration that the phone was given.
func TestAPhoneSignsInAndConnectsByTLS(t *testing.T) {
	c := newCenter(t, nil, nil)
	srv := httptest.NewUnstartedServer(c.Handler())
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	p := &phone{t: t, account: "alice"}
	p.Uplink = uplink.New(uplink.Config{URL: srv.URL, Machine: "pc", Version: "test", TLS: &tls.Config{RootCAs: roots}, Tell: p.tell})
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ran })
	p.in("2001", "away", "")
	if err := p.ask(wire.SetStatus{To: "break"}); err != nil {
		t.Fatal(err)
	}
	p.wantStatus("break")
}
