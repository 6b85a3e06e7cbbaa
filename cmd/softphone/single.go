package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
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
}

// alone takes the lock. When another phone has it, first is what that one said.
func alone(dir string) (s *single, first ready, err error) {
	s = &single{lock: flock.New(filepath.Join(dir, "softphone.lock"), flock.SetPermissions(0o600)), file: filepath.Join(dir, "softphone.run")}
	got, err := s.lock.TryLock()
	if err != nil {
		return nil, first, fmt.Errorf("lock of %s: %w", dir, err)
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

func (s *single) end() {
	_ = os.Remove(s.file)
	_ = s.lock.Unlock()
}
