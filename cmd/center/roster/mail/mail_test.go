package mail

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net"
	"net/mail"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"zaseki/cmd/center/roster/mail/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAMailArrivesByTLSAsItWasWritten(t *testing.T) {
	p := mailtest.New(t, true)
	m := Message{To: "taro@example.jp", Subject: "サインインのコード", Text: "コード: 123456\nten minutes\n"}
	s := Server{Addr: p.Addr, User: "center", Password: "secret", From: "座席 <center@example.jp>", TLS: &tls.Config{RootCAs: p.Roots}}
	if err := Send(t.Context(), s, m); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(p.Said(), "\n")
	if !strings.Contains(said, "STARTTLS\nEHLO") || !strings.Contains(said, "MAIL FROM:<center@example.jp>") || !strings.Contains(said, "RCPT TO:<taro@example.jp>") ||
		strings.Index(said, "AUTH PLAIN") < strings.Index(said, "STARTTLS") {
		t.Errorf("said %q", p.Said())
	}
	got, err := mail.ReadMessage(strings.NewReader(p.Mail()))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	body, readErr := io.ReadAll(base64.NewDecoder(base64.StdEncoding, got.Body))
	if err = errors.Join(err, readErr); err != nil || subject != m.Subject || string(body) != m.Text {
		t.Errorf("%q %q %v", subject, body, err)
	}
}

func TestAMailIsNotGivenToWhoeverHasAnotherCertificate(t *testing.T) {
	p := mailtest.New(t, true)
	err := Send(t.Context(), Server{Addr: p.Addr, User: "center", Password: "secret", From: "center@example.jp"}, Message{To: "taro@example.jp"})
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Fatal(err)
	}
	if said := strings.Join(p.Said(), "\n"); strings.Contains(said, "AUTH") || strings.Contains(said, "RCPT") {
		t.Errorf("said %q", said)
	}
}

func TestOnLoopbackAMailMayGoInClear(t *testing.T) {
	p := mailtest.New(t, false)
	if err := Send(t.Context(), Server{Addr: p.Addr, From: "center@example.jp"}, Message{To: "taro@example.jp", Text: "x"}); err != nil {
		t.Fatal(err)
	}
}

func TestElsewhereAMailDoesNotGoInClear(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:25": true, "[::1]:25": true, "192.0.2.1:25": false, "[2001:db8::1]:25": false} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if loopback(a) != want {
			t.Error(addr)
		}
	}
}

func TestALineBreakInAnAddressAddsNoHeader(t *testing.T) {
	p := mailtest.New(t, false)
	s := Server{Addr: p.Addr, From: "center@example.jp"}
	if err := Send(t.Context(), s, Message{To: "taro@example.jp>\r\nRCPT TO:<evil@example.jp", Text: "x"}); err == nil {
		t.Error("sent")
	}
	if err := Send(t.Context(), s, Message{To: "taro@example.jp", Subject: "a\r\nBcc: evil@example.jp", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if m, err := mail.ReadMessage(strings.NewReader(p.Mail())); err != nil || m.Header.Get("Bcc") != "" {
		t.Errorf("%q %v", p.Mail(), err)
	}
}
