package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"zaseki/media/sealed"
)

// messageSuffix is that of a message which is being left, in the folder of what comes. After a kill what there is of it is kept.
const messageSuffix = ".msg"

// Message is a caller's message on its way to the other recordings: sealed with the same key, heard by staff like them.
type Message struct {
	vault *Vault
	id    string
	file  *sealed.Writer
}

// Message begins one; info says whose it is, but for its id.
func (v *Vault) Message(info sealed.Info) (*Message, error) {
	info.ID, info.Inbound = info.Began.UTC().Format("20060102")+"-"+rand.Text(), true
	file, err := sealed.Create(v.message(info.ID), v.cfg.Key.PublicKey().Bytes(), info)
	if err != nil {
		return nil, err
	}
	return &Message{vault: v, id: info.ID, file: file}, nil
}

func (v *Vault) message(name string) string {
	return filepath.Join(v.dir, partsDir, name+messageSuffix)
}

// ID is what the recording is called: /api/v1/recordings/ID.
func (m *Message) ID() string { return m.id }

// Write appends a block of sound, on the disk when it returns.
func (m *Message) Write(block []byte) error { return m.file.Write(block) }

// Keep ends the message and puts it among the recordings.
func (m *Message) Keep(ctx context.Context) error {
	if err := m.file.Close(); err != nil {
		m.vault.log.Warn("message broken off", "recording", m.id, "err", err) // what was written opens all the same
	}
	return m.vault.keepMessage(ctx, m.id)
}

// Drop ends it without a trace.
func (m *Message) Drop() {
	if err := errors.Join(m.file.Close(), os.Remove(m.vault.message(m.id))); err != nil {
		m.vault.log.Warn("message not removed", "recording", m.id, "err", err)
	}
}

func (v *Vault) keepMessage(ctx context.Context, name string) error {
	if err := os.Rename(v.message(name), v.part(name)); err != nil {
		return err
	}
	return v.keep(ctx, name, "center")
}

// broken are the messages that were being left when the center was killed.
func (v *Vault) broken() []string {
	left, err := fs.Glob(os.DirFS(filepath.Join(v.dir, partsDir)), "*"+messageSuffix)
	if err != nil {
		return nil
	}
	return left
}

// keepBroken puts those among the recordings.
func (v *Vault) keepBroken(ctx context.Context, left []string) {
	for _, file := range left {
		if name := idOf(file); id.MatchString(name) {
			if err := v.keepMessage(ctx, name); err != nil {
				v.log.Error("message of before the last stop not kept", "recording", name, "err", err)
			}
		}
	}
}
