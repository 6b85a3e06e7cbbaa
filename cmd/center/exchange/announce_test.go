package exchange

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/media"
	"zaseki/sip"
)

// tone is a WAV file of that tone, two seconds.
func tone(hz float64) []byte {
	const rate = 8000
	var pcm []byte
	for i := range 2 * rate {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i)/rate))))
	}
	le := binary.LittleEndian
	head := le.AppendUint32([]byte("RIFF"), uint32(36+len(pcm)))
	head = le.AppendUint32(append(head, "WAVEfmt "...), 16)
	head = le.AppendUint16(le.AppendUint16(head, 1), 1)
	head = le.AppendUint32(le.AppendUint32(head, rate), 2*rate)
	head = le.AppendUint16(le.AppendUint16(head, 2), 16)
	return append(le.AppendUint32(append(head, "data"...), uint32(len(pcm))), pcm...)
}

// TestACallerIsToldWhyNobodyTakesTheCall: in the site's own words or ours, and then hung up; without a message box.
func TestACallerIsToldWhyNobodyTakesTheCall(t *testing.T) {
	if testing.Short() {
		t.Skip("somebody speaks")
	}
	for name, r := range map[string]struct {
		file string // of the site
		hz   float64
		end  bool // the caller hangs up meanwhile
	}{
		"in ours":                  {"", 0, false},
		"in the site's":            {"7000-closed.wav", 1300, false},
		"of another case":          {"7000-late.wav", 0, false},
		"and hangs up before that": {"7000-closed.wav", 1300, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if r.file != "" {
				if err := os.WriteFile(filepath.Join(dir, r.file), tone(1300), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f := newFloor(t, func(c *Config) { c.Music = dir })
			f.be(QueueState{Closed: "closed", Language: "en", Rules: []Rule{{When: "closed", Do: "announce"}}})
			customer := f.talker("trunk", 0, media.Security{}, func(a *sip.Account) { a.From = "0312345678" })
			customer.call("c1", "7000")
			next[sip.Answered](customer.phone)
			began := time.Now()
			if r.hz > 0 {
				customer.wantTone(r.hz, time.Time{})
			}
			if r.end {
				customer.Hangup(ctxFor(t), "c1")
			}
			e := next[sip.Ended](customer.phone)
			took := time.Since(began)
			switch {
			case e.ByPeer == r.end:
				t.Errorf("ended %+v", e)
			case !r.end && r.hz > 0 && took < 1500*time.Millisecond, !r.end && r.hz == 0 && took < 3*time.Second:
				t.Errorf("hung up after %v, in the middle of a word", took)
			}
			if rec := f.record(); rec.Why != "closed" || rec.Message != "" || !rec.Answered.IsZero() || rec.Result == "answered" || rec.Result == "voice" {
				t.Errorf("record %+v", rec)
			}
			if n, _ := customer.hears(1300, time.Time{}); (n > 0) != (r.hz > 0) {
				t.Errorf("the tone of another case was heard %d times", n)
			}
		})
	}
}

// TestWhoCannotHearAnAnnouncementIsRefused as if there were none.
func TestWhoCannotHearAnAnnouncementIsRefused(t *testing.T) {
	f := newFloor(t, nil)
	f.be(QueueState{Closed: "closed", Rules: []Rule{{When: "closed", Do: "announce"}}})
	trunk := f.phone("trunk", "udp")
	dtls := strings.Replace(offer, "a=sendrecv", "a=fingerprint:sha-256 00\r\na=sendrecv", 1)
	if err := trunk.Dial(ctxFor(t), "c1", "7000", dtls); err != nil {
		t.Fatal(err)
	}
	if e := next[sip.Failed](trunk); e.Code != 480 {
		t.Errorf("told %d", e.Code)
	}
	if rec := f.record(); !slices.Contains([]string{"missed", "refused"}, rec.Result) || rec.Why != "closed" {
		t.Errorf("record %+v", rec)
	}
}
