package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"

	"github.com/google/uuid"

	"zaseki/web/wire"
)

// config is what stays between two starts. No secret is in it.
type config struct {
	Center  string `json:"center,omitempty"`  // URL of the center
	Lang    string `json:"lang,omitempty"`    // en, ja
	Noticed bool   `json:"noticed,omitempty"` // the person knows that closing the page ends nothing (PRODUCT C3)

	Instance string       `json:"instance,omitempty"` // a UUID by which registrars know this phone (RFC 5626 §4.1)
	SIP      wire.SIPForm `json:"sip,omitzero"`       // last SIP account used without a center; never its password
	Plan     *wire.Plan   `json:"plan,omitempty"`     // numbers of that site; nil: by the extension's length
	CA       string       `json:"ca,omitempty"`       // file with that server's certificate authority (PEM); "": the system's
}

// settings are the config in use, and the folder it is kept in.
type settings struct {
	dir string

	mu  sync.Mutex
	now config
}

func openSettings(dir string, log *slog.Logger) (*settings, error) {
	c, err := readConfig(dir, log)
	return &settings{dir: dir, now: c}, err
}

func (s *settings) get() config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// instance is what registrars know this installation by; it is made once.
func (s *settings) instance() (string, error) {
	if id := s.get().Instance; id != "" {
		return id, nil
	}
	id := uuid.NewString()
	return id, s.change(func(c *config) { c.Instance = id })
}

// change keeps what the function makes of the config; nothing is written when it is the same.
func (s *settings) change(to func(*config)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.now
	if to(&c); reflect.DeepEqual(c, s.now) {
		return nil
	}
	s.now = c
	return writeConfig(s.dir, c)
}

const (
	configFile = "softphone.json"
	configMax  = 1 << 20 // bytes; ours has a few hundred
)

// readConfig reads the file of that folder. One that cannot be understood is kept beside as .bad, so that nothing a person
// wrote is lost, and the defaults are taken.
func readConfig(dir string, log *slog.Logger) (config, error) {
	var c config
	path := filepath.Join(dir, configFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("config: %w", err)
	}
	data := []byte{}
	if info.Size() <= configMax {
		if data, err = os.ReadFile(path); err != nil {
			return c, fmt.Errorf("config: %w", err)
		}
	}
	if err := json.Unmarshal(data, &c); err != nil {
		log.Warn("the config file is not readable; it is kept as .bad and the defaults are taken", "file", path, "err", err)
		if err := os.Rename(path, path+".bad"); err != nil {
			return config{}, fmt.Errorf("config: keep the unreadable file: %w", err)
		}
		return config{}, nil
	}
	return c, nil
}

func writeConfig(dir string, c config) error {
	data, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return writeFile(filepath.Join(dir, configFile), append(data, '\n'))
}

// writeFile puts the old or the new content there, never half of it, readable by this user alone.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
