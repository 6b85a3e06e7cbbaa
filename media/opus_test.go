package media

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"zaseki/media/hear"
)

// opusPackets are the packets of an Ogg file without its two headers (RFC 3533, RFC 7845).
func opusPackets(t testing.TB, ogg []byte) (packets [][]byte) {
	t.Helper()
	var part []byte
	for len(ogg) >= 27 {
		if string(ogg[:4]) != "OggS" {
			t.Fatal("no Ogg file")
		}
		sizes := ogg[27 : 27+int(ogg[26])]
		ogg = ogg[27+len(sizes):]
		for _, size := range sizes {
			part = append(part, ogg[:size]...)
			ogg = ogg[size:]
			if size < 255 {
				packets, part = append(packets, part), nil
			}
		}
	}
	if len(packets) < 3 || !bytes.HasPrefix(packets[0], []byte("OpusHead")) {
		t.Fatal("no Opus file")
	}
	return packets[2:]
}

// spoken is a sentence at 16 kHz.
func spoken(t *testing.T) []int16 {
	t.Helper()
	tool, err := exec.LookPath("espeak-ng")
	switch {
	case err == nil:
	case os.Getenv("CI") != "" && !testing.Short():
		t.Fatal("espeak-ng is missing")
	default:
		t.Skip("espeak-ng is not installed")
	}
	path := filepath.Join(t.TempDir(), "speech.wav")
	if out, err := exec.Command(tool, "-s", "150", "-w", path, "Seven yellow umbrellas are missing from the parcel which came on Thursday.").CombinedOutput(); err != nil {
		t.Fatalf("espeak-ng: %v\n%s", err, out)
	}
	pcm, rate, err := hear.ReadWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	return hear.Resample(pcm, rate, mixRate)
}

func samplesOf(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

var rawWide = []string{"-f", "s16le", "-ar", "16000", "-ac", "1"}

func TestOpusSoundsAsTheReferenceDecoderMakesIt(t *testing.T) {
	Computes(t)
	Long(t)
	source := spoken(t)
	for _, row := range []struct {
		name   string
		rate   string // Hz the encoder gets
		args   []string
		config [2]byte // of the packets, from and to
		source float64 // the least likeness to what was said
		theirs float64 // and to what ffmpeg's own decoder makes of it, which filters narrow SILK and mixes channels otherwise
	}{
		{"SILK narrow, 20 ms", "8000", []string{"-b:a", "12k"}, [2]byte{0, 3}, 0.88, 0.98},
		{"SILK wide, 20 ms", "16000", []string{"-b:a", "20k"}, [2]byte{8, 11}, 0.94, 0.999},
		{"SILK wide, 60 ms", "16000", []string{"-b:a", "20k", "-frame_duration", "60"}, [2]byte{8, 11}, 0.94, 0.999},
		{"hybrid, 20 ms", "48000", []string{"-b:a", "32k"}, [2]byte{12, 15}, 0.94, 0.999},
		{"hybrid, 60 ms", "48000", []string{"-b:a", "32k", "-frame_duration", "60"}, [2]byte{12, 15}, 0.94, 0.999},
		{"CELT, 20 ms", "48000", []string{"-b:a", "64k", "-application", "lowdelay"}, [2]byte{16, 31}, 0.99, 0.999},
		{"CELT, 5 ms", "48000", []string{"-b:a", "96k", "-application", "lowdelay", "-frame_duration", "5"}, [2]byte{16, 31}, 0.99, 0.999},
		{"CELT, 60 ms", "48000", []string{"-b:a", "64k", "-application", "audio", "-frame_duration", "60", "-cutoff", "20000"}, [2]byte{12, 31}, 0.99, 0.999},
		{"two channels", "48000", []string{"-b:a", "48k", "-ac", "2"}, [2]byte{8, 31}, 0.94, 0.9},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := append([]string{"-ar", row.rate, "-c:a", "libopus", "-application", "voip"}, row.args...)
			ogg := ffmpeg(t, wideBytes(source), rawWide, append(args, "-f", "ogg"))
			reference := samplesOf(ffmpeg(t, ogg, []string{"-c:a", "opus"}, rawWide))
			var r reader
			var heard []int16
			for _, p := range opusPackets(t, ogg) {
				if c := p[0] >> 3; c < row.config[0] || c > row.config[1] {
					t.Fatalf("a packet of configuration %d", c)
				}
				before := len(heard)
				if heard = r.read(heard, opus, p); len(heard)-before != opus.span(p) {
					t.Fatalf("%d samples, not %d", len(heard)-before, opus.span(p))
				}
			}
			m, ref := hear.Find(source[:len(source)-1600], heard, mixRate), hear.Find(reference[:len(reference)-1600], heard, mixRate)
			t.Logf("source %.3f (late %v), reference %.4f", m.Coefficient, m.Lag, ref.Coefficient)
			if m.Coefficient < row.source || ref.Coefficient < row.theirs {
				t.Errorf("source %.3f, reference %.4f", m.Coefficient, ref.Coefficient)
			}
		})
	}
}

