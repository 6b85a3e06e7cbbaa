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

// folderOf is a copy of a folder as that version of the phone left it.
func folderOf(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "folders", version))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEveryOlderFolderIsTakenOver: this phone starts on the folder of each version before it (reliability (E18)): all settings, the phonebook
// and the call list are there, and still are after it has written all of them. A folder is added with each version that is published.
func TestEveryOlderFolderIsTakenOver(t *testing.T) {
	versions, err := os.ReadDir(filepath.Join("testdata", "folders"))
	if err != nil || len(versions) == 0 {
		t.Fatalf("no folders: %v", err)
	}
	for _, v := range versions {
		t.Run(v.Name(), func(t *testing.T) {
			dir := folderOf(t, v.Name())
			for range 2 {
				kept, err := openSettings(dir, quiet)
				if err != nil {
					t.Fatal(err)
				}
				c := kept.get()
				s := c.Settings
				if s.Text(wire.SetLook) != "dark" || s.Text(wire.SetLang) != "ja" || s.Number(wire.SetRingVolume) != 35 || s.Text(wire.SetWaiting) != "busy" ||
					!s.On(wire.SetAutoSignIn) || s.Text(wire.SetStartStatus) != "available" || !reflect.DeepEqual(s.List(wire.SetLocalOrigins), []string{"https://crm.example.jp"}) {
					t.Errorf("settings %v", s)
				}
				if c.Center != "http://127.0.0.1:9" || !c.Noticed || c.Last.Saved.Account != "sato" || c.Last.Saved.Seat != "7" || len(c.Trusted) != 1 ||
					len(c.Devices.Microphone) != 2 || c.Instance == "" || c.SIP.Server != "pbx.example.jp" || c.CA == "" {
					t.Errorf("config %+v", c)
				}
				st := store{dir, quiet}
				r := st.recall()
				if len(r.Contacts) != 2 || !r.Contacts[0].Favourite || r.Contacts[0].Reading != "たなか はなこ" || !r.Contacts[1].Watch {
					t.Errorf("phonebook %+v", r.Contacts)
				}
				if len(r.History) != 2 || r.History[0].Talked.Minutes() < 3 || r.History[0].Quality == nil || r.History[1].Problem == nil {
					t.Errorf("call list %+v", r.History)
				}
				if err := kept.change(func(c *config) { c.Noticed = !c.Noticed }); err != nil {
					t.Fatal(err)
				}
				if err := kept.change(func(c *config) { c.Noticed = true }); err != nil {
					t.Fatal(err)
				}
				if err := st.contacts(r.Contacts); err != nil {
					t.Fatal(err)
				}
				if err := st.history(r.History); err != nil {
					t.Fatal(err)
				}
			}
			if bad, _ := filepath.Glob(filepath.Join(dir, "*.bad*")); len(bad) > 0 {
				t.Errorf("not understood: %v", bad)
			}
		})
	}
}

// TestWhatANewerPhoneWroteIsThereWhenItComesBack: a newer version ran on this folder and knows more of a contact and of a call; this one
// changes another contact and adds a call; what it does not know stays (reliability (E19)). The settings are in
// TestAConfigOfAnotherVersionKeepsWhatIsItsOwn.
func TestWhatANewerPhoneWroteIsThereWhenItComesBack(t *testing.T) {
	dir := folderOf(t, "v0.1.0")
	for _, file := range []string{contactsFile, historyFile} {
		path := filepath.Join(dir, file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		newer := strings.Replace(string(data), `"number": "0312345678",`, `"number": "0312345678", "of.tomorrow": {"deep": [1, 2.50]},`, 1)
		if err := os.WriteFile(path, []byte(newer), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	st := store{dir, quiet}
	r := st.recall()
	r.Contacts[1].Name = "Desk two"
	if err := st.contacts(append(r.Contacts, wire.Contact{Name: "New", Number: "2003"})); err != nil {
		t.Fatal(err)
	}
	if err := st.history(append([]wire.PastCall{{ID: "b1", Number: "2003", Result: "missed"}}, r.History...)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{contactsFile, historyFile} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		var rows []map[string]any
		if err := json.Unmarshal(data, &rows); err != nil || len(rows) != 3 {
			t.Fatalf("%s: %v, %d rows", file, err, len(rows))
		}
		held := false
		for _, row := range rows {
			if row["number"] == "0312345678" {
				_, held = row["of.tomorrow"]
			}
		}
		if !held || !strings.Contains(string(data), "2.50") {
			t.Errorf("%s has lost what a newer phone wrote:\n%s", file, data)
		}
	}
}
