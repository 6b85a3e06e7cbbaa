package node

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/center/vault"
	"zaseki/web/wire"
)

const (
	centerKey    = "center.key"
	recordingKey = "recording.key"
	keysMagic    = "zaseki keys 1\n"
	saltSize     = 16
)

// keyFiles are what every node of a center must have the same of, and what a restored center needs. None of it is in the log.
func keyFiles() []string { return []string{centerKey, recordingKey, caFile} }

// ErrKeys says that the keys cannot be opened.
var ErrKeys = errors.New("the passphrase is wrong, or the file is damaged")

// SealKeys makes one file of the keys of a data folder, to be opened with the passphrase only. Keys that are missing yet are made.
func SealKeys(dir string, passphrase wire.Secret) ([]byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	_, err := roster.LoadKey(filepath.Join(dir, centerKey))
	_, err2 := vault.LoadKey(dir)
	_, err3 := openAuthority(dir)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for _, name := range keyFiles() {
		if all[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	plain, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	salt, nonce := make([]byte, saltSize), make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(salt) // never fails
	rand.Read(nonce)
	aead, err := chacha20poly1305.NewX(stretch(passphrase, salt))
	if err != nil {
		return nil, err
	}
	out := append([]byte(keysMagic), salt...)
	return aead.Seal(append(out, nonce...), nonce, plain, []byte(keysMagic)), nil
}

// OpenKeys puts sealed keys into a data folder. It never replaces a key by another one: what was sealed with it would be lost.
func OpenKeys(dir string, sealed []byte, passphrase wire.Secret) error {
	rest, ok := bytes.CutPrefix(sealed, []byte(keysMagic))
	if !ok || len(rest) < saltSize+chacha20poly1305.NonceSizeX {
		return errors.New("this is not a file of keys")
	}
	salt, rest := rest[:saltSize], rest[saltSize:]
	aead, err := chacha20poly1305.NewX(stretch(passphrase, salt))
	if err != nil {
		return err
	}
	plain, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], []byte(keysMagic))
	if err != nil {
		return ErrKeys
	}
	var all map[string][]byte
	if err := json.Unmarshal(plain, &all); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range keyFiles() {
		have, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case err == nil && !bytes.Equal(have, all[name]):
			return fmt.Errorf("%s has another %s already: take an empty folder", dir, name)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case all[name] == nil:
			return fmt.Errorf("there is no %s in the file", name)
		}
	}
	for _, name := range keyFiles() {
		if err := ledger.WriteFile(filepath.Join(dir, name), string(all[name])); err != nil {
			return err
		}
	}
	return nil
}

// stretch makes guessing a passphrase slow: 64 MiB and about a tenth of a second a try.
func stretch(passphrase wire.Secret, salt []byte) []byte {
	return argon2.IDKey([]byte(passphrase.Reveal()), salt, 3, 64<<10, 1, chacha20poly1305.KeySize)
}
