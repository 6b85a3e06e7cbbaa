// Package sealed is the file a recording is kept in: written by a phone, which cannot open it again, and opened by the center
// alone, whose key it is sealed with (HPKE base mode, RFC 9180: DHKEM X25519 HKDF-SHA256, HKDF-SHA256, AES-256-GCM).
//
// A file is a head and blocks. All numbers are big-endian.
//
//	head   8 "ZASEKI" 0 1 (the format's version), 32 name of the key (SHA-256 of the public key), 8 begin (µs since 1970),
//	       32 encapsulated key
//	block  4 length of what follows the sum, 4 sum (CRC-32C of the block's number and the length), the sealed block
//
// The head without the encapsulated key is HPKE's info. Block n is the n-th message of the one context, with its number (8
// bytes) as additional data, so that none can be changed, left out, repeated or put elsewhere without being noticed. The first
// byte of an opened block is its kind: 1 says whose call it is (JSON of Info, always the first block), 2 is sound (see
// media.Engine.Record), 3 is the end. A file without an end was broken off, by a kill or a power cut: what is left of its last
// block is not looked at, everything before opens. Whoever is on the line, and who called, is nowhere in clear.
package sealed

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

const (
	magic    = "ZASEKI\x00\x01"
	infoSize = len(magic) + sha256.Size + 8
	headSize = infoSize + 32
	prefix   = 8
	// MaxBlock is the longest block in bytes, sealed; ours have some ten thousand.
	MaxBlock = 1 << 20
	tag      = 16 // bytes of AES-GCM
)

// Kinds of blocks.
const (
	kindInfo  = 1
	kindSound = 2
	kindEnd   = 3
)

// Why a file cannot be opened.
var (
	ErrFormat  = errors.New("this is not a recording of this program's")
	ErrKey     = errors.New("this recording is sealed with another key")
	ErrDamaged = errors.New("this recording was damaged or tampered with")
)

// Info says whose recording it is. It is sealed like the sound.
type Info struct {
	ID      string    `json:"id"`   // of the recording
	Call    string    `json:"call"` // of the phone's call
	Account string    `json:"account"`
	Inbound bool      `json:"inbound"`
	Peer    string    `json:"peer,omitempty"`
	Queue   string    `json:"queue,omitempty"`
	Began   time.Time `json:"began"`
}

// String leaves the number out: it may stand in a log.
func (i Info) String() string {
	return fmt.Sprintf("recording %s of call %s of %s", i.ID, i.Call, i.Account)
}

// KeyName names a public key.
func KeyName(public []byte) [sha256.Size]byte { return sha256.Sum256(public) }

// NewKey makes a private key.
func NewKey() (*ecdh.PrivateKey, error) { return ecdh.X25519().GenerateKey(nil) }

func kem() hpke.KEM   { return hpke.DHKEM(ecdh.X25519()) }
func kdf() hpke.KDF   { return hpke.HKDFSHA256() }
func aead() hpke.AEAD { return hpke.AES256GCM() }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the check of a block's length: a length that was changed is damage, not an early end.
func sum(n uint64, length uint32) uint32 {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:], n)
	binary.BigEndian.PutUint32(b[8:], length)
	return crc32.Checksum(b[:], castagnoli)
}

// number is a block's additional data.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
