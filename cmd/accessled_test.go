package cmd_test

import (
	"context"
	"strconv"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/static"
)

// TestPagesOfALedFloorAreForEverybody: axe finds nothing either in what needs somebody to lead and something that has happened: messages,
// Why?, the floor of the past and the wallboard; in both languages, light and dark, on a telephone, a tablet and a desk.
//
//ci:still
func TestPagesOfALedFloorAreForEverybody(t *testing.T) {
	need(t, "chromium")
	axe := axeScript(t)
	ctx := context.Background()
	d := &day{T: t, dir: t.TempDir(), customerSays: make([]int16, 8000)}
	build(t, d.dir, "center", "softphone")
	d.begin(ctx, d.ledFloor(), stage.View{Width: 420, Height: 860})
	customer := d.inCall()
	l := &ledAccess{access: &access{day: d, axe: axe}, chief: d.second("agent2", "On break")}
	l.wrote()
	d.must(customer.Line.Hangup(ctx, customer.Calls()[0]))
	d.must(d.page.Wait("button", "After-call work…"))
	d.must(d.page.Click("link", "Calls…"))
	d.must(d.page.Click("button", "What happened in the call with Tanaka"))
	d.must(d.page.Wait("heading", "To whom it was offered, and why"))
	call, err := stage.Eval[string](d.page, `new URLSearchParams(location.search).get("call")`)
	d.must(err)
	for _, lang := range static.Languages {
		l.lang = lang
		l.messages()
		l.why(call)
		l.past()
		l.wallboard()
	}
}

// ledAccess looks at the pages of a supervisor and of who is led, in one language after the other.
type ledAccess struct {
	*access
	chief *stage.Page
	lang  string
}

func (l *ledAccess) say(key string) string { return static.Say(l.lang, key, nil) }

// load loads a page of that phone in the language; the phone's secret is a cookie there by now.
func (l *ledAccess) load(p *stage.Page, path, more string) {
	l.Helper()
	origin, err := stage.Eval[string](p, "location.origin")
	l.must(err)
	l.must(p.Look(stage.View{Width: 1280, Height: 900}))
	l.must(p.Go(origin + path + "?lang=" + l.lang + more))
}

// sees asks axe about a page in every view.
func (l *ledAccess) sees(what string, p *stage.Page) {
	l.Helper()
	for _, v := range []stage.View{{Width: 320, Height: 700}, {Width: 768, Height: 900}, {Width: 1280, Height: 900}} {
		for _, v.Dark = range []bool{false, true} {
			l.must(p.Look(v))
			l.faces = []face{{p, l.lang, v.Dark}}
			l.all(what, func(face) error { return l.fits(p, v.Width) })
		}
	}
}

// fits waits until the page has that width and says so to its styles, and asks that nothing of it stands out at the side (WCAG 1.4.10).
func (l *ledAccess) fits(p *stage.Page, width int64) error {
	l.Helper()
	over, err := stage.Eval[int64](p, `(async () => {
		const root = document.documentElement;
		for (const end = Date.now() + 30000; Date.now() < end; await new Promise((f) => setTimeout(f, 20))) if (innerWidth === `+strconv.FormatInt(width, 10)+` && /narrow/.test(root.dataset.width) === innerWidth < 900) break;
		return root.scrollWidth - innerWidth;
	})()`)
	if err == nil && over > 0 {
		l.Errorf("%s: the page is %d pixels wider than its %d", l.lang, over, width)
	}
	return err
}

// wrote is one message each way.
func (l *ledAccess) wrote() {
	l.Helper()
	l.must(l.chief.Look(stage.View{Width: 1280, Height: 900}))
	l.must(l.chief.Click("link", "Seat view"))
	l.must(l.chief.Click("button", "2, Agent 1, On a call…"))
	l.must(l.chief.Click("menuitem", "Message to Agent 1"))
	l.must(l.chief.Type("Message", "Well done"))
	l.must(l.chief.Press(stage.Key{Name: "Enter", Code: 13}))
	l.must(l.page.Click("button", "Messages, 1 new"))
	l.must(l.page.Click("button", "Messages with Agent 2, 1 new"))
	l.must(l.page.Wait("StaticText", "Well done"))
	l.must(l.page.Click("button", "Back to the conversations"))
	l.must(l.page.Click("button", "Close messages"))
}

func (l *ledAccess) messages() {
	l.Helper()
	l.load(l.chief, "/", "")
	l.must(l.chief.Click("button", l.say("msg.title")))
	l.must(l.chief.Wait("button", l.say("msg.new")))
	l.sees("conversations", l.chief)
	l.must(l.chief.Look(stage.View{Width: 1280, Height: 900}))
	l.must(l.chief.Click("button", static.Say(l.lang, "msg.with", map[string]string{"name": "Agent 1"})+"…"))
	l.must(l.chief.Wait("textbox", l.say("msg.text")))
	l.sees("a conversation", l.chief)
}

func (l *ledAccess) why(call string) {
	l.Helper()
	l.load(l.page, "/why", "&call="+call)
	l.must(l.page.Wait("heading", l.say("why.offers")))
	l.sees("why", l.page)
}

func (l *ledAccess) past() {
	l.Helper()
	l.load(l.chief, "/seats", "")
	l.must(l.chief.Click("button", l.say("past.button")))
	l.must(l.chief.Wait("slider", l.say("past.slider")))
	l.sees("the past", l.chief)
}

func (l *ledAccess) wallboard() {
	l.Helper()
	l.load(l.chief, "/seats", "")
	l.must(l.chief.Click("button", l.say("seats.view.board")))
	l.must(l.chief.Wait("button", l.say("seats.board.full")))
	l.sees("the wallboard", l.chief)
}
