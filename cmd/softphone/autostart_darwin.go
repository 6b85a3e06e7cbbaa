package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// file is the agent that launchd starts at login (launchd.plist(5)).
func (a autostart) file() (string, error) {
	home, err := os.UserHomeDir()
	return filepath.Join(home, "Library", "LaunchAgents", "internal."+a.id+".softphone.plist"), err
}

func (a autostart) on() error {
	file, err := a.file()
	if err != nil {
		return err
	}
	command, err := a.command()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>internal.` + a.id + `.softphone</string>
<key>RunAtLoad</key><true/>
<key>ProgramArguments</key><array>
`)
	for _, arg := range command {
		b.WriteString("<string>")
		_ = xml.EscapeText(&b, []byte(arg)) // a buffer takes everything
		b.WriteString("</string>\n")
	}
	b.WriteString("</array>\n</dict></plist>\n")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return writeFile(file, b.Bytes())
}

func (a autostart) off() error {
	file, err := a.file()
	if err == nil {
		err = os.Remove(file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
