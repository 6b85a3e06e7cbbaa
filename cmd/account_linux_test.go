package cmd_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
)

// alone is a phone without a center, and its page.
func alone(t *testing.T) *day {
	need(t, "kamailio", "sipp", "chromium", "espeak-ng", "sox")
	d := &day{T: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build(t, d.dir, "softphone")
	d.start(ctx)
	t.Cleanup(func() { d.phone.Stop() })
	d.open(ctx, "This is the helpdesk of the library, good afternoon. Which of our books are you looking for?")
	return d
}

func (d *day) start(ctx context.Context) {
	d.Helper()
	var err error
	d.phone, err = stage.Start(ctx, filepath.Join(d.dir, "softphone"), []string{"DBUS_SESSION_BUS_ADDRESS="}, "-config", filepath.Join(d.dir, "phone"),
		"-panel", "127.0.0.1:0", "-no-tray", "-no-browser", "-lang", "en")
	d.must(err)
}

// TestAPhoneWorksWithAnyPBX: without a center the page asks for a SIP account; a wrong password is told in words and nothing
// typed is lost; calls come and go through a real Kamailio; statuses, phonebook and call list are the phone's own and are there
// again after a restart, and the rule about outside calls holds.
func TestAPhoneWorksWithAnyPBX(t *testing.T) {
	d := alone(t)
	const secret = "the secret of 2001"
	server := freePort(t, "127.0.9.1")
	kamailio(t, t.TempDir(), server, secret)

	form := func(password string) {
		d.Helper()
		d.must(d.page.Type("Password", password))
		d.must(d.page.Click("button", "Sign in"))
	}
	d.must(d.page.Type("Server", server))
	d.must(d.page.Type("Extension", "2001"))
	d.must(d.page.Click("DisclosureTriangle", "More"))
	d.must(d.page.Type("Domain", "pbx.test"))
	d.must(d.page.Select("Transport", "TCP"))
	form("wrong")
	d.must(d.page.Wait("StaticText", "The telephone server refuses…"))
	if v, err := d.page.Value("textbox", "Extension"); err != nil || v != "2001" {
		t.Fatalf("the extension field holds %q (%v)", v, err)
	}
	form(secret)
	d.must(d.page.Wait("StaticText", "Line registered…"))

	// In a break an outside call is refused; Available takes it, and sound goes both ways.
	refused := d.sipp(server, "2001")
	if err := refused.Wait(); err == nil {
		t.Error("an outside call was answered before anybody was Available")
	}
	d.must(d.page.Click("button", "Away…"))
	d.must(d.page.Click("menuitemradio", "Available"))
	d.must(d.page.Wait("button", "Available…"))
	sipp := d.sipp(server, "2001")
	d.answerEcho()
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Wait("button", "After-call work…"))
	if err := sipp.Wait(); err != nil {
		t.Errorf("sipp saw something else than a call with hold, resume and hang-up: %v", err)
	}

	// The phonebook, and everything again after a restart; the password is nowhere on the disk.
	d.must(d.page.Click("link", "Contacts"))
	d.must(d.page.Click("button", "Add a contact"))
	d.must(d.page.Type("Name", "Library"))
	d.must(d.page.Type("Telephone number", "2002"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("button", "Call Library"))
	d.phone.Stop()
	d.keepsNoSecret(secret)
	d.start(context.Background())
	var err error
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
	d.must(err)
	if v, err := d.page.Value("textbox", "Server"); err != nil || v != server {
		t.Errorf("the server field holds %q (%v)", v, err)
	}
	form(secret)
	d.must(d.page.Wait("StaticText", "Line registered…"))
	d.must(d.page.Click("link", "Contacts"))
	d.must(d.page.Wait("button", "Call Library"))
	d.must(d.page.Click("link", "Calls…"))
	d.must(d.page.Wait("button", "What happened in the call with…"))
}

// keepsNoSecret reads everything that the phone wrote.
func (d *day) keepsNoSecret(secret string) {
	d.Helper()
	dir := filepath.Join(d.dir, "phone")
	files, err := os.ReadDir(dir)
	d.must(err)
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		d.must(err)
		info, err := f.Info()
		d.must(err)
		if strings.Contains(string(data), secret) || info.Mode().Perm()&0o077 != 0 {
			d.Errorf("%s holds the password, or others may read it (%v)", f.Name(), info.Mode())
		}
	}
	var kept struct{ SIP struct{ Server string } }
	data, err := os.ReadFile(filepath.Join(dir, "softphone.json"))
	d.must(err)
	d.must(json.Unmarshal(data, &kept))
	if kept.SIP.Server == "" {
		d.Errorf("the account is not kept: %s", data)
	}
}
