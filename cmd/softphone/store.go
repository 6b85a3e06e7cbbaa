package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// store keeps what a person has here: the own phonebook, what was missed, what was written about calls and is not at the center yet, and
// without a center the call list. Each is a file of its own, readable by this user alone. Without a center they lie in the folder itself,
// else in one for each account.
type store struct {
	dir string
	log *slog.Logger
}

const (
	contactsFile = "contacts.json"
	historyFile  = "history.json"
	missedFile   = "missed.json"
	notesFile    = "notes.json"
	bookFile     = "phonebook.json"
	accountsDir  = "accounts"
	storeMax     = 64 << 20 // bytes; a phonebook of this size is not ours
)

// of is the store of that account of a center. The folder's name says nothing about either.
func (s store) of(center, account string) store {
	sum := sha256.Sum256([]byte(center + "\x00" + account))
	s.dir = filepath.Join(s.dir, accountsDir, hex.EncodeToString(sum[:8]))
	return s
}

// recall reads what was kept. A file that cannot be understood is kept beside as .bad: nothing a person wrote is lost.
func (s store) recall() agent.Recalled {
	var r agent.Recalled
	for file, into := range map[string]any{contactsFile: &r.Contacts, historyFile: &r.History, missedFile: &r.Missed, notesFile: &r.Notes} {
		s.take(file, into)
	}
	return r
}

func (s store) take(file string, into any) {
	if err := s.read(file, into); err != nil {
		s.log.Warn("not readable; kept as .bad", "file", filepath.Join(s.dir, file), "err", err)
	}
}

// keptBook is the shared phonebook that lies here.
func (s store) keptBook() (k keptBook) {
	s.take(bookFile, &k)
	return k
}

func (s store) read(file string, into any) error {
	path := filepath.Join(s.dir, file)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var data []byte
	if err == nil && info.Size() > storeMax {
		err = fmt.Errorf("%d bytes", info.Size())
	}
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return errors.Join(err, setAside(path))
	}
	return nil
}

func (s store) contacts(c []wire.Contact) error { return writeRows(s, contactsFile, "number", c) }
func (s store) history(h []wire.PastCall) error { return writeRows(s, historyFile, "id", h) }
func (s store) missed(m agent.Missed) error     { return s.write(missedFile, m) }
func (s store) notes(n []wire.CallNote) error   { return s.write(notesFile, n) }
func (s store) book(k keptBook) error           { return s.write(bookFile, k) }

// writeRows writes a list and keeps in its rows what only a newer version knows.
func writeRows[T any](s store, file, key string, rows []T) error {
	all, err := withLater(filepath.Join(s.dir, file), key, rows)
	if err != nil {
		return err
	}
	return s.write(file, all)
}

func (s store) write(file string, what any) error {
	data, err := json.MarshalIndent(what, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return writeFile(filepath.Join(s.dir, file), append(data, '\n'))
}
