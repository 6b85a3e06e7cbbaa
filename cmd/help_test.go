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
	"zaseki/media/hear"
)

// need says that a tool must be there: in CI its absence is a failure, elsewhere the test is skipped with the reason.
func need(t *testing.T, tools ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("whole-product test: not with -short")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is not installed; .ci/test installs it", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
}

// day is what the whole-product tests share: both programs, a page, speech for both mouths.
type day struct {
	*testing.T
	dir           string
	center, phone *stage.Program
	browser       *stage.Browser
	page          *stage.Page
	agentSays     []int16 // 8 kHz: what the agent's microphone hears over and over
	customerSays  []int16
}

func (d *day) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatalf("%v\n--- phone:\n%s", err, tail(d.phone))
	}
}

func tail(p *stage.Program) string {
	if p == nil {
		return ""
	}
	lines := strings.Split(p.Log(), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}

// newDay builds and starts everything up to an open page that has not signed in.
func newDay(t *testing.T, pbx *stage.PBX) *day {
	d, ctx := newDayWithoutPage(t, pbx)
	d.open(ctx, "Thank you for calling the test center. My name is Suzuki. I will look up your order at once and tell you when the parcel arrives.")
	return d
}

// newDayWithoutPage builds and starts everything but the browser; ctx ends with the test.
func newDayWithoutPage(t *testing.T, pbx *stage.PBX) (*day, context.Context) {
	need(t, "chromium", "espeak-ng", "sox")
	d := &day{T: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build(t, d.dir, "center", "softphone")
	floor, err := stage.Floor(d.dir, pbx)
	d.must(err)
	d.center, err = stage.StartCenter(ctx, filepath.Join(d.dir, "center"), d.dir, floor)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })

	speech, err := stage.Say(d.dir, "customer", "en-gb", "Good morning. I have ordered seven blue umbrellas last Tuesday, and only four of them have arrived so far. Could you help me?", 8000)
	d.must(err)
	d.customerSays, err = stage.PCM(speech)
	d.must(err)

	d.phone, err = stage.StartPhone(ctx, filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, "phone"), d.center.String("http"))
	d.must(err)
	t.Cleanup(func() { d.phone.Stop() })
	return d, ctx
}

// begin starts center, phone and browser on that floor, without a microphone's words, and opens the page.
func (d *day) begin(ctx context.Context, floor string, view stage.View) {
	d.Helper()
	var err error
	d.center, err = stage.StartCenter(ctx, filepath.Join(d.dir, "center"), d.dir, floor)
	d.must(err)
	d.Cleanup(func() { d.center.Stop() })
	d.phone, err = stage.StartPhone(ctx, filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, "phone"), d.center.String("http"))
	d.must(err)
	d.Cleanup(func() { d.phone.Stop() })
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), "")
	d.must(err)
	d.Cleanup(d.browser.Close)
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), view)
	d.must(err)
}

// open opens the phone's page in a browser whose microphone hears those words over and over.
func (d *day) open(ctx context.Context, words string) {
	d.Helper()
	speech, err := stage.Say(d.dir, "agent", "en-us", words, 48000)
	d.must(err)
	d.agentSays, err = stage.PCM(speech)
	d.must(err)
	mic, err := stage.Often(speech)
	d.must(err)
	d.openWith(ctx, mic)
}

// openWith is open for a microphone that hears that file.
func (d *day) openWith(ctx context.Context, mic string) {
	d.Helper()
	var err error
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), mic)
	d.must(err)
	d.Cleanup(d.browser.Close)
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
	d.must(err)
	d.raw(d.page)
}

// raw takes echo cancelling and automatic gain away, which would change the speech that is compared.
func (d *day) raw(p *stage.Page) {
	d.Helper()
	_, err := stage.Eval[string](p, `(async () => { // anew only when it has its session: one that is still asked for would be lost
		while (!document.querySelector("[data-phase]")) await new Promise((f) => setTimeout(f, 20));
		localStorage.setItem("zaseki.audio", "raw");
		return "";
	})()`)
	d.must(err)
	d.must(p.Reload())
}

// signIn goes both steps.
func (d *day) signIn(account, status, seat string) {
	d.Helper()
	d.must(d.page.Type("Account", account))
	d.must(d.page.Type("Password", stage.Password))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("combobox", "Terminal"))
	d.must(d.page.Select("Status", status))
	d.must(d.page.Select("Seat", seat))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("button", status+"…"))
}

// listen records what the page plays for that long and gives it at 8 kHz. It waits a moment first: a jitter buffer that has
// just begun stretches what it plays.
func (d *day) listen(p *stage.Page, long time.Duration) []int16 {
	d.Helper()
	time.Sleep(1500 * time.Millisecond)
	_, err := stage.Eval[any](p, hear.PageRecorder+`;null`)
	if err != nil && !strings.Contains(err.Error(), "null") {
		d.must(err)
	}
	state, err := stage.Eval[string](p, `hearing.start()`)
	d.must(err)
	if state != "running" {
		d.Fatalf("the page's recorder is %s", state)
	}
	time.Sleep(long) // speech takes its time
	text, err := stage.Eval[string](p, `hearing.stop()`)
	d.must(err)
	pcm, err := hear.PageSound(text, 8000)
	d.must(err)
	return pcm
}

// same asks that the speech is found in what is heard. A browser that is starved of its processor conceals what came too late, so
// a record that is not good enough is followed by a fresh one, and by more on a machine that does not keep time; the bound stays.
func (d *day) same(who string, said []int16, record func() []int16) {
	d.Helper()
	var heard []int16
	if !hear.Tries(2, func() bool {
		heard = record()
		return d.alike(who, said, heard)
	}) {
		file := filepath.Join(os.TempDir(), "zaseki-"+strings.ReplaceAll(who, " ", "-")+".wav")
		_ = hear.WriteWAV(file, heard, 8000)
		d.Errorf("%s: what was heard is not what was said (kept as %s)", who, file)
	}
}

// alike says that what was heard is what was said: the correlation is 0.9 at least.
func (d *day) alike(who string, said, heard []int16) bool {
	d.Helper()
	m := hear.Find(heard[:min(len(heard), len(said))], loop(said, 3), 8000)
	d.Logf("%s: correlation %.3f, delay %v, drift %v, lost %.0f %%", who, m.Coefficient, m.Lag, m.Drift, 100*m.Lost)
	return m.Coefficient >= 0.9
}

// plays records what the page plays, for same.
func (d *day) plays(p *stage.Page, long time.Duration) func() []int16 {
	return func() []int16 { return d.listen(p, long) }
}

// hears records what the customer hears, for same.
func (d *day) hears(c *stage.Customer, long time.Duration) func() []int16 {
	return func() []int16 {
		from := c.Ear.Now()
		time.Sleep(long)
		return c.Ear.Heard(from)
	}
}

func loop(pcm []int16, times int) (out []int16) {
	for range times {
		out = append(out, pcm...)
	}
	return out
}

// customer is one who has registered; it stays until the test ends.
func (d *day) customer() *stage.Customer {
	d.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c, err := stage.NewCustomer(ctx, d.center, d.customerSays)
	d.must(err)
	gone := make(chan error, 1)
	go func() { gone <- c.Run(ctx) }()
	d.Cleanup(func() {
		cancel()
		if err := <-gone; err != nil {
			d.Errorf("the customer: %v", err)
		}
	})
	d.must(c.Ready(ctx))
	return c
}
