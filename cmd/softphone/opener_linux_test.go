package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/web/wire"
)

// TestThePageOpensInAWindowOfItsOwnWhereThatIsChosen: with programs that write down what they are asked to open.
func TestThePageOpensInAWindowOfItsOwnWhereThatIsChosen(t *testing.T) {
	const page = "http://127.0.0.1:1/#x"
	for name, row := range map[string]struct {
		chosen, browser string // what the browser of the Chromium family does; "" there is none
		want            string
		fails           bool
	}{
		"a tab":                     {"tab", "exit 0", "tab " + page, false},
		"a window":                  {"app", "exit 0", "window --app=" + page, false},
		"a window that cannot open": {"app", "exit 1", "window --app=" + page + "\ntab " + page, false},
		"no such browser":           {"app", "", "tab " + page, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			said := filepath.Join(dir, "said")
			script := func(name, word, end string) {
				text := "#!/bin/sh\necho " + word + " \"$@\" >>'" + said + "'\n" + end + "\n"
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			script("xdg-open", "tab", "exit 0")
			if row.browser != "" {
				script("chromium", "window", row.browser)
			}
			t.Setenv("PATH", dir)
			held := wire.Values{wire.SetWindow: row.chosen}
			o := newOpener(quiet, false)
			o.chooses(func() wire.Values { return held })
			if problem := o.Apply(t.Context(), wire.SetWindow, held); (problem != nil) != row.fails {
				t.Errorf("chosen: %v", problem)
			}
			o.page(page)
			o.page(page) // a double click
			got := ""
			for end := time.Now().Add(10 * time.Second); got != row.want && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				data, _ := os.ReadFile(said)
				got = strings.TrimSpace(string(data))
			}
			if got != row.want {
				t.Errorf("opened %q", got)
			}
		})
	}
}
