package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"zaseki/tray/agent"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// screenOf starts a display that nobody sees.
func screenOf(t *testing.T) {
	t.Helper()
	cmd := exec.Command(desktop.Need(t, "Xvfb"), "-displayfd", "1", "-nolisten", "tcp")
	out, err := cmd.StdoutPipe()
	desktop.Must(t, err)
	desktop.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var display int
	_, err = fmt.Fscan(out, &display)
	desktop.Must(t, err)
	t.Setenv("DISPLAY", fmt.Sprint(":", display))
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("XDG_SESSION_TYPE", "")
	t.Setenv("XAUTHORITY", "")
}

// fingers press keys on the display, as hardware would.
type fingers struct {
	t    *testing.T
	conn *xgb.Conn
	x    *xKeys // knows where the keys are
}

func fingersOn(t *testing.T) fingers {
	t.Helper()
	k, err := openKeyboard()
	desktop.Must(t, err)
	t.Cleanup(k.close)
	x := k.(*xKeys)
	desktop.Must(t, xtest.Init(x.conn))
	return fingers{t, x.conn, x}
}

func (f fingers) move(kind byte, sym xproto.Keysym) {
	f.t.Helper()
	f.x.mu.Lock()
	code := f.x.codes(sym)[0]
	f.x.mu.Unlock()
	desktop.Must(f.t, xtest.FakeInputChecked(f.conn, kind, byte(code), 0, f.x.root, 0, 0, 0).Check())
}

const control, alt, capsLock, numLock = 0xffe3, 0xffe9, 0xffe5, 0xff7f

// chord presses Control, Alt and that key.
func (f fingers) chord(key xproto.Keysym) {
	f.t.Helper()
	for _, sym := range []xproto.Keysym{control, alt, key} {
		f.move(xproto.KeyPress, sym)
	}
	for _, sym := range []xproto.Keysym{key, alt, control} {
		f.move(xproto.KeyRelease, sym)
	}
}

// rest is the least time between two presses: what comes back within a millisecond is the server's repeat.
func (f fingers) rest() { <-time.After(10 * time.Millisecond) }

func (f fingers) tap(sym xproto.Keysym) {
	f.t.Helper()
	f.move(xproto.KeyPress, sym)
	f.move(xproto.KeyRelease, sym)
}

// talkingAgent is an agent in a call, and what it has asked of its instruments.
func talkingAgent(t *testing.T) (a *agent.Agent, asked func() []string) {
	t.Helper()
	s := agent.Start("http://127.0.0.1:9")
	s.Phase, s.Calls = wire.PhaseIn, []wire.Call{{ID: "c1", Phase: wire.CallTalking, Inbound: true, Answered: time.Now()}}
	var mu sync.Mutex
	var all []string
	a = agent.New(s, func(_ context.Context, e agent.Effect) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, fmt.Sprintf("%T%+v", e, e))
	})
	behind(t, func(ctx context.Context) { a.Run(ctx) })
	return a, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// behind runs it until the test ends.
