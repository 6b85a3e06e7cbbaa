package tray

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
)

// picture is what the icon shows: a bare grey seat when signed out, a seat on orange when signed in; a bell on red while it
// rings; a handset on red in a call; a padlock in the corner when the voice is encrypted.
func picture(l Look) []layer {
	grey := color.NRGBA{0x7d, 0x84, 0x8d, 0xff}
	orange := color.NRGBA{0xf0, 0x78, 0x00, 0xff}
	red := color.NRGBA{0xd7, 0x19, 0x20, 0xff}
	white := color.NRGBA{0xff, 0xff, 0xff, 0xff}
	dark := color.NRGBA{0x1b, 0x1f, 0x24, 0xff}

	plate := box(8, 8, 7.6, 7.6, 3)
	seat := join(bar(5, 3.4, 5.6, 9, 1.1), bar(5.6, 9, 11, 9, 1.1), bar(5.4, 9.4, 5.2, 12.8, 0.8), bar(10.9, 9.4, 11.1, 12.8, 0.8))
	bell := join(disc(8, 6.6, 3.5), box(8, 8.6, 3.5, 2.2, 0.4), bar(4, 10.7, 12, 10.7, 0.8), disc(8, 12.5, 1.3))
	handset := join(arch(8, 11.4, 5, 1.5), bar(3.3, 10.5, 4.3, 10.5, 1.6), bar(11.7, 10.5, 12.7, 10.5, 1.6))

	var layers []layer
	switch l.Mood {
	case MoodOut:
		big := join(bar(4, 2, 4.8, 9, 1.4), bar(4.8, 9, 12, 9, 1.4), bar(4.4, 9.4, 4.1, 14.4, 1), bar(11.9, 9.4, 12.2, 14.4, 1))
		layers = []layer{{grown(big, 0.5), white}, {big, grey}}
	case MoodIn:
		layers = []layer{{plate, orange}, {seat, white}}
	case MoodRing:
		layers = []layer{{plate, red}, {bell, white}}
	case MoodCall:
		layers = []layer{{plate, red}, {handset, white}}
	}
	if l.Lock {
		lock := join(box(12.4, 12.8, 2.9, 2.3, 0.6), arch(12.4, 10.9, 1.8, 0.6))
		layers = append(layers, layer{grown(lock, 0.8), white}, layer{lock, dark})
	}
	return layers
}

// icons are all pictures in the format that the system's tray takes, drawn once: Windows keeps every one it ever saw.
func icons(goos string) map[Look][]byte {
	all := make(map[Look][]byte, 2*moods)
	for mood := range moods {
		for _, lock := range []bool{false, true} {
			l := Look{Mood: mood, Lock: lock}
			if goos == "windows" {
				all[l] = ico(picture(l), 16, 24, 32, 48)
			} else {
				all[l] = pngOf(picture(l), 64)
			}
		}
	}
	return all
}

func pngOf(layers []layer, size int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, paint(size, layers)) // a buffer takes everything, and the image is sound
	return b.Bytes()
}

// ico packs the picture in several sizes into a Windows icon file: a directory, then per size a bottom-up 32-bit bitmap with
// an empty mask.
func ico(layers []layer, sizes ...int) []byte {
	le := binary.LittleEndian
	head := le.AppendUint16(le.AppendUint16(le.AppendUint16(nil, 0), 1), uint16(len(sizes)))
	var bodies []byte
	for _, size := range sizes {
		body := bitmap(paint(size, layers))
		head = append(head, byte(size), byte(size), 0, 0)
		head = le.AppendUint16(le.AppendUint16(head, 1), 32) // planes, bits
		head = le.AppendUint32(head, uint32(len(body)))
		head = le.AppendUint32(head, uint32(6+16*len(sizes)+len(bodies)))
		bodies = append(bodies, body...)
	}
	return append(head, bodies...)
}

func bitmap(img *image.NRGBA) []byte {
	le := binary.LittleEndian
	size := img.Rect.Dx()
	b := le.AppendUint32(nil, 40)
	b = le.AppendUint32(le.AppendUint32(b, uint32(size)), uint32(2*size)) // height counts the mask too
	b = le.AppendUint16(le.AppendUint16(b, 1), 32)
	b = append(b, make([]byte, 24)...) // no compression; sizes and palettes need not be told
	for y := size - 1; y >= 0; y-- {
		for x := range size {
			c := img.NRGBAAt(x, y)
			b = append(b, c.B, c.G, c.R, c.A)
		}
	}
	mask := (size + 31) / 32 * 4 * size // rows of whole 32-bit words
	return append(b, make([]byte, mask)...)
}
