package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
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

	"zaseki/cmd/center/admin"
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
	want := map[string]int{"import": 1, "passwd": 1, "doctor": 0, "backup": 1, "restore": 1}
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
	case "doctor":
		return c.doctor()
	case "backup":
		return c.backup(ctx, args[0])
	}
	return c.restore(ctx, args[0])
}

func (c command) importFile(ctx context.Context, path string) error {
	setup, raw, err := node.ReadSetup(path)
	if err != nil {
		return err
	}
	err = c.reach(
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
	err = c.reach(
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

// reach does something with the center: through its API when it runs, else on its data.
func (c command) reach(running func(client) error, stopped func(*roster.Roster) error) error {
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
	data, err := node.OpenData(c.o.config(c.log))
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
		if data, err = node.OpenData(c.o.config(c.log)); err == nil {
			err = errors.Join(admin.WriteBackup(ctx, data.Ledger, f), data.Close())
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
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	data, err := node.OpenData(c.o.config(c.log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	events, last, err := data.Ledger.Load(ctx, "")
	if err != nil {
		return err
	}
	if len(events) > 0 || last > 0 {
		return fmt.Errorf("restore: %s is not empty", c.o.data)
	}
	n, err := replay(ctx, data.Ledger, json.NewDecoder(z))
	if err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	fmt.Fprintf(c.err, "Restored %d events.\n", n)
	return nil
}

// replay commits events in their order; those of one change stay one change.
func replay(ctx context.Context, log *ledger.Ledger, in *json.Decoder) (count int, err error) {
	last := map[string]ledger.Seq{}
	var op string
	var batch []ledger.Write
	var first ledger.Seq
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		at, err := log.Commit(ctx, op, batch)
		if want := first + ledger.Seq(len(batch)) - 1; err == nil && at != want {
			err = fmt.Errorf("event %d was stored as %d", want, at)
		}
		count += len(batch)
		batch = nil
		return err
	}
	for {
		var e admin.Line
		if err := in.Decode(&e); errors.Is(err, io.EOF) {
			return count, flush()
		} else if err != nil {
			return count, fmt.Errorf("after event %d: %w", count, err)
		}
		if e.Op != op {
			if err := flush(); err != nil {
				return count, err
			}
			op, first = e.Op, e.Seq
		}
		batch = append(batch, ledger.Write{Subject: e.Subject, Expect: last[e.Subject], By: e.By, Why: e.Why, At: e.At, Data: e.Data})
		last[e.Subject] = e.Seq
	}
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
