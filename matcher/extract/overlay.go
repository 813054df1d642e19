package extract

import (
	"image"
	"image/color"
	"math"
)

// Overlay draws what the last image was taken for, three times as large: inside
// the finger's mask the picture with its contrast levelled, outside it paled; the
// direction of the ridges by short green lines; each minutia as a circle with its
// direction, endings red, bifurcations blue, the better the stronger. After an
// image that was refused, or Clear, it is a single pixel.
//
// The picture is personal data like the sample.
func (e *Extractor) Overlay() image.Image {
	const zoom = 3
	r := &e.raster
	if len(e.mask.depth) == 0 { // refused before it was looked at, or cleared
		return image.NewNRGBA(image.Rect(0, 0, 1, 1))
	}
	out := image.NewNRGBA(image.Rect(0, 0, r.width*zoom, r.height*zoom))
	for y := range r.height * zoom {
		for x := range r.width * zoom {
			out.SetNRGBA(x, y, e.shade(x/zoom, y/zoom))
		}
	}
	for y := 2 * cell; y < r.height; y += 2 * cell {
		for x := 2 * cell; x < r.width; x += 2 * cell {
			if e.mask.inside(x, y) {
				a := e.orientation.angle(float32(x), float32(y))
				stroke(out, float64(x*zoom), float64(y*zoom), a, -cell, cell, color.NRGBA{0, 140, 0, 255})
			}
		}
	}
	for _, m := range e.found {
		ink := color.NRGBA{220, 0, 0, uint8(90 + 165*m.quality)}
		if m.valley {
			ink = color.NRGBA{0, 0, 230, uint8(90 + 165*m.quality)}
		}
		x, y := float64(m.x+0.5)*zoom, float64(m.y+0.5)*zoom
		for i := range 60 {
			dy, dx := math.Sincos(float64(i) * math.Pi / 30)
			dot(out, x+3*zoom*dx/2, y+3*zoom*dy/2, ink)
		}
		stroke(out, x, y, float64(m.angle), 1.5*zoom, 5*zoom, ink)
	}
	return out
}

// shade is the colour under pixel (x, y).
func (e *Extractor) shade(x, y int) color.NRGBA {
	if !e.mask.inside(x, y) {
		v := e.pixels[y*e.width+x] / 5
		return color.NRGBA{200 + v, 190 + v, 170 + v, 255}
	}
	v := uint8(160 + 35*e.raster.level[e.raster.at(x, y)])
	return color.NRGBA{v, v, v, 255}
}

// stroke draws a line from one distance to another along an angle.
func stroke(out *image.NRGBA, x, y, angle, from, to float64, ink color.NRGBA) {
	sin, cos := math.Sincos(angle)
	for d := from; d <= to; d += 0.5 {
		dot(out, x+d*cos, y+d*sin, ink)
	}
}

// dot colours one pixel, if it is in the picture.
func dot(out *image.NRGBA, x, y float64, ink color.NRGBA) {
	p := image.Pt(int(math.Round(x)), int(math.Round(y)))
	if !p.In(out.Rect) {
		return
	}
	under := out.NRGBAAt(p.X, p.Y)
	mix := func(a, b uint8) uint8 { return uint8((int(a)*int(ink.A) + int(b)*(255-int(ink.A))) / 255) }
	out.SetNRGBA(p.X, p.Y, color.NRGBA{mix(ink.R, under.R), mix(ink.G, under.G), mix(ink.B, under.B), 255})
}
