package cmd_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms reads every Go file below the top of the module with os (go list is cached and passes wrongly) and gives each
// folder's imports, by build tag or test alike.
func rooms(t *testing.T) map[string]map[string]bool {
	t.Helper()
	root := ".."
	all := map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && p != root) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		room := filepath.ToSlash(rel)
		if all[room] == nil {
			all[room] = map[string]bool{}
		}
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			all[room][name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTheTopLevelIsTheHouse: go.mod go.sum cmd tray web sip media static README.md, LICENSE and hidden files; nothing else.
func TestTheTopLevelIsTheHouse(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"go.mod", "go.sum", "cmd", "tray", "web", "sip", "media", "static", "README.md", "LICENSE"}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(want, e.Name()) {
			t.Errorf("%s does not belong at the top", e.Name())
		}
	}
	for _, name := range want {
		if _, err := os.Stat(filepath.Join("..", name)); err != nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestEveryRoomIsThere: each room of the design exists with code in it.
func TestEveryRoomIsThere(t *testing.T) {
	all := rooms(t)
	for _, room := range []string{"cmd/softphone", "cmd/center", "cmd/center/node", "cmd/center/ledger", "cmd/center/roster",
		"cmd/center/exchange", "cmd/center/report", "cmd/center/admin", "cmd/bench", "tray", "tray/agent", "web", "web/wire",
		"web/socket", "web/guard", "web/uplink", "sip", "sip/dialog", "sip/route", "sip/stack", "media", "static"} {
		if all[room] == nil {
			t.Errorf("room %s is missing", room)
		}
	}
}

// TestWalls: which rooms of ours a room may import. A room's own sub-rooms are its floor.
func TestWalls(t *testing.T) {
	all := rooms(t)
	for room, imports := range all {
		for imp := range imports {
			to, ours := strings.CutPrefix(imp, "zaseki/")
			if ours && !mayImport(room, to) {
				t.Errorf("%s imports %s", room, to)
			}
		}
	}
}

func mayImport(room, to string) bool {
	floor, _, _ := strings.Cut(room, "/")
	toFloor, _, _ := strings.Cut(to, "/")
	switch {
	case floor == "cmd":
		return true
	case toFloor == "cmd":
		return false // nothing outside cmd imports cmd
	case room == "tray/agent":
		return to == "web/wire"
	case room == "static", room == "web/wire", room == "web/guard", floor == "sip", floor == "media":
		return toFloor == floor && (floor != "web" || room == "web/guard" && to == "web/wire")
	case floor == "tray", floor == "web":
		return to != "tray/agent" && (toFloor == floor || to == "static" || to == "web/wire")
	}
	return false
}

// TestOneLibraryHasOneOwner: who may import a library directly.
func TestOneLibraryHasOneOwner(t *testing.T) {
	owners := map[string][]string{
		"fyne.io/systray":               {"tray"},
		"github.com/emiago/sipgo":       {"sip", "sip/stack", "sip/dialog", "cmd/center/exchange"},
		"github.com/pion":               {"media", "media/load"},     // the page leg and the line leg; a page for measurements
		"github.com/gorilla/websocket":  {"web/socket", "sip/stack"}, // our messages on a websocket; SIP's (RFC 7118)
		"github.com/miekg/dns":          {"sip/stack"},
		"github.com/nats-io":            {"cmd/center/ledger", "cmd/center/node"},
		"modernc.org/sqlite":            {"cmd/center/report"},
		"github.com/pkg/browser":        {"cmd/softphone"},
		"github.com/zalando/go-keyring": {"cmd/softphone"},
		"github.com/jezek/xgb":          {"cmd/softphone"},
		"github.com/pquerna/otp":        {"cmd/center/roster/code"},
		"github.com/boombuler/barcode":  {"web"},
		"github.com/coreos/go-oidc":     {"cmd/center/roster/sso"},
		"golang.org/x/oauth2":           {"cmd/center/roster/sso"},
		"golang.org/x/crypto/acme":      {"cmd/center/node"},
	}
	for room, imports := range rooms(t) {
		for imp := range imports {
			for lib, rooms := range owners {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(rooms, room) {
					t.Errorf("%s imports %s, which belongs to %s", room, imp, strings.Join(rooms, ", "))
				}
			}
		}
	}
}

// TestTheWallsTestSeesABreach: the rule itself is tried, so that it cannot pass by seeing nothing.
func TestTheWallsTestSeesABreach(t *testing.T) {
	for _, breach := range [][2]string{{"tray", "tray/agent"}, {"web", "tray/agent"}, {"tray/agent", "web/socket"}, {"sip", "media"},
		{"media", "sip"}, {"sip/stack", "web/wire"}, {"web/wire", "static"}, {"tray", "cmd/softphone"}, {"static", "web/wire"}, {"web/guard", "web/socket"}} {
		if mayImport(breach[0], breach[1]) {
			t.Errorf("%s may import %s", breach[0], breach[1])
		}
	}
	if n := len(rooms(t)); n < 15 {
		t.Errorf("only %d rooms read", n)
	}
}
