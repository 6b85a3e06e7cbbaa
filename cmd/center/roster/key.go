package roster

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"golang.org/x/crypto/chacha20poly1305"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

const keySize = 32

// LoadKey reads the center's key, or makes it (mode 0600) when there is none.
func LoadKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key = make([]byte, keySize)
		_, _ = rand.Read(key) // never fails
		return key, ledger.WriteFile(path, string(key))
	}
	if err != nil {
		return nil, fmt.Errorf("read the center's key: %w", err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("read the center's key: %s has %d bytes, not %d", path, len(key), keySize)
	}
	return key, nil
}

// vault makes and keeps SIP secrets without storing one.
type vault struct{ key []byte }

func (v vault) derive(purpose string) []byte {
	h := hmac.New(sha256.New, v.key)
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// secret is the terminal's SIP secret: the fixed one, or 160 bits that follow from the center's key and the epoch, so that
// it changes with every claim and needs no place to be kept. ok is false for a terminal nobody may register.
func (v vault) secret(t Terminal) (s wire.Secret, ok bool) {
	if len(t.Sealed) > 0 {
		plain, err := v.open(t.Sealed, t.Extension)
		return wire.Secret(plain), err == nil
	}
	if t.Holder == "" || !t.wire().Soft() {
		return "", false
	}
	sum := v.derive(fmt.Sprintf("sip %s %d", t.Extension, t.Epoch))
	return wire.Secret(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20])), true
}

// ha1 is the hash of user:realm:secret (RFC 7616 §3.4.2).
func (v vault) ha1(t Terminal, realm, algorithm string) (string, bool) {
	secret, ok := v.secret(t)
	if !ok {
		return "", false
	}
	text := []byte(t.Extension + ":" + realm + ":" + secret.Reveal())
	switch algorithm {
	case "MD5", "":
		sum := md5.Sum(text)
		return hex.EncodeToString(sum[:]), true
	case "SHA-256":
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:]), true
	}
	return "", false
}

// seal closes a fixed secret for the ledger; name binds it to its terminal.
func (v vault) seal(plain, name string) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(v.derive("seal"))
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, []byte(plain), []byte(name)), nil
}

func (v vault) open(sealed []byte, name string) (string, error) {
	aead, err := chacha20poly1305.NewX(v.derive("seal"))
	if err != nil {
		return "", err
	}
	if len(sealed) < aead.NonceSize() {
		return "", errors.New("sealed secret is too short")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(name))
	return string(plain), err
}

// token makes 256 random bits to hand out, and the hash to keep.
func token() (plain wire.Secret, hash string) {
	plain = wire.Secret(rand.Text() + rand.Text()) // 2 × 130 bits
	return plain, hashOf(plain.Reveal())
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
