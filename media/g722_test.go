package media

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// wideTest is two seconds at 16 kHz with everything a voice has: tones that glide through both bands, noise, silence, clipping.
func wideTest() []int16 {
	noise := rand.New(rand.NewPCG(7, 22))
	pcm := make([]int16, 32000)
	phase := 0.0
	for i := range pcm {
		t := float64(i) / 16000
		phase += 2 * math.Pi * (100 + 3600*t) / 16000
		v := 9000*math.Sin(phase)*math.Abs(math.Sin(3*t)) + 600*noise.NormFloat64()
		switch {
		case t > 0.5 && t < 0.6:
			v = 0
		case t > 1.2 && t < 1.3:
			v *= 9
		}
		pcm[i] = int16(sat(int(v)))
	}
	return pcm
}

func wideBytes(pcm []int16) []byte {
	var b []byte
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// ffmpeg turns one raw file into another.
func ffmpeg(t *testing.T, in []byte, from, to []string) []byte {
	t.Helper()
	tool, err := exec.LookPath("ffmpeg")
	switch {
	case err == nil:
	case os.Getenv("CI") != "" && !testing.Short():
		t.Fatal("ffmpeg is missing")
	default:
		t.Skip("ffmpeg is not installed")
	}
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, in, 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-hide_banner", "-loglevel", "error"}, from...)
	args = append(append(append(args, "-i", path), to...), "pipe:1")
	var said bytes.Buffer
	cmd := exec.Command(tool, args...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, &said)
	}
	return out
}

func TestG722AgreesWithFFmpegToTheBit(t *testing.T) {
	raw, coded := []string{"-f", "s16le", "-ar", "16000", "-ac", "1"}, []string{"-f", "g722"}
	pcm := wideTest()
	ours := newG722Encoder().encode(nil, pcm)
	theirs := ffmpeg(t, wideBytes(pcm), raw, coded)
	if !bytes.Equal(ours, theirs) {
		t.Errorf("encoders differ: %d octets and %d, first at %d", len(ours), len(theirs), differs(ours, theirs))
	}
	noise := make([]byte, 16000) // codes no encoder would make in this order
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for what, codes := range map[string][]byte{"speech": ours, "random codes": noise} {
		ours, theirs := wideBytes(newG722Decoder().decode(nil, codes)), ffmpeg(t, codes, coded, []string{"-f", "s16le"})
		if !bytes.Equal(ours, theirs) {
			t.Errorf("decoders differ in %s: %d bytes and %d, first at %d", what, len(ours), len(theirs), differs(ours, theirs))
		}
	}
}

func differs(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestG722KeepsTones(t *testing.T) {
	for _, hz := range []float64{200, 1000, 3000, 5000, 6500} {
		pcm := make([]int16, 16000)
		for i := range pcm {
			pcm[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/16000))
		}
		back := newG722Decoder().decode(nil, newG722Encoder().encode(nil, pcm))
		// The filters delay by 22 samples.
		var signal, noise float64
		for i := 1600; i+22 < len(pcm); i++ {
			d := float64(pcm[i]) - float64(back[i+22])
			signal, noise = signal+float64(pcm[i])*float64(pcm[i]), noise+d*d
		}
		snr := 10 * math.Log10(signal/noise)
		t.Logf("%.0f Hz: %.1f dB", hz, snr)
		least := 25.0
		if hz > 4000 {
			least = 10 // two bits a sample
		}
		if snr < least {
			t.Errorf("%.0f Hz comes back with %.1f dB", hz, snr)
		}
	}
}

func TestG722SilenceIsSilent(t *testing.T) {
	dec := newG722Decoder()
	dec.decode(nil, newG722Encoder().encode(nil, wideTest()))
	var last []int16
	for range 25 { // half a second after loud speech
		last = dec.decode(nil, g722.silence(160))
	}
	for i, s := range last {
		if s > 10 || s < -10 {
			t.Fatalf("sample %d of silence is %d", i, s)
		}
	}
	for _, s := range newG722Decoder().decode(nil, newG722Encoder().encode(nil, make([]int16, 16000)))[2000:] {
		if s > 10 || s < -10 {
			t.Fatalf("encoded silence has a sample of %d", s)
		}
	}
}

func FuzzG722(f *testing.F) {
	f.Add([]byte{0, 255, 1, 254, 63, 192})
	f.Fuzz(func(t *testing.T, codes []byte) {
		pcm := newG722Decoder().decode(nil, codes)
		if len(pcm) != 2*len(codes) {
			t.Fatalf("%d samples of %d octets", len(pcm), len(codes))
		}
		if again := newG722Encoder().encode(nil, pcm); len(again) != len(codes) {
			t.Fatalf("%d octets of %d samples", len(again), len(pcm))
		}
	})
}

func BenchmarkG722Encode(b *testing.B) {
	pcm, dst, enc := wideTest()[:320], make([]byte, 0, 160), newG722Encoder()
	b.ReportAllocs()
	for b.Loop() {
		dst = enc.encode(dst[:0], pcm)
	}
}

func BenchmarkG722Decode(b *testing.B) {
	codes, dst, dec := newG722Encoder().encode(nil, wideTest()[:320]), make([]int16, 0, 320), newG722Decoder()
	b.ReportAllocs()
	for b.Loop() {
		dst = dec.decode(dst[:0], codes)
	}
}
