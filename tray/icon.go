package tray

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
)

// The colours of the icons and marks; each stands out on a light bar and on a dark one.
func grey() color.NRGBA   { return color.NRGBA{0x7d, 0x84, 0x8d, 0xff} }
func orange() color.NRGBA { return color.NRGBA{0xf0, 0x78, 0x00, 0xff} }
func amber() color.NRGBA  { return color.NRGBA{0xff, 0xc4, 0x1f, 0xff} }
func red() color.NRGBA    { return color.NRGBA{0xd7, 0x19, 0x20, 0xff} }
func blue() color.NRGBA   { return color.NRGBA{0x1f, 0x6f, 0xd6, 0xff} }
func white() color.NRGBA  { return color.NRGBA{0xff, 0xff, 0xff, 0xff} }
func violet() color.NRGBA { return color.NRGBA{0x5b, 0x2d, 0xb8, 0xff} }
func dark() color.NRGBA   { return color.NRGBA{0x1b, 0x1f, 0x24, 0xff} }

// picture is what the icon shows: a bare grey seat when signed out; a seat on orange when signed in, a dark one on amber while no
// call would get through; a bell on red while it rings; a handset on blue in a call. Badges lie in the corners: a padlock when the
// voice is encrypted, a mark when it sounds bad, a raised hand, a red dot for missed calls.
func picture(l Look) []layer {
	plate := box(8, 8, 7.6, 7.6, 3)
	seat := join(bar(5, 3.4, 5.6, 9, 1.1), bar(5.6, 9, 11, 9, 1.1), bar(5.4, 9.4, 5.2, 12.8, 0.8), bar(10.9, 9.4, 11.1, 12.8, 0.8))
	var layers []layer
	switch l.Mood {
	case MoodOut:
		big := join(bar(4, 2, 4.8, 9, 1.4), bar(4.8, 9, 12, 9, 1.4), bar(4.4, 9.4, 4.1, 14.4, 1), bar(11.9, 9.4, 12.2, 14.4, 1))
		layers = []layer{{grown(big, 0.5), white()}, {big, grey()}}
	case MoodIn:
		layers = []layer{{plate, orange()}, {seat, white()}}
	case MoodWait:
		dots := join(disc(8.4, 5.6, 0.95), disc(11, 5.6, 0.95), disc(13.6, 5.6, 0.95))
		layers = []layer{{plate, amber()}, {seat, dark()}, {dots, dark()}}
	case MoodRing:
		bell := join(disc(8, 6.6, 3.5), box(8, 8.6, 3.5, 2.2, 0.4), bar(4, 10.7, 12, 10.7, 0.8), disc(8, 12.5, 1.3))
		layers = []layer{{plate, red()}, {bell, white()}}
	case MoodCall:
		handset := join(arch(8, 11.4, 5, 1.5), bar(3.3, 10.5, 4.3, 10.5, 1.6), bar(11.7, 10.5, 12.7, 10.5, 1.6))
		layers = []layer{{plate, blue()}, {handset, white()}}
	}
	return append(layers, badges(l)...)
}

func badges(l Look) (layers []layer) {
	switch l.Voice {
	case VoicePoor:
		sign := triangle(4.4, 11.8, 2.9)
		layers = append(layers, layer{grown(sign, 0.9), dark()}, layer{sign, amber()}, layer{join(bar(4.4, 10.5, 4.4, 12.1, 0.55), disc(4.4, 13.8, 0.6)), dark()})
	case VoiceBad:
		cross := join(bar(2.6, 10.9, 5.2, 13.5, 0.75), bar(5.2, 10.9, 2.6, 13.5, 0.75))
		layers = append(layers, layer{disc(3.9, 12.2, 3.9), white()}, layer{disc(3.9, 12.2, 3.2), red()}, layer{cross, white()})
	}
	if l.Hand {
		fingers := join(bar(2.2, 4.4, 1.5, 2.5, 0.62), bar(3.4, 4, 3.2, 1.3, 0.62), bar(4.7, 4, 4.9, 1.5, 0.62), bar(5.9, 5.8, 7, 4.2, 0.62))
		hand := join(fingers, box(3.9, 5.6, 2.3, 2, 1.2))
		layers = append(layers, layer{grown(hand, 0.9), white()}, layer{hand, violet()})
	}
	if l.Missed {
		layers = append(layers, layer{disc(12.2, 3.8, 3.8), white()}, layer{disc(12.2, 3.8, 3), red()})
	}
	if l.Lock {
		lock := join(box(12.4, 12.8, 2.9, 2.3, 0.6), arch(12.4, 10.9, 1.8, 0.6))
		layers = append(layers, layer{grown(lock, 0.8), white()}, layer{lock, dark()})
	}
	return layers
}

// iconOf is the look in the format that the system's tray takes.
func iconOf(l Look, goos string) []byte {
	if goos == "windows" {
		return ico(picture(l), 16, 20, 24, 32, 48)
	}
	return pngOf(picture(l), 64)
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
