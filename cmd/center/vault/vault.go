// Package vault keeps the recordings of calls: it takes them from the phones, sealed as they are, and opens them for who may hear
// them. Whatever it keeps can be read from its folder alone:
//
//	recording.key            the private key, 32 bytes, 0600. Whoever has it can open all; without it nobody can
//	recordings/YYYY/MM/DD/   <id>.rec, sealed, by the day on which the call began at the phone
//	recordings/coming/       <id>.part, handed over in parts and not whole yet
package vault

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/media/sealed"
)

const (
	folder     = "recordings"
	keyFile    = "recording.key"
	partsDir   = "coming"
	suffix     = ".rec"
	partSuffix = ".part"

	sweepEvery = 24 * time.Hour
	// partLife is how long a part waits for the rest. The phone still has the whole and begins again.
	partLife = 7 * 24 * time.Hour
	// openAtOnce is how many recordings are opened or made sound of at the same time.
	openAtOnce = 4
)

// Kind is the ledger's kind of the one entity whose events are what happened to recordings.
const Kind = "recordings"

// Event is one of them. What: kept, heard, deleted.
type Event struct {
	What    string `json:"what"`
	ID      string `json:"id"`
	Account string `json:"account,omitempty"` // whose call it is, as its phone says
	Call    string `json:"call,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"`
}

// Log is what is asked of the ledger.
type Log interface {
	Commit(ctx context.Context, op string, writes []ledger.Write) (ledger.Seq, error)
	Last(ctx context.Context, subject string) (ledger.Event, bool, error)
}

// Config of a vault.
type Config struct {
	Dir string // the center's data folder
	Key *ecdh.PrivateKey
	// Phone is who is signed in at the phone that asks; Staff who is at a page of the center, as one of the roles that may hear all.
	Phone  func(*http.Request) (roster.Person, error)
	Staff  func(*http.Request) (account string, ok bool)
	Policy func(account string) roster.SitePolicy // of an account; "" the site's own
	Ledger Log
	Log    *slog.Logger
	Now    func() time.Time // nil = time.Now
}

// Vault is the folder of recordings.
type Vault struct {
	cfg   Config
	log   *slog.Logger
	dir   string
	turns chan struct{} // as many as may be opened at once

	mu   sync.Mutex
	busy map[string]bool // recordings that are coming in right now
	last ledger.Seq      // of our entity
	left []string        // messages that were being left at the last stop

	audit sync.Mutex // one event after the other
}

// LoadKey reads the key that recordings are opened with, or makes it (mode 0600) when there is none. A recording that was sealed
// for a lost key stays closed for ever, so that one which cannot be read, or is missing beside recordings, is an error and never replaced.
func LoadKey(dir string) (*ecdh.PrivateKey, error) {
	path := filepath.Join(dir, keyFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if n, _, lost := Size(dir); n > 0 {
			return nil, fmt.Errorf("read the recordings' key: %w; or move the folder %s away to begin anew", lost, folder)
		}
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the recordings' key: %w", err)
	}
	key, err := ecdh.X25519().NewPrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("read the recordings' key: %s holds none; put the one of your backup there", path)
	}
	return key, nil
}

func makeKey(path string) (*ecdh.PrivateKey, error) {
	key, err := sealed.NewKey()
	if err == nil {
		err = writeWhole(path, key.Bytes())
	}
	if err != nil {
		return nil, fmt.Errorf("make the recordings' key: %w", err)
	}
	return key, nil
}

// writeWhole puts the content there or nothing, on the disk when it returns.
func writeWhole(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // a folder cannot be on every system
	return d.Close()
}

// Open makes the folders.
func Open(cfg Config) (*Vault, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	v := &Vault{cfg: cfg, log: cfg.Log, dir: filepath.Join(cfg.Dir, folder), turns: make(chan struct{}, openAtOnce), busy: map[string]bool{}}
	if err := os.MkdirAll(filepath.Join(v.dir, partsDir), 0o700); err != nil {
		return nil, fmt.Errorf("open recordings: %w", err)
	}
	v.left = v.broken()
	return v, nil
}

