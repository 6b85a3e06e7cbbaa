package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"zaseki/web/wire"
)

// launch is how the system starts this phone again: by itself at login, or for a link.
type launch struct {
	exe  string   // absolute
	args []string // that this phone was started with
	id   string   // of the entry in the system's lists: each settings folder has one of its own, so that a trial changes nothing for the others
}

// newLaunch is a phone of that settings folder; usual is the folder without a flag.
func newLaunch(config, usual string, args ...string) (launch, error) {
	exe, err := os.Executable()
	if err != nil {
		return launch{}, fmt.Errorf("where this program is: %w", err)
	}
	l := launch{exe: exe, args: args, id: "zaseki"}
	if config, err = filepath.Abs(config); err != nil {
		return launch{}, fmt.Errorf("settings folder: %w", err)
	}
	if config != usual {
		sum := sha256.Sum256([]byte(config))
		l.id += "-" + hex.EncodeToString(sum[:4])
		l.args = append([]string{"-config", config}, args...)
	}
	return l, nil
}

// command is the program and its arguments, for a file that is read by lines.
func (l launch) command() ([]string, error) {
	all := append([]string{l.exe}, l.args...)
	for _, arg := range all {
		if strings.ContainsFunc(arg, unicode.IsControl) {
			return nil, fmt.Errorf("%q cannot be written into a list of the system", arg)
		}
	}
	return all, nil
}

// autostart makes the phone start when the person logs in (wire.SetAutostart). It is looked at with every start, so that a program
// that was moved is found again.
type autostart struct{ launch }

// errSwitchedOff: the person said no in the desktop's own list, which stands above ours.
var errSwitchedOff = errors.New("it is switched off in the list of programs of this desktop")

// Apply implements applier.
func (a autostart) Apply(_ context.Context, _ string, v wire.Values) *wire.Problem {
	var err error
	if v.On(wire.SetAutostart) {
		err = a.on()
	} else {
		err = a.off()
	}
	if err != nil {
		return &wire.Problem{Code: wire.ProblemAutostart, Holes: map[string]string{"reason": err.Error()}}
	}
	return nil
}
