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

func TestTheDesktopOpensLinksWithThePhone(t *testing.T) {
	gio, ask := desktop.Need(t, "gio"), desktop.Need(t, "xdg-mime")
	home := person(t)
	exe := filepath.Join(home, evil, "softphone")
	said := echo(t, exe)
	l := links{launch{exe: exe, args: []string{"-config", home}, id: "zaseki"}}
	apply := func(name string, v wire.Values) {
		t.Helper()
		if p := l.Apply(t.Context(), name, v); p != nil {
			t.Fatal(p)
		}
	}
	list := filepath.Join(home, "config", "mimeapps.list")
	const others = "[Added Associations]\ntext/plain=vim.desktop;\n\n[Default Applications]\nx-scheme-handler/tel=other.desktop;more.desktop\nx-scheme-handler/https=browser.desktop\n# a note\n"
	desktop.Must(t, putFile(list, []byte(others)))
	apply(wire.SetLinkTel, on())
	if data, _ := os.ReadFile(list); string(data) != others {
		t.Errorf("changed by nothing:\n%s", data)
	}

	apply(wire.SetLinkTel, on(wire.SetLinkTel, wire.SetLinkSIP))
	apply(wire.SetLinkSIP, on(wire.SetLinkTel, wire.SetLinkSIP))
	valid(t, filepath.Join(home, "data", "applications", "zaseki-links.desktop"))
	for scheme, want := range map[string]string{"tel": "zaseki-links.desktop", "sip": "zaseki-links.desktop", "sips": "zaseki-links.desktop",
		"callto": ""} {
		out, err := exec.Command(ask, "query", "default", mimeType(scheme)).Output()
		if got := strings.TrimSpace(string(out)); err != nil && want != "" || got != want {
			t.Errorf("%s is opened by %q, want %q", scheme, got, want)
		}
	}
	for _, link := range []string{"tel:0312345678", "sip:suzuki@example.jp", "tel:-config=/tmp/x", "tel:%22%20-v", "tel:;phone-context=`id`$HOME"} {
		if out, err := exec.Command(gio, "open", link).CombinedOutput(); err != nil {
			t.Fatalf("gio open %s: %v %s", link, err, out)
		}
		if got := said(); !slices.Equal(got, []string{"-config", home, "--", link}) {
			t.Errorf("%s: started with %q", link, got)
		}
	}

	apply(wire.SetLinkTel, on(wire.SetLinkSIP))
	data, _ := os.ReadFile(list)
	if !strings.Contains(string(data), "x-scheme-handler/tel=other.desktop;more.desktop;\n") || !strings.Contains(string(data), "x-scheme-handler/sip=zaseki-links.desktop;\n") {
		t.Errorf("tel is given back and sip kept:\n%s", data)
	}
	apply(wire.SetLinkSIP, on())
	if data, _ := os.ReadFile(list); string(data) != strings.Replace(others, "more.desktop\n", "more.desktop;\n", 1) {
		t.Errorf("all is as it was:\n%s", data)
	}
}

func TestADesktopThatChoseAnotherProgramForLinksIsTold(t *testing.T) {
	desktop.Need(t, "xdg-mime")
	home := person(t)
	t.Setenv("XDG_CURRENT_DESKTOP", "Test")
	desktop.Must(t, putFile(filepath.Join(home, "data", "applications", "other.desktop"), desktopEntry("/bin/true %u", "MimeType=x-scheme-handler/tel;")))
	desktop.Must(t, putFile(filepath.Join(home, "config", "test-mimeapps.list"), []byte(defaults+"\nx-scheme-handler/tel=other.desktop\n")))
	l := links{launch{exe: "/bin/true", id: "zaseki"}}
	p := l.Apply(t.Context(), wire.SetLinkTel, on(wire.SetLinkTel))
	if p == nil || p.Code != wire.ProblemLink || p.Holes["scheme"] != "tel" || !strings.Contains(p.Holes["reason"], "other.desktop") {
		t.Errorf("%v", p)
	}
}

func TestAListThatIsALinkStaysOne(t *testing.T) {
	home := person(t)
	real := filepath.Join(home, "dotfiles", "mimeapps.list")
	desktop.Must(t, putFile(real, []byte("# mine\n")))
	desktop.Must(t, os.MkdirAll(filepath.Join(home, "config"), 0o700))
	desktop.Must(t, os.Symlink(real, filepath.Join(home, "config", "mimeapps.list")))
	l := links{launch{exe: "/bin/true", id: "zaseki"}}
	if p := l.Apply(t.Context(), wire.SetLinkCallto, on(wire.SetLinkCallto)); p != nil {
		t.Fatal(p)
	}
	info, err := os.Lstat(filepath.Join(home, "config", "mimeapps.list"))
	data, _ := os.ReadFile(real)
	if err != nil || info.Mode()&os.ModeSymlink == 0 || !strings.Contains(string(data), "# mine\n") || !strings.Contains(string(data), "callto=zaseki-links.desktop;") {
		t.Errorf("%v %s", err, data)
	}
}