func TestLostOpusIsMadeUpFor(t *testing.T) {
	ogg := ffmpeg(t, wideBytes(sine(32000, 500, mixRate, 10000)), rawWide,
		[]string{"-ar", "48000", "-c:a", "libopus", "-application", "voip", "-b:a", "32k", "-f", "ogg"})
	var e ear
	var heard []int16
	out := make([]int16, mixFrame)
	for i, p := range opusPackets(t, ogg) {
		if i%10 != 7 {
			e.put(opus, packet{seq: uint16(i), ssrc: 1, payload: p})
		}
		if e.take(out) {
			heard = append(heard, out...)
		}
	}
	if d := decibels(strength(heard[6400:25600], 500, mixRate), 10000); d < -1.5 {
		t.Errorf("the tone lost %.1f dB", -d)
	}
	if n := clicks(heard[6400:25600]); n > 0 {
		t.Errorf("%d clicks", n)
	}
}

func TestOpusSpanIsReadFromThePacketsHead(t *testing.T) {
	for _, row := range []struct {
		packet string
		ms10   int // tenths of a millisecond
	}{
		{"", 0}, {opusSilence, 200}, {"\xf0", 100}, {"\xe0", 25}, {"\xe8", 50}, {"\x00", 100}, {"\x18", 600}, {"\x68", 200},
		{"\x19\x00\x00", 1200}, {"\x1b\x02", 1200}, {"\x1b\x03", 0}, {"\x1b", 0}, {"\xfb\x00", 0}, {"\xfb\x06", 1200}, {"\xfb\x07", 0},
		{opusQuiet[2], 300}, {opusQuiet[5], 600},
	} {
		if got := opusSpan([]byte(row.packet)); got != row.ms10*mixRate/10000 {
			t.Errorf("%x lasts %d samples, not %d", row.packet, got, row.ms10*mixRate/10000)
		}
	}
}

func TestOpusSilenceIsSilentAfterSpeech(t *testing.T) {
	ogg := ffmpeg(t, wideBytes(wideTest()), rawWide, []string{"-ar", "48000", "-c:a", "libopus", "-b:a", "32k", "-f", "ogg"})
	var r reader
	for _, p := range opusPackets(t, ogg) {
		r.read(nil, opus, p)
	}
	for ms := 10; ms <= 60; ms += 10 {
		r.read(nil, opus, opus.quiet(ms))
		for _, s := range r.read(nil, opus, opus.quiet(ms)) {
			if s > 3 || s < -3 {
				t.Fatalf("%d ms: a sample of %d", ms, s)
			}
		}
	}
}

func TestOpusDecodesWithoutGarbage(t *testing.T) {
	packets := opusPackets(t, ffmpeg(t, wideBytes(wideTest()), rawWide, []string{"-ar", "48000", "-c:a", "libopus", "-b:a", "32k", "-f", "ogg"}))
	var r reader
	var pcm []int16
	i := 0
	step := func() {
		pcm = r.read(pcm[:0], opus, packets[i%len(packets)])
		i++
	}
	for range packets {
		step()
	}
	if n := testing.AllocsPerRun(len(packets), step); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func FuzzOpus(f *testing.F) {
	for _, s := range append([]string{opusSilence, "\x00\x01", "\x68\x99\x12\xfe\x7f", "\x1b\x82\x05", "\xfc\x00\x80"}, opusQuiet[:]...) {
		f.Add([]byte(s), []byte(s))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		d := newOpusDecoder()
		for _, p := range [][]byte{a, b, a, []byte(opusSilence)} {
			if len(p) == 0 {
				continue
			}
			pcm := make([]int16, opusLongest)
			if _, err := d.pion.DecodeToInt16(p, pcm); err == nil && opusSpan(p) == 0 {
				t.Fatalf("%x is decoded, yet lasts nothing", p)
			}
			if n := len(d.decode(nil, p)); n != opusSpan(p) {
				t.Fatalf("%d samples of %x", n, p)
			}
		}
	})
}

func BenchmarkOpusDecode(b *testing.B) {
	var r reader
	packet, dst := []byte(opusSilence), []int16(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = r.read(dst[:0], opus, packet)
	}
}
