package media

import (
	"errors"
	"fmt"
)

// The policies of Security.
const (
	PolicyOff      = "off"      // plain; "" is the same
	PolicyOptional = "optional" // as the far side can: RTP/AVP with keys (OSRTP, RFC 8643)
	PolicyRequired = "required" // RTP/SAVP; never plain
	PolicyDTLS     = "dtls"     // DTLS-SRTP (RFC 5763); never plain
)

// Security says how a line's sound is protected.
type Security struct {
	Policy string // a Policy… constant

	// Keys allows keys in the session description (SDES, RFC 4568 §7): whoever reads the signalling reads them, so it
	// belongs to TLS, or to a setting that says so by name.
	Keys bool
}

// Errors of security. Both are for a 488, and both are ErrNotSecure.
var (
	ErrNotSecure = errors.New("the call would not be encrypted, and must be")
	ErrNoKeys    = fmt.Errorf("keys may not stand in unprotected signalling: %w", ErrNotSecure)
)

// plain says that unencrypted sound is allowed.
func (s Security) plain() bool {
	return s.Policy != PolicyRequired && s.Policy != PolicyDTLS
}
