package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zalando/go-keyring"

	"zaseki/web/wire"
)

const (
	keyringName = "zaseki"
	// keyringTime is how long the keyring may take; a locked one asks the person first.
	keyringTime = 20 * time.Second
)

// devices are the secrets by which centers trust this machine (PRODUCT A13): in memory, and where the operating system has a keyring
// and the center allows it, there. The settings say for whom there is one, so that no keyring is opened for nothing.
type devices struct {
	center string
	kept   *settings // nil: memory alone
	log    *slog.Logger
	ring   func() bool // there is a keyring

	mu sync.Mutex
	by map[string]wire.Secret // by account
}

func newDevices(center string, kept *settings, log *slog.Logger) *devices {
	return &devices{center: center, kept: kept, log: log, ring: haveKeyring, by: map[string]wire.Secret{}}
}

// lasts says that what is kept outlives this process.
func (d *devices) lasts() bool { return d.kept != nil && d.ring() }

// of is the secret of this machine for that account; "" none. An account that is not known yet, "", has that of the last one.
func (d *devices) of(ctx context.Context, account string) wire.Secret {
	account = strings.TrimSpace(account)
	trusted := d.trusted()
	if account == "" && len(trusted) > 0 {
		account = trusted[len(trusted)-1]
	}
	d.mu.Lock()
	secret := d.by[account]
	d.mu.Unlock()
	if secret != "" || !slices.Contains(trusted, account) || !d.lasts() {
		return secret
	}
	plain, err := patiently(ctx, func() (string, error) { return keyring.Get(keyringName, d.name(account)) })
	if err != nil {
		d.log.Warn("keyring: read that this machine is trusted", "account", account, "err", err)
		return ""
	}
	return wire.Secret(plain)
}

// keep remembers the account's secret, for as long as this machine allows.
func (d *devices) keep(account string, secret wire.Secret) {
	d.mu.Lock()
	d.by[account] = secret
	d.mu.Unlock()
	if !d.lasts() {
		return
	}
	_, err := patiently(context.Background(), func() (string, error) { return "", keyring.Set(keyringName, d.name(account), secret.Reveal()) })
	if err == nil {
		err = d.kept.change(func(c *config) { c.Trusted = append(others(c.Trusted, account), account) })
	}
	if err != nil {
		d.log.Warn("keyring: keep that this machine is trusted", "account", account, "err", err)
	}
}

// forget takes away what was kept for the account.
func (d *devices) forget(account string) {
	d.mu.Lock()
	delete(d.by, account)
	d.mu.Unlock()
	if !slices.Contains(d.trusted(), account) {
		return
	}
	err := d.kept.change(func(c *config) { c.Trusted = others(c.Trusted, account) })
	if err == nil && d.lasts() {
		_, err = patiently(context.Background(), func() (string, error) { return "", keyring.Delete(keyringName, d.name(account)) })
	}
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		d.log.Warn("keyring: forget that this machine is trusted", "account", account, "err", err)
	}
}

func (d *devices) trusted() []string {
	if d.kept == nil {
		return nil
	}
	return d.kept.get().Trusted
}

func (d *devices) name(account string) string { return account + " @ " + d.center }

func others(all []string, but string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == but })
}

// patiently asks the keyring. Its library knows no end of patience: one that waits for a person who is away is left alone with its
// question, which ends with the process. So is one whose answer nobody waits for any more: ctx is over.
func patiently(ctx context.Context, ask func() (string, error)) (string, error) {
	type answer struct {
		plain string
		err   error
	}
	got := make(chan answer, 1)
	go func() {
		plain, err := ask()
		got <- answer{plain, err}
	}()
	select {
	case a := <-got:
		return a.plain, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(keyringTime):
		return "", errors.New("the keyring does not answer")
	}
}
