package media_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"zaseki/media/hear"
)

// lonely is set for a test that runs in a network of its own, which has lo and nothing else.
const lonely = "ZASEKI_TEST_LONELY"

// chrome is a browser whose microphone speaks that file.
func chrome(t *testing.T, mic string, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(need(t, "chromium")), chromedp.NoSandbox, chromedp.Flag("headless", "new"),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", mic), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("allow-loopback-in-peer-connection", os.Getenv(lonely) == ""), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(opts, more...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, tab context.Context, url string) {
	t.Helper()
	if err := chromedp.Do(tab, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, tab context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// played records what the page plays for that long, at 8 kHz.
func played(t *testing.T, tab context.Context, d time.Duration) []int16 {
	t.Helper()
	eval[any](t, tab, hear.PageRecorder+";0")
	if state := eval[string](t, tab, "hearing.start()"); state != "running" {
		t.Fatalf("recorder is %s", state)
	}
	pass(d)
	pcm, err := hear.PageSound(eval[string](t, tab, "hearing.stop()"), 8000)
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// delay is how long what the microphone says takes until the page plays it, while the line sends everything back: the shortest of
// several times, or the first that is good enough. A browser that shares its processor plays late.
func delay(t *testing.T, tab context.Context, enough time.Duration) time.Duration {
	t.Helper()
	eval[any](t, tab, hear.PageRecorder+`;globalThis.mouth = { ...hearing, start() {
		this.parts = [];
		this.reader = new MediaStreamTrackProcessor({ track: micStream.getAudioTracks()[0], maxBufferSize: 2000 }).readable.getReader();
		this.reading = this.read();
	} };0`)
	best := time.Duration(0)
	hear.Tries(3, func() bool {
		eval[any](t, tab, `mouth.start(), hearing.start(), 0`)
		pass(4 * time.Second)
		sounds := [2][]int16{}
		for i, who := range []string{"mouth", "hearing"} {
			pcm, err := hear.PageSound(eval[string](t, tab, who+".stop()"), 16000)
			if err != nil {
				t.Fatal(err)
			}
			sounds[i] = pcm
		}
		m := hear.Find(sounds[1][24000:48000], sounds[0], 16000)
		took := 1500*time.Millisecond - m.Lag
		t.Logf("from mouth to ear %v: %+v", took, m)
		if m.Coefficient > 0.8 && (best == 0 || took < best) {
			best = took
		}
		return best > 0 && best <= enough
	})
	return best
}

// twice is a looped sound long enough to hold any piece of the loop.
func twice(pcm []int16) []int16 { return append(append([]int16(nil), pcm...), pcm...) }

// same takes a piece of sound and says how well it is what it should be, a looped one. A browser drops sound of its own when others
// have the processor: three tries on a machine that is in time, and some more on one that is not.
func same(t *testing.T, what string, loop []int16, least float64, take func() []int16) {
	t.Helper()
	var m hear.Match
	if !hear.Tries(3, func() bool {
		m = hear.Find(take(), twice(loop), 8000)
		t.Logf("%s: %+v", what, m)
		return m.Coefficient >= least
	}) {
		t.Errorf("%s: correlation %.3f", what, m.Coefficient)
	}
}

// alike is the correlation that shows the same speech through a waveform codec.
const alike = 0.9

// during gives what the ear hears in the next two seconds.
func (e *ear) during() []int16 {
	e.take()
	pass(2 * time.Second)
	return e.take()
}

// inPage gives what the page plays in the next seconds, at 8 kHz.
func inPage(t *testing.T, tab context.Context) func() []int16 {
	return func() []int16 {
		return played(t, tab, 3*time.Second)[4000:]
	}
}
