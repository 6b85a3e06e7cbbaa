package tray

import (
	"image/color"

	"zaseki/web/wire"
)

// Mark is the sign before a status in the menu: a shape by its class, so that nobody needs the colour.
type Mark struct{ Class, Colour string }

func markOf(d wire.StatusDef) Mark { return Mark{d.Class, d.Colour} }

// markPicture is a full disc for what takes outside calls, a half one for work after calls, a ring with two bars for a pause, and
// a bare ring for the rest. As a tile it is white on a square of the colour: not every Windows knows what is transparent in a menu.
func markPicture(m Mark, tile bool) (layers []layer) {
	c := markColour(m.Colour)
	if tile {
		layers, c = []layer{{box(8, 8, 9, 9, 0), c}}, white()
	}
	ring := layer{func(x, y float64) float64 { return max(disc(8, 8, 6)(x, y), -disc(8, 8, 4.2)(x, y)) }, c}
	switch m.Class {
	case "available":
		return append(layers, layer{disc(8, 8, 6), c})
	case "work":
		return append(layers, ring, layer{func(x, y float64) float64 { return max(disc(8, 8, 6)(x, y), 8-x) }, c})
	case "pause":
		return append(layers, ring, layer{join(bar(6.5, 6.2, 6.5, 9.8, 0.8), bar(9.5, 6.2, 9.5, 9.8, 0.8)), c})
	}
	return append(layers, ring)
}

// markColour is a colour of the style sheet in a shade that can be seen on a light menu and on a dark one.
func markColour(token string) color.NRGBA {
	switch token {
	case "green":
		return color.NRGBA{0x2e, 0xa0, 0x4f, 0xff}
	case "blue":
		return color.NRGBA{0x3b, 0x82, 0xe0, 0xff}
	case "amber":
		return color.NRGBA{0xd8, 0x8a, 0x00, 0xff}
	case "red":
		return color.NRGBA{0xe0, 0x3e, 0x3e, 0xff}
	case "violet":
		return color.NRGBA{0x94, 0x66, 0xe0, 0xff}
	}
	return grey()
}

// markIcon is the mark in the format that the system's menus take.
func markIcon(m Mark, goos string) []byte {
	if goos == "windows" {
		return ico(markPicture(m, true), 16, 20, 24, 32)
	}
	return pngOf(markPicture(m, false), 16)
}