// Size is how many recordings a data folder has, and their bytes. It is an error when there are some and not their key, or when
// others may read the key.
func Size(dir string) (count int, size int64, err error) {
	err = filepath.WalkDir(filepath.Join(dir, folder), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // none yet, or deleted meanwhile
		}
		if err != nil || filepath.Ext(path) != suffix {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			count, size = count+1, size+info.Size()
		}
		return err
	})
	if err != nil {
		return count, size, err
	}
	switch info, err := os.Stat(filepath.Join(dir, keyFile)); {
	case errors.Is(err, fs.ErrNotExist) && count == 0:
	case errors.Is(err, fs.ErrNotExist):
		return count, size, fmt.Errorf("%d recordings, and not the key %s to open them with: put the one of your backup there", count, keyFile)
	case err != nil:
		return count, size, err
	case info.Mode().Perm()&0o077 != 0:
		return count, size, fmt.Errorf("%s may be read by others (mode %v); chmod 600 it", keyFile, info.Mode().Perm())
	}
	return count, size, nil
}

// Run deletes once a day what is older than the site keeps, until ctx ends.
func (v *Vault) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	v.keepBroken(ctx, v.left)
	for {
		v.Sweep(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep deletes what came longer ago than the site keeps recordings, and parts whose rest never came.
func (v *Vault) Sweep(ctx context.Context) {
	now := v.cfg.Now()
	days := v.cfg.Policy("").Days
	err := filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		age := now.Sub(info.ModTime())
		switch filepath.Ext(path) {
		case partSuffix:
			if age > partLife {
				return os.Remove(path)
			}
		case suffix:
			if days > 0 && age > time.Duration(days)*24*time.Hour {
				return v.remove(ctx, path)
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		v.log.Error("sweep recordings", "err", err)
	}
}

// remove deletes a recording, and folders that are empty with it.
func (v *Vault) remove(ctx context.Context, path string) error {
	id := idOf(path)
	if err := v.tell(ctx, Event{What: "deleted", ID: id}, "system"); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	v.log.Info("recording deleted", "recording", id)
	for range 3 { // day, month, year; one that is not empty stays
		path = filepath.Dir(path)
		if os.Remove(path) != nil {
			break
		}
	}
	return nil
}

// id is what recordings are called: the day and 128 random bits or more.
var id = regexp.MustCompile(`^([0-9]{4})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])-[A-Z2-7]{26}$`)

func idOf(path string) string {
	name := filepath.Base(path)
	return name[:len(name)-len(filepath.Ext(name))]
}

// place is where a recording lies; the name has been checked.
func (v *Vault) place(name string) string {
	return filepath.Join(v.dir, name[0:4], name[4:6], name[6:8], name+suffix)
}

func (v *Vault) part(name string) string { return filepath.Join(v.dir, partsDir, name+partSuffix) }

// auditTime is how long the ledger may take.
const auditTime = 10 * time.Second

// tell writes into the ledger what happens to a recording, before it does. All are events of one subject, so that the present
// state stays small however many recordings there are.
func (v *Vault) tell(ctx context.Context, e Event, by string) error {
	ctx, cancel := context.WithTimeout(ctx, auditTime)
	defer cancel()
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	v.audit.Lock()
	defer v.audit.Unlock()
	subject := ledger.Subject(Kind, "center")
	for op := rand.Text(); ; {
		seq, err := v.cfg.Ledger.Commit(ctx, op, []ledger.Write{
			{Subject: subject, Expect: v.last, By: by, Why: "recording " + e.What + " " + e.ID, At: v.cfg.Now(), Data: data},
		})
		if err == nil {
			v.last = seq
			return nil
		}
		if !errors.Is(err, ledger.ErrConflict) {
			return fmt.Errorf("recording %s: %w", e.ID, err)
		}
		last, _, err := v.cfg.Ledger.Last(ctx, subject) // another node's, or from before this start
		if err != nil {
			return fmt.Errorf("recording %s: %w", e.ID, err)
		}
		v.last = last.Seq
	}
}
