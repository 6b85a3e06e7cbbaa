package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const (
	classes   = `Software\Classes\`
	abilities = `Software\Zaseki\`
)

// set enters this phone among the programs that can open those links, and as the one that does where nobody chose another
// (Windows, "Default Programs", URL associations).
func (l links) set(schemes []string) error {
	command, err := l.command()
	if err != nil {
		return err
	}
	line := windows.ComposeCommandLine(command) + ` -- "%1"`
	var all error
	for _, k := range linkKinds() {
		for _, scheme := range k.schemes {
			if slices.Contains(schemes, scheme) {
				all = errors.Join(all, l.enter(scheme, line))
			} else {
				all = errors.Join(all, l.leave(scheme))
			}
		}
	}
	return all
}

func (l links) class() string { return l.id + ".link" }

// enter writes the scheme's own class, our class, and what we are able to open.
func (l links) enter(scheme, line string) error {
	values := []struct{ key, name, value string }{
		{classes + scheme, "", "URL:" + scheme}, {classes + scheme, "URL Protocol", ""}, {classes + scheme + `\shell\open\command`, "", line},
		{classes + l.class(), "", "Zaseki"}, {classes + l.class(), "URL Protocol", ""}, {classes + l.class() + `\shell\open\command`, "", line},
		{abilities + l.id + `\Capabilities`, "ApplicationName", "Zaseki"}, {abilities + l.id + `\Capabilities\UrlAssociations`, scheme, l.class()},
		{`Software\RegisteredApplications`, l.id, abilities + l.id + `\Capabilities`},
	}
	for _, v := range values {
		k, _, err := registry.CreateKey(registry.CURRENT_USER, v.key, registry.SET_VALUE)
		if err != nil {
			return fmt.Errorf("registry %s: %w", v.key, err)
		}
		err = k.SetStringValue(v.name, v.value)
		_ = k.Close()
		if err != nil {
			return fmt.Errorf("registry %s: %w", v.key, err)
		}
	}
	return nil
}

// leave takes the scheme out of what we open; its own class only while it is ours.
func (l links) leave(scheme string) error {
	if k, err := registry.OpenKey(registry.CURRENT_USER, abilities+l.id+`\Capabilities\UrlAssociations`, registry.SET_VALUE); err == nil {
		err = k.DeleteValue(scheme)
		_ = k.Close()
		if err != nil && !errors.Is(err, registry.ErrNotExist) {
			return err
		}
	}
	command, err := l.command()
	if err != nil {
		return err
	}
	k, err := registry.OpenKey(registry.CURRENT_USER, classes+scheme+`\shell\open\command`, registry.QUERY_VALUE)
	if err != nil {
		return nil // nobody's
	}
	said, _, err := k.GetStringValue("")
	_ = k.Close()
	if err != nil || said != windows.ComposeCommandLine(command)+` -- "%1"` {
		return nil // somebody else's
	}
	for _, key := range []string{`\shell\open\command`, `\shell\open`, `\shell`, ``} {
		if err := registry.DeleteKey(registry.CURRENT_USER, classes+scheme+key); err != nil && !errors.Is(err, registry.ErrNotExist) {
			return fmt.Errorf("registry %s: %w", scheme, err)
		}
	}
	return nil
}

// check: a choice that the person made in the settings of Windows stands above ours, and no program can change it.
func (l links) check(_ context.Context, scheme string) error {
	k, err := registry.OpenKey(registry.CURRENT_USER, `Software\Microsoft\Windows\Shell\Associations\UrlAssociations\`+scheme+`\UserChoice`, registry.QUERY_VALUE)
	if err != nil {
		return nil // no choice was made
	}
	defer k.Close()
	if chosen, _, err := k.GetStringValue("ProgId"); err == nil && chosen != l.class() {
		return errors.New("another program is chosen; choose Zaseki in Settings > Apps > Default apps")
	}
	return nil
}
