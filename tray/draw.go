package tray

import (
	"image"
	"image/color"
	"math"
)

// The icons are drawn on a field of 16 by 16 units, y downwards. A shape gives the distance of a point to its edge, negative
// inside, which makes smooth edges in every size.
type shape func(x, y float64) float64

type layer struct {
	shape  shape
	colour color.NRGBA
}

// bar is a line with round ends, r its half width.
func bar(x1, y1, x2, y2, r float64) shape {
	dx, dy := x2-x1, y2-y1
	return func(x, y float64) float64 {
		t := ((x-x1)*dx + (y-y1)*dy) / (dx*dx + dy*dy)
		t = min(max(t, 0), 1)
		return math.Hypot(x-x1-t*dx, y-y1-t*dy) - r
	}
}

func disc(cx, cy, r float64) shape {
	return func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }
}

// box is a rectangle by its centre and half sides, with corners of radius r.
func box(cx, cy, w, h, r float64) shape {
	return func(x, y float64) float64 {
		qx, qy := math.Abs(x-cx)-w+r, math.Abs(y-cy)-h+r
		return math.Hypot(max(qx, 0), max(qy, 0)) + min(max(qx, qy), 0) - r
	}
}

// arch is the upper half of a ring of half width t, with straight ends.
func arch(cx, cy, r, t float64) shape {
	return func(x, y float64) float64 {
		ring := math.Abs(math.Hypot(x-cx, y-cy)-r) - t
		return max(ring, y-cy)
	}
}

// triangle stands on its base, r the radius of the circle within.
func triangle(cx, cy, r float64) shape {
	const slope = 0.8660254037844386 // sin 60°
	return func(x, y float64) float64 {
		dx, dy := math.Abs(x-cx), y-cy
		return max(slope*dx-dy/2-r/2, dy-r/2-slope*r/2)
	}
}

func join(shapes ...shape) shape {
	return func(x, y float64) float64 {
		d := math.Inf(1)
		for _, s := range shapes {
			d = min(d, s(x, y))
		}
		return d
	}
}

// grown is a shape with a rim of that width.
func grown(s shape, rim float64) shape {
	return func(x, y float64) float64 { return s(x, y) - rim }
}

// paint draws the layers, the lowest first, into a square of that many pixels.
func paint(size int, layers []layer) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	unit := 16 / float64(size)
	for py := range size {
		for px := range size {
			var c color.NRGBA
			for _, l := range layers {
				d := l.shape((float64(px)+0.5)*unit, (float64(py)+0.5)*unit) / unit
				c = over(c, l.colour, min(max(0.5-d, 0), 1))
			}
			img.SetNRGBA(px, py, c)
		}
	}
	return img
}

// over lays the colour on what is there, with that cover from 0 to 1.
func over(under, top color.NRGBA, cover float64) color.NRGBA {
	a, b := cover, float64(under.A)/255*(1-cover)
	if a+b == 0 {
		return color.NRGBA{}
	}
	mix := func(t, u uint8) uint8 { return uint8(math.Round((float64(t)*a + float64(u)*b) / (a + b))) }
	return color.NRGBA{R: mix(top.R, under.R), G: mix(top.G, under.G), B: mix(top.B, under.B), A: uint8(math.Round((a + b) * 255))}
}
