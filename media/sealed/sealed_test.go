package sealed_test

import (
	"bytes"
	"crypto/ecdh"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/media/sealed"
)

var info = sealed.Info{ID: "20261122-x", Call: "out1", Account: "alice", Inbound: true, Peer: "0312345678", Queue: "7000",
	Began: time.UnixMicro(1_800_000_000_000_000).UTC()}

func newKey(t testing.TB) *ecdh.PrivateKey {
	t.Helper()
	key, err := sealed.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// recording writes that many blocks and gives the file's bytes.
func recording(t testing.TB, key *ecdh.PrivateKey, blocks int, end bool) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r")
	w, err := sealed.Create(path, key.PublicKey().Bytes(), info)
	if err != nil {
		t.Fatal(err)
	}
	for i := range blocks {
		if err := w.Write(block(i)); err != nil {
			t.Fatal(err)
		}
	}
	if end {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func block(i int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("block %d ", i)), 20) }

// read opens all that can be opened.
func read(data []byte, key *ecdh.PrivateKey) (blocks int, ended bool, err error) {
	r, err := sealed.Open(bytes.NewReader(data), key)
	if err != nil {
		return 0, false, err
	}
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return blocks, r.Ended(), nil
		}
		if err != nil {
			return blocks, false, err
		}
		if !bytes.Equal(b, block(blocks)) {
			return blocks, false, fmt.Errorf("block %d is %q", blocks, b)
		}
		blocks++
	}
}

func TestWhatWasSealedOpensWithTheCentersKeyOnly(t *testing.T) {
	key := newKey(t)
	data := recording(t, key, 5, true)
	r, err := sealed.Open(bytes.NewReader(data), key)
	if err != nil {
		t.Fatal(err)
	}
	if r.Info() != info {
		t.Fatalf("info %+v", r.Info())
	}
	if n, ended, err := read(data, key); n != 5 || !ended || err != nil {
		t.Fatal(n, ended, err)
	}
	if _, _, err := read(data, newKey(t)); !errors.Is(err, sealed.ErrKey) {
		t.Fatal(err)
	}
	for _, secret := range []string{info.Peer, info.Account, info.Call, info.ID, "block"} {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%q stands in the file", secret)
		}
	}
	whole, err := io.ReadAll(r)
	if err != nil || !strings.HasPrefix(string(whole), "block 0 block 0") || len(whole) != 5*len(block(0)) {
		t.Fatal(len(whole), err)
	}
	if h, err := sealed.ReadHead(bytes.NewReader(data)); err != nil || !h.Began.Equal(info.Began) || h.Key != sealed.KeyName(key.PublicKey().Bytes()) {
		t.Fatal(h, err)
	}
}

func TestABrokenOffFileOpensUpToItsLastWholeBlock(t *testing.T) {
	key := newKey(t)
	data := recording(t, key, 4, false)
	var ends []int // of the blocks of sound
	for n, at := 0, 0; at < len(data); at++ {
		if got, ended, err := read(data[:at], key); err == nil {
			if ended {
				t.Fatal("ended without an end")
			}
			if got == n+1 {
				n = got
				ends = append(ends, at)
			} else if got != n {
				t.Fatalf("%d blocks in the first %d bytes, %d before", got, at, n)
			}
		} else if n > 0 || !errors.Is(err, sealed.ErrFormat) && !errors.Is(err, sealed.ErrDamaged) {
			t.Fatalf("cut at %d: %v", at, err)
		}
	}
	if n, ended, err := read(data, key); n != 4 || ended || err != nil || len(ends) != 3 {
		t.Fatal(n, ended, err, ends)
	}
	for _, zeros := range []int{3, 8, 300} { // as a power cut leaves them
		if n, _, err := read(append(bytes.Clone(data[:ends[1]]), make([]byte, zeros)...), key); n != 2 || err != nil {
			t.Fatal(zeros, n, err)
		}
	}
	torn := bytes.Clone(data)
	clear(torn[ends[2]+20:])
	if n, _, err := read(torn, key); n != 3 || err != nil {
		t.Fatal(n, err)
	}
}

