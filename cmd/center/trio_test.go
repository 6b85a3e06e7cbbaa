package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// fresh are three nodes of a new center on this machine, with these files imported; account is one of them, which each node knows by now.
func fresh(t *testing.T, base, account string, files ...string) *trio {
	t.Helper()
	keys := filepath.Join(base, "keys")
	passphrase, said, code := run(t, "-data", filepath.Join(base, "keeper"), "keys", keys)
	if code != 0 {
		t.Fatal(said)
	}
	c := &trio{dirs: map[string]string{}, nodes: map[string]*process{}, flags: map[string][]string{}}
	https, sips, logs := freePorts(t, 3), freePorts(t, 3), freePorts(t, 3)
	names := []string{"a", "b", "c"}
	var peers []string
	for i, name := range names {
		peers = append(peers, "-peer", name+"="+logs[i])
	}
	var ready []func() error
	for i, name := range names {
		c.dirs[name] = filepath.Join(base, name)
		c.flags[name] = append([]string{"-name", name, "-http", https[i], "-sip", sips[i], "-sips", "off"}, peers...)
		cmd := command1(t.Context(), "-data", c.dirs[name], "adopt", keys)
		cmd.Stdin = strings.NewReader(passphrase)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		ready = append(ready, c.launch(t, name))
	}
	readyAll(t, ready...)
	for _, file := range files {
		until(t, file+" is imported", 2*long, func() bool {
			_, _, code := run(t, "-data", c.dirs["a"], "import", file)
			return code == 0
		})
	}
	for _, name := range names { // what one has taken comes to the others a moment later
		until(t, "node "+name+" knows what was imported", 2*long, func() bool {
			_, there := known(t, c.dirs[name], account)
			return there
		})
	}
	return c
}
