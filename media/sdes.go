package media

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"strconv"
	"strings"

	"github.com/pion/srtp/v3"
)

// suite is an SRTP crypto suite by its name at IANA.
type suite struct {
	name      string
	profile   srtp.ProtectionProfile
	key, salt int // bytes
}

// suites are those we speak, in the order in which we offer them: first the one that everybody has (RFC 4568 §6.2), last
// the short tags. RFC 6188 §3 and RFC 7714 §14.2 name the others.
var suites = [...]suite{
	{"AES_CM_128_HMAC_SHA1_80", srtp.ProtectionProfileAes128CmHmacSha1_80, 16, 14},
	{"AES_256_CM_HMAC_SHA1_80", srtp.ProtectionProfileAes256CmHmacSha1_80, 32, 14},
	{"AEAD_AES_128_GCM", srtp.ProtectionProfileAeadAes128Gcm, 16, 12},
	{"AEAD_AES_256_GCM", srtp.ProtectionProfileAeadAes256Gcm, 32, 12},
	{"AES_CM_128_HMAC_SHA1_32", srtp.ProtectionProfileAes128CmHmacSha1_32, 16, 14},
	{"AES_256_CM_HMAC_SHA1_32", srtp.ProtectionProfileAes256CmHmacSha1_32, 32, 14},
}

// suiteOf finds a suite by its profile, which DTLS agrees on.
func suiteOf(profile srtp.ProtectionProfile) *suite {
	for i := range suites {
		if suites[i].profile == profile {
			return &suites[i]
		}
	}
	return nil
}

// secret is a master key with its salt, or a password. It does not print, not even inside of something that is printed with
// all its fields: there fmt asks no methods, but follows no pointer either.
type secret struct{ text *string }

func newSecret(text string) secret { return secret{&text} }

func (secret) String() string               { return "•••" }
func (secret) GoString() string             { return "•••" }
func (secret) LogValue() slog.Value         { return slog.StringValue("•••") }
func (secret) MarshalText() ([]byte, error) { return []byte("•••"), nil }

// reveal gives what it is.
func (k secret) reveal() string {
	if k.text == nil {
		return ""
	}
	return *k.text
}

func (k secret) same(other secret) bool { return k.reveal() == other.reveal() }

// cryptoLine is one a=crypto (RFC 4568 §9.1) that we can use.
type cryptoLine struct {
	tag   int
	suite *suite
	key   secret
}

// parseCrypto reads the value of a=crypto. False: not one of our suites, or with conditions that we do not keep; such a line
// is as if it were not there (RFC 4568 §5.1.2).
func parseCrypto(value string) (cryptoLine, bool) {
	f := strings.Fields(value)
	if len(f) < 3 || len(f[0]) > 9 {
		return cryptoLine{}, false
	}
	tag, err := strconv.ParseUint(f[0], 10, 31)
	if err != nil {
		return cryptoLine{}, false
	}
	for _, parameter := range f[3:] {
		if !harmless(parameter) {
			return cryptoLine{}, false
		}
	}
	for i := range suites {
		if s := &suites[i]; strings.EqualFold(s.name, f[1]) {
			key, ok := parseKey(f[2], s)
			return cryptoLine{int(tag), s, key}, ok
		}
	}
	return cryptoLine{}, false
}

// harmless says that a session parameter changes nothing for us: the window size hint, and what may be ignored by its own
// word (RFC 4568 §6.3.7). Others, such as UNENCRYPTED_SRTP or KDR, are not kept.
func harmless(parameter string) bool {
	return strings.HasPrefix(parameter, "-") || len(parameter) > 4 && strings.EqualFold(parameter[:4], "WSH=")
}

// parseKey reads "inline:" with one key, without a master key identifier.
func parseKey(text string, s *suite) (secret, bool) {
	const method = "inline:"
	if len(text) < len(method) || !strings.EqualFold(text[:len(method)], method) {
		return secret{}, false
	}
	coded, more, _ := strings.Cut(text[len(method):], "|")
	if more != "" && !longLived(more) {
		return secret{}, false
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(coded, "="))
	if err != nil || len(raw) != s.key+s.salt {
		return secret{}, false
	}
	return newSecret(string(raw)), true
}

// longLived says that a key's lifetime is long enough for a call, as a power of two or in packets. A master key identifier
// and a second key have a colon or semicolon in them, and fail.
func longLived(text string) bool {
	if power, ok := strings.CutPrefix(text, "2^"); ok {
		n, err := strconv.ParseUint(power, 10, 8)
		return err == nil && n >= 16 && n <= 48
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return err == nil && n >= 1<<16 && n <= 1<<48
}

// newCrypto makes a line with a key of its own.
func newCrypto(tag int, s *suite) cryptoLine {
	raw := make([]byte, s.key+s.salt)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return cryptoLine{tag, s, newSecret(string(raw))}
}

// written is the whole attribute.
func (c cryptoLine) written() string {
	return "a=crypto:" + strconv.Itoa(c.tag) + " " + c.suite.name + " inline:" + base64.StdEncoding.EncodeToString([]byte(c.key.reveal())) + "\r\n"
}
