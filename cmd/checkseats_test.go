package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/static"
)

// TestASupervisorChecksTheSeatsThroughThePages (PRODUCT G10): whoever is in a call is left alone; afterwards the phone answers by itself,
// and the map says what was measured, while the agent's page shows nothing of it. In both languages, light and dark, and on a telephone.
//
//ci:still
func TestASupervisorChecksTheSeatsThroughThePages(t *testing.T) {
	d := newDay(t, nil)
	file := filepath.Join(d.dir, "supervisor.json")
	d.must(os.WriteFile(file, []byte(`{"accounts":[{"account":"agent2","name":"Suzuki","role":"supervisor","terminals":["2002"]}]}`), 0o600))
	out, err := exec.Command(filepath.Join(d.dir, "center"), "import", "-data", filepath.Join(d.dir, "data"), file).CombinedOutput()
	if err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	d.inCall()
	boss := d.second("agent2", "On break")
	check := func() {
		t.Helper()
		d.must(boss.Click("button", "Start a check…"))
		before, err := stage.Eval[string](boss, `fetch("/check").then((r) => r.json()).then((c) => c.id)`)
		d.must(err)
		d.must(boss.Click("button", "Start the check"))
		ended, err := stage.Eval[bool](boss, fmt.Sprintf(`(async () => {
			for (let left = 300; left > 0; left--) {
				const c = await (await fetch("/check")).json();
				if (c.id !== %q && c.ended > c.at) return true;
				await new Promise((go) => setTimeout(go, 100));
			}
			return false;
		})()`, before))
		if d.must(err); !ended {
			t.Fatal("no check has begun and ended")
		}
	}
	d.must(boss.Click("link", "Seat view…"))
	d.must(boss.Click("button", "Check seats"))
	d.must(boss.Wait("StaticText", "No check has been made yet."))
	check()
	d.must(boss.Wait("button", "2, Agent 1, On a call, Check: In a call"))
	d.must(d.page.Wait("button", "Hang up"))

	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Wait("button", "Available…")) // after-call work is over
	check()
	d.must(boss.Gone("button", "2, Agent 1, Available, Check: In a call"))
	d.must(boss.Gone("button", "2, Agent 1, Available, Check: Waiting"))
	d.must(boss.Gone("button", "2, Agent 1, Available, Check: Checking"))
	if !boss.Has("button", "2, Agent 1, Available, Check: Good") && !boss.Has("button", "2, Agent 1, Available, Check: Weak") { // as busy as this machine is
		t.Errorf("the map says: %s", boss.Said())
	}
	if !d.page.Has("button", "Available…") || d.page.Has("button", "Answer") {
		t.Errorf("the check is seen at the agent's page: %s", d.page.Said())
	}
	d.must(boss.Wait("StaticText", "Last check: …"))
	rows, err := stage.Eval[string](boss, `fetch("/check?format=csv").then((r) => r.text())`)
	d.must(err)
	if !regexp.MustCompile(`(?m)^2,agent1,Agent 1,2001,(ok|weak),[1-9].*,true,`).MatchString(rows) { // heard
		t.Errorf("the file says %q", rows)
	}

	home, err := stage.Eval[string](boss, `location.origin`)
	d.must(err)
	a := &access{day: d, axe: axeScript(t)}
	for _, v := range []stage.View{{Width: 1100, Height: 760}, {Width: 1100, Height: 760, Dark: true}, {Width: 320, Height: 640}, {Width: 320, Height: 640, Dark: true}} {
		for _, lang := range []string{"en", "ja"} {
			p, err := d.browser.Open(home+"/seats?lang="+lang, v)
			d.must(err)
			a.faces = append(a.faces, face{p, lang, v.Dark})
		}
	}
	a.all("the check", func(f face) error {
		if err := f.page.Click("button", static.Say(f.lang, "seats.check.button", nil)); err != nil {
			return err
		}
		return f.wait("link", "seats.check.file")
	})
	a.all("before it begins", func(f face) error {
		if err := f.page.Click("button", static.Say(f.lang, "seats.check.begin", nil)); err != nil {
			return err
		}
		return f.wait("button", "seats.check.yes")
	})
	for _, f := range a.faces {
		wide, err := stage.Eval[int](f.page, `document.documentElement.scrollWidth - innerWidth`)
		if d.must(err); wide > 0 {
			t.Errorf("%s, dark %t: the page is %d pixels too wide", f.lang, f.dark, wide)
		}
	}
}
