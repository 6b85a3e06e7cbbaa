package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/node"
	"zaseki/cmd/center/vault"
)

// findings are what the doctor saw, a line each.
type findings struct {
	command
	bad int
}

func (f *findings) note(what string, seen any, err error) {
	if err != nil {
		f.bad++
		fmt.Fprintf(f.out, "bad  %s: %v\n", what, err)
		return
	}
	fmt.Fprintf(f.out, "ok   %s: %v\n", what, seen)
}

// doctor looks at what a center needs and says what it found.
func (c command) doctor(ctx context.Context) error {
	f := &findings{command: c}
	running := f.center(ctx)
	f.folder()
	f.lastBackup()
	f.recordings()
	took, err := syncTime(c.o.data)
	if err == nil && took > 10*time.Millisecond {
		err = fmt.Errorf("%v for one write: every change of a status waits so long", took)
	}
	f.note("disk", fmt.Sprintf("%v for one write", took), err)
	if !running {
		f.note("pages", c.o.http, free("tcp", c.o.http))
		f.note("telephones (TCP)", c.o.sip, free("tcp", c.o.sip))
		f.note("telephones (UDP)", c.o.sip, free("udp", c.o.sip))
		if at := c.o.config(c.log).SecureSIP(); at != "off" {
			f.note("telephones (TLS)", at, free("tcp", at))
		}
	}
	if f.bad > 0 {
		return fmt.Errorf("doctor: %d of the checks failed", f.bad)
	}
	return nil
}

func (f *findings) center(ctx context.Context) (running bool) {
	r, err := node.FindRunning(f.o.data)
	switch {
	case err == nil:
		f.note("center", fmt.Sprintf("runs at %s, process %d", r.HTTP, r.PID), nil)
		f.log(ctx, r)
	case errors.Is(err, fs.ErrNotExist):
		f.note("center", "does not run", nil)
	default:
		f.note("center", nil, err)
	}
	return err == nil
}

func (f *findings) folder() {
	info, err := os.Stat(f.o.data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.note("data folder", f.o.data+" will be made", nil)
	case err == nil && info.Mode().Perm()&0o077 != 0:
		f.note("data folder", nil, fmt.Errorf("%s may be read by others (mode %v); chmod 700 it", f.o.data, info.Mode().Perm()))
	default:
		f.note("data folder", f.o.data, err)
	}
	mode, err := ledger.Mode(filepath.Join(f.o.data, "ledger"))
	switch {
	case err != nil:
		f.note("mode of the log", nil, err)
	case mode == "solo":
		f.note("mode of the log", "solo: one center; to grow to three see center -h", nil)
	case mode != "":
		f.note("mode of the log", mode, nil)
	}
}

// lastBackup warns when the log was not written anywhere else for longer than a day.
func (f *findings) lastBackup() {
	const due = 24 * time.Hour
	dir := filepath.Join(f.o.data, "ledger")
	born, err := os.Stat(filepath.Join(dir, "MODE"))
	if errors.Is(err, fs.ErrNotExist) {
		return // nothing to lose yet
	}
	made, err := ledger.LastBackup(dir)
	switch {
	case err == nil && made.IsZero() && time.Since(born.ModTime()) < due:
		f.note("backup", "none yet: center backup FILE, each day, to another machine", nil)
		return
	case err == nil && made.IsZero():
		err = errors.New("there never was one: center backup FILE, each day, to another machine")
	case err == nil && time.Since(made) > due:
		err = fmt.Errorf("the last one was made %s, more than a day ago", made.Local().Format("2006-01-02 15:04"))
	}
	f.note("backup", made.Local().Format("2006-01-02 15:04"), err)
}

// log tells what a running center says of its log.
func (f *findings) log(ctx context.Context, r node.Running) {
	far, err := f.client(r)
	var raw bytes.Buffer
	if err == nil {
		err = far.get(ctx, "/api/v1/admin/log", &raw)
	}
	var s ledger.State
	if err == nil {
		err = json.Unmarshal(raw.Bytes(), &s)
	}
	if err != nil {
		f.note("log", nil, err)
		return
	}
	if s.ReadOnly != "" {
		f.note("log", nil, errors.New("read-only: "+s.ReadOnly))
	} else {
		f.note("log", fmt.Sprintf("%d events", s.Seq), nil)
	}
	f.note("durability", s.Durability, nil)
	if s.Free > 0 {
		var err error
		if s.Free < 1<<30 {
			err = fmt.Errorf("only %d MiB are left; at 64 MiB nothing is written any more", s.Free>>20)
		}
		f.note("disk space", fmt.Sprintf("%.1f GB are left", float64(s.Free)/1e9), err)
	}
	for _, m := range s.Members {
		f.note("node "+m.Name, m, m.Err())
	}
	if len(s.Members) > 0 {
		f.note("clocks", fmt.Sprintf("differ by %v", s.Skew), s.ClockErr())
	}
}

// recordings looks at what is kept of calls, and at the one key that opens it.
func (f *findings) recordings() {
	count, size, err := vault.Size(f.o.data)
	f.note("recordings", fmt.Sprintf("%d, %.1f GB", count, float64(size)/1e9), err)
}

// syncTime is the median time of a small write that is on the disk when it returns.
func syncTime(dir string) (time.Duration, error) {
	if _, err := os.Stat(dir); err != nil {
		dir = os.TempDir()
	}
	f, err := os.CreateTemp(dir, "doctor")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var all []time.Duration
	for range 21 {
		began := time.Now()
		if _, err := f.Write(make([]byte, 256)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// free says whether an address can be listened on.
func free(network, addr string) error {
	if network == "udp" {
		c, err := net.ListenPacket(network, addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return err
	}
	return l.Close()
}
