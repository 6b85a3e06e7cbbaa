package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestASecondFactorIsTakenAwayFromTheCommandLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	start(t, dir)
	if _, said, code := run(t, "-data", dir, "factor", "admin"); code != 0 {
		t.Fatalf("on a running center: %d %s", code, said)
	}
	if _, said, code := run(t, "-data", dir, "factor", "nobody"); code != 1 || !strings.Contains(said, "nobody") {
		t.Fatalf("of nobody: %d %s", code, said)
	}
	if _, said, code := run(t, "-data", dir, "factor"); code != 2 {
		t.Fatalf("without an account: %d %s", code, said)
	}
}
