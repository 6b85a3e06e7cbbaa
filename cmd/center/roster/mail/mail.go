// Package mail sends the center's mails: a code, and nothing else. A mail leaves by TLS or not at all, but on loopback.
package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"strings"
	"time"

	"zaseki/web/wire"
)

// Server is where mails are handed in.
type Server struct {
	Addr     string // host:port; with port 465 TLS begins at once (RFC 8314 §3.3), else by STARTTLS
	User     string // "" hands in without a password
	Password wire.Secret
	From     string
	TLS      *tls.Config // nil: the system's authorities
}

// Message is a mail in plain text.
type Message struct {
	To, Subject, Text string
}

// patience is how long handing in may take.
const patience = 20 * time.Second

// ErrClear says that the server offers no TLS.
var ErrClear = errors.New("the mail server offers no TLS")

// Send hands the mail in. Errors hold neither the text nor the password.
func Send(ctx context.Context, s Server, m Message) error {
	if err := s.send(ctx, m); err != nil {
		return fmt.Errorf("mail by %s: %w", s.Addr, err)
	}
	return nil
}

func (s Server) send(ctx context.Context, m Message) error {
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	to, err := mail.ParseAddress(m.To)
	if err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if s.User != "" {
		host, _, _ := net.SplitHostPort(s.Addr) // dial has used it
		if err := c.Auth(smtp.PlainAuth("", s.User, s.Password.Reveal(), host)); err != nil {
			return fmt.Errorf("authenticate: %w", err)
		}
	}
	if err := hand(c, from.Address, to.Address, compose(from, to, m)); err != nil {
		return err
	}
	return c.Quit()
}

func hand(c *smtp.Client, from, to string, text []byte) error {
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return w.Close()
}

// dial connects, with TLS from the first byte or before anything is said.
func (s Server) dial(ctx context.Context) (*smtp.Client, error) {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{}
	if s.TLS != nil {
		config = s.TLS.Clone()
	}
	config.ServerName, config.MinVersion = host, tls.VersionTLS12
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline() // there is one
	_ = conn.SetDeadline(deadline)
	if port == "465" {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if port == "465" {
		return c, nil
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		err = c.StartTLS(config)
	} else if !loopback(conn.RemoteAddr()) {
		err = ErrClear
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func loopback(a net.Addr) bool {
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// compose writes the message (RFC 5322), its text as base64 so that no server breaks it.
func compose(from, to *mail.Address, m Message) []byte {
	_, domain, _ := strings.Cut(from.Address, "@")
	var b strings.Builder
	head := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	head("From", from.String())
	head("To", to.String())
	head("Subject", mime.BEncoding.Encode("utf-8", m.Subject))
	head("Date", time.Now().Format(time.RFC1123Z))
	head("Message-ID", "<"+rand.Text()+"@"+domain+">")
	head("Auto-Submitted", "auto-generated") // RFC 3834 §5
	head("MIME-Version", "1.0")
	head("Content-Type", "text/plain; charset=utf-8")
	head("Content-Transfer-Encoding", "base64")
	b.WriteString("\r\n")
	for text := base64.StdEncoding.EncodeToString([]byte(m.Text)); text != ""; {
		n := min(76, len(text))
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	return []byte(b.String())
}
