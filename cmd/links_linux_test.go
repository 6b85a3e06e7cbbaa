package cmd_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// TestALinkIsNeverAFlag starts the phone's program as desktops do for links that somebody has put onto a web page. The first phone
// runs already; whatever comes, it asks or the second start says no, nothing is dialled, and nothing else happens.
// Reliability (E21).
//
//ci:still
func TestALinkIsNeverAFlag(t *testing.T) {
	need(t)
	dir := t.TempDir()
	build(t, dir, "center", "softphone")
	floor, err := stage.Floor(dir, nil)
	desktop.Must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	center, err := stage.StartCenter(ctx, filepath.Join(dir, "center"), dir, floor)
	desktop.Must(t, err)
	t.Cleanup(func() { center.Stop() })
	phone, err := stage.StartPhone(ctx, filepath.Join(dir, "softphone"), filepath.Join(dir, "phone"), center.String("http"))
	desktop.Must(t, err)
	t.Cleanup(func() { phone.Stop() })
	h := openHandle(t, phone.String("panel"))
	h.signIn("agent1", stage.Password)
	h.until("registration", func(s wire.Snapshot) bool { return s.Line.State == "registered" })

	evil := filepath.Join(dir, "evil")
	rows := []struct {
		args []string // behind --
		asks string   // what the phone asks whether to dial; "": nothing
	}{
		{[]string{"tel:0312345678"}, "0312345678"},
		{[]string{"TEL:03-1234-5678"}, "0312345678"},
		{[]string{"callto:2002"}, "2002"},
		{[]string{"-config=" + evil}, ""},
		{[]string{"--config=" + evil}, ""},
		{[]string{"-config", evil}, ""},
		{[]string{"tel:1", "-config=" + evil}, ""},
		{[]string{"tel:\" -config=" + evil}, ""},
		{[]string{"tel:-config=" + evil}, ""},
		{[]string{"tel:%00%0a%1b[2J"}, ""},
		{[]string{"tel:\x1b]0;x\x07"}, ""},
		{[]string{"tel:\u202e8765"}, "8765"}, // shown as it would be dialled
		{[]string{"tel:" + strings.Repeat("9", 10000)}, ""},
		{[]string{"sip:a@b;method=BYE?Replaces=x"}, ""},
		{[]string{"file:///etc/passwd"}, ""},
		{[]string{"javascript:alert(1)"}, ""},
		{[]string{"tel:"}, ""},
		{[]string{"-demo"}, ""},
		{[]string{"-version"}, ""},
		{[]string{""}, ""}, // no link: the page is shown
	}
	for _, r := range rows {
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "softphone"),
			append([]string{"-config", filepath.Join(dir, "phone"), "-no-browser", "--"}, r.args...)...)
		cmd.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS=", "HOME="+dir)
		cmd.WaitDelay = time.Second
		out, _ := cmd.CombinedOutput()
		if strings.Contains(string(out), "panic") || strings.Contains(string(out), "softphone "+wire.Version) {
			t.Errorf("%.60q: %s", r.args, out)
		}
		if r.asks != "" {
			s := h.until("question of "+r.args[0], func(s wire.Snapshot) bool { return s.Ask != nil })
			if s.Ask.Kind != "dial" || s.Ask.Number != r.asks {
				t.Errorf("%q: %+v", r.args, s.Ask)
			}
		} else if s := h.snap(); s.Ask != nil {
			t.Errorf("%.60q: %+v", r.args, s.Ask)
		}
		if s := h.snap(); len(s.Calls) > 0 || s.Phase != wire.PhaseIn {
			t.Fatalf("%.60q: phase %s, calls %+v", r.args, s.Phase, s.Calls)
		}
		if h.snap().Ask != nil {
			h.post(wire.Dismiss{})
			h.until("no question", func(s wire.Snapshot) bool { return s.Ask == nil })
		}
	}
	if _, err := os.Stat(evil); err == nil {
		t.Error("a folder was made by a link")
	}
}
