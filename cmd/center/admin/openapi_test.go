package admin_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"zaseki/cmd/center/admin"
)

// description is the served document with its schemas ready to check with.
type description struct {
	t     *testing.T
	paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]any
		}
	}
	compiler *jsonschema.Compiler
}

func described(c *client) *description {
	said, _ := c.want(200, "GET", "/api/v1/openapi.json", nil)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(said))
	if err != nil {
		c.t.Fatal(err)
	}
	d := &description{t: c.t, compiler: jsonschema.NewCompiler()}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("mem:///openapi.json", doc); err != nil {
		c.t.Fatal(err)
	}
	var whole struct{ Paths json.RawMessage }
	if err := json.Unmarshal([]byte(said), &whole); err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(whole.Paths, &d.paths); err != nil {
		c.t.Fatal(err)
	}
	return d
}

// check holds an answer against its description.
func (d *description) check(method, path string, code int, body string) {
	d.t.Helper()
	op, ok := d.paths[path][strings.ToLower(method)]
	if !ok {
		d.t.Errorf("%s %s is not described", method, path)
		return
	}
	name := strconv.Itoa(code)
	if _, ok := op.Responses[name]; !ok {
		name = "default"
	}
	if op.Responses[name].Content["application/json"] == nil {
		if body != "" && strings.HasPrefix(body, "{") {
			d.t.Errorf("%s %s: %d has a body that is not described: %.200s", method, path, code, body)
		}
		return
	}
	escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(path)
	schema, err := d.compiler.Compile("mem:///openapi.json#/paths/" + escaped + "/" + strings.ToLower(method) + "/responses/" + name + "/content/application~1json/schema")
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		d.t.Errorf("%s %s: %v", method, path, err)
		return
	}
	if err := schema.Validate(value); err != nil {
		d.t.Errorf("%s %s: %d is not as described: %v\n%.600s", method, path, code, err, body)
	}
}

func TestAnswersAreAsTheDescriptionSays(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "boss", password)
	d := described(c)
	ids := map[string]string{"accounts": "alice", "terminals": "3001", "statuses": "training", "floors": "1", "seats": "2", "groups": "help",
		"queues": "7000", "policies": "p", "calendars": "day", "pbxs": "old", "outcomes": "sold", "contacts": "a1"}
	seen := map[string]bool{}
	ask := func(method, path string, in any, real ...string) {
		t.Helper()
		at := path
		for _, id := range real {
			at = strings.Replace(at, "{id}", id, 1)
		}
		code, said, _ := c.do(method, at, in)
		d.check(method, path, code, said)
		seen[method+" "+path] = true
	}
	for kind, id := range ids {
		ask("GET", api+"/"+kind, nil)
		ask("GET", api+"/"+kind+"/{id}", nil, id)
		ask("GET", api+"/"+kind+"/{id}", nil, "nobody")
		ask("POST", api+"/"+kind, `{}`)
		said, _ := c.want(200, "GET", api+"/"+kind+"/"+id, nil)
		var row struct{ Data map[string]any }
		if err := json.Unmarshal([]byte(said), &row); err != nil {
			t.Fatal(err)
		}
		for _, live := range []string{"signedIn", "factor", "fixed", "holder", "since", "order"} {
			if kind != "policies" || live != "order" {
				delete(row.Data, live)
			}
		}
		ask("PUT", api+"/"+kind+"/{id}", row.Data, id)
		ask("DELETE", api+"/"+kind+"/{id}", nil, id)
	}
	for _, r := range []struct {
		method, path string
		in           any
	}{
		{"GET", "/overview", nil}, {"GET", "/session", nil}, {"GET", "/site", nil}, {"PUT", "/site", `{"name":"x","domain":"center.internal"}`}, {"GET", "/versions", nil},
		{"PUT", "/versions", `{"latest":{"version":"4.0.0","notes":{"en":"new","ja":"新"}}}`}, {"GET", "/audit", nil}, {"POST", "/import", `{"accounts":[{"account":"x"}]}`},
		{"POST", "/policies/preview", `{"id":"z","set":{"misses":1}}`}, {"PUT", "/statuses", `{"ids":[]}`}, {"GET", "/backup", nil}, {"GET", "/log", nil},
		{"GET", "/health", nil}, {"GET", "/warnings", nil}, {"GET", "/settings", nil}, {"POST", "/names", `{"ids":["carol","nobody"]}`}, {"POST", "/mail-test", `{"to":"it@example.jp"}`},
		{"POST", "/phonebook/import", "name,number\n山田,0312345678\n,x\n"}, {"POST", "/phonebook/import", "name,number\n鈴木,0312345679\n"}, {"GET", "/phonebook/export", nil},
		{"POST", "/session/code", `{"ticket":"x","way":"app","code":"1"}`}, {"POST", "/session/mail", `{"ticket":"x","lang":"en"}`},
		{"POST", "/session/sso", `{"code":"x"}`}, {"POST", "/session/factor", `{"ticket":"x"}`}, {"POST", "/session/factor/confirm", `{"ticket":"x"}`},
	} {
		ask(r.method, api+r.path, r.in)
	}
	c.want(201, "POST", api+"/floors", `{"id":"9","name":"9F","shapes":[{"kind":"wall","x":0,"y":0,"width":3,"height":1}]}`)
	ask("GET", api+"/floors/{id}/map", nil, "9")
	ask("POST", api+"/agents/{id}/hand", `{"on":false}`, "carol")
	ask("POST", api+"/accounts/{id}/settings", nil, "carol")
	ask("PUT", api+"/floors/{id}/map", `{"floor":{"id":"9","name":"9F"},"seats":[{"id":"s","floor":"9","x":1,"y":1}]}`, "9")
	for _, what := range []string{"password", "factor-reset", "forget-devices", "sign-out"} {
		ask("POST", api+"/accounts/{id}/"+what, `{}`, "carol")
	}
	for _, of := range []string{"status-time", "activity", "calls", "missed", "queues", "agents", "outcomes", "mine/calls", "mine/day"} {
		ask("GET", "/api/v1/reports/"+of, nil)
	}
	code, said, _ := c.do("GET", "/api/v1/recordings?day=2026-01-01", nil)
	d.check("GET", "/api/v1/recordings", code, said)
	ask("POST", "/api/v1/check", `{"account":"carol","password":"x"}`)
	ask("DELETE", api+"/session", nil)
	ask("POST", api+"/session", `{"account":"boss","password":"`+password+`"}`)
	for path, ops := range d.paths {
		for method := range ops {
			if one := strings.ToUpper(method) + " " + path; strings.HasPrefix(path, api) && !seen[one] {
				t.Errorf("no answer of %s was checked", one)
			}
		}
	}
}

