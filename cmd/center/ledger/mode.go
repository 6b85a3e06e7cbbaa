package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Member is one of the centers of a cluster. Its name stays for ever, its address may change.
type Member struct {
	Name string
	Addr string // host:port where the others reach its log
}

// Cluster is three (or five) centers that keep the log together.
type Cluster struct {
	Name    string   // which member this one is
	Members []Member // all, this one too
	// Secret is the same on every member and known to nobody else; what they say to each other is authenticated with it.
	Secret []byte
	TLS    *RouteTLS // of what they say to each other; nil only on loopback addresses
}

// id tells clusters apart without telling the secret.
func (c *Cluster) id() string {
	sum := sha256.Sum256(append([]byte("cluster id "), c.Secret...))
	return hex.EncodeToString(sum[:6])
}

// self is this member.
func (c *Cluster) self() Member {
	i := slices.IndexFunc(c.Members, func(m Member) bool { return m.Name == c.Name })
	return c.Members[i]
}

// First is the member that makes the log's beginning when there is none: the first by name.
func (c *Cluster) First() string {
	return slices.MinFunc(c.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) }).Name
}

// check refuses what could lose data: two members lose the majority with either one, and so do four with two.
func (c *Cluster) check() error {
	if n := len(c.Members); n != 3 && n != 5 {
		return fmt.Errorf("a cluster has 3 or 5 members, not %d", n)
	}
	seen := map[string]bool{}
	loopback := true
	for _, m := range c.Members {
		host, port, err := net.SplitHostPort(m.Addr)
		switch {
		case m.Name == "" || !plain(m.Name):
			return fmt.Errorf("member name %q: letters, digits, - and _ only", m.Name)
		case err != nil || host == "" || port == "" || port == "0":
			return fmt.Errorf("member %s: %q is not host:port", m.Name, m.Addr)
		case seen[m.Name] || seen[m.Addr]:
			return fmt.Errorf("member %s: name or address is there twice", m.Name)
		}
		seen[m.Name], seen[m.Addr] = true, true
		ip := net.ParseIP(host)
		loopback = loopback && ip != nil && ip.IsLoopback()
	}
	switch {
	case !seen[c.Name] || c.Name == "":
		return fmt.Errorf("%q is none of the members", c.Name)
	case len(c.Secret) < 16:
		return errors.New("the members have no secret in common")
	case c.TLS == nil && !loopback:
		return errors.New("members on other machines must speak TLS")
	}
	return nil
}

// mode is the line of the MODE file: what kind of center owns the store.
func (cfg Config) mode() string {
	if cfg.Cluster == nil {
		return "solo"
	}
	names := make([]string, len(cfg.Cluster.Members))
	for i, m := range cfg.Cluster.Members {
		names[i] = m.Name
	}
	slices.Sort(names)
	return fmt.Sprintf("cluster %s %s of %s", cfg.Cluster.id(), cfg.Cluster.Name, strings.Join(names, ","))
}

// Mode reads what kind of center owns the ledger in a folder; "" if none does yet.
func Mode(dir string) (string, error) {
	mode, err := os.ReadFile(filepath.Join(dir, "MODE"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(mode)), err
}

// claimStore writes down what kind of center owns the folder, or checks it: an engine of a cluster that is started on a
// single node's store deletes the data as orphaned.
func claimStore(cfg Config) error {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return err
	}
	have, err := Mode(cfg.Dir)
	want := cfg.mode()
	switch {
	case err != nil:
		return err
	case have == want:
		return nil
	case have != "":
		return fmt.Errorf("%s holds a store of mode %q, not %q: %s: %w", cfg.Dir, have, want, advice(have, want), ErrMode)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "store", "jetstream")); err == nil {
		return fmt.Errorf("%s holds a store, but its MODE file is gone: write %q there if this center made it: %w", cfg.Dir, want, ErrMode)
	}
	return WriteFile(filepath.Join(cfg.Dir, "MODE"), want+"\n")
}

func advice(have, want string) string {
	switch {
	case have == "solo":
		return "to grow, center backup FILE here without -peer, then center restore FILE with -peer into an empty folder"
	case want == "solo":
		return "start it with the -name and -peer it had, or center backup FILE with them and restore into an empty folder"
	}
	return "name, members and keys must stay; another cluster needs an empty folder"
}

// WriteFile replaces a small file that nobody else may read: the old or the new, never half of it, on the disk when it returns.
func WriteFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name in a folder last. Systems whose folders cannot be synced keep names by themselves.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}
