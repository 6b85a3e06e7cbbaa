package exchange

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/crypto/chacha20poly1305"

	"zaseki/sip/stack"
)

// veilMark begins the user part of a temporary GRUU.
const veilMark = "tgruu."

// veil makes temporary GRUUs (RFC 5627 §3.2): addresses of one phone that do not tell whose it is, a new one with each REGISTER.
// Nothing is kept of them: the user is sealed into the address itself, with a mark of the registration that it is good for.
type veil struct {
	aead cipher.AEAD
	key  []byte // of the marks
}

// newVeil takes the center's key, or without one a key of this process alone.
func newVeil(center []byte) veil {
	if center == nil {
		center = make([]byte, chacha20poly1305.KeySize)
		_, _ = rand.Read(center) // never fails
	}
	derive := func(purpose string) []byte {
		h := hmac.New(sha256.New, center)
		h.Write([]byte(purpose))
		return h.Sum(nil)
	}
	aead, _ := chacha20poly1305.NewX(derive("temporary gruu")) // fails with a key of another length only
	return veil{aead: aead, key: derive("temporary gruu of a registration")}
}

// mark is of one phone since it registered with that Call-ID: RFC 5627 §5.4 has its temporary GRUUs end when it comes with another one, or
// when its registration does.
func (v veil) mark(b binding) []byte {
	h := hmac.New(sha256.New, v.key)
	h.Write([]byte(strings.ToLower(b.instance) + "\n" + b.callID + "\n"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(b.began.UnixNano())))
	return h.Sum(nil)[:16]
}

// over is the user part of a new temporary GRUU for a registration.
func (v veil) over(user string, b binding) string {
	nonce := make([]byte, v.aead.NonceSize(), v.aead.NonceSize()+16+len(user)+v.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return veilMark + base64.RawURLEncoding.EncodeToString(v.aead.Seal(nonce, nonce, append(v.mark(b), user...), nil))
}

// lift is whose phone a user part means, and the mark of its registration; ok is false when we did not make it.
func (v veil) lift(part string) (user string, mark []byte, ok bool) {
	text, ok := strings.CutPrefix(part, veilMark)
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if n := v.aead.NonceSize(); ok && err == nil && len(sealed) > n {
		if plain, err := v.aead.Open(nil, sealed[:n], sealed[n:], nil); err == nil && len(plain) > 16 {
			return string(plain[16:]), plain[:16], true
		}
	}
	return "", nil, false
}

// temporary is a new temporary GRUU of a registration.
func (x *Exchange) temporary(user string, b binding) string {
	return "sip:" + x.veil.over(user, b) + "@" + x.cfg.Domain() + ";gr"
}

// behind is the user and the phone of a temporary GRUU; ok is false for any other address, user "" for one that is no more.
func (x *Exchange) behind(uri sip.Uri) (user, instance string, ok bool) {
	if value, has := uri.UriParams.Get("gr"); !has || value != "" || !strings.HasPrefix(uri.User, veilMark) {
		return "", "", false
	}
	user, mark, ours := x.veil.lift(stack.UnescapeUser(uri.User))
	if !ours {
		return "", "", true
	}
	for _, b := range x.where.lookup(user) {
		if b.instance != "" && hmac.Equal(mark, x.veil.mark(b)) {
			return user, b.instance, true
		}
	}
	return "", "", true // RFC 5627 §5.1: nobody's any more, 404
}

// goesOn is from when on temporary GRUUs of this registration are good: it goes on as long as the phone comes with the same Call-ID.
func (b binding) goesOn(before []binding) time.Time {
	for _, h := range before {
		if b.instance != "" && strings.EqualFold(h.instance, b.instance) && h.callID == b.callID && !h.began.IsZero() {
			return h.began
		}
	}
	return b.since
}

// meant is where an address leads that a caller names: a number, or one phone by its GRUU (RFC 5627 §5.1).
func (x *Exchange) meant(caller Terminal, uri sip.Uri) (number string, to route) {
	number, instance, hidden := x.behind(uri)
	if number == "" { // of one that is no more too: it is nobody's number
		number = stack.UnescapeUser(uri.User)
	}
	if !hidden {
		instance, _ = uri.UriParams.Get("gr")
	}
	if to = choose(x.desk, x.cfg.Numbers(), caller, number); to.kind == toUser {
		to.instance = instance
	}
	return number, to
}
