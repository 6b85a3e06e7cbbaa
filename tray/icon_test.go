package tray

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"testing"

	"zaseki/tray/desktop"
)

func TestEveryLookIsAnotherIconEvenWithoutColour(t *testing.T) {
	seen := map[string]Look{}
	all := icons("linux")
	if len(all) != 2*int(moods) {
		t.Fatalf("%d icons", len(all))
	}
	for look, data := range all {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%+v: %v", look, err)
		}
		var shape []byte // light or dark, as an eye without colours sees it
		for y := range 64 {
			for x := range 64 {
				r, g, b, a := img.At(x, y).RGBA()
				shape = append(shape, byte(a>>15), byte((3*r+6*g+b)/10>>15))
			}
		}
		if twin, ok := seen[string(shape)]; ok {
			t.Errorf("%+v and %+v look alike", look, twin)
		}
		seen[string(shape)] = look
	}
}

func TestTheIconHasTheColourOfItsMood(t *testing.T) {
	want := map[Mood]string{MoodOut: "grey", MoodIn: "orange", MoodRing: "red", MoodCall: "red"}
	for look := range icons("linux") {
		for _, size := range []int{16, 22, 64} {
			img := paint(size, picture(look))
			got := desktop.Colour(func(yield func(r, g, b byte)) {
				for i := 0; i < len(img.Pix); i += 4 {
					if img.Pix[i+3] == 0xff {
						yield(img.Pix[i], img.Pix[i+1], img.Pix[i+2])
					}
				}
			})
			if got != want[look.Mood] {
				t.Errorf("%+v at %d pixels: %q, want %q", look, size, got, want[look.Mood])
			}
		}
	}
}

func TestTheWindowsIconIsAWholeFile(t *testing.T) {
	le := binary.LittleEndian
	for look, data := range icons("windows") {
		n := int(le.Uint16(data[4:]))
		if le.Uint16(data[2:]) != 1 || n != 4 {
			t.Fatalf("%+v: head % x", look, data[:6])
		}
		end := 0
		for i := range n {
			entry := data[6+16*i:]
			size, length, at := int(entry[0]), int(le.Uint32(entry[8:])), int(le.Uint32(entry[12:]))
			head := data[at:]
			if le.Uint32(head) != 40 || int(le.Uint32(head[4:])) != size || int(le.Uint32(head[8:])) != 2*size {
				t.Errorf("%+v: size %d has head % x", look, size, head[:16])
			}
			if want := 40 + 4*size*size + (size+31)/32*4*size; length != want {
				t.Errorf("%+v: size %d is %d bytes, want %d", look, size, length, want)
			}
			end = at + length
		}
		if end != len(data) {
			t.Errorf("%+v: %d bytes of %d", look, end, len(data))
		}
	}
}
