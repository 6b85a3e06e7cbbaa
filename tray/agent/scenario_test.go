package agent

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"zaseki/web/wire"
)

// A scenario is a text in testdata. Lines:
//
//	# words                      a comment
//	begin out | in [status]      a fresh agent: signed out, or signed in with that status
//	begin fresh name=value …     signed out, with settings that were chosen before, and account=… terminal=… seat=… of what is saved
//	begin nocenter | local       the same without a center: in break at a SIP server, its line registered
//	> Event Field=value …        the event happens; value is the rest up to the next Field=
//	< Effect Field=value …       the next effect it gave; after the last < none may be left
//	< Effect *                   all of that kind that come next
//	= path value                 the snapshot says so; path like Status.Now or Calls.0.Phase; value "-" is empty
//	+ 5s                         time passes
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { runScenario(t, f) })
	}
}

type scene struct {
	t       *testing.T
	at      string
	s       State
	pending []Effect
}

func runScenario(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := &scene{t: t}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		sc.at = fmt.Sprintf("%s:%d: %s", filepath.Base(file), n, line)
		if line == "" || line[0] == '#' {
			continue
		}
		sc.line(line)
	}
	sc.none()
}

func (sc *scene) line(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "begin":
		sc.none()
		sc.begin(strings.Fields(rest))
	case ">":
		sc.none()
		sc.s, sc.pending = Step(sc.s, sc.event(rest))
	case "<":
		sc.effect(rest)
	case "=":
		path, want, _ := strings.Cut(rest, " ")
		if got := sc.look(path); got != strings.TrimSpace(want) {
			sc.t.Fatalf("%s\ngot %q", sc.at, got)
		}
	case "+":
		d, err := time.ParseDuration(rest)
		if err != nil {
			sc.t.Fatalf("%s: %v", sc.at, err)
		}
		sc.s.Now = sc.s.Now.Add(d)
	default:
		sc.t.Fatalf("%s: unknown word", sc.at)
	}
}

func (sc *scene) begin(words []string) {
	sc.s = Start("http://center.test")
	sc.s.Now = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	switch words[0] {
	case "out":
		return
	case "fresh":
		var kept Kept
		for _, w := range words[1:] {
			name, value, _ := strings.Cut(w, "=")
			switch name {
			case "account", "terminal", "seat":
				sc.set(reflect.ValueOf(&kept.Saved).Elem(), []string{strings.ToUpper(name[:1]) + name[1:]}, value)
				continue
			}
			if kept.Chosen == nil {
				kept.Chosen = wire.Values{}
			}
			if kept.Chosen[name] = value; value == "true" || value == "false" {
				kept.Chosen[name] = value == "true"
			}
		}
		sc.s = sc.s.Keeping(kept)
		return
	case "nocenter", "local":
		sc.s.Link.URL = ""
		if words[0] == "local" {
			sc.local()
		}
		return
	}
	sc.s.Phase, sc.s.Choice = wire.PhaseEntering, &testChoice
	w := wire.Welcome{Center: "Tokyo", Me: wire.Me{Account: "sato", Name: "佐藤", Terminal: testChoice.Terminals[0]},
		Statuses: wire.StandardStatuses(), Profile: wire.ProfileOf("3.9"), Plan: wire.Plan{Domain: "zaseki.test", Digits: 5},
		State: wire.AgentState{Account: "sato", Status: words[1], Since: sc.s.Now, Rev: 1}, SeatView: true}
	sc.s, _ = Step(sc.s, Welcomed{w})
	sc.s, _ = Step(sc.s, Registered{At: sc.s.Now, Expires: sc.s.Now.Add(2 * time.Minute)})
	sc.s, _ = Step(sc.s, SoundLive{On: true})
}

// local signs in at a SIP server.
func (sc *scene) local() {
	w := wire.Welcome{Me: wire.Me{Account: "2001@pbx.test", Terminal: wire.Terminal{Extension: "2001", Type: "softphone"}},
		SIP: wire.SIPAccount{User: "2001", Domain: "pbx.test", Server: "pbx.test"}}
	for _, e := range []Event{wire.UseSIP{SIPForm: wire.SIPForm{Server: "pbx.test", User: "2001"}, Password: "pw"}, Welcomed{w},
		Registered{At: sc.s.Now, Expires: sc.s.Now.Add(2 * time.Minute)}, SoundLive{On: true}} {
		sc.s, _ = Step(sc.s, e)
	}
}

