package static

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Sheet is the page's one sheet of styles.
const Sheet = "css/all.css"

// scripts are joined ones, each without what stands in one before it: that of index.html, and what it asks for once it has drawn the
// sign-in form, or when there is none to draw.
var scripts = []string{"js/main.js", "js/inside.js"}

// sheets in the order in which they overrule each other.
var sheets = []string{"tokens", "base", "phone", "panes", "memo", "seats", "settings"}

// Files are all that a browser may get of the phone, by path, as it is sent: sheets and modules are joined to few files, for sixty
// questions take longer than their answers. What lies in js/later comes when somebody opens it, and takes what it shares with the page
// out of the joined scripts: no module is ever there twice.
func Files() (map[string][]byte, error) {
	j := joiner{read: FS.ReadFile, in: map[string]string{}}
	files := map[string][]byte{}
	for _, name := range scripts {
		text, err := j.script(name)
		if err != nil {
			return nil, fmt.Errorf("join the page's scripts: %w", err)
		}
		files[name] = text
	}
	for _, name := range sheets {
		text, err := FS.ReadFile("css/" + name + ".css")
		if err != nil {
			return nil, fmt.Errorf("join the page's sheets: %w", err)
		}
		files[Sheet] = append(files[Sheet], text...)
	}
	return files, fs.WalkDir(FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || j.in[name] != "" || path.Dir(name) == "css" {
			return err
		}
		text, err := FS.ReadFile(name)
		if path.Dir(name) == "js/later" && err == nil {
			text, err = j.alone(name, string(text))
		}
		files[name] = text
		return err
	})
}

// joiner makes one script of many modules. Each becomes a function that gives what the module exports. Our modules use a small part of
// the language for that; whatever else they did would be an error.
type joiner struct {
	read func(name string) ([]byte, error)
	in   map[string]string // the script that a module was joined into
}

// joining stands for the script while a module waits for those that it imports.
const joining = "…"

// script is the module of that name with all that it imports, but for what an earlier script has.
func (j *joiner) script(name string) ([]byte, error) {
	var body strings.Builder
	elsewhere := map[string]bool{}
	if err := j.add(name, name, &body, elsewhere); err != nil {
		return nil, err
	}
	var own []string
	for module, script := range j.in {
		if script == name {
			own = append(own, variable(module))
		}
	}
	slices.Sort(own)
	return []byte(j.borrowed(elsewhere) + body.String() + "export { " + strings.Join(own, ", ") + " };\n"), nil
}

var (
	imports = regexp.MustCompile(`(?m)^import \{ ([^}]+) \} from "([^"]+)";$`)
	exports = regexp.MustCompile(`(?m)^export ((?:async )?function|const) ([\w$]+)`)
	loads   = regexp.MustCompile(`\bimport\("(\.[^"]+\.js)"\)`)
	unknown = regexp.MustCompile(`(?m)^(?:import\s|export\b).*|\bimport\.meta\b`)
)

// add joins a module behind those that it imports, in the order in which a browser evaluates them.
func (j *joiner) add(name, script string, out *strings.Builder, elsewhere map[string]bool) error {
	switch in := j.in[name]; {
	case in == joining:
		return fmt.Errorf("%s imports itself by way of others", name)
	case in != "":
		elsewhere[name] = in != script
		return nil
	}
	j.in[name] = joining
	data, err := j.read(name)
	if err != nil {
		return err
	}
	text := uncommented(string(data))
	for _, m := range imports.FindAllStringSubmatch(text, -1) {
		if err := j.add(path.Join(path.Dir(name), m[2]), script, out, elsewhere); err != nil {
			return err
		}
	}
	text = imports.ReplaceAllStringFunc(text, func(line string) string {
		m := imports.FindStringSubmatch(line)
		return taken(m[1], path.Join(path.Dir(name), m[2]))
	})
	text = loads.ReplaceAllStringFunc(text, func(call string) string {
		return loaded(path.Join(path.Dir(name), loads.FindStringSubmatch(call)[1]))
	})
	var gives []string
	for _, m := range exports.FindAllStringSubmatch(text, -1) {
		gives = append(gives, m[2])
	}
	text = exports.ReplaceAllString(text, "$1 $2")
	if bad := unknown.FindString(text); bad != "" {
		return fmt.Errorf("%s cannot be joined: %s", name, bad)
	}
	fmt.Fprintf(out, "const %s = (() => {\n%s\nreturn { %s };\n})();\n", variable(name), strings.TrimSpace(text), strings.Join(gives, ", "))
	j.in[name] = script
	return nil
}

// alone is a module that comes later.
func (j *joiner) alone(name, text string) ([]byte, error) {
	elsewhere := map[string]bool{}
	text = imports.ReplaceAllStringFunc(uncommented(text), func(line string) string {
		m := imports.FindStringSubmatch(line)
		from := path.Join(path.Dir(name), m[2])
		if j.in[from] == "" {
			return line
		}
		elsewhere[from] = true
		return taken(m[1], from)
	})
	return []byte(j.borrowed(elsewhere) + text), nil
}

// borrowed are the lines that import those modules from the scripts that have them.
func (j *joiner) borrowed(modules map[string]bool) string {
	var lines strings.Builder
	for _, script := range scripts {
		var names []string
		for module, elsewhere := range modules {
			if elsewhere && j.in[module] == script {
				names = append(names, variable(module))
			}
		}
		slices.Sort(names)
		if len(names) > 0 {
			fmt.Fprintf(&lines, "import { %s } from \"/%s\";\n", strings.Join(names, ", "), script)
		}
	}
	return lines.String()
}

// taken is the line that takes names out of a joined module.
func taken(names, module string) string {
	return "const { " + strings.ReplaceAll(names, " as ", ": ") + " } = " + variable(module) + ";"
}

// loaded asks for a module that comes later. A joined one is the last of its script.
func loaded(module string) string {
	call := `import("/` + module + `")`
	if slices.Contains(scripts, module) {
		call += ".then((all) => all." + variable(module) + ")"
	}
	return call
}

// variable holds what a joined module exports: js/view/call.js is $view_call.
func variable(module string) string {
	return "$" + strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(module, "js/"), ".js"), "/", "_")
}

// uncommented leaves out the comments that have lines of their own: a quarter of our scripts.
func uncommented(text string) string {
	var kept strings.Builder
	comment, literal := false, false
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		ends := strings.Index(bare, "*/")
		switch {
		case comment, !literal && strings.HasPrefix(bare, "/*") && (ends < 0 || ends == len(bare)-2):
			comment = ends < 0
		case literal || !strings.HasPrefix(bare, "//"):
			kept.WriteString(line)
			literal = literal != (strings.Count(line, "`")%2 == 1)
		}
	}
	return kept.String()
}
