package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"zaseki/web/wire"
)

func TestConfigIsReadAsWrittenAndForThisUserAlone(t *testing.T) {
	dir := t.TempDir()
	want := config{Center: "http://127.0.0.1:8080", Noticed: true, Settings: wire.Values{wire.SetLang: "ja", wire.SetRingVolume: 40.0}}
	if err := writeConfig(dir, want); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, configFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if got, err := readConfig(dir, quiet); err != nil || !reflect.DeepEqual(plain(got), want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Fatalf("left behind: %v", left)
	}
}

func plain(c config) config { c.read = nil; return c }

func TestAChangeOfOneSettingKeepsTheOthers(t *testing.T) {
	dir := t.TempDir()
	kept, err := openSettings(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*config){func(c *config) { c.Center = "http://127.0.0.1:8080" }, func(c *config) { c.Noticed = true }, func(c *config) { c.CA = "ca.pem" }} {
		if err := kept.change(change); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := readConfig(dir, quiet); err != nil || !reflect.DeepEqual(plain(got), config{Center: "http://127.0.0.1:8080", Noticed: true, CA: "ca.pem"}) {
		t.Fatalf("%+v, %v", got, err)
	}
}

// TestABrokenConfigIsNeverTheEndOfIt: whatever lies there, the phone has settings, and what lay there is still there.
// Reliability (E11).
func TestABrokenConfigIsNeverTheEndOfIt(t *testing.T) {
	huge := func(t *testing.T, file string) {
		f, err := os.Create(file)
		if err == nil {
			err = f.Truncate(100 << 20) // sparse
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	content := func(text string) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, lay := range map[string]func(t *testing.T, file string){
		"empty": content(""), "half": content(`{"center":"http`), "binary": content("\x00\xff\x7fELF"), "types": content(`{"center":5}`),
		"a list": content(`[1]`), "settings of another type": content(`{"settings":[1]}`), "deep": content(strings.Repeat("[", 20000)),
		"long": content(`{"center":"` + strings.Repeat("x", configMax) + `"}`), "100 MB": huge,
		"a folder": func(t *testing.T, file string) {
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
			content("in it")(t, filepath.Join(file, "note"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, configFile)
			for _, to := range []string{".bad", ".bad.2"} { // a second time the first is not lost
				lay(t, file)
				before, err := os.Lstat(file)
				if err != nil {
					t.Fatal(err)
				}
				kept, err := openSettings(dir, quiet)
				if err != nil || !reflect.DeepEqual(plain(kept.get()), config{}) {
					t.Fatalf("%+v, %v", kept.get(), err)
				}
				if err := kept.change(func(c *config) { c.Noticed = true }); err != nil {
					t.Fatal(err)
				}
				after, err := os.Lstat(file + to)
				if err != nil || !os.SameFile(before, after) {
					t.Fatalf("what lay there is lost: %v", err)
				}
				if again, err := readConfig(dir, quiet); err != nil || !again.Noticed {
					t.Fatalf("%+v, %v", again, err)
				}
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestAConfigOfAnotherVersionKeepsWhatIsItsOwn: a newer phone ran on this folder, this one changes a setting, the newer runs again.
// Reliability (E19).
func TestAConfigOfAnotherVersionKeepsWhatIsItsOwn(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, configFile)
	newer := `{"center":"http://c","future":{"a":[1,2.50,"x"]},"settings":{"page.look":"dark","of.tomorrow":{"deep":true},"ring.volume":"by ear"},
		"devices":{"ring":["Speaker"],"camera":["Front"]},"last":{"url":"http://c","saved":{"account":"sato","face":"round"}},"noticed":true}`
	if err := os.WriteFile(file, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, err := openSettings(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if s := kept.get().Settings; s.Text(wire.SetLook) != "dark" || s.Number(wire.SetRingVolume) != 100 {
		t.Errorf("read as %v", s)
	}
	for _, change := range []func(*config){func(c *config) { c.Noticed = false }, func(c *config) { c.CA = "ca.pem" }} {
		if err := kept.change(change); err != nil {
			t.Fatal(err)
		}
	}
	kept, err = openSettings(dir, quiet) // and once more
	if err == nil {
		err = kept.change(func(c *config) { c.Center = "http://d" })
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(newer), &want); err != nil {
		t.Fatal(err)
	}
	want["center"], want["ca"] = "http://d", "ca.pem"
	delete(want, "noticed")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("written is %s", data)
	}
	if !strings.Contains(string(data), "2.50") {
		t.Error("a number was written anew")
	}
}

// TestAnOlderConfigIsTakenOver: reliability (E18).
func TestAnOlderConfigIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(`{"lang":"ja","inBand":true,"noticed":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		kept, err := openSettings(dir, quiet)
		if c := kept.get(); err != nil || c.Settings.Text(wire.SetLang) != "ja" || !c.Settings.On(wire.SetInBand) || c.Lang != "" || !c.Noticed {
			t.Fatalf("%+v, %v", c, err)
		}
	}
}

// TestAFolderThatTakesNothingDoesNotKeepThePhoneFromWorking: settings hold until the phone ends.
func TestAFolderThatTakesNothingDoesNotKeepThePhoneFromWorking(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	kept, err := openSettings(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err = kept.change(func(c *config) { c.Noticed = !c.Noticed; c.CA = "x" })
		if err == nil || kept.get().CA != "x" {
			t.Fatalf("%+v, %v", kept.get(), err)
		}
	}
}