var testChoice = wire.Choice{Center: "Tokyo", Name: "佐藤", SeatView: true, Profile: wire.ProfileOf("3.9"), Status: "break",
	Terminals: []wire.Terminal{{ID: "t2001", Extension: "2001", Type: "softphone"}}, Statuses: wire.StandardStatuses()[:4]}

// knownEvents and knownEffects are named by their type in a scenario.
var knownEvents = byName(wire.CheckAccount{}, wire.SignIn{}, wire.Back{}, wire.SignOut{}, wire.Exit{}, wire.Dismiss{},
	wire.SetStatus{}, wire.SetNext{}, wire.ExtendWork{}, wire.Dial{}, wire.Answer{}, wire.Decline{}, wire.HangUp{}, wire.Hold{},
	wire.UseSIP{}, wire.DialLink{}, wire.Transfer{}, wire.Connect{}, wire.FollowTransfer{}, wire.Conference{}, wire.SaveContact{}, wire.RemoveContact{},
	wire.Mute{}, wire.SendDigits{}, wire.MicState{}, wire.RingHeard{}, wire.PagesChanged{},
	wire.SendCode{}, wire.MailCode{}, wire.SignOn{}, MailSent{}, CodeFailed{}, SignOnOpened{}, SignOnOffered{}, Checked{}, CheckFailed{}, EntryFailed{}, Welcomed{}, Resumed{}, Noticed{}, Left{}, Linked{}, Stated{}, AskRefused{}, KeptTold{}, Revoked{},
	Registered{}, Unregistered{}, Invited{}, Progressed{}, Joined{}, Failed{}, Ended{}, HoldDone{}, HoldFailed{}, PeerHeld{},
	SentOn{}, SendOnFailed{}, TransferAsked{}, Renamed{}, MixFailed{}, Quiet{}, MessagesWaiting{}, Lamp{}, Recalled{}, CallLost{}, MemoryScarce{},
	wire.Replay{}, wire.Record{}, wire.CardMode{}, wire.SaveDevices{}, wire.EchoTest{}, wire.RingTest{}, wire.TestNetwork{},
	Voiced{}, LineSilent{}, SoundLive{}, SoundGone{}, MutedTalk{}, Unheard{}, Still{}, Measured{}, Replaying{}, Recording{}, DigitHeard{},
	RingDevices{}, NetworkTested{}, Expired{},
	wire.SignInOnce{}, wire.ChangeSetting{}, wire.ImportSettings{}, wire.ForgetAccount{}, wire.GetUpdate{}, wire.StopUpdate{},
	Started{}, Filed{}, SettingFailing{}, Warned{}, Updated{},
	wire.CallNote{}, wire.SeenMissed{}, wire.RaiseHand{}, wire.PopShown{}, wire.AllowOrigin{}, wire.OriginAsks{}, wire.UseTerminal{},
	wire.Supervise{}, wire.SetStatusOf{}, wire.LowerHand{}, wire.SendMessage{}, wire.ReadMessages{}, wire.Check{}, wire.CheckCall{}, wire.Permit{}, wire.Attend{}, wire.Messages{},
	BookChanged{}, BookCame{}, NoteTold{}, PastCame{}, SettingsAsked{})

func byName(vs ...any) map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for _, v := range vs {
		t := reflect.TypeOf(v)
		m[t.Name()] = t
	}
	return m
}

func (sc *scene) event(text string) Event {
	name, rest, _ := strings.Cut(text, " ")
	typ, ok := knownEvents[name]
	if !ok {
		sc.t.Fatalf("%s: no event %q", sc.at, name)
	}
	v := reflect.New(typ).Elem()
	switch name {
	case "Checked":
		v.FieldByName("Choice").Set(reflect.ValueOf(testChoice))
	case "Registered":
		v.FieldByName("At").Set(reflect.ValueOf(sc.s.Now))
	}
	for _, kv := range fields(rest) {
		sc.set(v, strings.Split(kv[0], "."), kv[1])
	}
	return v.Interface()
}

