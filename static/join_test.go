package static

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// joined joins made-up modules as scripts would be.
func joined(t *testing.T, modules map[string]string, names ...string) (map[string]string, error) {
	t.Helper()
	j := joiner{in: map[string]string{}, read: func(name string) ([]byte, error) {
		text, ok := modules[name]
		if !ok {
			return nil, fmt.Errorf("no %s", name)
		}
		return []byte(text), nil
	}}
	out := map[string]string{}
	for _, name := range names {
		text, err := j.script(name)
		if err != nil {
			return nil, err
		}
		out[name] = string(text)
	}
	for name, text := range modules {
		if j.in[name] == "" {
			later, err := j.alone(name, text)
			if err != nil {
				return nil, err
			}
			out[name] = string(later)
		}
	}
	return out, nil
}

func TestModulesJoinInTheOrderInWhichABrowserRunsThem(t *testing.T) {
	got, err := joined(t, map[string]string{
		"js/main.js": "import { a } from \"./low.js\";\nexport const begun = a();\nexport const rest = () => import(\"./inside.js\");\n",
		"js/low.js":  "// @ts-check\nlet n = 0;\n/** Counts. */\nexport function a() {\n  return ++n;\n}\n",
		"js/inside.js": "import { begun } from \"./main.js\";\nimport { b } from \"./view/mid.js\";\nimport { a as count } from \"./low.js\";\n" +
			"console.log(begun, b(), count());\nimport(\"./later/x.js\").then(({ x }) => x());\n",
		"js/view/mid.js": "import { a } from \"../low.js\";\nexport const text = `\n// not a comment\n/* nor this */\n`, more = 1;\n/** @type {any} */ (text).length;\n" +
			"/**\n * @param {number} x\n */\nexport const b = (x = 0) => a() + x; // kept\nexport async function soon() {}\nconst late = () => import(\"../later/x.js\");\n",
		"js/later/x.js": "// @ts-check\nimport { a } from \"../low.js\";\nimport { b as c } from \"../view/mid.js\";\nimport { y } from \"./y.js\";\nexport const x = () => a() + c() + y;\n",
		"js/later/y.js": "export const y = 1;\n",
	}, "js/main.js", "js/inside.js")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"js/main.js": `const $low = (() => {
let n = 0;
function a() {
  return ++n;
}
return { a };
})();
const $main = (() => {
const { a } = $low;
const begun = a();
const rest = () => import("/js/inside.js").then((all) => all.$inside);
return { begun, rest };
})();
export { $low, $main };
`,
		"js/inside.js": "import { $low, $main } from \"/js/main.js\";\n" + `const $view_mid = (() => {
const { a } = $low;
const text = ` + "`\n// not a comment\n/* nor this */\n`" + `, more = 1;
/** @type {any} */ (text).length;
const b = (x = 0) => a() + x; // kept
async function soon() {}
const late = () => import("/js/later/x.js");
return { text, b, soon };
})();
const $inside = (() => {
const { begun } = $main;
const { b } = $view_mid;
const { a: count } = $low;
console.log(begun, b(), count());
import("/js/later/x.js").then(({ x }) => x());
return {  };
})();
export { $inside, $view_mid };
`,
		"js/later/x.js": `import { $low } from "/js/main.js";
import { $view_mid } from "/js/inside.js";
const { a } = $low;
const { b: c } = $view_mid;
import { y } from "./y.js";
export const x = () => a() + c() + y;
`,
		"js/later/y.js": "export const y = 1;\n",
	} {
		if got[name] != want {
			t.Errorf("%s:\n%s\nnot:\n%s", name, got[name], want)
		}
	}
}

