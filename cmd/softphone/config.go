package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync"

	"github.com/google/uuid"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// config is what stays between two starts. No secret is in it.
type config struct {
	Center  string `json:"center,omitempty"`  // URL of the center
	Noticed bool   `json:"noticed,omitempty"` // the person knows that closing the page ends nothing (PRODUCT C3)

	Settings wire.Values `json:"settings,omitempty"` // as chosen; what only another version knows is among them
	Last     lastCenter  `json:"last,omitzero"`

	Trusted []string `json:"trusted,omitempty"` // accounts whose center trusts this machine; the secrets lie in the keyring

	Devices wire.Devices `json:"devices,omitzero"` // microphones, loudspeakers and ring devices by preference, best first

	Instance string       `json:"instance,omitempty"` // a UUID by which registrars know this phone (RFC 5626 §4.1)
	SIP      wire.SIPForm `json:"sip,omitzero"`       // last SIP account used without a center; never its password
	Plan     *wire.Plan   `json:"plan,omitempty"`     // numbers of that site; nil: by the extension's length
	CA       string       `json:"ca,omitempty"`       // file with that server's certificate authority (PEM); "": the system's

	Lang   string `json:"lang,omitempty"`   // now page.lang of Settings; still read
	InBand bool   `json:"inBand,omitempty"` // now calls.in_band

	read *readAs
}

// lastCenter is what this machine knows of the center it was last signed in at, and of who did.
type lastCenter struct {
	URL   string       `json:"url"`
	Rules agent.Rules  `json:"rules,omitzero"`
	Saved wire.Saved   `json:"saved,omitzero"` // the password lies in the keyring
	Once  *wire.Choice `json:"once,omitempty"` // see wire.Snapshot.Once
}

// at is what is known of that center.
func (c config) at(center string) lastCenter {
	if c.Last.URL != center {
		return lastCenter{URL: center}
	}
	return c.Last
}

// kept is what the agent begins with.
func (c config) kept(center string) agent.Kept {
	last := c.at(center)
	last.Saved.Can = false // it is found out anew
	return agent.Kept{Chosen: c.Settings, Rules: last.Rules, Saved: last.Saved, Once: last.Once}
}

// settings are the config in use, and the folder it is kept in.
type settings struct {
	dir    string
	broken error // of the first minute, to be told

	mu     sync.Mutex
	now    config
	frozen error // the file is there and cannot be read: it is never written over
}

// openSettings begins with what is there. It always gives settings that can be used; the error says why they will not outlive the phone.
func openSettings(dir string, log *slog.Logger) (*settings, error) {
	c, err := readConfig(dir, log)
	s := &settings{dir: dir, now: c, frozen: err}
	return s, errors.Join(err, s.change(modernise))
}

// modernise moves what older versions wrote to where it is now.
func modernise(c *config) {
	chosen := maps.Clone(c.Settings)
	if chosen == nil {
		chosen = wire.Values{}
	}
	if _, has := chosen[wire.SetLang]; !has && c.Lang != "" {
		chosen[wire.SetLang] = c.Lang
	}
	if _, has := chosen[wire.SetInBand]; !has && c.InBand {
		chosen[wire.SetInBand] = true
	}
	if len(chosen) > len(c.Settings) {
		c.Settings = chosen
	}
	c.Lang, c.InBand = "", false
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

// change keeps what the function makes of the config; nothing is written when it is the same. With an error it holds until the phone
// ends.
func (s *settings) change(to func(*config)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.now
	if to(&c); reflect.DeepEqual(c, s.now) {
		return nil
	}
	s.now = c
	if s.frozen != nil {
		return s.frozen
	}
	return writeConfig(s.dir, c)
}

const (
	configFile = "softphone.json"
	configMax  = 1 << 20 // bytes; ours has a few hundred
)

// readConfig reads the file of that folder. What cannot be understood is kept beside as .bad, so that nothing a person wrote is lost,
// and the defaults are taken.
func readConfig(dir string, log *slog.Logger) (config, error) {
	path := filepath.Join(dir, configFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, nil
	}
	if err != nil {
		return config{}, fmt.Errorf("config: %w", err)
	}
	var c config
	switch {
	case !info.Mode().IsRegular():
		err = errors.New("not a file")
	case info.Size() > configMax:
		err = fmt.Errorf("%d bytes", info.Size())
	default:
		data, unread := os.ReadFile(path)
		if unread != nil {
			return config{}, fmt.Errorf("config: %w", unread)
		}
		err = json.Unmarshal(data, &c)
	}
	if err == nil {
		return c, nil
	}
	log.Warn("the config file is not readable; it is kept as .bad and the defaults are taken", "file", path, "err", err)
	if err := setAside(path); err != nil {
		return config{}, fmt.Errorf("config: keep the unreadable file: %w", err)
	}
	return config{}, nil
}

// badMost is how many unreadable files are kept.
const badMost = 9

// setAside renames a file to .bad, or .bad.2 and so on: none takes the place of another before there are many.
func setAside(path string) error {
	to := path + ".bad"
	for n := 2; n <= badMost; n++ {
		if _, err := os.Lstat(to); err != nil {
			break
		}
		to = fmt.Sprint(path, ".bad.", n)
	}
	return os.Rename(path, to)
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
