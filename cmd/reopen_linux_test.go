package cmd_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
)

// TestAPageThatIsClosedInACallIsOpenedAgain: the phone starts the browser by itself (here a program that only notes the
// address), two seconds after the page went; the caller stays, and both hear each other in the new one.
func TestAPageThatIsClosedInACallIsOpenedAgain(t *testing.T) {
	d := newDay(t, nil)
	d.page.Close()
	d.phone.Stop()
	bin, list := t.TempDir(), filepath.Join(d.dir, "opened")
	d.must(os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >>'"+list+"'\n"), 0o700))
	var err error
	d.phone, err = stage.Start(context.Background(), filepath.Join(d.dir, "softphone"),
		[]string{"DBUS_SESSION_BUS_ADDRESS=", "PATH=" + bin + ":" + os.Getenv("PATH")},
		"-config", filepath.Join(d.dir, "opens"), "-panel", "127.0.0.1:0", "-no-tray", "-center", d.center.String("http"), "-lang", "en")
	d.must(err)
	t.Cleanup(func() { d.phone.Stop() })
	opened := func(n int, within time.Duration) string {
		t.Helper()
		for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			data, _ := os.ReadFile(list)
			if urls := strings.Fields(string(data)); len(urls) >= n {
				return urls[n-1]
			}
		}
		t.Fatalf("page %d was not opened\n%s", n, tail(d.phone))
		return ""
	}
	d.page, err = d.browser.Open(opened(1, 5*time.Second), stage.View{})
	d.must(err)
	d.raw(d.page)

	customer := d.customer()
	d.signIn("agent1", "Available", "2")
	d.must(d.page.Wait("StaticText", "Line registered…"))
	_, err = customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	d.talk(customer, d.page, "")

	d.page.Close()
	began := time.Now()
	url := opened(2, 10*time.Second)
	if took := time.Since(began); took < time.Second || took > 4*time.Second {
		t.Errorf("the page was opened after %v", took)
	}
	d.page, err = d.browser.Open(url, stage.View{})
	d.must(err)
	d.must(d.page.Wait("button", "Mute"))
	d.talk(customer, d.page, " in the page that was opened")
	if d.page.Has("StaticText", "The page that carries the sound is gone…") {
		t.Error("the page that carries the sound still says that it is gone")
	}
	data, err := os.ReadFile(list)
	d.must(err)
	if n := len(strings.Fields(string(data))); n != 2 || len(customer.Calls()) != 1 {
		t.Errorf("%d pages were opened, %d calls are left", n, len(customer.Calls()))
	}
}