func TestEveryChangedBitIsNoticed(t *testing.T) {
	key := newKey(t)
	data := recording(t, key, 3, true)
	for at := range data {
		flipped := bytes.Clone(data)
		flipped[at] ^= 1 << (at % 8)
		_, ended, err := read(flipped, key)
		if ended || err == nil {
			t.Fatalf("byte %d of %d changed: ended %v, err %v", at, len(data), ended, err)
		}
		if !errors.Is(err, sealed.ErrDamaged) && !errors.Is(err, sealed.ErrFormat) && !errors.Is(err, sealed.ErrKey) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

func TestBlocksLeftOutRepeatedOrReorderedAreNoticed(t *testing.T) {
	key := newKey(t)
	data := recording(t, key, 4, true)
	size := 8 + 1 + len(block(0)) + 16 // of each block of sound
	end := len(data) - (8 + 1 + 16)    // where they end
	first := end - 4*size
	part := func(i int) []byte { return data[first+i*size : first+(i+1)*size] }
	head, tail := data[:first], data[end:]
	rows := map[string][][]byte{
		"left out":          {head, part(0), part(2), part(3), tail},
		"repeated":          {head, part(0), part(0), part(1), part(2), part(3), tail},
		"reordered":         {head, part(1), part(0), part(2), part(3), tail},
		"ended too early":   {head, part(0), tail},
		"more after an end": {data, part(0)},
		"the end twice":     {data, tail},
		"of another file":   {head, part(0), recording(t, key, 4, true)[first+size : first+2*size], part(2), part(3), tail},
	}
	for name, parts := range rows {
		if _, ended, err := read(bytes.Join(parts, nil), key); !errors.Is(err, sealed.ErrDamaged) || ended {
			t.Errorf("%s: ended %v, err %v", name, ended, err)
		}
	}
}

func TestWhatIsNoRecordingIsSaidToBeNone(t *testing.T) {
	key := newKey(t)
	for _, data := range []string{"", "ZASEKI", strings.Repeat("RIFF", 50), "ZASEKI\x00\x02" + strings.Repeat("x", 200)} {
		if _, _, err := read([]byte(data), key); !errors.Is(err, sealed.ErrFormat) {
			t.Errorf("%q: %v", data, err)
		}
	}
	if _, err := sealed.Create(filepath.Join(t.TempDir(), "r"), []byte("short"), info); err == nil {
		t.Error("a key of five bytes is taken")
	}
}

func TestOneUserAloneMayReadItAndNoneIsOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	public := newKey(t).PublicKey().Bytes()
	w, err := sealed.Create(path, public, info)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st.Mode(), err)
	}
	if _, err := sealed.Create(path, public, info); !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
}

func FuzzOpen(f *testing.F) {
	key, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32)) // the same in all of the fuzzer's processes
	if err != nil {
		f.Fatal(err)
	}
	good := recording(f, key, 3, true)
	f.Add(good)
	f.Add(good[:len(good)-30])
	f.Add([]byte("ZASEKI"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, ended, err := read(data, key)
		switch {
		case err == nil && ended && n != 3:
			t.Fatalf("%d blocks of a file that nobody wrote", n)
		case err != nil && !errors.Is(err, sealed.ErrDamaged) && !errors.Is(err, sealed.ErrFormat) && !errors.Is(err, sealed.ErrKey):
			t.Fatal(err)
		}
	})
}

// BenchmarkWrite is what a second of a call costs, the disk included.
func BenchmarkWrite(b *testing.B) {
	w, err := sealed.Create(filepath.Join(b.TempDir(), "r"), newKey(b).PublicKey().Bytes(), info)
	if err != nil {
		b.Fatal(err)
	}
	second := make([]byte, 18_000)
	for b.Loop() {
		if err := w.Write(second); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
