package cmd_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/softphone/caller"
	"zaseki/media/hear"
	"zaseki/web/wire"
)

// foxDay is everything with Firefox in place of Chromium, on sound devices of its own.
type foxDay struct {
	*day
	fox  *stage.Firefox
	tab  *stage.FoxPage
	ears *stage.Ear // what the loudspeaker plays
}

func newFoxDay(t *testing.T, prefs map[string]any) *foxDay {
	need(t, "firefox-esr", "pulseaudio", "pactl", "paplay", "parec", "espeak-ng", "sox")
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	d := &foxDay{day: &day{T: t, dir: t.TempDir()}}
	build(t, d.dir, "center", "softphone")
	floor, err := stage.Floor(d.dir, nil)
	d.must(err)
	d.center, err = stage.StartCenter(ctx, filepath.Join(d.dir, "center"), d.dir, floor)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })
	d.phone, err = stage.StartPhone(ctx, filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, "phone"), d.center.String("http"))
	d.must(err)
	t.Cleanup(func() { d.phone.Stop() })

	speech, err := stage.Say(d.dir, "customer", "en-gb", "Good morning. I have ordered seven blue umbrellas last Tuesday, and only four of them have arrived so far.", 8000)
	d.must(err)
	d.customerSays, err = stage.PCM(speech)
	d.must(err)
	said, err := stage.Say(d.dir, "agent", "en-us", "Thank you for calling the test center. My name is Suzuki. I will look up your order at once.", 48000)
	d.must(err)
	d.agentSays, err = stage.PCM(said)
	d.must(err)
	mic, err := stage.Often(said)
	d.must(err)
	pulse, err := stage.StartPulse(ctx, d.dir)
	d.must(err)
	t.Cleanup(pulse.Close)
	d.must(pulse.Microphone("mic", "Microphone", mic))
	d.ears, err = pulse.Speaker("ear", "Headphones")
	d.must(err)

	d.fox, err = stage.OpenFirefox(ctx, filepath.Join(d.dir, "fox"), pulse.Env(), prefs)
	d.must(err)
	t.Cleanup(d.fox.Close)
	d.tab, err = d.fox.Open(stage.English(d.phone.String("panel"), ""))
	d.must(err)
	d.must(d.tab.Wait("textbox", "Account")) // a reload before the page has its session would find none
	_, err = d.tab.Eval(`localStorage.setItem("zaseki.audio", "raw")`)
	d.must(err)
	d.must(d.tab.Reload())
	return d
}

func (d *foxDay) enter() {
	d.Helper()
	d.must(d.tab.Type("Account", "agent1"))
	d.must(d.tab.Type("Password", stage.Password))
	d.must(d.tab.Click("button", "Sign in"))
	d.must(d.tab.Wait("combobox", "Terminal"))
	d.must(d.tab.Select("Status", "Available"))
	d.must(d.tab.Select("Seat", "2"))
	d.must(d.tab.Click("button", "Sign in"))
	d.must(d.tab.Wait("button", "Available…"))
}

// loudspeaker records what the page plays into the loudspeaker, for same.
func (d *foxDay) loudspeaker(long time.Duration) func() []int16 {
	return func() []int16 {
		time.Sleep(1500 * time.Millisecond)
		from := d.ears.Now()
		time.Sleep(long)
		return d.ears.Heard(from)
	}
}

// TestACallWithFirefox: Firefox speaks to no 127.0.0.1 and cannot choose its codec without a new offer.
func TestACallWithFirefox(t *testing.T) {
	d := newFoxDay(t, nil)
	customer := d.customer()
	d.enter()
	d.aCall(customer)
}

// TestACallWithFirefoxWithoutWebRTC: as where a policy takes it away.
func TestACallWithFirefoxWithoutWebRTC(t *testing.T) {
	d := newFoxDay(t, map[string]any{"media.peerconnection.enabled": false})
	customer := d.customer()
	d.enter()
	d.aCall(customer)
}

