package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"zaseki/static"
)

// TestEveryMomentHasItsWords: what is noted of a call is shown in the language of the page, by a key made of the phrase.
func TestEveryMomentHasItsWords(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 3 {
				if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "note" {
					for _, title := range phrases(call.Args[2]) {
						titles[title] = true
					}
				}
			}
			return true
		})
	}
	if len(titles) < 40 {
		t.Fatalf("only %d moments: %v", len(titles), titles)
	}
	word := regexp.MustCompile(`\W+`)
	for title := range titles {
		key := "moment." + word.ReplaceAllString(strings.TrimRight(title, ": %•"), "_")
		for _, lang := range []string{"en", "ja"} {
			if static.Say(lang, key, nil) == key {
				t.Errorf("%q lacks %s in %s", title, key, lang)
			}
		}
	}
}

// phrases are what an expression of literals may say: a text, a sum of texts, onOff of two, or a format as far as its first verb.
func phrases(e ast.Expr) (all []string) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return []string{text}
	case *ast.BinaryExpr:
		tails := phrases(e.Y)
		if len(tails) == 0 {
			tails = []string{""}
		}
		for _, head := range phrases(e.X) {
			for _, tail := range tails {
				all = append(all, head+tail)
			}
		}
	case *ast.CallExpr:
		switch f := e.Fun.(type) {
		case *ast.Ident: // onOff(on, yes, no)
			if f.Name == "onOff" {
				return append(phrases(e.Args[1]), phrases(e.Args[2])...)
			}
		case *ast.SelectorExpr: // fmt.Sprintf
			if f.Sel.Name == "Sprintf" {
				format := phrases(e.Args[0])[0]
				head, _, _ := strings.Cut(format, ":")
				return []string{head}
			}
		}
	}
	return all
}
