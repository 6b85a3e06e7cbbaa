package static

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var hole = regexp.MustCompile(`\{\w+\}`)

func TestBothLanguagesHaveTheSameKeysAndHoles(t *testing.T) {
	en, ja := Texts("en"), Texts("ja")
	for key, text := range en {
		other, ok := ja[key]
		if !ok || other == "" || text == "" {
			t.Errorf("%s: missing in a language", key)
			continue
		}
		a, b := hole.FindAllString(text, -1), hole.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: holes %v in English, %v in Japanese", key, a, b)
		}
	}
	for key := range ja {
		if _, ok := en[key]; !ok {
			t.Errorf("%s: missing in English", key)
		}
	}
}

// files are the texts of all files below dir with one of the endings.
func files(t *testing.T, dir string, endings ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains(endings, filepath.Ext(path)) {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryTextAPageAsksForExists(t *testing.T) {
	said := regexp.MustCompile(`\bt\("([^"]+)"[,)]`)
	words, n := Texts("en"), 0
	for path, text := range files(t, "js", ".js") {
		for _, m := range said.FindAllStringSubmatch(text, -1) {
			n++
			if _, ok := words[m[1]]; !ok {
				t.Errorf("%s: no text %q", path, m[1])
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d texts found: the pattern is wrong", n)
	}
}

// TestThePhoneLoadsNoWordsOfTheAdministration: they are as many as its own.
func TestThePhoneLoadsNoWordsOfTheAdministration(t *testing.T) {
	for _, lang := range Languages {
		for part, admin := range map[string]bool{"": false, "admin-": true} {
			data, err := FS.ReadFile("i18n/" + part + lang + ".json")
			if err != nil {
				t.Fatal(err)
			}
			words := map[string]string{}
			if err := json.Unmarshal(data, &words); err != nil {
				t.Fatal(err)
			}
			for key := range words {
				if strings.HasPrefix(key, "admin.") != admin {
					t.Errorf("%s stands in i18n/%s%s.json", key, part, lang)
				}
			}
		}
	}
}

func TestEveryProblemHasItsSentence(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "../web/wire/problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(parsed, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Problem") {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		code, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		for _, lang := range Languages {
			if _, ok := Texts(lang)["problem."+code]; !ok {
				t.Errorf("%s has no sentence for problem %s", lang, code)
			}
		}
		return true
	})
	if n < 20 {
		t.Errorf("only %d problems found", n)
	}
}

func TestPagesKeepTheContentPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|javascript:|setAttribute\("(style|on)`)
	for path, text := range files(t, "js", ".js") {
		if m := forbidden.FindString(text); m != "" {
			t.Errorf("%s: %s", path, m)
		}
		if !strings.HasPrefix(text, "// @ts-check") {
			t.Errorf("%s is not type-checked", path)
		}
	}
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son\w+=|<script(?:[^>]*)>[^<]+|https?://`)
	for path, text := range files(t, ".", ".html") {
		if strings.Contains(path, "node_modules") {
			continue
		}
		if m := inline.FindString(text); m != "" {
			t.Errorf("%s: %s", path, m)
		}
	}
	for path, text := range files(t, "css", ".css") {
		if strings.Contains(text, "!important") || regexp.MustCompile(`(?m)^\s*#[a-z]|url\(|@import`).MatchString(text) {
			t.Errorf("%s: an id, !important or something from elsewhere", path)
		}
	}
}

func TestEverythingThePageLoadsIsEmbedded(t *testing.T) {
	sent, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?:href|src)="/([^"]+)"`).FindAllStringSubmatch(string(sent["index.html"]), -1) {
		if _, ok := sent[m[1]]; !ok {
			t.Errorf("index.html names %s", m[1])
		}
	}
	from := regexp.MustCompile(`(?m)^import .* from "(\.[^"]+)"`)
	for path, text := range files(t, "js", ".js") {
		for _, m := range from.FindAllStringSubmatch(text, -1) {
			if _, err := fs.Stat(FS, filepath.ToSlash(filepath.Join(filepath.Dir(path), m[1]))); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if _, err := fs.Stat(FS, "test"); err == nil {
		t.Error("the tests are embedded")
	}
}

// TestTheHandbookHasItsPictures: each language names the same chapters and pictures, and every picture lies beside the words, in the
// size that they keep free for it: what comes late must not move what is read.
func TestTheHandbookHasItsPictures(t *testing.T) {
	type chapter struct {
		ID     string
		Blocks [][]any
	}
	var seen []string
	for _, lang := range Languages {
		data, err := FS.ReadFile("help/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var chapters []chapter
		if err := json.Unmarshal(data, &chapters); err != nil {
			t.Fatalf("%s: %v", lang, err)
		}
		var has []string
		for _, c := range chapters {
			has = append(has, c.ID)
			for _, b := range c.Blocks {
				if b[0] != "img" {
					continue
				}
				has = append(has, "picture "+b[1].(string))
				if size, err := pictureSize("help/" + lang + "-" + b[1].(string) + ".png"); err != nil || !slices.Equal(b[3:], []any{float64(size.Width), float64(size.Height)}) {
					t.Errorf("%s, %s is %d×%d, the words say %v: %v", lang, b[1], size.Width, size.Height, b[3:], err)
				}
			}
		}
		if seen != nil && !slices.Equal(seen, has) {
			t.Errorf("%s has %v, the other language %v", lang, has, seen)
		}
		seen = has
	}
}

func pictureSize(name string) (image.Config, error) {
	f, err := FS.Open(name)
	if err != nil {
		return image.Config{}, err
	}
	defer f.Close()
	return png.DecodeConfig(f)
}

// TestViews runs the tests of the pages with Node, in two halves, and the type check unless the tests are to be short; `npm ci` in
// static/test installs what they need.
func TestViews(t *testing.T) {
	missing := t.Skipf
	if os.Getenv("CI") != "" {
		missing = t.Fatalf
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing("no node: %v", err)
	}
	if _, err := os.Stat("test/node_modules"); err != nil {
		missing("static/test is not installed (npm ci): %v", err)
	}
	all, err := filepath.Glob("test/*.test.js")
	if err != nil || len(all) < 2 {
		t.Fatalf("tests of the pages: %v, %v", all, err)
	}
	runs := map[string][]string{"one": {"node", "--test"}, "other": {"node", "--test"}}
	for i, file := range all {
		half := []string{"one", "other"}[i%2]
		runs[half] = append(runs[half], filepath.Base(file))
	}
	if !testing.Short() {
		runs["types"] = []string{"npm", "run", "--silent", "types"}
	}
	for name, args := range runs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = "test"
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
		})
	}
}
