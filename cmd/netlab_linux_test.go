package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media"
	"zaseki/media/hear"
)

// Environment of the processes that a test starts in the laboratory.
const (
	labRole   = "ZASEKI_LAB_ROLE" // agent or pbx
	labDir    = "ZASEKI_LAB_DIR"  // with the programs
	labPrefix = "ZASEKI_LAB_PREFIX"
	labServer = "ZASEKI_LAB_SERVER" // the center's SIP, for the far side
)

// Addresses of the laboratory's namespaces, in their order.
const (
	labAgent = "198.18.0.10"
	labPBX   = "198.18.0.20"
)

// TestSpeechThroughABadNetwork: the built phone with a real Chromium in one network namespace, center and caller in another, and
// between them a router that loses, delays and mixes up packets. The caller says tones; counted is what of them Chromium plays
// (the phone passes packets on and conceals nothing), and what our own ear makes of the same network (jitter buffer and
// concealment of the mixer). Then a third machine attacks the call.
func TestSpeechThroughABadNetwork(t *testing.T) {
	switch os.Getenv(labRole) {
	case "agent":
		labAgentSide(t)
	case "pbx":
		labFarSide(t)
	default:
		laboratory(t)
	}
}

// laboratory builds the kit and the programs, sets up the network, and runs the test again inside.
func laboratory(t *testing.T) {
	need(t, "chromium", "espeak-ng", "sox", "ip")
	lacks := t.Skipf
	if os.Getenv("CI") != "" {
		lacks = t.Fatalf
	}
	kit, err := os.ReadDir("../../shared/relkit/relkit")
	if err != nil {
		lacks("no network laboratory: %v", err)
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "kit")
	if err := os.Mkdir(source, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range kit {
		data, err := os.ReadFile(filepath.Join("../../shared/relkit/relkit", f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(source, f.Name()), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "relkit"), ".")
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the kit: %v\n%s", err, out)
	}
	build(t, dir, "center", "softphone")
	prefix := fmt.Sprintf("zs%d-", os.Getpid())
	if said, ok := raiseLab(t, dir, prefix); !ok {
		lacks("no network laboratory: %s", said)
	}
	inside := exec.Command("ip", "netns", "exec", prefix+"agent", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "400s")
	inside.Env = append(os.Environ(), labRole+"=agent", labDir+"="+dir, labPrefix+"="+prefix)
	out, err := inside.CombinedOutput()
	t.Log(string(out))
	if err != nil {
		t.Error(err)
	}
}

// raiseLab starts the router, which takes its namespaces away when it ends.
func raiseLab(t *testing.T, dir, prefix string) (said string, ok bool) {
	t.Helper()
	router := exec.Command(filepath.Join(dir, "relkit"), "netlab", "up", "-ns", "agent,pbx,thief", "-prefix", prefix, "-ctl", filepath.Join(dir, "lab"))
	out, err := router.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	router.Stderr = &complaint
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = router.Process.Signal(syscall.SIGTERM)
		_ = router.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "ready") {
			return "", true
		}
	}
	_ = router.Wait()
	return complaint.String(), false
}

// labFarSide is the caller: it says tones to whoever answers in the center's queue, and on a line of its own to whoever gives an
// answer on standard input. It ends with its input.
func labFarSide(t *testing.T) {
	says := json.NewEncoder(os.Stdout)
	center := &stage.Program{Line: map[string]any{"sip": os.Getenv(labServer)}}
	d := &day{T: t, center: center, customerSays: hear.Tones()}
	customer := d.customer()
	beside := newEngine(t)
	offer, err := beside.OpenLine("beside", netip.MustParseAddr(labPBX), media.Security{})
	d.must(err)
	d.must(says.Encode(labWord{Offer: offer}))
	for words := json.NewDecoder(os.Stdin); ; {
		var w labWord
		if err := words.Decode(&w); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		switch {
		case w.Answer != "":
			d.must(beside.SetAnswer("beside", w.Answer))
			beside.Play("beside", stage.NewTape(hear.Tones()))
		case w.Call:
			_, err := customer.Call(context.Background(), stage.Queue)
			d.must(err)
		}
		d.must(says.Encode(labWord{Beside: beside.Stats("beside")}))
	}
}

// labWord is a line between the agent's side and the far side. Each word to the far side is answered by one with its figures.
type labWord struct {
	Offer  string      `json:"offer,omitempty"`
	Answer string      `json:"answer,omitempty"`
	Call   bool        `json:"call,omitempty"`
	Beside media.Stats `json:"beside"`
}

