package main

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// configHome is where the desktop looks for what this person has chosen.
func configHome() (string, error) { return os.UserConfigDir() }

// dataHome is where it looks for this person's programs (XDG Base Directory Specification).
func dataHome() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}

// execLine is the command as a desktop entry has it, with more behind it that needs no quotes (Desktop Entry Specification, "The Exec
// key"): every argument in quotes, four characters behind a backslash, then each backslash twice, since the whole is a string value.
func execLine(command []string, more string) string {
	quote := strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`, "`", "\\\\`", `$`, `\\$`, `%`, `%%`)
	var line strings.Builder
	if strings.Contains(command[0], "%") { // GLib looks for a program of the name as it is written, with both signs
		line.WriteString("env ")
	}
	for _, arg := range command {
		line.WriteString(`"` + quote.Replace(arg) + `" `)
	}
	return strings.TrimSpace(line.String() + more)
}

// desktopEntry is a desktop entry of ours.
func desktopEntry(exec string, more ...string) []byte {
	lines := append([]string{"[Desktop Entry]", "Type=Application", "Version=1.1", "Name=Zaseki", "Name[ja]=Zaseki", "GenericName=Softphone",
		"GenericName[ja]=ソフトフォン", "Comment=Softphone for call-centre agents", "Comment[ja]=コールセンター向けソフトフォン",
		"Exec=" + exec, "Icon=zaseki", "Terminal=false", "Categories=Network;Telephony;"}, more...)
	return []byte(strings.Join(lines, "\n") + "\n")
}

// putFile writes the file when it is another.
func putFile(path string, data []byte) error {
	if was, err := os.ReadFile(path); err == nil && string(was) == string(data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeFile(path, data)
}

// dropFile removes the file; none is fine.
func dropFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// keyOf reads a key of the entry's main group; "" when there is none.
func keyOf(path, key string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	group := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			group = line
		}
		if name, value, ok := strings.Cut(line, "="); ok && group == "[Desktop Entry]" && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
