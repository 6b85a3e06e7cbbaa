package wire

import "log/slog"

// Secret is a password, token or key. It cannot be printed, logged or marshalled: each of those gives the mask.
// Only Reveal hands out what is inside, and only the place that needs it on the wire calls it.
type Secret string

const mask = "•••"

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (Secret) String() string               { return mask }
func (Secret) GoString() string             { return mask }
func (Secret) LogValue() slog.Value         { return slog.StringValue(mask) }
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }
