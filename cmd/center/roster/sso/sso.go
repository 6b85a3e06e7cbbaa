// Package sso asks a provider of single sign-on who somebody is (OpenID Connect Core 1.0, authorization code flow with PKCE). It
// knows no account: it answers with what the provider vouches for.
package sso

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"zaseki/web/wire"
)

// Client is what the provider knows us as.
type Client struct {
	Issuer string
	ID     string
	Secret wire.Secret // "" a public client
}

// Attempt are the secrets of one sign-in; they stay with the browser that began it.
type Attempt struct {
	State    string // comes back in the address
	Nonce    string // comes back in the token: it was made for this attempt (Core §3.1.2.1)
	Verifier string // of PKCE (RFC 7636)
	Redirect string // our address that the provider sends the browser to
}

// Identity is whom the provider vouches for. Issuer and Subject together are the key; a mail address or a name is none.
type Identity struct {
	Issuer, Subject string
	Name            string // preferred_username
	Mail            string // only one that the provider has verified
	Mfa             bool   // it asked for a second factor (RFC 8176)
}

// ErrNonce says that the token was made for another attempt.
var ErrNonce = errors.New("the token belongs to another sign-in")

const (
	patience = 10 * time.Second
	fresh    = time.Hour // what the provider says about itself is asked for again
	again    = 5 * time.Second
)

// Provider is how a client's provider is found and asked. All methods may be called from any goroutine.
type Provider struct {
	client Client
	http   *http.Client

	mu     sync.Mutex
	found  *oidc.Provider
	at     time.Time
	failed error // it could not be found at that time
}

// New makes one; nothing is asked yet. A nil client is one with sensible limits.
func New(c Client, h *http.Client) *Provider {
	if h == nil {
		h = &http.Client{Timeout: patience}
	}
	return &Provider{client: c, http: h}
}

// Is says that this is the provider of that client.
func (p *Provider) Is(c Client) bool { return p != nil && p.client == c }

// discover finds the provider's addresses and keys (Discovery 1.0 §4).
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch since := time.Since(p.at); {
	case p.found != nil && since < fresh:
		return p.found, nil
	case p.failed != nil && since < again: // everybody who waits here would wait for it one after the other
		return nil, p.failed
	}
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), p.http) // its keys are fetched with it later
	found, err := oidc.NewProvider(ctx, p.client.Issuer)
	p.found, p.at, p.failed = found, time.Now(), nil
	if err != nil {
		p.found, p.failed = nil, fmt.Errorf("find the provider: %w", err)
	}
	return p.found, p.failed
}

func (p *Provider) flow(found *oidc.Provider, a Attempt) oauth2.Config {
	return oauth2.Config{ClientID: p.client.ID, ClientSecret: p.client.Secret.Reveal(), Endpoint: found.Endpoint(),
		RedirectURL: a.Redirect, Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
}

// URL is where the browser goes to sign in.
func (p *Provider) URL(ctx context.Context, a Attempt) (string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	f := p.flow(found, a)
	return f.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// Exchange trades the code that came back for an identity.
func (p *Provider) Exchange(ctx context.Context, a Attempt, code string) (Identity, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.http), patience)
	defer cancel()
	found, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	f := p.flow(found, a)
	tok, err := f.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) && refused.ErrorCode != "" { // the body may hold more than a log should
			err = errors.New(refused.ErrorCode)
		}
		return Identity{}, fmt.Errorf("trade the code: %w", err)
	}
	raw, ok := tok.Extra("id_token").(string)
	if !ok {
		return Identity{}, errors.New("the answer holds no ID token")
	}
	return identity(ctx, found.Verifier(&oidc.Config{ClientID: p.client.ID}), raw, a.Nonce)
}

// identity checks a token: signature, issuer, audience and time by the library, and the nonce, which it leaves to us.
func identity(ctx context.Context, v *oidc.IDTokenVerifier, raw, nonce string) (Identity, error) {
	t, err := v.Verify(ctx, raw)
	if err != nil {
		return Identity{}, err
	}
	if nonce == "" || subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(nonce)) != 1 {
		return Identity{}, ErrNonce
	}
	var claims struct {
		Name     string   `json:"preferred_username"`
		Mail     string   `json:"email"`
		Verified any      `json:"email_verified"` // some say "true"
		Amr      []string `json:"amr"`
	}
	if err := t.Claims(&claims); err != nil {
		return Identity{}, err
	}
	if t.Subject == "" {
		return Identity{}, errors.New("the token names nobody")
	}
	id := Identity{Issuer: t.Issuer, Subject: t.Subject, Name: claims.Name, Mfa: slices.Contains(claims.Amr, "mfa")}
	if claims.Verified == true || claims.Verified == "true" {
		id.Mail = claims.Mail
	}
	return id, nil
}
