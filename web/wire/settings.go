package wire

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names of settings: what a person chooses on this machine, for every sign-in on it. The center may lock any of them.
const (
	SetAutoSignIn    = "sign.auto"      // 起動時に自動サインインする (PRODUCT A14)
	SetStartStatus   = "sign.status"    // 起動時のステータス: id of a status; "" the last used that takes no outside calls
	SetAutostart     = "start.login"    // the phone starts when the person logs in to this machine
	SetOpenPage      = "start.page"     // a start opens the page
	SetWindow        = "page.window"    // tab, or app: a small window of its own, of an installed Chromium-family browser
	SetLook          = "page.look"      // system, light, dark
	SetLang          = "page.lang"      // system, en, ja
	SetSize          = "page.size"      // of text, in percent
	SetRingVolume    = "ring.volume"    // percent
	SetRingRaise     = "ring.raise"     // an offered call brings the page to the front; never by default (it steals the keyboard)
	SetWaiting       = "calls.waiting"  // a second call while talking: soft (a soft tone), silent (shown only), busy (refused, 486)
	SetConfirmLink   = "calls.confirm"  // links ask before they dial
	SetInBand        = "calls.in_band"  // keys as tones in the voice where the far side takes no telephone-events, instead of SIP INFO
	SetHotkeyAnswer  = "hotkey.answer"  // global keys: a chord such as Ctrl+Alt+A; "" none
	SetHotkeyHangUp  = "hotkey.hangup"  //
	SetHotkeyMute    = "hotkey.mute"    //
	SetHotkeyHold    = "hotkey.hold"    //
	SetHotkeyShow    = "hotkey.show"    // brings the page to the front
	SetLinkTel       = "links.tel"      // this phone opens tel: links of the whole machine
	SetLinkCallto    = "links.callto"   //
	SetLinkSIP       = "links.sip"      // sip: and sips:
	SetLocalAPI      = "crm.api"        // pages of the origins below may ask this phone to dial
	SetLocalOrigins  = "crm.origins"    // https://crm.example.jp; see Origin
	SetHeadset       = "headset.use"    // buttons of headsets (WebHID)
	SetShowShortcuts = "page.shortcuts" // keys stand beside what they do
)

// Kinds of settings; the JSON value of each.
const (
	KindSwitch = "switch" // bool
	KindChoice = "choice" // string, one of Choices
	KindNumber = "number" // whole number, Min to Max
	KindText   = "text"   // string, at most 200 characters of one line
	KindChord  = "chord"  // string: modifiers and a key, see Chord; "" none
	KindList   = "list"   // list of at most 50 texts
)

// Setting is one thing that can be chosen.
type Setting struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Default any      `json:"default"`
	Choices []string `json:"choices,omitempty"`
	Min     float64  `json:"min,omitempty"`
	Max     float64  `json:"max,omitempty"`
}

// AllSettings is every setting there is, in the order of the page.
func AllSettings() []Setting {
	toggle := func(name string, on bool) Setting { return Setting{Name: name, Kind: KindSwitch, Default: on} }
	choice := func(name string, of ...string) Setting {
		return Setting{Name: name, Kind: KindChoice, Default: of[0], Choices: of}
	}
	number := func(name string, least, most, usual float64) Setting {
		return Setting{Name: name, Kind: KindNumber, Default: usual, Min: least, Max: most}
	}
	chord := func(name string) Setting { return Setting{Name: name, Kind: KindChord, Default: ""} }
	return []Setting{
		toggle(SetAutoSignIn, false), {Name: SetStartStatus, Kind: KindText, Default: ""},
		toggle(SetAutostart, false), toggle(SetOpenPage, true),
		number(SetRingVolume, 0, 100, 100), toggle(SetRingRaise, false),
		choice(SetWaiting, "soft", "silent", "busy"), toggle(SetConfirmLink, true), toggle(SetInBand, false),
		chord(SetHotkeyAnswer), chord(SetHotkeyHangUp), chord(SetHotkeyMute), chord(SetHotkeyHold), chord(SetHotkeyShow),
		toggle(SetLinkTel, false), toggle(SetLinkCallto, false), toggle(SetLinkSIP, false),
		toggle(SetLocalAPI, false), {Name: SetLocalOrigins, Kind: KindList, Default: []string{}},
		choice(SetWindow, "tab", "app"), choice(SetLook, "system", "light", "dark"), choice(SetLang, "system", "en", "ja"),
		number(SetSize, 80, 200, 100), toggle(SetShowShortcuts, true), toggle(SetHeadset, false),
	}
}