// TestEveryRouteIsDescribedAndEveryDescriptionIsARoute reads the patterns that the rooms give their muxes.
func TestEveryRouteIsDescribedAndEveryDescriptionIsARoute(t *testing.T) {
	patterns := map[string]bool{}
	for _, room := range []string{"roster", "vault", "report", "node", "exchange"} {
		files, err := filepath.Glob("../" + room + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		consts := map[string]string{}
		for _, name := range slices.Concat(files, files) { // a constant may stand in a later file
			if !strings.HasSuffix(name, "_test.go") {
				patternsOf(t, name, consts, patterns)
			}
		}
	}
	if len(patterns) < 15 {
		t.Fatalf("only %d patterns found: the test reads them wrongly", len(patterns))
	}
	described := map[string]bool{}
	for path, ops := range admin.New(admin.Config{}).Document()["paths"].(map[string]any) {
		for method := range ops.(map[string]any) {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for p := range patterns {
		if !described[p] {
			t.Errorf("%s has no description", p)
		}
		delete(described, p)
	}
	for p := range described {
		if !strings.Contains(p, " "+api) && !strings.HasSuffix(p, "/openapi.json") { // those are made of the descriptions
			t.Errorf("%s is described and not served", p)
		}
	}
}

func patternsOf(t *testing.T, file string, consts map[string]string, into map[string]bool) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if c, ok := n.(*ast.ValueSpec); ok && len(c.Values) == 1 {
			consts[c.Names[0].Name] = textOf(c.Values[0], consts)
		}
		return true
	})
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"Handle", "HandleFunc"}, f.Sel.Name) {
			return true
		}
		pattern := textOf(call.Args[0], consts)
		if regexp.MustCompile(`^[A-Z]+ /`).MatchString(pattern) {
			into[pattern] = true
		}
		return true
	})
}

// textOf is a text that is written out, or put together of such and of constants.
func textOf(e ast.Expr, consts map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			return ""
		}
		return s
	case *ast.Ident:
		return consts[e.Name]
	case *ast.BinaryExpr:
		return textOf(e.X, consts) + textOf(e.Y, consts)
	}
	return ""
}
