package cmd_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
)

// TestASupervisorHelpsThroughThePages: from the seat view a supervisor listens to an agent's call, whispers, joins and ends it, sets the status
// for after the call, writes, and answers a raised hand; the agent's page says each time what is done and by whom. Afterwards
// the call is explained, and the floor is seen as it was. Axe finds nothing in all of it. Who hears whom is proven where the sound is made.
//
//ci:still
func TestASupervisorHelpsThroughThePages(t *testing.T) {
	need(t, "chromium")
	axe := axeScript(t)
	ctx := context.Background()
	d := &day{T: t, dir: t.TempDir(), customerSays: make([]int16, 8000)}
	build(t, d.dir, "center", "softphone")
	d.begin(ctx, d.ledFloor(), stage.View{Width: 420, Height: 860})
	customer := d.inCall()
	h := &help{access: &access{day: d, axe: axe}, chief: d.second("agent2", "On break")}
	d.must(h.chief.Look(stage.View{Width: 1280, Height: 900}))
	d.must(h.chief.Click("link", "Seat view"))
	h.attends()
	h.status()
	h.hand()
	h.writes()
	d.must(customer.Line.Hangup(ctx, customer.Calls()[0]))
	h.afterwards()
}

// help is the supervisor's side of the day.
type help struct {
	*access
	chief *stage.Page
}

// looks asks axe about both pages.
func (h *help) looks(what string) {
	h.Helper()
	h.faces = []face{{h.chief, "en", false}, {h.page, "en", false}}
	h.all(what, func(face) error { return nil })
}

// menu opens the menu of a seat.
func (h *help) menu(seat string) {
	h.Helper()
	h.must(h.chief.Click("button", seat))
}

func (h *help) attends() {
	h.Helper()
	h.menu("2, Agent 1, On a call…")
	h.must(h.chief.Click("menuitemradio", "Listen, nobody hears you"))
	h.must(h.page.Wait("StaticText", "Agent 2 (supervisor) is listening"))
	h.must(h.chief.Wait("StaticText", "You hear Agent 1 and the caller. Nobody hears you."))
	h.looks("listening")
	h.must(h.chief.Click("button", "Whisper"))
	h.must(h.page.Wait("StaticText", "Agent 2 (supervisor) speaks to you only"))
	h.must(h.chief.Wait("StaticText", "Only Agent 1 hears you. The caller does not."))
	h.must(h.chief.Click("button", "Join"))
	h.must(h.page.Wait("StaticText", "Agent 2 (supervisor) has joined"))
	h.must(h.chief.Wait("StaticText", "Agent 1 and the caller hear you."))
	h.must(h.chief.Click("button", "End"))
	h.must(h.page.Gone("StaticText", "Agent 2 (supervisor) has joined"))
	h.must(h.page.Wait("button", "Mute")) // the caller is still there
	h.must(h.chief.Gone("StaticText", "Agent 1 and the caller hear you."))
}

// status is set for after the call: nobody takes an agent out of one (PRODUCT E5).
func (h *help) status() {
	h.Helper()
	h.menu("2, Agent 1, On a call…")
	h.must(h.chief.Click("menuitem", "Status after the call, in a call"))
	h.must(h.chief.Click("menuitemradio", "On break"))
	h.must(h.page.Wait("StaticText", "After the call: On break"))
}

func (h *help) hand() {
	h.Helper()
	h.must(h.page.Click("button", "Hand raised"))
	h.must(h.chief.Wait("StaticText", "Orders · Tanaka "+stage.Outside))
	h.menu("2, Agent 1, On a call, Hand…")
	h.looks("the menu of a seat")
	h.must(h.chief.Click("menuitem", "Lower the hand"))
	h.must(h.chief.Wait("button", "2, Agent 1, On a call…"))
	h.must(h.chief.Gone("button", "2, Agent 1, On a call, Hand…"))
}

// quiet closes the notices: they lie over the lower edge, where one writes.
func (h *help) quiet(p *stage.Page) {
	h.Helper()
	_, err := stage.Eval[any](p, `document.querySelectorAll(".notice .round").forEach((b) => b.click())`)
	h.must(err)
	h.must(p.Gone("button", "Close the notice"))
}

func (h *help) writes() {
	h.Helper()
	h.quiet(h.chief)
	h.menu("2, Agent 1, On a call…")
	h.must(h.chief.Click("menuitem", "Message to Agent 1"))
	h.must(h.chief.Type("Message", "Well done <b>today</b>"))
	h.must(h.chief.Press(stage.Key{Name: "Enter", Code: 13}))
	h.must(h.chief.Wait("StaticText", "Not read yet"))
	h.must(h.page.Click("button", "Messages, 1 new"))
	h.must(h.page.Click("button", "Messages with Agent 2, 1 new"))
	h.must(h.page.Wait("StaticText", "Well done <b>today</b>"))
	h.must(h.chief.Wait("StaticText", "Read"))
	h.quiet(h.page)
	h.must(h.page.Type("Message", "Thank you"))
	h.must(h.page.Click("button", "Send"))
	h.must(h.chief.Wait("StaticText", "Thank you"))
	h.looks("messages")
}

// afterwards the call is explained to who leads, and the floor is seen as it was.
func (h *help) afterwards() {
	h.Helper()
	h.must(h.page.Click("button", "Back to the conversations"))
	h.must(h.page.Click("button", "Close messages"))
	h.must(h.page.Wait("button", "On break…"))
	h.must(h.page.Click("link", "Calls…"))
	h.must(h.page.Click("button", "What happened in the call with Tanaka"))
	h.must(h.page.Wait("heading", "To whom it was offered, and why"))
	id, err := stage.Eval[string](h.page, `new URLSearchParams(location.search).get("call")`)
	h.must(err)
	address, err := stage.Eval[string](h.chief, "location.origin")
	h.must(err)
	h.must(h.chief.Go(address + "/why?lang=en&call=" + id))
	h.must(h.chief.Wait("heading", "To whom it was offered, and why"))
	said, err := stage.Eval[string](h.chief, `document.querySelector(".why-sentence").textContent`)
	h.must(err)
	for _, part := range []string{"came by Orders at", "offered to Agent 1", "answered by Agent 1", "the caller hung up"} {
		if !strings.Contains(said, part) {
			h.Errorf("%q is not in %q", part, said)
		}
	}
	h.looks("why")
	h.must(h.chief.Click("button", "Close"))
	h.must(h.chief.Click("link", "Seat view"))
	h.must(h.chief.Click("button", "Past"))
	h.must(h.chief.Wait("slider", "Time of day"))
	h.looks("the past")
	h.must(h.chief.Click("button", "Back to now"))
}

// ledFloor is the test floor with a group, its supervisor agent2, and somebody in another.
func (d *day) ledFloor() string {
	d.Helper()
	file, err := stage.Floor(d.dir, nil)
	d.must(err)
	data, err := os.ReadFile(file)
	d.must(err)
	var floor map[string]any
	d.must(json.Unmarshal(data, &floor))
	floor["groups"] = []map[string]any{{"id": "north", "name": "North"}, {"id": "south", "name": "South"}}
	for i, one := range floor["accounts"].([]any) {
		one.(map[string]any)["groups"] = []string{"north"}
		if i == 1 {
			one.(map[string]any)["role"] = "supervisor"
		}
	}
	data, err = json.Marshal(floor)
	d.must(err)
	d.must(os.WriteFile(file, data, 0o600))
	return file
}
