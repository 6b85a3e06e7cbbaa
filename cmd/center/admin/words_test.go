package admin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zaseki/static"
)

// sources are the scripts of the pages, by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(pages, "pages/js", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(pages, path)
		all[path] = string(data)
		return err
	})
	if err != nil || len(all) < 10 {
		t.Fatal(len(all), err)
	}
	return all
}

func TestEveryTextOfThePagesExists(t *testing.T) {
	words, n := static.Texts("en"), 0
	quoted := regexp.MustCompile(`"((?:admin)\.[a-z_A-Z0-9.]+)"`)
	for path, text := range sources(t) {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			n++
			if _, ok := words[m[1]]; !ok && !strings.HasSuffix(m[1], ".") && !strings.Contains(text, `"`+m[1]+`" +`) {
				t.Errorf("%s: no text %q", path, m[1])
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d texts found: the pattern is wrong", n)
	}
}

func TestThePagesKeepTheContentPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|javascript:|setAttribute\("(style|on)`)
	for path, text := range sources(t) {
		if m := forbidden.FindString(text); m != "" {
			t.Errorf("%s: %s", path, m)
		}
		if !strings.HasPrefix(text, "// @ts-check") {
			t.Errorf("%s is not type-checked", path)
		}
	}
}

// TestThePagesAreTypeChecked: their own scripts and those of the softphone's page that they use lie in one folder once served.
func TestThePagesAreTypeChecked(t *testing.T) {
	tsc, err := filepath.Abs("../../../static/test/node_modules/.bin/tsc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tsc); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("static/test is not installed (npm ci): %v", err)
		}
		t.Skipf("static/test is not installed (npm ci): %v", err)
	}
	out, err := exec.Command(tsc, "-p", "testdata/tsconfig.json").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestEveryFaultHasItsSentence reads what the roster can find wrong with a setup.
func TestEveryFaultHasItsSentence(t *testing.T) {
	files, err := filepath.Glob("../roster/*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			at := 0
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				if f.Sel.Name == "bad" {
					at = 3
				}
			case *ast.Ident:
				if slices.Contains([]string{"no", "bad"}, f.Name) {
					at = 1
				}
			}
			if at == 0 || len(call.Args) <= at {
				return true
			}
			lit, ok := call.Args[at].(*ast.BasicLit)
			if !ok {
				return true
			}
			format, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			n++
			key, ok := said[format]
			if !ok {
				t.Errorf("%s: nobody says %q in Japanese", file, format)
			} else if _, ok := static.Texts("ja")["admin.fault."+key]; !ok {
				t.Errorf("no text admin.fault.%s", key)
			}
			return true
		})
	}
	if n < 40 {
		t.Errorf("only %d faults found: the test reads them wrongly", n)
	}
}
