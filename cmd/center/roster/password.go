package roster

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed" // the list of common passwords
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	hashThreads = 1
	hashSalt    = 16
	hashTag     = 32
)

// Cost are the parameters of argon2id (RFC 9106 §4).
type Cost struct {
	Time   uint32 // passes; 0 = HashTime
	Memory uint32 // KiB; 0 = HashMemory
}

// Two passes over 32 MiB are what a shift of thirty sign-ins a second allows on two cores (about 50 ms a hash). The least that OWASP
// asks for at two passes is 19 MiB; memory is what makes guessing dear on graphics cards, so the passes were made fewer and not the
// memory. Hashes of other parameters are made anew at the next sign-in.
const (
	HashTime   = 2
	HashMemory = 32 << 10 // KiB
)

// Lengths of a password, in characters.
const (
	shortest = 10
	longest  = 256
)

// passwords hashes at most two at a time, which bounds the memory to 64 MiB.
type passwords struct {
	cost    Cost
	turn    chan struct{}
	waiting atomic.Int32
	dummy   string // what an unknown account is compared with, so that it takes as long
}

func newPasswords(cost Cost) *passwords {
	if cost.Time == 0 {
		cost.Time = HashTime
	}
	if cost.Memory == 0 {
		cost.Memory = HashMemory
	}
	salt, tag := make([]byte, hashSalt), make([]byte, hashTag)
	_, _ = rand.Read(salt)
	_, _ = rand.Read(tag)
	return &passwords{cost: cost, turn: make(chan struct{}, 2), dummy: phc(cost.Time, cost.Memory, hashThreads, salt, tag)}
}

// hash is the PHC string of a password.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, hashSalt)
	_, _ = rand.Read(salt)
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	tag := argon2.IDKey([]byte(norm.NFC.String(password)), salt, p.cost.Time, p.cost.Memory, hashThreads, hashTag)
	return phc(p.cost.Time, p.cost.Memory, hashThreads, salt, tag), nil
}

// today says that a hash has the parameters of today.
func (p *passwords) today(hash string) bool {
	t, m, threads, _, _, err := parsePHC(hash)
	return err == nil && t == p.cost.Time && m == p.cost.Memory && threads == hashThreads
}

// right compares; with an empty hash it takes the same time and says no.
func (p *passwords) right(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = p.dummy
	}
	t, m, threads, salt, want, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	got := argon2.IDKey([]byte(norm.NFC.String(password)), salt, t, m, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

// mostWaiting bounds those who wait for their turn: seven seconds' worth.
const mostWaiting = 200

func (p *passwords) enter(ctx context.Context) error {
	if p.waiting.Add(1) > mostWaiting {
		p.waiting.Add(-1)
		return limited(mostWaiting / 30 * time.Second)
	}
	defer p.waiting.Add(-1)
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *passwords) leave() { <-p.turn }

func phc(t, m uint32, threads uint8, salt, tag []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, m, t, threads,
		b64.EncodeToString(salt), b64.EncodeToString(tag))
}

var errPHC = errors.New("not an argon2id PHC string")

func parsePHC(s string) (t, m uint32, threads uint8, salt, tag []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return 0, 0, 0, nil, nil, errPHC
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &threads); n != 3 || err != nil {
		return 0, 0, 0, nil, nil, errPHC
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	tag, tagErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || tagErr != nil || len(salt) < 8 || len(tag) < 16 || len(tag) > 64 ||
		t < 1 || t > 16 || m < 8 || m > 1<<20 || threads < 1 || threads > 16 {
		return 0, 0, 0, nil, nil, errPHC
	}
	return t, m, threads, salt, tag, nil
}

// common are passwords that everybody tries first, one a line, in small letters.
//
//go:embed common.txt
var common string

// goodPassword refuses what is too short, the account itself, or what everybody tries first.
func goodPassword(account, password string) error {
	n := utf8.RuneCountInString(norm.NFC.String(password))
	switch {
	case n < shortest || n > longest:
		return fmt.Errorf("password has %d characters, not %d to %d", n, shortest, longest)
	case strings.EqualFold(password, account):
		return errors.New("password is the account's name")
	case strings.ContainsAny(password, "\t\r\n"):
		return errors.New("password holds a tab or a line break")
	case strings.Contains(common, "\n"+strings.ToLower(norm.NFC.String(password))+"\n"):
		return errors.New("password is a common one")
	}
	return nil
}
