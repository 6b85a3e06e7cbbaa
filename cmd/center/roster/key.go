package roster

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
)

const keySize = 32

// LoadKey reads the center's key, or makes it (mode 0600) when there is none.
func LoadKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		key = make([]byte, keySize)
		rand.Read(key) // never fails
		return key, os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("read the center's key: %w", err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("read the center's key: %s has %d bytes, not %d", path, len(key), keySize)
	}
	return key, nil
}
