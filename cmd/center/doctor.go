package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zaseki/cmd/center/node"
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
func (c command) doctor() error {
	f := &findings{command: c}
	running := f.center()
	f.folder()
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

func (f *findings) center() (running bool) {
	r, err := node.FindRunning(f.o.data)
	switch {
	case err == nil:
		f.note("center", fmt.Sprintf("runs at %s, process %d", r.HTTP, r.PID), nil)
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
	if mode, err := os.ReadFile(filepath.Join(f.o.data, "ledger", "MODE")); err == nil {
		f.note("mode of the log", strings.TrimSpace(string(mode)), nil)
	}
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
