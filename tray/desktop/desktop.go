// Package desktop is what tests of the tray take for a desktop: a session bus of their own, a host for icons and a server for
// notifications on it, without a display. Only Linux has such a bus; what is said here about waiting and colours holds everywhere.
package desktop

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// Patience is how long a test waits for another process on a busy machine.
const Patience = 20 * time.Second

// Eventually polls until the state of another process is as it should be.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

// Need is the path of a tool; without it the test is skipped, and in CI it fails.
func Need(t testing.TB, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatalf("%s is missing", tool)
	}
	t.Skipf("%s is missing", tool)
	return ""
}

// Must ends the test with that error, if it is one.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Colour names the colour of ours that most of the pixels have: orange, amber, red, blue, grey, or "" when hardly any has one.
func Colour(pixels func(yield func(r, g, b byte))) string {
	n := map[string]int{}
	pixels(func(r, g, b byte) {
		switch {
		case r > 0xd0 && g > 0x60 && g < 0x98 && b < 0x40:
			n["orange"]++
		case r > 0xf0 && g > 0xb0 && g < 0xd8 && b < 0x50:
			n["amber"]++
		case r < 0x40 && g > 0x50 && g < 0x90 && b > 0xb8:
			n["blue"]++
		case r > 0xb8 && g < 0x40 && b < 0x48:
			n["red"]++
		case r > 0x70 && r < 0x90 && g > 0x78 && g < 0x90 && b > 0x80 && b < 0x98:
			n["grey"]++
		}
	})
	most, name := 20, ""
	for colour, count := range n {
		if count > most {
			most, name = count, colour
		}
	}
	return name
}
