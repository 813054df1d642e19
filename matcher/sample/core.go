package sample

import "math"

// Side of a block of the orientation field, in inches: 8 pixels at 500 ppi,
// just under one ridge period.
const blockInches = 8.0 / 500

// field is the orientation of the ridges, one value a block: the structure
// tensor's double-angle form. re + i*im points at twice the gradient's angle,
// its length is the gradient energy that agrees; energy is all of it.
type field struct {
	w, h           int
	re, im, energy []float64
	inside         []bool // foreground
}

// Core estimates where the core of the print is, in pixels from the top left:
// the point about which the ridges turn most, the topmost bend of the innermost
// loop. It comes from the pixels alone. A picture in which no turn can be
// trusted gives the middle of its foreground, one whose turn is hardly to be
// trusted a place between, and one without foreground its own middle.
//
// The orientation field is correlated with a first-order complex symmetry
// filter, whose answer is strong at a core and whose phase tells a core that
// opens downward from one that opens upward (Nilsson and Bigun 2003,
// "Localization of corresponding points in fingerprints by complex filtering").
// A Poincare index would miss arches, which have a bend but no singular point.
func (s *Sample) Core() (x, y float64) {
	ppi := s.PPI
	if !plausiblePPI(ppi) {
		ppi = 500
	}
	block := max(2, int(math.Round(blockInches*ppi)))
	f := s.orientation(block)
	bx, by := float64(s.Width)/2/float64(block), float64(s.Height)/2/float64(block)
	if cx, cy, spread, ok := f.centroid(); ok {
		bx, by = cx, cy
		if kx, ky, trust, ok := f.turn(cx, cy, spread); ok {
			bx, by = bx+trust*(kx-bx), by+trust*(ky-by)
		}
	}
	clampTo := func(v float64, size int) float64 { return math.Min(math.Max(v*float64(block), 0), float64(size-1)) }
	return clampTo(bx, s.Width), clampTo(by, s.Height)
}

// orientation measures the field. Gradients are central differences over two
// pixels after the sum of three rows or columns (Prewitt).
func (s *Sample) orientation(block int) *field {
	w, h := s.Width/block, s.Height/block
	f := &field{w: w, h: h, re: make([]float64, w*h), im: make([]float64, w*h), energy: make([]float64, w*h), inside: make([]bool, w*h)}
	for y := 1; y < min(h*block, s.Height-1); y++ {
		up, at, down := s.Pix[(y-1)*s.Width:], s.Pix[y*s.Width:], s.Pix[(y+1)*s.Width:]
		for x := 1; x < min(w*block, s.Width-1); x++ {
			right := int(up[x+1]) + int(at[x+1]) + int(down[x+1])
			left := int(up[x-1]) + int(at[x-1]) + int(down[x-1])
			above := int(up[x-1]) + int(up[x]) + int(up[x+1])
			below := int(down[x-1]) + int(down[x]) + int(down[x+1])
			gx, gy := float64(right-left), float64(below-above)
			i := y/block*w + x/block
			f.re[i] += float64(gx*gx) - float64(gy*gy) // conversions forbid fusing: same on every processor
			f.im[i] += 2 * gx * gy
			f.energy[i] += float64(gx*gx) + float64(gy*gy)
		}
	}
	f.smooth(1)
	f.findInside()
	return f
}

// smooth averages each plane over (2r+1)^2 blocks.
func (f *field) smooth(r int) {
	for _, plane := range [][]float64{f.re, f.im, f.energy} {
		out := make([]float64, len(plane))
		for y := range f.h {
			for x := range f.w {
				for v := max(0, y-r); v <= min(f.h-1, y+r); v++ {
					for u := max(0, x-r); u <= min(f.w-1, x+r); u++ {
						out[y*f.w+x] += plane[v*f.w+u]
					}
				}
			}
		}
		copy(plane, out)
	}
}