func TestWhatCannotBeJoinedIsAnError(t *testing.T) {
	for what, modules := range map[string]map[string]string{
		"a circle":              {"js/main.js": "import { a } from \"./a.js\";\n", "js/a.js": "import { b } from \"./b.js\";\n", "js/b.js": "import { a } from \"./a.js\";\n"},
		"what is not there":     {"js/main.js": "import { a } from \"./a.js\";\n"},
		"a namespace":           {"js/main.js": "import * as a from \"./a.js\";\n", "js/a.js": ""},
		"a default":             {"js/main.js": "export default 1;\n"},
		"an export that moves":  {"js/main.js": "export let a = 1;\n"},
		"an export by list":     {"js/main.js": "const a = 1;\nexport { a };\n"},
		"an import of long":     {"js/main.js": "import {\n  a,\n} from \"./a.js\";\n", "js/a.js": "export const a = 1;\n"},
		"an address of its own": {"js/main.js": "const here = import.meta.url;\n"},
	} {
		if got, err := joined(t, modules, "js/main.js"); err == nil {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestEveryModuleIsSentOnce: what the page needs at once in its two scripts, the worklet and what comes later by itself. Each name that a
// file takes from another is there.
func TestEveryModuleIsSentOnce(t *testing.T) {
	sent, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{} // a joined module's variable: the script that has it
	for _, script := range scripts {
		for _, m := range regexp.MustCompile(`(?m)^const (\$\w+) = \(\(\) => \{$`).FindAllStringSubmatch(string(sent[script]), -1) {
			if held[m[1]] != "" {
				t.Errorf("%s is in %s and in %s", m[1], held[m[1]], script)
			}
			held[m[1]] = script
		}
	}
	modules := files(t, "js", ".js")
	for name := range modules {
		name = filepath.ToSlash(name)
		alone := strings.HasPrefix(name, "js/later/") || name == "js/worklet.js"
		if _, whole := sent[name]; (held[variable(name)] != "") == alone || whole != (alone || slices.Contains(scripts, name)) {
			t.Errorf("%s: joined into %q, sent by itself: %t", name, held[variable(name)], whole)
		}
	}
	taken := regexp.MustCompile(`(?m)^import \{ ([^}]+) \} from "/([^"]+)";$`)
	for name, text := range sent {
		for _, m := range taken.FindAllStringSubmatch(string(text), -1) {
			for one := range strings.SplitSeq(m[1], ", ") {
				if held[one] != m[2] {
					t.Errorf("%s takes %s from %s: it is in %q", name, one, m[2], held[one])
				}
			}
		}
	}
	for name, text := range files(t, "css", ".css") {
		if filepath.ToSlash(filepath.Dir(name)) == "css/later" {
			continue
		}
		if !strings.Contains(string(sent[Sheet]), text) {
			t.Errorf("%s has no %s", Sheet, name)
		}
	}
}

// TestTheSignInFormWaitsForNoPhone: the first script has what stands outside of sign-in, and is a fraction of the other.
func TestTheSignInFormWaitsForNoPhone(t *testing.T) {
	sent, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	first, inside := string(sent["js/main.js"]), string(sent["js/inside.js"])
	for _, module := range []string{"$sound", "$ring", "$view_call", "$view_history", "$view_contacts"} {
		line := "const " + module + " = (() => {"
		if strings.Contains(first, line) || !strings.Contains(inside, line) {
			t.Errorf("%s comes with the sign-in form, or not at all", module)
		}
	}
	if !strings.Contains(first, "const $view_signin = (() => {") || len(first) > 96<<10 {
		t.Errorf("the first script has %d bytes", len(first))
	}
}

// TestTheJoinedScriptsAreJavaScript lets Node read them.
func TestTheJoinedScriptsAreJavaScript(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no node: %v", err)
		}
		t.Skipf("no node: %v", err)
	}
	sent, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(sent, func(name string, _ []byte) bool { return path.Ext(name) != ".js" })
	dir, args := t.TempDir(), []string{"--input-type=module", "-e", `
		import { readFileSync } from "node:fs";
		import { SourceTextModule } from "node:vm";
		for (const file of process.argv.slice(1)) new SourceTextModule(readFileSync(file, "utf8"), { identifier: file });`}
	for name, text := range sent {
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if out, err := exec.Command("node", append([]string{"--experimental-vm-modules", "--no-warnings"}, args...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
