package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"zaseki/web/wire"
)

// ready is the line on stdout when the phone can be used, and what a second start reads to find the first one.
type ready struct {
	Panel string `json:"panel"`
	PID   int    `json:"pid"`
}

// single is the lock of this configuration folder: one phone at a time. The system frees it when the process dies, however.
type single struct {
	lock *flock.Flock
	file string
	own  string // folder of this start alone; "" none
}

// errNoLock: this folder takes no lock. It is read-only, cannot be made, or is no folder.
var errNoLock = errors.New("no lock can be had")

// aloneSomewhere is alone, where the settings lie if that can be. A phone must work though nothing can be written there: then the lock
// lies where this session keeps such things, or, where there is no such place either, in a folder of its own.
func aloneSomewhere(config string, log *slog.Logger) (*single, ready, error) {
	err := os.MkdirAll(config, 0o700)
	if err == nil {
		var s *single
		var first ready
		if s, first, err = alone(config); !errors.Is(err, errNoLock) {
			return s, first, err
		}
	}
	log.Warn("the settings folder cannot be used: settings hold until the phone ends", "folder", config, "err", err)
	sum := sha256.Sum256([]byte(config))
	dir := filepath.Join(xdg.RuntimeDir, "zaseki-"+hex.EncodeToString(sum[:4]))
	if err := os.MkdirAll(dir, 0o700); err == nil {
		if s, first, err := alone(dir); !errors.Is(err, errNoLock) {
			return s, first, err
		}
	}
	if dir, err = os.MkdirTemp("", "zaseki"); err != nil {
		return nil, ready{}, fmt.Errorf("no folder can be written: %w; choose one with -config", err)
	}
	s, first, err := alone(dir)
	if s != nil {
		s.own = dir
	}
	return s, first, err
}

// alone takes the lock. When another phone has it, first is what that one said.
func alone(dir string) (s *single, first ready, err error) {
	s = &single{lock: flock.New(filepath.Join(dir, "softphone.lock"), flock.SetPermissions(0o600)), file: filepath.Join(dir, "softphone.run")}
	got, err := s.lock.TryLock()
	if err != nil {
		return nil, first, fmt.Errorf("lock of %s: %w: %w", dir, errNoLock, err)
	}
	if got {
		return s, first, nil
	}
	for range 20 { // the first one may be starting this moment
		data, err := os.ReadFile(s.file)
		if err == nil && json.Unmarshal(data, &first) == nil && first.Panel != "" {
			return nil, first, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, first, fmt.Errorf("another phone uses %s but does not say where its panel is; end it, or choose another folder with -config", dir)
}

// say writes down where the panel is, for a second start. The file holds the panel's secret: 0600, gone at the end.
func (s *single) say(r ready) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return writeFile(s.file, data)
}

// dialLink says whether an argument is a link to call by.
func dialLink(arg string) bool {
	scheme, rest, ok := strings.Cut(arg, ":")
	return ok && rest != "" && slices.Contains([]string{"tel", "callto", "sip", "sips"}, strings.ToLower(scheme))
}

// hand gives a link to the phone that runs already; it asks the person there.
func (r ready) hand(ctx context.Context, link string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	panel, token, _ := strings.Cut(r.Panel, "/#")
	ask := func(path string, body any, cookies []*http.Cookie) (*http.Response, error) {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, panel+path, bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", panel)
		for _, c := range cookies {
			req.AddCookie(c)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusNoContent {
			return nil, fmt.Errorf("%s answers %s", path, res.Status)
		}
		return res, nil
	}
	session, err := ask("/session", map[string]string{"token": token}, nil)
	if err == nil {
		_, err = ask("/link", wire.DialLink{URI: link}, session.Cookies())
	}
	if err != nil {
		return fmt.Errorf("the phone that runs already did not take the link: %w", err)
	}
	return nil
}

func (s *single) end() {
	_ = os.Remove(s.file)
	_ = s.lock.Unlock()
	if s.own != "" {
		_ = os.Remove(s.lock.Path())
		_ = os.Remove(s.own)
	}
}