// SettingOf is the setting of that name.
func SettingOf(name string) (Setting, bool) {
	for _, s := range AllSettings() {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

// Check gives the value as it is kept, in the type of its kind. ok is false for what the setting cannot be.
func (s Setting) Check(value any) (kept any, ok bool) {
	switch s.Kind {
	case KindSwitch:
		_, ok = value.(bool)
		return value, ok
	case KindNumber:
		n, is := number(value)
		return n, is && n >= s.Min && n <= s.Max && n == float64(int(n))
	case KindList:
		list, ok := Texts(value)
		if ok && s.Name == SetLocalOrigins {
			return origins(list)
		}
		return list, ok
	}
	text, ok := value.(string)
	switch {
	case !ok || !line(text):
		return nil, false
	case s.Kind == KindChoice:
		return text, slices.Contains(s.Choices, text)
	case s.Kind == KindChord:
		return Chord(text)
	}
	return text, true
}

func number(value any) (float64, bool) {
	switch n := value.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	}
	return 0, false
}

const (
	textMax = 200
	listMax = 50
)

func line(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= textMax && !strings.ContainsFunc(text, unicode.IsControl)
}

// Texts is the value of a list, each text one line.
func Texts(value any) ([]string, bool) {
	var list []string
	switch v := value.(type) {
	case []string:
		list = v
	case []any: // as JSON gives it
		for _, one := range v {
			text, ok := one.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
	default:
		return nil, false
	}
	return list, len(list) <= listMax && !slices.ContainsFunc(list, func(text string) bool { return !line(text) })
}

// origins are the list as it is kept: each as browsers say it, once.
func origins(list []string) (any, bool) {
	kept := make([]string, 0, len(list))
	for _, typed := range list {
		o, ok := Origin(typed)
		if !ok {
			return nil, false
		}
		if !slices.Contains(kept, o) {
			kept = append(kept, o)
		}
	}
	return kept, true
}

// Origin is the origin of pages as browsers say it (RFC 6454 §6.1), of what a person typed: https://host with a port or not, or http
// on this machine, where nobody stands between. A path is refused, for it would not narrow anything.
func Origin(typed string) (string, bool) {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimSpace(typed), "/"))
	if err != nil || u.User != nil || u.Opaque != "" || u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(typed, "#\\") {
		return "", false
	}
	host, usual := strings.ToLower(u.Hostname()), "443"
	switch u.Scheme {
	case "https":
	case "http":
		addr, err := netip.ParseAddr(host)
		if usual = "80"; host != "localhost" && (err != nil || !addr.IsLoopback()) {
			return "", false
		}
	default:
		return "", false
	}
	if strings.Contains(host, ":") { // IPv6
		if addr, err := netip.ParseAddr(host); err != nil || addr.Zone() != "" {
			return "", false
		}
		host = "[" + host + "]"
	} else if host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return "", false
	}
	port := u.Port()
	if port == "" && strings.HasSuffix(u.Host, ":") {
		return "", false
	}
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return "", false
	}
	if port != "" && port != usual {
		host += ":" + port
	}
	return u.Scheme + "://" + host, true
}

// Chord is a global key as it is kept: Ctrl, Alt, Shift, Super in this order and one key (a letter, a digit, F1 to F24, Space, Pause,
// Insert, Home, End, PageUp, PageDown, an arrow or a media key), joined by +. A key alone is taken only from F1 on: a letter
// alone would be gone for every other program.
func Chord(typed string) (string, bool) {
	if typed == "" {
		return "", true
	}
	parts := strings.Split(typed, "+")
	key := parts[len(parts)-1]
	var mods []string
	for _, m := range []string{"Ctrl", "Alt", "Shift", "Super"} {
		if slices.ContainsFunc(parts[:len(parts)-1], func(p string) bool { return strings.EqualFold(p, m) }) {
			mods = append(mods, m)
		}
	}
	if len(mods) != len(parts)-1 {
		return "", false
	}
	if len(key) == 1 {
		key = strings.ToUpper(key)
		plain := key >= "A" && key <= "Z" || key >= "0" && key <= "9"
		return strings.Join(append(mods, key), "+"), plain && len(mods) > 0 && !slices.Equal(mods, []string{"Shift"})
	}
	for _, named := range chordKeys() {
		if strings.EqualFold(key, named) {
			return strings.Join(append(mods, named), "+"), len(mods) > 0 || named[0] == 'F' || named == "Pause" || strings.HasPrefix(named, "Media")
		}
	}
	return "", false
}