// TestFirefoxThatOffersAgain: where a page cannot choose its codec otherwise, as in older browsers, it offers again with that one
// first. It speaks it, and goes on hearing the others: a replay is made here, and never of Opus.
func TestFirefoxThatOffersAgain(t *testing.T) {
	d := newFoxDay(t, nil)
	const secret = "the-secret-of-an-echo"
	file := filepath.Join(d.dir, "echo.json")
	d.must(os.WriteFile(file, []byte(`{"site":{"name":"Test Center","domain":"`+stage.Domain+`","policy":{"replay":true}},
		"terminals":[{"extension":"3001","type":"desk","secret":"`+secret+`"}]}`), 0o600))
	if out, err := exec.Command(filepath.Join(d.dir, "center"), "import", "-data", filepath.Join(d.dir, "data"), file).CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	echo, err := caller.New(caller.Config{Server: d.center.String("sip"), Domain: stage.Domain, User: "3001", Secret: wire.Secret(secret), Codecs: []string{"opus"},
		Talk: func(c *caller.Caller, line string) { c.Sound.Echo(line) }})
	d.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = echo.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	_, err = d.tab.Eval(`(() => { const sender = RTCRtpSender.prototype, real = sender.getParameters; sender.setParameters = async () => {};
		sender.getParameters = function () { const p = real.apply(this); for (const e of p.encodings) delete e.codec; return p; }; })()`)
	d.must(err)
	d.enter()
	select {
	case <-echo.Registered():
	case <-time.After(10 * time.Second):
		t.Fatal("the echo does not register")
	}
	_, err = echo.Call(ctx, "2001")
	d.must(err)
	d.must(d.tab.Click("button", "Answer"))
	d.must(d.tab.Wait("button", "Mute"))
	d.sounds("the echo, by Opus", d.ears, true)
	time.Sleep(4 * time.Second) // of speech, to be played again
	d.must(d.tab.Click("button", "Mute"))
	d.sounds("the echo of silence", d.ears, false)
	d.must(d.tab.Click("button", "Replay"))
	d.sounds("the replay", d.ears, true)
	d.must(d.tab.Click("button", "Hang up"))
	d.must(d.tab.Wait("button", "Available…"))
	customer := d.customer()
	_, err = customer.Call(ctx, stage.Queue)
	d.must(err)
	d.must(d.tab.Click("button", "Answer"))
	d.must(d.tab.Wait("button", "Mute"))
	d.sounds("the agent, by another codec", customer.Ear, true)
}

// sounds waits until there is sound for half a second, or none.
func (d *foxDay) sounds(what string, in *stage.Ear, want bool) {
	d.Helper()
	const half = 4000
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		heard := in.Heard(max(0, in.Now()-half))
		if level := hear.Level(heard); len(heard) >= half && (want && level > 100 || !want && level < 10) {
			return
		} else if time.Now().After(end) {
			d.Fatalf("%s: level %.0f\n%s", what, level, tail(d.phone))
		}
	}
}

// aCall rings, is answered, is heard both ways, and goes on after a reload.
func (d *foxDay) aCall(customer *stage.Customer) {
	d.Helper()
	_, err := customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.tab.Wait("button", "Answer"))
	from, began := customer.Ear.Now(), time.Now()
	d.must(d.tab.Click("button", "Answer"))
	for hear.Level(customer.Ear.Heard(from)) < 100 {
		if time.Sleep(5 * time.Millisecond); time.Since(began) > 5*time.Second {
			d.Fatalf("the caller hears nothing\n%s", tail(d.phone))
		}
	}
	d.Logf("the caller hears speech %v after the click was asked of the browser", time.Since(began))
	d.must(d.tab.Wait("button", "Mute"))
	d.same("the customer heard", d.agentSays, d.hears(customer, 4*time.Second))
	d.same("the loudspeaker played", d.customerSays, d.loudspeaker(5*time.Second))
	from = customer.Ear.Now()
	d.must(d.tab.Reload())
	time.Sleep(3 * time.Second)
	var away time.Duration
	for _, g := range hear.Gaps(customer.Ear.Heard(from), 8000, 100*time.Millisecond, 8) {
		away = max(away, g.Length)
	}
	d.Logf("away for %v by a reload", away)
	d.must(d.tab.Wait("button", "Mute")) // a busy machine's Firefox loads for many seconds
	d.same("the customer heard after the reload", d.agentSays, d.hears(customer, 4*time.Second))
	d.same("the loudspeaker played after the reload", d.customerSays, d.loudspeaker(5*time.Second))
	d.must(d.tab.Click("button", "Hang up"))
	d.must(d.tab.Wait("button", "After-call work…"))
}
