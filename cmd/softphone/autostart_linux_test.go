package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// person is a home of the test's own, as desktops see it.
func person(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	t.Setenv("XDG_CURRENT_DESKTOP", "")
	return home
}

// echo is a program that writes down what it was started with, a line each, beside itself.
func echo(t *testing.T, path string) (said func() []string) {
	t.Helper()
	desktop.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	desktop.Must(t, os.WriteFile(path, []byte("#!/bin/sh\n{ echo \"$#\"; for a; do printf '%s\\n' \"$a\"; done; } > \"$0.part\"; mv \"$0.part\" \"$0.said\"\n"), 0o700))
	return func() (all []string) {
		desktop.Eventually(t, "start of "+path, func() bool {
			data, err := os.ReadFile(path + ".said")
			all = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")[1:]
			return err == nil
		})
		desktop.Must(t, os.Remove(path+".said"))
		return all
	}
}

// valid has the desktop's own tool read an entry.
func valid(t *testing.T, file string) {
	t.Helper()
	out, err := exec.Command(desktop.Need(t, "desktop-file-validate"), file).CombinedOutput()
	if err != nil || strings.Contains(string(out), "warning") {
		data, _ := os.ReadFile(file)
		t.Errorf("%v %s\n%s", err, out, data)
	}
}

func on(names ...string) wire.Values {
	v := wire.Values{}
	for _, name := range names {
		v[name] = true
	}
	return v
}

// evil is a folder's name with all that means something in an entry.
const evil = "my \"apps\" $HOME `id` 100% \\o/ 座席 'x' -v; #1"

func TestTheDesktopStartsThePhoneAtLogin(t *testing.T) {
	gio := desktop.Need(t, "gio")
	home := person(t)
	exe := filepath.Join(home, evil, "soft phone")
	said := echo(t, exe)
	a := autostart{launch{exe: exe, args: []string{"-config", filepath.Join(home, evil)}, id: "zaseki"}}
	file := filepath.Join(home, "config", "autostart", "zaseki.desktop")
	apply := func(v wire.Values) {
		t.Helper()
		if p := a.Apply(t.Context(), wire.SetAutostart, v); p != nil {
			t.Fatal(p)
		}
	}
	apply(on()) // was never on
	apply(on(wire.SetAutostart))
	valid(t, file)
	desktop.Must(t, exec.Command(gio, "launch", file).Run())
	if got := said(); !slices.Equal(got, a.args) {
		t.Errorf("started with %q, want %q", got, a.args)
	}

	// The program was moved: the next start finds it out.
	a.exe = filepath.Join(home, "new place", "softphone")
	moved := echo(t, a.exe)
	apply(on(wire.SetAutostart))
	desktop.Must(t, exec.Command(gio, "launch", file).Run())
	moved()
	apply(on())
	if _, err := os.Stat(file); err == nil {
		t.Error("the entry is still there")
	}
}

func TestWhatThePersonSwitchedOffInTheDesktopStaysOff(t *testing.T) {
	home := person(t)
	a := autostart{launch{exe: "/bin/true", id: "zaseki"}}
	file := filepath.Join(home, "config", "autostart", "zaseki.desktop")
	for _, line := range []string{"Hidden=true", "X-GNOME-Autostart-enabled = false"} {
		desktop.Must(t, putFile(file, []byte("[Other]\nHidden=false\n[Desktop Entry]\n"+line+"\n")))
		p := a.Apply(t.Context(), wire.SetAutostart, on(wire.SetAutostart))
		if p == nil || p.Code != wire.ProblemAutostart || p.Holes["reason"] != errSwitchedOff.Error() {
			t.Errorf("%s: %v", line, p)
		}
		if data, _ := os.ReadFile(file); !strings.Contains(string(data), line) {
			t.Errorf("%s is gone", line)
		}
		if p := a.Apply(t.Context(), wire.SetAutostart, on()); p != nil { // switched off here, and on again
			t.Error(p)
		}
		if p := a.Apply(t.Context(), wire.SetAutostart, on(wire.SetAutostart)); p != nil {
			t.Error(p)
		}
	}
}

func TestAnAutostartThatCannotBeWrittenIsTold(t *testing.T) {
	home := person(t)
	desktop.Must(t, os.MkdirAll(filepath.Join(home, "config"), 0o700))
	desktop.Must(t, os.WriteFile(filepath.Join(home, "config", "autostart"), nil, 0o600)) // a file in the folder's place
	for _, exe := range []string{"/bin/true", "/tmp/a\nExec=rm"} {
		a := autostart{launch{exe: exe, id: "zaseki"}}
		if p := a.Apply(t.Context(), wire.SetAutostart, on(wire.SetAutostart)); p == nil || p.Code != wire.ProblemAutostart || p.Holes["reason"] == "" {
			t.Errorf("%q: %v", exe, p)
		}
	}
}

func TestEachSettingsFolderHasEntriesOfItsOwn(t *testing.T) {
	usual, err := newLaunch("/home/x/.config/zaseki", "/home/x/.config/zaseki")
	desktop.Must(t, err)
	trial, err := newLaunch("/tmp/trial", "/home/x/.config/zaseki", "-demo")
	desktop.Must(t, err)
	if usual.id != "zaseki" || len(usual.args) != 0 || !filepath.IsAbs(usual.exe) {
		t.Errorf("%+v", usual)
	}
	if trial.id == usual.id || !slices.Equal(trial.args, []string{"-config", "/tmp/trial", "-demo"}) {
		t.Errorf("%+v", trial)
	}
}