func behind(t *testing.T, what func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		what(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
}

// postable is an agent as hotkeys want it.
type postable struct{ *agent.Agent }

func (p postable) Post(c wire.Command) { p.Agent.Post(c) }

func startHotkeys(t *testing.T, a *agent.Agent, show func()) *hotkeys {
	h := &hotkeys{agent: postable{a}, show: show, log: quiet, asks: make(chan keyAsk), taken: map[string]string{}}
	behind(t, func(ctx context.Context) { _ = h.Run(ctx) })
	return h
}

func TestAKeyMutesWithinFiftyMilliseconds(t *testing.T) {
	screenOf(t)
	a, _ := talkingAgent(t)
	h := startHotkeys(t, a, func() {})
	if p := h.Apply(t.Context(), wire.SetHotkeyMute, wire.Values{wire.SetHotkeyMute: "Ctrl+Alt+M"}); p != nil {
		t.Fatal(p)
	}
	f := fingersOn(t)
	snaps, stop := a.Watch()
	defer stop()
	muted := (<-snaps).Muted
	var took []time.Duration
	for n := range 20 {
		switch n { // whatever the locks are
		case 5, 10:
			f.tap(capsLock)
		case 8, 15:
			f.tap(numLock)
		}
		f.rest()
		began := time.Now()
		f.chord('m')
		for late := time.After(5 * time.Second); ; {
			var s wire.Snapshot
			select {
			case s = <-snaps:
			case <-late:
				t.Fatalf("press %d: nothing", n)
			}
			if s.Muted != muted {
				muted = s.Muted
				break
			}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("median %v, longest %v", took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > 50*time.Millisecond {
		t.Errorf("from key to mute: %v", took)
	}
}

func TestAKeyThatIsHeldIsOnePress(t *testing.T) {
	screenOf(t)
	a, asked := talkingAgent(t)
	h := startHotkeys(t, a, func() {})
	if p := h.Apply(t.Context(), wire.SetHotkeyMute, wire.Values{wire.SetHotkeyMute: "F9"}); p != nil {
		t.Fatal(p)
	}
	f := fingersOn(t)
	f.move(xproto.KeyPress, 0xffc6)
	<-time.After(1200 * time.Millisecond) // the server repeats after 660
	f.move(xproto.KeyRelease, 0xffc6)
	f.rest()
	f.tap(0xffc6)
	defer func() { t.Logf("%q", asked()) }()
	desktop.Eventually(t, "two presses", func() bool { return len(asked()) >= 2 })
	if got := asked(); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

func TestAKeyOfAnotherProgramIsTold(t *testing.T) {
	screenOf(t)
	other, err := openKeyboard()
	desktop.Must(t, err)
	defer other.close()
	desktop.Must(t, other.take("theirs", "Ctrl+Shift+F5"))
	a, _ := talkingAgent(t)
	h := startHotkeys(t, a, func() {})
	held := wire.Values{wire.SetHotkeyMute: "Ctrl+Shift+F5", wire.SetHotkeyHold: "Ctrl+Alt+H"}
	told := func(name string) string {
		t.Helper()
		if p := h.Apply(t.Context(), name, held); p != nil {
			return p.Error()
		}
		return ""
	}
	if got := told(wire.SetHotkeyMute); got != "hotkey.taken chord=Ctrl+Shift+F5" {
		t.Error(got)
	}
	desktop.Must(t, other.take("theirs", ""))
	if got := told(wire.SetHotkeyMute); got != "" {
		t.Error("it is free, but:", got)
	}
	if got := told(wire.SetHotkeyHold); got != "" {
		t.Error(got)
	}
	held[wire.SetHotkeyAnswer] = "Ctrl+Alt+H"
	if got := told(wire.SetHotkeyAnswer); got != "hotkey.taken chord=Ctrl+Alt+H" {
		t.Error("two of ours:", got)
	}
	held[wire.SetHotkeyMute] = "" // given back
	if got := told(wire.SetHotkeyMute); got != "" {
		t.Error(got)
	}
	if err := other.take("theirs", "Ctrl+Shift+F5"); err != nil {
		t.Error(err)
	}
}

func TestEveryChordThatCanBeChosenIsKnownToTheServer(t *testing.T) {
	screenOf(t)
	k, err := openKeyboard()
	desktop.Must(t, err)
	defer k.close()
	for _, chord := range []string{"Ctrl+A", "Alt+Shift+Z", "Super+0", "F1", "F12", "Ctrl+Space", "Pause", "Alt+Insert", "Ctrl+Home", "Ctrl+End",
		"Ctrl+PageUp", "Ctrl+PageDown", "Ctrl+Alt+Up", "Super+Down", "Super+Left", "Super+Right", "MediaPlayPause", "MediaStop"} {
		if kept, ok := wire.Chord(chord); !ok || kept != chord {
			t.Errorf("%s is not a chord: %q", chord, kept)
		}
		if err := k.take("one", chord); err != nil {
			t.Errorf("%s: %v", chord, err)
		}
	}
}

func TestWithoutADesktopThereAreNoGlobalKeys(t *testing.T) {
	a, _ := talkingAgent(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+t.TempDir()+"/nobody")
	h := startHotkeys(t, a, func() {})
	for _, env := range [][2]string{{"", ""}, {":77777", ""}, {":0", "wayland-0"}} {
		t.Setenv("DISPLAY", env[0])
		t.Setenv("WAYLAND_DISPLAY", env[1])
		p := h.Apply(t.Context(), wire.SetHotkeyMute, wire.Values{wire.SetHotkeyMute: "F9"})
		if p == nil || p.Code != wire.ProblemHotkeyNone || p.Holes["reason"] == "" {
			t.Errorf("%q: %v", env, p)
		}
		if p := h.Apply(t.Context(), wire.SetHotkeyMute, wire.Values{}); p != nil {
			t.Errorf("no key is wanted: %v", p)
		}
	}
}

func TestWhatAKeyMeans(t *testing.T) {
	call := func(id, phase string) wire.Call { return wire.Call{ID: id, Phase: phase} }
	rows := []struct {
		key   string
		muted bool
		calls []wire.Call
		want  wire.Command
	}{
		{wire.SetHotkeyAnswer, false, []wire.Call{call("a", wire.CallTalking), call("b", wire.CallOffered)}, wire.Answer{Call: "b"}},
		{wire.SetHotkeyAnswer, false, []wire.Call{call("a", wire.CallTalking)}, nil},
		{wire.SetHotkeyHangUp, false, []wire.Call{call("a", wire.CallTalking), call("b", wire.CallOffered)}, wire.HangUp{Call: "a"}},
		{wire.SetHotkeyHangUp, false, []wire.Call{call("b", wire.CallOffered)}, wire.Decline{Call: "b"}},
		{wire.SetHotkeyHangUp, false, []wire.Call{call("a", wire.CallDialing)}, wire.HangUp{Call: "a"}},
		{wire.SetHotkeyHangUp, false, nil, nil},
		{wire.SetHotkeyMute, false, []wire.Call{call("a", wire.CallTalking)}, wire.Mute{On: true}},
		{wire.SetHotkeyMute, true, []wire.Call{call("a", wire.CallHeld)}, wire.Mute{}},
		{wire.SetHotkeyMute, false, []wire.Call{call("a", wire.CallOffered)}, nil},
		{wire.SetHotkeyHold, false, []wire.Call{call("a", wire.CallTalking)}, wire.Hold{Call: "a", On: true}},
		{wire.SetHotkeyHold, false, []wire.Call{call("a", wire.CallHeld)}, wire.Hold{Call: "a"}},
		{wire.SetHotkeyHold, false, []wire.Call{{ID: "a", Phase: wire.CallTalking, Conference: true}}, nil},
		{wire.SetHotkeyHold, false, []wire.Call{call("a", wire.CallAlerted)}, nil},
		{wire.SetHotkeyShow, false, nil, nil},
	}
	for _, r := range rows {
		m := &mouth{}
		shown := 0
		h := &hotkeys{agent: m, show: func() { shown++ }, log: quiet}
		h.do(r.key, wire.Snapshot{Calls: r.calls, Muted: r.muted})
		if m.said != r.want || (shown > 0) != (r.key == wire.SetHotkeyShow) {
			t.Errorf("%s with %+v: %+v, want %+v", r.key, r.calls, m.said, r.want)
		}
	}
}

// mouth keeps what was posted last.
type mouth struct{ said wire.Command }

func (m *mouth) Post(c wire.Command)                   { m.said = c }
func (m *mouth) Watch() (<-chan wire.Snapshot, func()) { return nil, func() {} }
