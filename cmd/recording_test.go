package cmd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/node"
	"zaseki/cmd/center/vault"
	"zaseki/media"
	"zaseki/media/hear"
	"zaseki/media/sealed"
)

// recorder is a day in a center that records.
func recorder(t *testing.T) *day {
	d := newDay(t, nil)
	data, err := os.ReadFile(filepath.Join(d.dir, "floor.json"))
	d.must(err)
	var floor map[string]any
	d.must(json.Unmarshal(data, &floor))
	floor["site"].(map[string]any)["policy"] = map[string]any{"record": "asked", "tone": true, "replay": true, "hear": true}
	data, err = json.Marshal(floor)
	d.must(err)
	file := filepath.Join(d.dir, "policy.json")
	d.must(os.WriteFile(file, data, 0o600))
	out, err := exec.Command(filepath.Join(d.dir, "center"), "import", "-data", filepath.Join(d.dir, "data"), file).CombinedOutput()
	if err != nil {
		d.Fatalf("import: %v\n%s", err, out)
	}
	return d
}

// answered signs in and has a call of the customer's on its line.
func (d *day) answered(account, seat string, customer *stage.Customer) (line string) {
	d.Helper()
	d.signIn(account, "Available", seat)
	d.must(d.page.Wait("StaticText", "Line registered…"))
	_, err := customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	select {
	case line = <-customer.Talks:
	case <-time.After(10 * time.Second):
		d.Fatal("no sound flows")
	}
	return line
}

// record asks for the recording and waits until it has begun.
func (d *day) record() {
	d.Helper()
	d.must(d.page.Click("button", "Record"))
	d.must(d.page.Wait("StaticText", "Recording"))
}

// waiting are the recordings that lie at the phone.
func (d *day) waiting() []string {
	d.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "phone", "recordings", "*"))
	d.must(err)
	return files
}

// handedOver waits until no recording lies at the phone any more.
func (d *day) handedOver() {
	d.Helper()
	for end := time.Now().Add(30 * time.Second); len(d.waiting()) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("still at the phone: %v\n%s", d.waiting(), tail(d.phone))
		}
	}
}

// office asks the center as its own command line does.
func (d *day) office(path string) []byte {
	d.Helper()
	running, err := node.FindRunning(filepath.Join(d.dir, "data"))
	d.must(err)
	req, err := http.NewRequest(http.MethodGet, running.HTTP+path, nil)
	d.must(err)
	req.Header.Set("Authorization", "Bearer "+running.Operator)
	resp, err := http.DefaultClient.Do(req)
	d.must(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	d.must(err)
	if resp.StatusCode != http.StatusOK {
		d.Fatalf("%s: %s %s", path, resp.Status, data)
	}
	return data
}

// kept are the recordings that the center has of today.
func (d *day) kept() (rows []vault.Row) {
	d.Helper()
	d.must(json.Unmarshal(d.office("/api/v1/recordings?day="+time.Now().UTC().Format(time.DateOnly)), &rows))
	return rows
}

// channels are the agent's and the caller's channel of a WAV file, at 8 kHz.
func (d *day) channels(wav []byte) (agent, caller []int16) {
	d.Helper()
	if len(wav) < media.WAVHead || !bytes.HasPrefix(wav, []byte("RIFF")) {
		d.Fatalf("%d bytes are no WAV file", len(wav))
	}
	for at := media.WAVHead; at+4 <= len(wav); at += 4 {
		agent = append(agent, int16(binary.LittleEndian.Uint16(wav[at:])))
		caller = append(caller, int16(binary.LittleEndian.Uint16(wav[at+2:])))
	}
	return hear.Resample(agent, media.RecordRate, 8000), hear.Resample(caller, media.RecordRate, 8000)
}

// loud is the amplitude of a tone in the loudest fifth of a second of a sound at 8 kHz.
func loud(pcm []int16, hz float64) (most float64) {
	for ; len(pcm) >= 1600; pcm = pcm[400:] {
		var re, im float64
		for i, s := range pcm[:1600] {
			re += float64(s) * math.Cos(2*math.Pi*hz*float64(i)/8000)
			im += float64(s) * math.Sin(2*math.Pi*hz*float64(i)/8000)
		}
		most = max(most, math.Hypot(re, im)/800)
	}
	return most
}

// recorded asks that somebody's speech is found in a channel. On a machine that starves the programs speech has holes, which
// are in the recording as they were on the line: it is looked for two seconds at a time.
func (d *day) recorded(who string, said, heard []int16) {
	d.Helper()
	best := 0.0
	for at := 4000; at+16000 <= len(heard); at += 8000 {
		m := hear.Find(heard[at:at+16000], loop(said, 3), 8000)
		d.Logf("%s from %.1f s on: correlation %.3f", who, float64(at)/8000, m.Coefficient)
		best = max(best, m.Coefficient)
	}
	if best < 0.9 {
		d.Errorf("%s: correlation %.3f", who, best)
	}
}

// TestACallIsRecordedAndHandedToTheCenter: both sides hear that it begins; the agent is left, the caller right, a card number is
// nowhere; the center has it when the call is over, also when it was away meanwhile, and the phone keeps nothing.
func TestACallIsRecordedAndHandedToTheCenter(t *testing.T) {
	d := recorder(t)
	customer := d.customer()
	line := d.answered("agent1", "2", customer)

	from := customer.Ear.Now()
	d.record()
	if tone := loud(customer.Ear.Heard(from), 1400); tone < 2000 {
		d.Errorf("the caller hears no tone before recording begins: %.0f", tone)
	}
	time.Sleep(6 * time.Second) // both speak
	d.must(d.page.Click("button", "Card number"))
	d.must(d.page.Wait("StaticText", "Recording paused"))
	customer.Sound.Play(line, &stage.Tone{Hz: 1900}) // the card number
	time.Sleep(2 * time.Second)
	customer.Sound.Play(line, stage.NewTape(d.customerSays))
	time.Sleep(500 * time.Millisecond)
	d.must(d.page.Click("button", "Card number"))
	d.must(d.page.Wait("StaticText", "Recording"))
	time.Sleep(2 * time.Second)

	d.center.Kill()
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Gone("button", "Hang up"))
	time.Sleep(time.Second)
	if files := d.waiting(); len(files) != 1 {
		d.Fatalf("the phone keeps %v while the center is away", files)
	} else if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		d.Errorf("%v %v", info.Mode(), err)
	}
	var err error
	d.center, err = stage.Restart(context.Background(), filepath.Join(d.dir, "center"), d.dir, d.center)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })
	d.handedOver()

	rows := d.kept()
	if len(rows) != 1 || rows[0].Account != "agent1" || !rows[0].Inbound || rows[0].Peer != stage.Outside {
		d.Fatalf("the center has %+v", rows)
	}
	agent, caller := d.channels(d.office("/api/v1/recordings/" + rows[0].ID))
	d.Logf("%.1f s recorded", float64(len(agent))/8000)
	for who, c := range map[string]struct{ said, heard []int16 }{"the agent, left": {d.agentSays, agent}, "the caller, right": {d.customerSays, caller}} {
		d.recorded(who, c.said, c.heard[:6*8000])
	}
	if card, voice := loud(caller, 1900), loud(caller, 200)+loud(caller, 300); card > 500 || voice < 100 {
		d.Errorf("the card number is in the recording: %.0f beside %.0f", card, voice)
	}

	// The agent hears it again in the page, by way of the phone.
	size, err := stage.Eval[float64](d.page, fmt.Sprintf(`fetch("/recording?call=%s").then((r) => r.arrayBuffer()).then((b) => b.byteLength)`, rows[0].Call))
	d.must(err)
	if int(size) < media.WAVHead+8*media.RecordRate*4 {
		d.Errorf("the page gets %.0f bytes", size)
	}
	status, err := stage.Eval[float64](d.page, `fetch("/recording?call=nobody").then((r) => r.status)`)
	d.must(err)
	if status != http.StatusNotFound {
		d.Errorf("a call that was never recorded: %.0f", status)
	}
}