// newEngine is a running engine that ends with the test.
func newEngine(t *testing.T) *media.Engine {
	t.Helper()
	e, err := media.New(media.Config{Codecs: []string{"PCMU"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

// lab is the agent's side.
type lab struct {
	*day
	prefix string
	says   *json.Encoder // to the far side
	words  *json.Decoder
	near   *media.Engine // with our own ear on the line beside the call
	ear    *stage.Ear
}

func newLab(t *testing.T) *lab {
	l := &lab{day: &day{T: t, dir: os.Getenv(labDir)}, prefix: os.Getenv(labPrefix), near: newEngine(t), ear: &stage.Ear{}}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	floor, err := stage.Floor(l.dir, nil)
	l.must(err)
	data := filepath.Join(l.dir, "data")
	l.center, err = stage.Start(ctx, "ip", nil, "netns", "exec", l.prefix+"pbx", filepath.Join(l.dir, "center"), "-data", data,
		"-http", labPBX+":0", "-sip", labPBX+":0")
	l.must(err)
	t.Cleanup(func() { l.center.Stop() })
	if out, err := l.at("pbx", filepath.Join(l.dir, "center"), "import", "-data", data, floor).CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	l.phone, err = stage.StartPhone(ctx, filepath.Join(l.dir, "softphone"), filepath.Join(l.dir, "phone"), l.center.String("join"))
	l.must(err)
	t.Cleanup(func() { l.phone.Stop() })
	l.open(ctx, "Thank you for calling the test center. My name is Suzuki.")
	l.far()
	return l
}

// at is a command in another namespace.
func (l *lab) at(ns, name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", l.prefix + ns, name}, args...)...)
}

// ctl tells the router.
func (l *lab) ctl(words ...string) {
	l.Helper()
	out, err := exec.Command(filepath.Join(l.dir, "relkit"), append([]string{"netlab", "ctl", "-ctl", filepath.Join(l.dir, "lab")}, words...)...).CombinedOutput()
	if err != nil {
		l.Fatalf("router: %v: %s", err, out)
	}
}

// far starts the far side, and a conference of its line beside the call with a robot that listens: what the robot hears went
// through our own ear.
func (l *lab) far() {
	l.Helper()
	cmd := l.at("pbx", os.Args[0], "-test.run", "^"+l.Name()+"$", "-test.timeout", "400s")
	cmd.Env = append(os.Environ(), labRole+"=pbx", labServer+"="+l.center.String("sip"))
	in, err := cmd.StdinPipe()
	l.must(err)
	out, err := cmd.StdoutPipe()
	l.must(err)
	cmd.Stderr = os.Stderr
	l.must(cmd.Start())
	l.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			l.Errorf("the far side: %v", err)
		}
	})
	l.says, l.words = json.NewEncoder(in), json.NewDecoder(out)
	var w labWord
	l.must(l.words.Decode(&w))
	answer, err := l.near.AnswerLine("beside", netip.MustParseAddr(labAgent), w.Offer, media.Security{})
	l.must(err)
	robot := newEngine(l.T)
	offer, err := l.near.OpenLine("robot", netip.MustParseAddr("127.0.0.1"), media.Security{})
	l.must(err)
	back, err := robot.AnswerLine("ear", netip.MustParseAddr("127.0.0.1"), offer, media.Security{})
	l.must(err)
	l.must(l.near.SetAnswer("robot", back))
	robot.Listen("ear", l.ear.Hear)
	l.near.Mix("beside", "robot")
	l.ask(labWord{Answer: answer})
}

// ask tells the far side something and gives its figures.
func (l *lab) ask(w labWord) media.Stats {
	l.Helper()
	l.must(l.says.Encode(w))
	var said labWord
	l.must(l.words.Decode(&said))
	return said.Beside
}

// hears is what of the tones Chromium plays and what our own ear makes of them, over the same seconds.
func (l *lab) hears(long time.Duration) (page, ear hear.Heard) {
	l.Helper()
	from := l.ear.Now()
	page = hear.HearTones(l.listen(l.page, long), 8000)
	all := l.ear.Heard(from)
	return page, hear.HearTones(all[max(0, len(all)-int(long.Seconds()*8000)):], 8000)
}

func labAgentSide(t *testing.T) {
	l := newLab(t)
	l.signIn("agent1", "Available", "1")
	l.must(l.page.Wait("StaticText", "Line registered…"))
	l.ask(labWord{Call: true})
	l.must(l.page.Click("button", "Answer"))
	l.must(l.page.Wait("button", "Mute"))
	l.networks()
	l.attacks()
	l.must(l.page.Click("button", "Hang up"))
	l.must(l.page.Gone("button", "Hang up"))
	l.trial()
}

// trial is the person's own test of the network, by way of the center's echo.
func (l *lab) trial() {
	l.Helper()
	l.must(l.page.Click("button", "Settings"))
	l.must(l.page.Select("Chapters of the settings", "Network and encryption"))
	l.must(l.page.Click("button", "Network test"))
	l.must(l.page.Wait("StaticText", "The network carries calls well…"))
	l.ctl("preset", "agent", "loss20")
	l.must(l.page.Click("button", "Network test"))
	l.must(l.page.Wait("StaticText", "The network is not good enough for calls. Packets are lost…"))
	l.ctl("preset", "agent", "good")
	l.ctl("block", "pbx", "up", "udp", "1-65535")
	l.must(l.page.Click("button", "Network test"))
	l.must(l.page.Wait("StaticText", "Nothing came back from the center…"))
	l.ctl("unblock", "pbx")
}

// networks are the presets of the kit. Least is the share of the moments at which the right tone is heard.
func (l *lab) networks() {
	l.Helper()
	for _, way := range []struct {
		name        string
		loss, least float64
	}{
		{"good", 0, 0.99}, {"loss5", 0.05, 0.95}, {"loss10", 0.10, 0.90}, {"loss20", 0.20, 0.75},
		{"jitter100", 0, 0.90}, {"reorder", 0, 0.90}, {"mobile", 0.01, 0.90},
	} {
		l.ctl("preset", "agent", way.name)
		if !hear.Tries(1, func() bool { return l.network(way.name, way.loss, way.least) }) {
			l.Errorf("%s: want %.0f %%", way.name, 100*way.least)
		}
		if way.loss == 0.20 {
			l.opinion("a fifth is lost", 1, 3)
			l.ctl("preset", "agent", "good")
			l.opinion("the network is good again", 3.5, 4.5) // what is left is the delay of a jitter buffer that shrinks slowly
			l.reports()
		}
	}
	l.ctl("preset", "agent", "good")
}

// network says whether what is heard over this one is as it must be.
func (l *lab) network(name string, loss, least float64) bool {
	l.Helper()
	before := l.near.Stats("beside").Received
	page, ear := l.hears(5 * time.Second)
	after := l.near.Stats("beside").Received
	lost := float64(after.Lost - before.Lost)
	lost /= lost + float64(after.Packets-before.Packets)
	l.Logf("%-9s Chromium %.1f %% right (tones %.1f %%, silent %.1f %%), our ear %.1f %% (%.1f %%, %.1f %%); %.1f %% of packets lost, jitter %v",
		name, 100*page.Exact, 100*page.Right, 100*page.Quiet, 100*ear.Exact, 100*ear.Right, 100*ear.Quiet, 100*lost, after.Jitter.Round(time.Millisecond))
	good := lost >= max(0, loss*0.6-0.015) && lost <= loss*1.4+0.02
	for _, h := range []hear.Heard{page, ear} {
		good = good && h.Exact >= least && h.Right >= least && h.Tones >= 40
	}
	return good
}

// opinion waits until the phone itself says that the call sounds so well: MOS from least to most. It judges every five seconds,
// by reports of the far side that are up to five seconds old and were made of the five before.
func (l *lab) opinion(when string, least, most float64) {
	l.Helper()
	panel, token, _ := strings.Cut(l.phone.String("panel"), "/#")
	var mos float64
	var said []string
	for end := time.Now().Add(16 * time.Second); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		ask, err := http.NewRequest("GET", panel+"/metrics", nil)
		l.must(err)
		ask.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(ask)
		l.must(err)
		text, err := io.ReadAll(answer.Body)
		l.must(errors.Join(err, answer.Body.Close()))
		said = nil
		for _, line := range strings.Split(string(text), "\n") {
			if name, number, _ := strings.Cut(strings.TrimPrefix(line, "zaseki_call_"), " "); strings.HasPrefix(line, "zaseki_call_") {
				said = append(said, line)
				if name == "mos" {
					mos, err = strconv.ParseFloat(number, 64)
					l.must(err)
				}
			}
		}
		if mos >= least && mos <= most {
			l.Logf("%s: the phone says %v", when, said)
			return
		}
	}
	l.Errorf("%s: the phone says %v, want MOS %v to %v", when, said, least, most)
}

// reports: what each side counts as lost, the other side hears of by RTCP.
func (l *lab) reports() {
	l.Helper()
	var near, far media.Stats
	agree := func(a, b int64) bool { return a-b <= 2 && b-a <= 2 }
	for end := time.Now().Add(12 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		near, far = l.near.Stats("beside"), l.ask(labWord{})
		if agree(far.Sent.Lost, near.Received.Lost) && agree(near.Sent.Lost, far.Received.Lost) && near.Received.Lost > 50 && far.Received.Lost > 50 && near.RTT > 0 {
			l.Logf("RTCP: %d of %d lost to us, %d of %d from us; there and back %v", near.Received.Lost, far.Sent.Packets, far.Received.Lost, near.Sent.Packets, near.RTT)
			return
		}
	}
	l.Errorf("the sides do not agree on what was lost: near %+v, far %+v", near, far)
}
