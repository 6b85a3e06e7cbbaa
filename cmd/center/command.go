package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// by is who the command line is in the records.
const by = "operator"

// command is one run of the program.
type command struct {
	o        options
	log      *slog.Logger
	in       io.Reader
	out, err io.Writer
}

// usageError says that the command was not written as it must be.
type usageError string

func (e usageError) Error() string { return string(e) }

// do carries out a sub-command.
func (c command) do(ctx context.Context, name string, args []string) error {
	want := map[string]int{"import": 1, "passwd": 1, "factor": 1, "doctor": 0, "backup": 1, "restore": 1, "keys": 1, "adopt": 1}
	n, known := want[name]
	switch {
	case !known:
		return usageError(fmt.Sprintf("there is no command %q", name))
	case len(args) != n && !(name == "passwd" && len(args) == 2 && args[1] == "-"):
		return usageError(fmt.Sprintf("%s takes %d argument(s)", name, n))
	}
	switch name {
	case "import":
		return c.importFile(ctx, args[0])
	case "passwd":
		return c.passwd(ctx, args)
	case "factor":
		return c.factor(ctx, args[0])
	case "doctor":
		return c.doctor(ctx)
	case "backup":
		return c.backup(ctx, args[0])
	case "keys":
		return c.keys(args[0])
	case "adopt":
		return c.adopt(args[0])
	}
	return c.restore(ctx, args[0])
}

func (c command) importFile(ctx context.Context, path string) error {
	setup, raw, err := node.ReadSetup(path)
	if err != nil {
		return err
	}
	err = c.reach(ctx,
		func(far client) error { return far.post(ctx, "/api/v1/admin/import", raw) },
		func(r *roster.Roster) error { return r.Apply(ctx, setup, by) })
	if err != nil {
		return fmt.Errorf("import %s: %w", path, err)
	}
	fmt.Fprintf(c.err, "Imported %d accounts, %d terminals, %d statuses, %d floors, %d seats, %d queues.\n",
		len(setup.Accounts), len(setup.Terminals), len(setup.Statuses), len(setup.Floors), len(setup.Seats), len(setup.Queues))
	return nil
}

func (c command) passwd(ctx context.Context, args []string) error {
	account, password := args[0], node.RandomCode()
	if len(args) == 2 {
		line, err := bufio.NewReader(c.in).ReadString('\n')
		if password = strings.TrimRight(line, "\r\n"); password == "" {
			return fmt.Errorf("passwd %s: no password on stdin: %w", account, err)
		}
	}
	body, err := json.Marshal(map[string]string{"password": password})
	if err != nil {
		return err
	}
	err = c.reach(ctx,
		func(far client) error {
			return far.post(ctx, "/api/v1/admin/accounts/"+url.PathEscape(account)+"/password", body)
		},
		func(r *roster.Roster) error { return r.SetPassword(ctx, account, wire.Secret(password), by) })
	if err != nil {
		return fmt.Errorf("passwd %s: %w", account, err)
	}
	if len(args) == 1 {
		fmt.Fprintln(c.out, password)
	}
	return nil
}

// factor takes away what an account has set up as second factor: the way back in for the last administrator.
func (c command) factor(ctx context.Context, account string) error {
	err := c.reach(ctx,
		func(far client) error {
			return far.post(ctx, "/api/v1/admin/accounts/"+url.PathEscape(account)+"/factor-reset", []byte("{}"))
		},
		func(r *roster.Roster) error { return r.ResetFactor(ctx, account, by) })
	if err != nil {
		return fmt.Errorf("factor %s: %w", account, err)
	}
	return nil
}

// reach does something with the center: through its API when it runs, else on its data.
func (c command) reach(ctx context.Context, running func(client) error, stopped func(*roster.Roster) error) error {
	r, err := node.FindRunning(c.o.data)
	switch {
	case err == nil:
		far, err := c.client(r)
		if err != nil {
			return err
		}
		return running(far)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	data, err := node.OpenData(ctx, c.o.config(c.log))
	if err != nil {
		return err
	}
	return errors.Join(stopped(data.Roster), data.Close())
}

func (c command) backup(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	r, err := node.FindRunning(c.o.data)
	switch {
	case err == nil:
		var far client
		if far, err = c.client(r); err == nil {
			err = far.get(ctx, "/api/v1/admin/backup", f)
		}
	case errors.Is(err, fs.ErrNotExist):
		var data *node.Data
		if data, err = node.OpenData(ctx, c.o.config(c.log)); err == nil {
			_, err = data.Ledger.Backup(ctx, f)
			err = errors.Join(err, data.Close())
		}
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path) // half a backup is none
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// restore writes every event of a backup into an empty log, each at its old place.
func (c command) restore(ctx context.Context, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer f.Close()
	cfg := c.o.config(c.log)
	cfg.Cluster.Restoring = true
	data, err := node.OpenData(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	told := time.Now()
	sum, err := data.Ledger.Restore(ctx, f, func(done, all ledger.Seq) {
		if time.Since(told) > time.Second {
			told = time.Now()
			fmt.Fprintf(c.err, "%d of %d events\n", done, all)
		}
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(c.err, "Restored %d events.\n", sum.Seq)
	return nil
}

// keys writes the keys to a file and prints the passphrase that opens it.
func (c command) keys(path string) error {
	passphrase := wire.Secret(node.RandomCode())
	sealed, err := node.SealKeys(c.o.data, passphrase)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	_, err = f.Write(sealed)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	fmt.Fprintln(c.out, passphrase.Reveal())
	return nil
}

// adopt puts keys of another data folder into this one.
func (c command) adopt(path string) error {
	sealed, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("adopt: %w", err)
	}
	line, err := bufio.NewReader(c.in).ReadString('\n')
	passphrase := strings.TrimSpace(line)
	if passphrase == "" {
		return fmt.Errorf("adopt: no passphrase on stdin: %w", err)
	}
	if err := node.OpenKeys(c.o.data, sealed, wire.Secret(passphrase)); err != nil {
		return fmt.Errorf("adopt %s: %w", path, err)
	}
	return nil
}

// client speaks to the center that runs on this machine.
type client struct {
	base, bearer string
	http         *http.Client
}

func (c command) client(r node.Running) (client, error) {
	far := client{base: r.HTTP, bearer: r.Operator, http: &http.Client{}}
	if !strings.HasPrefix(r.HTTP, "https:") {
		return far, nil
	}
	pem, err := os.ReadFile(filepath.Join(c.o.data, "ca.pem"))
	if err != nil {
		return far, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	far.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
	return far, nil
}

func (f client) post(ctx context.Context, path string, body []byte) error {
	return f.do(ctx, http.MethodPost, path, bytes.NewReader(body), io.Discard)
}

func (f client) get(ctx context.Context, path string, to io.Writer) error {
	return f.do(ctx, http.MethodGet, path, nil, to)
}

func (f client) do(ctx context.Context, method, path string, body io.Reader, to io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, method, f.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.bearer)
	req.Header.Set("Content-Type", "application/json")
	res, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		var said struct{ Error, Code string }
		json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&said) // without it the status says enough
		return errors.New(strings.TrimSpace(strings.Join([]string{said.Error, said.Code, "(" + res.Status + ")"}, " ")))
	}
	_, err = io.Copy(to, res.Body)
	return err
}
