package cmd_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"zaseki/cmd/bench/stage"
)

// TestWhatAnAgentWritesIsKept: during a call and after it notes and a result are written in the real page, they are there after a load and
// in the list of calls; a raised hand is in another seat view; a contact of the center is found by romaji. Axe finds nothing in the notes.
//
//ci:still
func TestWhatAnAgentWritesIsKept(t *testing.T) {
	need(t, "chromium")
	axe := axeScript(t)
	ctx := context.Background()
	d := &day{T: t, dir: t.TempDir(), customerSays: make([]int16, 8000)}
	build(t, d.dir, "center", "softphone")
	d.begin(ctx, d.deskFloor(), stage.View{Width: 420, Height: 860})

	d.inCall()
	d.must(d.page.Click("tab", "Notes"))
	d.must(d.page.Type("Notes", "Wants seven umbrellas"))
	d.must(d.page.Wait("StaticText", "Saved"))
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Wait("button", "After-call work…"))
	if v, err := d.page.Value("textbox", "Notes"); err != nil || v != "Wants seven umbrellas" {
		t.Errorf("after the call the notes are %q (%v)", v, err)
	}
	d.must(d.page.Click("radio", "Order"))
	d.must(d.page.Wait("StaticText", "Saved"))
	a := &access{day: d, axe: axe, faces: []face{{d.page, "en", false}}}
	a.all("notes", func(face) error { return d.page.Wait("radio", "Complaint") })

	d.must(d.page.Click("link", "Calls…"))
	d.must(d.page.Wait("StaticText", "Order · Wants seven umbrellas"))
	d.must(d.page.Reload())
	d.must(d.page.Click("link", "Calls…"))
	d.must(d.page.Wait("StaticText", "Order · Wants seven umbrellas"))

	seats, err := d.browser.Open(stage.English(d.phone.String("panel"), "seats"), stage.View{Width: 900, Height: 600})
	d.must(err)
	d.must(seats.Wait("button", "2, Agent 1, After-call work"))
	d.must(d.page.Click("button", "Hand raised"))
	d.must(seats.Wait("button", "2, Agent 1, After-call work, Hand"))
	a.faces[0].page = seats
	a.all("a raised hand", func(face) error { return nil })
	d.must(seats.Click("button", "Hand raised"))
	d.must(seats.Wait("button", "2, Agent 1, After-call work"))

	d.must(d.page.Click("link", "Contacts"))
	d.must(d.page.Wait("button", "Call 田中 健"))
	_, err = stage.Eval[string](d.page, `(() => {
		const field = document.querySelector("#contact-search");
		field.value = "saitou";
		field.dispatchEvent(new Event("input", { bubbles: true }));
		return field.value;
	})()`)
	d.must(err)
	d.must(d.page.Wait("button", "Call 斎藤 花子"))
	d.must(d.page.Gone("button", "Call 田中 健"))
	d.must(d.page.Click("button", "Favourite: 斎藤 花子"))
	a.faces[0].page = d.page
	a.all("phonebook", func(face) error { return d.page.Wait("button", "Call 斎藤 花子") })
	d.notedElsewhere(ctx)
}

// notedElsewhere: a phone with an empty folder, as after an installation anew, has the call from the center, and the agent goes on writing
// about it.
func (d *day) notedElsewhere(ctx context.Context) {
	d.phone.Stop()
	var err error
	d.phone, err = stage.StartPhone(ctx, filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, "anew"), d.center.String("http"))
	d.must(err)
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{Width: 420, Height: 860})
	d.must(err)
	d.signIn("agent1", "Available", "2")
	d.must(d.page.Click("link", "Calls…"))
	d.must(d.page.Wait("StaticText", "Order · Wants seven umbrellas"))
	d.must(d.page.Click("button", "Notes on the call with …"))
	d.must(d.page.Type("Notes", "Wants seven umbrellas and a hat"))
	d.must(d.page.Wait("StaticText", "Saved"))
	d.must(d.page.Reload())
	d.must(d.page.Click("link", "Calls…"))
	d.must(d.page.Wait("StaticText", "Order · Wants seven umbrellas and a hat"))
}

// deskFloor is the test floor with results of calls, a phonebook, and time to write.
func (d *day) deskFloor() string {
	d.Helper()
	file, err := stage.Floor(d.dir, nil)
	d.must(err)
	data, err := os.ReadFile(file)
	d.must(err)
	var floor map[string]any
	d.must(json.Unmarshal(data, &floor))
	floor["site"].(map[string]any)["afterWorkSeconds"] = 600
	floor["outcomes"] = []map[string]any{{"id": "order", "name": map[string]string{"en": "Order", "ja": "受注"}, "order": 1}, {"id": "claim", "name": map[string]string{"en": "Complaint", "ja": "クレーム"}, "order": 2}}
	floor["contacts"] = []map[string]any{{"name": "斎藤 花子", "number": "0311112222", "reading": "さいとう はなこ", "company": "座席商事"}, {"name": "田中 健", "number": "0333334444", "reading": "たなか けん"}}
	data, err = json.Marshal(floor)
	d.must(err)
	d.must(os.WriteFile(file, data, 0o600))
	return file
}
