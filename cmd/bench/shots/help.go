package main

import (
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
)

// part is what a picture of the handbook shows of a shot, in pixels: from left on, as wide as width (0: all) and as high as height.
type part struct {
	name                string
	left, width, height int
}

// pictures of the handbook, by the shot they are made of.
var pictures = map[string]part{
	"signin": {name: "signin", height: 470}, "choose": {name: "choose", height: 640}, "phone": {name: "phone", height: 604}, "talking": {name: "talking", height: 604},
	"notes": {name: "notes", height: 860}, "menu": {name: "menu", height: 860}, "settings-basic": {name: "basic", height: 860}, "seats": {name: "seats", height: 360},
	"seat-menu": {name: "seatmenu", left: 400, height: 620}, "supervising": {name: "supervising", width: 392, height: 596}, "supervised": {name: "supervised", height: 560},
	"messages": {name: "messages", height: 860}, "why-center": {name: "why", height: 860}, "past": {name: "past", left: 400, height: 620}, "gap": {name: "gap", height: 560},
}

// colours is how many a picture keeps: pages are drawn in few.
const colours = 48

// picture makes a picture of the handbook out of a shot.
func picture(shot, folder, lang, name string) error {
	p, ok := pictures[name]
	if !ok {
		return nil
	}
	in, err := os.Open(shot)
	if err != nil {
		return err
	}
	defer in.Close()
	img, err := png.Decode(in)
	if err != nil {
		return err
	}
	box := img.Bounds()
	box.Min.X += p.left
	if p.width > 0 {
		box.Max.X = min(box.Max.X, box.Min.X+p.width)
	}
	box.Max.Y = min(box.Max.Y, p.height)
	small := image.NewPaletted(image.Rect(0, 0, box.Dx(), box.Dy()), common(img, box))
	draw.Draw(small, small.Bounds(), img, box.Min, draw.Src)
	out, err := os.Create(filepath.Join(folder, lang+"-"+p.name+".png"))
	if err != nil {
		return err
	}
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(out, small); err != nil {
		return cmp.Or(err, out.Close())
	}
	return out.Close()
}

// common are the colours that are seen most; those that the eye can hardly tell apart count once.
func common(img image.Image, box image.Rectangle) color.Palette {
	seen := map[color.RGBA]int{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			seen[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]++
		}
	}
	all := make([]color.RGBA, 0, len(seen))
	for c := range seen {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(seen[b], seen[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var kept color.Palette
	for _, c := range all {
		if !slices.ContainsFunc(kept, func(k color.Color) bool { return near(c, k.(color.RGBA)) }) {
			kept = append(kept, c)
		}
		if len(kept) == colours {
			break
		}
	}
	return kept
}

func near(a, b color.RGBA) bool {
	far := func(x, y uint8) int { return max(int(x), int(y)) - min(int(x), int(y)) }
	return far(a.R, b.R)+far(a.G, b.G)+far(a.B, b.B) < 14
}