func chordKeys() []string {
	keys := []string{"Space", "Pause", "Insert", "Home", "End", "PageUp", "PageDown", "Up", "Down", "Left", "Right", "MediaPlayPause", "MediaStop"}
	for n := 1; n <= 24; n++ {
		keys = append(keys, fmt.Sprint("F", n))
	}
	return keys
}

// Values are settings as they are chosen, by name; what is not there has its default.
type Values map[string]any

func (v Values) of(name string) any {
	s, ok := SettingOf(name)
	if !ok {
		return nil
	}
	if value, has := v[name]; has {
		if kept, ok := s.Check(value); ok {
			return kept
		}
	}
	return s.Default
}

// On is a switch, Text a choice, text or chord, Number a number, List a list: as chosen, or by default.
func (v Values) On(name string) bool       { on, _ := v.of(name).(bool); return on }
func (v Values) Text(name string) string   { text, _ := v.of(name).(string); return text }
func (v Values) List(name string) []string { list, _ := v.of(name).([]string); return list }
func (v Values) Number(name string) int    { n, _ := number(v.of(name)); return int(n) }

type (
	// ChangeSetting chooses one. A locked one, or a value that it cannot be, is refused with a notice.
	ChangeSetting struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	}
	// ImportSettings takes what was exported elsewhere, whole: names that are not there get their default. What cannot be
	// used is named in a notice and the rest is taken.
	ImportSettings struct {
		Values Values `json:"values"`
	}
	// ForgetAccount takes what is saved for auto sign-in out of the keyring.
	ForgetAccount struct{}
)

func (ChangeSetting) Type() string  { return "setting.change" }
func (ImportSettings) Type() string { return "setting.import" }
func (ForgetAccount) Type() string  { return "account.forget" }

// Saved is what this machine keeps for auto sign-in (PRODUCT A14). The secret lies in the system's keyring.
type Saved struct {
	Account  string `json:"account,omitempty"`  // whose; "" nothing is saved
	Terminal string `json:"terminal,omitempty"` // as chosen at the last sign-in
	Seat     string `json:"seat,omitempty"`
	Can      bool   `json:"can"` // this machine has a keyring, and no policy forbids it
}

// Styles of an update's notice (PRODUCT B1–B3).
const (
	NoticeDialog = "dialog" // a dialog that tells, 3.2
	NoticeMark   = "mark"   // an information mark that tells, 3.3
	NoticeGet    = "get"    // a mark that downloads when asked, 3.4 and later
)

// States of an Update.
const (
	UpdateOffered = "offered"
	UpdateLoading = "loading"
	UpdateReady   = "ready" // verified; its folder was opened
	UpdateFailed  = "failed"
)

// Update is a newer version of this phone, and how far its download is (PRODUCT B).
type Update struct {
	Version string   `json:"version"`
	Notes   Words    `json:"notes,omitempty"`
	Style   string   `json:"style"` // a Notice… constant
	State   string   `json:"state"`
	Done    int64    `json:"done,omitempty"` // bytes
	Size    int64    `json:"size,omitempty"` // bytes; 0 unknown
	Problem *Problem `json:"problem,omitempty"`
	Details string   `json:"details,omitempty"` // of the problem, to copy
	Folder  string   `json:"folder,omitempty"`  // where the verified file lies
}

type (
	// GetUpdate downloads the update, goes on with one that failed, or opens the folder of one that is ready; refused during a call.
	GetUpdate struct{}
	// StopUpdate ends a download; what is there is kept for the next GetUpdate.
	StopUpdate struct{}
)

func (GetUpdate) Type() string  { return "update.get" }
func (StopUpdate) Type() string { return "update.stop" }
