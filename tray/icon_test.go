package tray

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"zaseki/tray/desktop"
)

func TestEveryLookIsAnotherIconEvenWithoutColour(t *testing.T) {
	seen := map[string]Look{}
	all := looks()
	if len(all) != 32 {
		t.Fatalf("%d icons", len(all))
	}
	for _, look := range all {
		img, err := png.Decode(bytes.NewReader(iconOf(look, "linux")))
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
	want := map[Mood]string{MoodOut: "grey", MoodIn: "orange", MoodWait: "amber", MoodRing: "red", MoodCall: "blue"}
	for _, look := range looks() {
		for _, size := range []int{16, 22, 24, 32, 64} {
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
	for _, look := range looks() {
		data := iconOf(look, "windows")
		n := int(le.Uint16(data[4:]))
		if le.Uint16(data[2:]) != 1 || n != 5 {
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

func TestEveryMarkIsAnotherShapeEvenWithoutColour(t *testing.T) {
	seen := map[string]string{}
	for _, class := range []string{"available", "work", "pause", "off"} {
		img, err := png.Decode(bytes.NewReader(markIcon(Mark{class, "green"}, "linux")))
		desktop.Must(t, err)
		var shape []byte
		for y := range 16 {
			for x := range 16 {
				_, _, _, a := img.At(x, y).RGBA()
				shape = append(shape, byte(a>>15))
			}
		}
		if twin, ok := seen[string(shape)]; ok {
			t.Errorf("%s and %s look alike", class, twin)
		}
		seen[string(shape)] = class
	}
}

// TestThePicturesForPeople saves every icon in every usual size on a light bar and on a dark one, where ZASEKI_SHOTS names a folder.
func TestThePicturesForPeople(t *testing.T) {
	dir := os.Getenv("ZASEKI_SHOTS")
	if dir == "" {
		t.Skip("ZASEKI_SHOTS names no folder")
	}
	sizes, zoom := []int{16, 22, 24, 32}, 3
	sheet := image.NewNRGBA(image.Rect(0, 0, 2*zoom*130, zoom*40*len(looks())))
	for row, look := range looks() {
		for side, bar := range []color.NRGBA{{0xf2, 0xf2, 0xf2, 0xff}, {0x20, 0x22, 0x26, 0xff}} {
			left := side * zoom * 130
			draw.Draw(sheet, image.Rect(left, row*zoom*40, left+zoom*130, (row+1)*zoom*40), image.NewUniform(bar), image.Point{}, draw.Src)
			for _, size := range sizes {
				img := paint(size, picture(look))
				for y := range size * zoom {
					for x := range size * zoom {
						at := image.Pt(left+x+4, row*zoom*40+y+4)
						draw.Draw(sheet, image.Rectangle{at, at.Add(image.Pt(1, 1))}, img, image.Pt(x/zoom, y/zoom), draw.Over)
					}
				}
				left += (size + 6) * zoom
			}
		}
	}
	f, err := os.Create(filepath.Join(dir, "tray-icons.png"))
	desktop.Must(t, err)
	defer f.Close()
	desktop.Must(t, png.Encode(f, sheet))
}
