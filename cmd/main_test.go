package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"zaseki/cmd/bench/stage"
)

// builtIn names the folder with the programs of this run, also to the processes that a test starts elsewhere.
const builtIn = "ZASEKI_TEST_BUILT"

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	if os.Getenv(builtIn) == "" {
		dir, err := os.MkdirTemp("", "zaseki-built")
		if err == nil {
			defer os.RemoveAll(dir)
			err = os.Setenv(builtIn, dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// build puts programs into a folder. Each is built by the first test that wants it: linking one takes seconds.
func build(t *testing.T, dir string, commands ...string) {
	t.Helper()
	for _, c := range commands {
		built := filepath.Join(os.Getenv(builtIn), c)
		_, err := os.Stat(built)
		if err != nil {
			err = stage.Build(t.Context(), "..", os.Getenv(builtIn), c)
		}
		if err == nil {
			err = os.Link(built, filepath.Join(dir, c))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
