// Package code makes and compares what a person types beside the password: codes of an authenticator (TOTP, RFC 6238), codes
// by mail, and codes on paper. It knows no account and keeps nothing.
package code

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"
	"golang.org/x/text/unicode/norm"
)

// Step is how long a code of an authenticator is shown (RFC 6238 §5.2).
const Step = 30 * time.Second

const (
	secretSize = 20 // bytes (RFC 4226 §4 R6)
	near       = 1  // steps before and after now that count
	far        = 20 // steps, ten minutes: a code from there tells that a clock is wrong
	papers     = 10
	paperSize  = 10 // characters of five bits
	digits     = 6
)

// Verdict is what a typed code is.
type Verdict int

const (
	Wrong  Verdict = iota
	Right          // of now, and not used yet
	Used           // it was right, but a code counts once
	Skewed         // right, but of up to ten minutes before or after: a clock is wrong
)

// NewSecret is a secret for an authenticator, base32.
func NewSecret() string {
	raw := make([]byte, secretSize)
	_, _ = rand.Read(raw) // never fails
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
}

// URL is the secret as an authenticator reads it from a picture.
func URL(issuer, account, secret string) string {
	q := url.Values{"secret": {secret}, "issuer": {issuer}}
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account, RawQuery: strings.ReplaceAll(q.Encode(), "+", "%20")}
	return u.String()
}

// StepAt counts the steps up to t.
func StepAt(t time.Time) uint64 { return uint64(t.Unix()) / uint64(Step/time.Second) }

// At is the code that an authenticator shows in a step; "" for a secret that is none.
func At(secret string, step uint64) string {
	c, err := hotp.GenerateCodeCustom(secret, step, hotp.ValidateOpts{Digits: digits})
	if err != nil {
		return ""
	}
	return c
}

// Check compares a typed code with those of now. last is the newest step that was taken, burnt are others that may not be any
// more. step is the one it belongs to, and off how far that is from now, in steps, after Skewed.
func Check(secret, typed string, now time.Time, last uint64, burnt []uint64) (v Verdict, step uint64, off int) {
	typed = Clean(typed)
	if len(typed) != digits {
		return Wrong, 0, 0
	}
	cur := StepAt(now)
	for d := range far + 1 {
		for _, off := range []int{-d, d} {
			s := uint64(int64(cur) + int64(off))
			if !same(At(secret, s), typed) {
				continue
			}
			switch {
			case s <= last || slices.Contains(burnt, s):
				return Used, s, off
			case d > near:
				return Skewed, s, off
			}
			return Right, s, off
		}
	}
	return Wrong, 0, 0
}

// Far is the oldest step that Check looks at.
func Far(now time.Time) uint64 { return StepAt(now) - far }

func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Clean is a code without what people type around it: spaces, hyphens, wide digits of a Japanese keyboard, capitals.
func Clean(typed string) string {
	typed = strings.ToLower(norm.NFKC.String(typed))
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, typed)
}

// Six are random digits for a mail.
func Six() string {
	var raw [8]byte
	_, _ = rand.Read(raw[:]) // never fails; 2^64 mod 10^6 favours nothing that could be noticed
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(raw[:])%1_000_000)
}

// Paper are ten codes to keep on paper, of fifty bits each: abcde-fghij.
func Paper() []string {
	all := make([]string, papers)
	for i := range all {
		c := strings.ToLower(rand.Text())[:paperSize]
		all[i] = c[:paperSize/2] + "-" + c[paperSize/2:]
	}
	return all
}
