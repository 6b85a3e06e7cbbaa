package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// defaults is the group of mimeapps.list with who opens what (MIME Applications Associations Specification).
const defaults = "[Default Applications]"

// file is the entry by which desktops know what this program opens.
func (l links) file() (string, error) {
	dir, err := dataHome()
	return filepath.Join(dir, "applications", l.name()), err
}

func (l links) name() string { return l.id + "-links.desktop" }

// set makes this phone the handler of those schemes and of no others.
func (l links) set(schemes []string) error {
	file, err := l.file()
	if err != nil {
		return err
	}
	config, err := configHome()
	if err != nil {
		return err
	}
	if len(schemes) == 0 {
		return errors.Join(l.choose(filepath.Join(config, "mimeapps.list"), nil), dropFile(file))
	}
	command, err := l.command()
	if err != nil {
		return err
	}
	types := "MimeType="
	for _, s := range schemes {
		types += mimeType(s) + ";"
	}
	if err := putFile(file, desktopEntry(execLine(command, "-- %u"), types, "NoDisplay=true")); err != nil {
		return err
	}
	return l.choose(filepath.Join(config, "mimeapps.list"), schemes)
}

func mimeType(scheme string) string { return "x-scheme-handler/" + scheme }

// choose puts this phone first in the person's list for those schemes, and takes it out for all others. Who stood there before comes
// next, and is first again when we are gone. Everything else in the file stays as it is.
func (l links) choose(list string, schemes []string) error {
	if real, err := filepath.EvalSymlinks(list); err == nil {
		list = real // the file itself is written anew, and not in the place of a link to it
	}
	data, err := os.ReadFile(list)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var out []string
	left, group, at := slices.Clone(schemes), "", -1
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "[") {
			group = trimmed
		} else if kind, apps, ok := strings.Cut(line, "="); ok && group == defaults && strings.HasPrefix(kind, mimeType("")) {
			scheme := strings.TrimPrefix(strings.TrimSpace(kind), mimeType(""))
			n := slices.Index(left, scheme)
			if n >= 0 {
				left = slices.Delete(left, n, n+1)
			}
			if n >= 0 || slices.Contains(strings.Split(apps, ";"), l.name()) {
				line = l.among(mimeType(scheme), apps, n >= 0)
			}
			if line == "" {
				continue
			}
		}
		out = append(out, line)
		if group == defaults && at < 0 {
			at = len(out)
		}
	}
	if len(left) > 0 && at < 0 {
		out = append(out, defaults)
		at = len(out)
	}
	for _, s := range left {
		out = slices.Insert(out, at, l.among(mimeType(s), "", true))
	}
	text := strings.Join(out, "\n")
	if text != "" {
		text += "\n"
	}
	if text == string(data) || err != nil && text == "" {
		return nil
	}
	return putFile(list, []byte(text))
}

// among is the line of a kind with us first, or without us; "" when nobody is left.
func (l links) among(kind, apps string, ours bool) string {
	var all []string
	for app := range strings.SplitSeq(apps, ";") {
		if app = strings.TrimSpace(app); app != "" && app != l.name() {
			all = append(all, app)
		}
	}
	if ours {
		all = slices.Insert(all, 0, l.name())
	}
	if len(all) == 0 {
		return ""
	}
	return kind + "=" + strings.Join(all, ";") + ";"
}

// check asks the desktop whom it would start. A list of the desktop's own may stand above the person's.
func (l links) check(ctx context.Context, scheme string) error {
	ask, err := exec.LookPath("xdg-mime")
	if err != nil {
		return nil // nobody to ask
	}
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, ask, "query", "default", mimeType(scheme)).Output()
	if said := strings.TrimSpace(string(out)); err == nil && said != "" && said != l.name() {
		return fmt.Errorf("this desktop has chosen %s", said)
	}
	return nil
}
