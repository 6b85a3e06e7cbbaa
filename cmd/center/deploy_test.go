package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheUnitAndTheContainerStartUsAsWeAre: their flags are ours, and systemd finds nothing wrong with the unit.
func TestTheUnitAndTheContainerStartUsAsWeAre(t *testing.T) {
	unit, err := os.ReadFile("deploy/zaseki-center.service")
	if err != nil {
		t.Fatal(err)
	}
	container, err := os.ReadFile("deploy/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`CENTER_FLAGS=([^"]*)"`).FindSubmatch(unit)
	cmd := regexp.MustCompile(`(?m)^CMD (\[.*\])$`).FindSubmatch(container)
	if flags == nil || cmd == nil {
		t.Fatal("there are no flags in the unit, or no CMD in the container's file")
	}
	var words []string
	if err := json.Unmarshal(cmd[1], &words); err != nil {
		t.Fatal(err)
	}
	for where, args := range map[string][]string{"unit": strings.Fields(string(flags[1])), "container": words} {
		var said bytes.Buffer
		if o, err := parse(args, &said); err != nil || o.http == "" || len(o.args) > 0 {
			t.Errorf("%s: flags %q: %v %s", where, args, err, said.String())
		}
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Log("no systemd here: the unit is checked by its flags only")
		return
	}
	file := filepath.Join(t.TempDir(), "zaseki-center.service")
	unit = bytes.ReplaceAll(unit, []byte("/usr/local/bin/zaseki-center"), []byte("/bin/true"))
	if err := os.WriteFile(file, unit, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v %s", err, out)
	}
}
