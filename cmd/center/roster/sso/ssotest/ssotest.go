// Package ssotest is a small provider of single sign-on for tests: discovery, keys, authorization codes with PKCE, ID tokens signed with
// RS256; and whatever a hostile one would do.
package ssotest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Client and Secret are what the provider knows its only client as.
const (
	Client = "zaseki"
	Secret = "client secret"
)

// Provider is one that runs until the test ends.
type Provider struct {
	URL string

	server *httptest.Server
	key    *rsa.PrivateKey
	other  *rsa.PrivateKey

	mu     sync.Mutex
	who    map[string]any // claims of whoever is signed in there
	refuse string         // error code instead of a code
	tamper func(head, claims map[string]any)
	sign   string // "" with the key, "none", "other"
	codes  map[string]grant
	asked  int
}

// grant is what a code is good for, once.
type grant struct {
	challenge, nonce, redirect string
	claims                     map[string]any
}

// New starts one where the person with these claims is signed in.
func New(t testing.TB, claims map[string]any) *Provider {
	t.Helper()
	p := &Provider{who: claims, codes: map[string]grant{}}
	var err error
	if p.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.other, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewServer(mux)
	p.URL = p.server.URL
	t.Cleanup(p.server.Close)
	return p
}

// SignIn has somebody else signed in there.
func (p *Provider) SignIn(claims map[string]any) { p.set(func() { p.who = claims }) }

// Refuse answers with an error code; "" lets in.
func (p *Provider) Refuse(code string) { p.set(func() { p.refuse = code }) }

// Tamper changes tokens before they are signed; sign is "", "none" or "other".
func (p *Provider) Tamper(sign string, change func(head, claims map[string]any)) {
	p.set(func() { p.sign, p.tamper = sign, change })
}

// Asked is how many codes were traded.
func (p *Provider) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *Provider) set(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	pub := p.key.PublicKey
	reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one",
		"n": b64(pub.N.Bytes()), "e": b64(big.NewInt(int64(pub.E)).Bytes())}}})
}

// authorize sends the browser back at once.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	if q.Get("client_id") != Client || q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" || q.Get("nonce") == "" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	if p.refuse != "" {
		back.Set("error", p.refuse)
	} else {
		code := rand.Text()
		p.codes[code] = grant{q.Get("code_challenge"), q.Get("nonce"), q.Get("redirect_uri"), maps.Clone(p.who)}
		back.Set("code", code)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	user, pass, ok := r.BasicAuth()
	if !ok {
		user, pass = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if name, err := url.QueryUnescape(pass); err == nil {
		pass = name // RFC 6749 §2.3.1
	}
	code := r.PostFormValue("code")
	g, known := p.codes[code]
	delete(p.codes, code)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case user != Client || pass != Secret:
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !known || g.redirect != r.PostFormValue("redirect_uri") || g.challenge != b64(sum[:]):
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		reply(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": p.idTokenLocked(g)})
	}
}

func (p *Provider) idTokenLocked(g grant) string {
	now := time.Now()
	head := map[string]any{"alg": "RS256", "kid": "one", "typ": "JWT"}
	claims := map[string]any{"iss": p.URL, "aud": Client, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	maps.Copy(claims, g.claims)
	if p.tamper != nil {
		p.tamper(head, claims)
	}
	if p.sign == "none" {
		head["alg"] = "none"
	}
	text := part(head) + "." + part(claims)
	key := p.key
	switch p.sign {
	case "none":
		return text + "."
	case "other":
		key = p.other
	}
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "" // a key of 2048 bits signs a SHA-256
	}
	return text + "." + b64(sig)
}

func part(v any) string {
	data, _ := json.Marshal(v) // maps of our own
	return b64(data)
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the far side may be gone
}
