package wire

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestASettingTakesOnlyWhatItCanBe(t *testing.T) {
	for _, row := range []struct {
		name  string
		value string // JSON
		kept  any    // nil: refused
	}{
		{SetAutoSignIn, `true`, true}, {SetAutoSignIn, `"true"`, nil}, {SetAutoSignIn, `null`, nil},
		{SetRingVolume, `0`, 0.0}, {SetRingVolume, `100`, 100.0}, {SetRingVolume, `101`, nil}, {SetRingVolume, `1.5`, nil}, {SetRingVolume, `-1`, nil},
		{SetLook, `"dark"`, "dark"}, {SetLook, `"pink"`, nil}, {SetLook, `["dark"]`, nil},
		{SetStartStatus, `"lunch"`, "lunch"}, {SetStartStatus, `"a\nb"`, nil},
		{SetLocalOrigins, `["https://crm.example.jp"]`, []string{"https://crm.example.jp"}}, {SetLocalOrigins, `["a\u0000"]`, nil}, {SetLocalOrigins, `[1]`, nil},
		{SetLocalOrigins, `["https://a.example", " HTTPS://A.example:443/ "]`, []string{"https://a.example"}}, {SetLocalOrigins, `["https://a.example","*"]`, nil},
		{SetHotkeyMute, `"alt+ctrl+m"`, "Ctrl+Alt+M"}, {SetHotkeyMute, `"f9"`, "F9"}, {SetHotkeyMute, `""`, ""}, {SetHotkeyMute, `"m"`, nil},
		{SetHotkeyMute, `"Shift+m"`, nil}, {SetHotkeyMute, `"Ctrl+"`, nil}, {SetHotkeyMute, `"Ctrl+Ctrl+M"`, nil}, {SetHotkeyMute, `"Home"`, nil},
		{SetHotkeyMute, `"Ctrl+Home"`, "Ctrl+Home"}, {SetHotkeyMute, `"Hyper+M"`, nil},
	} {
		var value any
		if err := json.Unmarshal([]byte(row.value), &value); err != nil {
			t.Fatal(err)
		}
		s, _ := SettingOf(row.name)
		kept, ok := s.Check(value)
		if ok != (row.kept != nil) || ok && !reflect.DeepEqual(kept, row.kept) {
			t.Errorf("%s %s: %#v, %v", row.name, row.value, kept, ok)
		}
	}
}

func TestEverySettingTakesItsDefault(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range AllSettings() {
		if kept, ok := s.Check(s.Default); !ok || !reflect.DeepEqual(kept, s.Default) || seen[s.Name] {
			t.Errorf("%s: %v is kept as %v, %v", s.Name, s.Default, kept, ok)
		}
		seen[s.Name] = true
	}
	broken := Values{SetRingVolume: "loud", SetLook: 3, "of.tomorrow": true}
	if broken.Number(SetRingVolume) != 100 || broken.Text(SetLook) != "system" || !broken.On(SetConfirmLink) || broken.On("of.tomorrow") || len(broken.List(SetLocalOrigins)) != 0 {
		t.Error("a broken value is not read as the default")
	}
}

func TestAnOriginIsWhatBrowsersSay(t *testing.T) {
	for typed, want := range map[string]string{
		"https://crm.example.jp": "https://crm.example.jp", "https://CRM.example.jp/": "https://crm.example.jp", "https://crm.example.jp:8443": "https://crm.example.jp:8443",
		"https://crm.example.jp:443": "https://crm.example.jp", " https://crm ": "https://crm", "https://10.0.0.5": "https://10.0.0.5", "https://[2001:DB8::1]:8443": "https://[2001:db8::1]:8443",
		"http://localhost": "http://localhost", "http://localhost:80": "http://localhost", "http://127.0.0.1:3000": "http://127.0.0.1:3000", "http://[::1]:3000": "http://[::1]:3000", "http://127.8.8.8": "http://127.8.8.8",
		"http://crm.example.jp": "", "http://localhost.evil.example": "", "http://127.0.0.1.evil.example": "", "http://10.0.0.5": "", "ftp://a": "", "file:///etc": "", "null": "", "*": "", "": "",
		"crm.example.jp": "", "https://": "", "https://a/b": "", "https://a?b": "", "https://a?": "", "https://a#b": "", "https://a#": "", "https://u@a": "", "https://u:p@a": "", "https://a:": "",
		"https://a:0": "", "https://a:99999": "", "https://a:b": "", "https://*.example": "", "https://a b": "", "https://a\\b": "", "https://[::1%25eth0]": "", "https://[zz]": "", "javascript:alert(1)": "",
		"https://日本.example": "", "https://a//": "", "https:a": "", "//a": "",
	} {
		if got, ok := Origin(typed); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v", typed, got, ok)
		}
	}
}
