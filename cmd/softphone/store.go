package main

import (
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

// store keeps the phonebook and the call list of a phone without a center, each a file of its own, readable by this user alone.
type store struct {
	dir string
	log *slog.Logger
}

const (
	contactsFile = "contacts.json"
	historyFile  = "history.json"
	storeMax     = 16 << 20 // bytes; a phonebook of this size is not ours
)

// recall reads what was kept. A file that cannot be understood is kept beside as .bad: nothing a person wrote is lost.
func (s store) recall() agent.Recalled {
	var r agent.Recalled
	for file, into := range map[string]any{contactsFile: &r.Contacts, historyFile: &r.History} {
		if err := s.read(file, into); err != nil {
			s.log.Warn("not readable; kept as .bad", "file", filepath.Join(s.dir, file), "err", err)
		}
	}
	return r
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
		return errors.Join(err, os.Rename(path, path+".bad"))
	}
	return nil
}

func (s store) contacts(c []wire.Contact) error { return s.write(contactsFile, c) }
func (s store) history(h []wire.PastCall) error { return s.write(historyFile, h) }

func (s store) write(file string, what any) error {
	data, err := json.MarshalIndent(what, "", " ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(s.dir, file), append(data, '\n'))
}