// TestAKilledPhonesRecordingIsNotLost: all but the last second is at the center as soon as anybody signs in at that phone again.
func TestAKilledPhonesRecordingIsNotLost(t *testing.T) {
	d := recorder(t)
	customer := d.customer()
	d.answered("agent1", "2", customer)
	d.record()
	began := time.Now()
	time.Sleep(5300 * time.Millisecond)
	d.phone.Kill()
	recorded := time.Since(began)
	if len(d.waiting()) != 1 {
		d.Fatalf("the phone keeps %v", d.waiting())
	}
	var err error
	d.phone, err = stage.StartPhone(context.Background(), filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, "phone"), d.center.String("http"))
	d.must(err)
	t.Cleanup(func() { d.phone.Stop() })
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
	d.must(err)
	d.signIn("agent2", "On break", "3") // another account
	d.handedOver()
	rows := d.kept()
	if len(rows) != 1 || rows[0].Account != "agent1" {
		d.Fatalf("the center has %+v", rows)
	}
	agent, caller := d.channels(d.office("/api/v1/recordings/" + rows[0].ID))
	if lost := recorded - time.Duration(len(agent))*time.Second/8000; lost > 1500*time.Millisecond {
		d.Errorf("%v of %v are lost", lost, recorded)
	}
	d.recorded("the caller", d.customerSays, caller)
}

// TestACenterKilledInAHandOverGetsTheRest: the part that it has is not sent again.
func TestACenterKilledInAHandOverGetsTheRest(t *testing.T) {
	d := recorder(t)
	key, err := vault.LoadKey(filepath.Join(d.dir, "data"))
	d.must(err)
	const blocks = 200
	id := time.Now().UTC().Format("20060102") + "-" + strings.Repeat("A", 26)
	folder := filepath.Join(d.dir, "phone", "recordings")
	d.must(os.MkdirAll(folder, 0o700))
	w, err := sealed.Create(filepath.Join(folder, id+".rec"), key.PublicKey().Bytes(), sealed.Info{ID: id, Call: "c", Account: "agent1", Began: time.Now()})
	d.must(err)
	for range blocks { // a second each, of nothing but another codec's rubbish
		block := append([]byte{1, 0, 0, 0x40, 0, 0x01}, make([]byte, 0x4000-1)...)
		binary.BigEndian.PutUint16(block[5+15:], 0x4000-17)
		d.must(w.Write(block))
	}
	d.must(w.Close())
	d.signIn("agent1", "On break", "2")
	part := filepath.Join(d.dir, "data", "recordings", "coming", id+".part")
	size := func() int64 {
		info, err := os.Stat(part)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for end := time.Now().Add(10 * time.Second); size() < 1<<20; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("the hand-over does not begin\n%s", tail(d.phone))
		}
	}
	d.center.Kill()
	has := size()
	d.center, err = stage.Restart(context.Background(), filepath.Join(d.dir, "center"), d.dir, d.center)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })
	if size() != has {
		d.Errorf("of %d bytes the center has %d", has, size())
	}
	d.handedOver()
	if rows := d.kept(); len(rows) != 1 || rows[0].ID != id || rows[0].Bytes < blocks*0x4000 {
		d.Errorf("the center has %+v", rows)
	}
}