// fields splits "A=x y B=z" into pairs; a value runs to the next word that holds "=".
func fields(text string) (kvs [][2]string) {
	for _, w := range strings.Fields(text) {
		if k, v, ok := strings.Cut(w, "="); ok {
			kvs = append(kvs, [2]string{k, v})
		} else if len(kvs) > 0 {
			kvs[len(kvs)-1][1] += " " + w
		}
	}
	return kvs
}

func (sc *scene) set(v reflect.Value, path []string, text string) {
	f := v.FieldByName(path[0])
	if !f.IsValid() {
		sc.t.Fatalf("%s: no field %q", sc.at, path[0])
	}
	if len(path) > 1 {
		sc.set(f, path[1:], text)
		return
	}
	switch f.Kind() {
	case reflect.Interface: // as JSON
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			sc.t.Fatalf("%s: %v", sc.at, err)
		}
		f.Set(reflect.ValueOf(value))
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		f.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			sc.t.Fatalf("%s: %v", sc.at, err)
		}
		f.SetInt(int64(n))
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			sc.t.Fatalf("%s: %v", sc.at, err)
		}
		f.SetUint(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			sc.t.Fatalf("%s: %v", sc.at, err)
		}
		f.SetFloat(n)
	case reflect.Pointer, reflect.Slice, reflect.Struct, reflect.Map: // as JSON, a Problem by its code
		if code := reflect.Indirect(f); code.Kind() == reflect.Struct && text[0] != '{' && code.FieldByName("Code").IsValid() {
			code.FieldByName("Code").SetString(text)
			return
		}
		if err := json.Unmarshal([]byte(text), f.Addr().Interface()); err != nil {
			sc.t.Fatalf("%s: %v", sc.at, err)
		}
	}
}

func (sc *scene) effect(text string) {
	sc.t.Helper()
	if len(sc.pending) == 0 {
		sc.t.Fatalf("%s\nno effect is left", sc.at)
	}
	if name, ok := strings.CutSuffix(text, " *"); ok {
		for len(sc.pending) > 0 && reflect.TypeOf(sc.pending[0]).Name() == name {
			sc.pending = sc.pending[1:]
		}
		return
	}
	e := sc.pending[0]
	sc.pending = sc.pending[1:]
	name, rest, _ := strings.Cut(text, " ")
	v := reflect.ValueOf(e)
	if v.Type().Name() != name {
		sc.t.Fatalf("%s\ngot %T %+v", sc.at, e, e)
	}
	for _, kv := range fields(rest) {
		if kv[1] == "false" {
			kv[1] = "-"
		}
		if got := dig(v, strings.Split(kv[0], ".")); got != kv[1] {
			sc.t.Fatalf("%s\n%s is %q in %+v", sc.at, kv[0], got, e)
		}
	}
}

func (sc *scene) none() {
	sc.t.Helper()
	if len(sc.pending) > 0 {
		sc.t.Fatalf("before %s\nunexpected effect %T %+v", sc.at, sc.pending[0], sc.pending[0])
	}
}

func (sc *scene) look(path string) string {
	return dig(reflect.ValueOf(sc.s.Snapshot()), strings.Split(path, "."))
}

// dig follows a path of field names and indexes; what is not there reads "-".
func dig(v reflect.Value, path []string) string {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return "-"
		}
		v = v.Elem()
	}
	if len(path) > 0 {
		if v.Kind() == reflect.Slice {
			i, err := strconv.Atoi(path[0])
			if err != nil || i >= v.Len() {
				return "-"
			}
			return dig(v.Index(i), path[1:])
		}
		if v.Kind() == reflect.Map { // names of settings have dots
			if f := v.MapIndex(reflect.ValueOf(strings.Join(path, "."))); f.IsValid() {
				return dig(f, nil)
			}
			if f := v.MapIndex(reflect.ValueOf(strings.Join(path[:len(path)-1], "."))); f.IsValid() {
				return dig(f, path[len(path)-1:])
			}
			return "-"
		}
		f := v.FieldByName(path[0])
		if !f.IsValid() {
			return "no field " + path[0]
		}
		return dig(f, path[1:])
	}
	if v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0 {
		return "-"
	}
	return fmt.Sprint(v.Interface())
}
