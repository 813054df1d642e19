package extract

import (
	"cmp"
	"math"
	"slices"

	"github.com/tillprint/tillprint/locked"
)

const (
	// pairAlong and pairAcross are the half axes, in pixels, of the ellipse along
	// the ridge within which two zeros of opposite sign annul each other.
	pairAlong  = 9.0
	pairAcross = 7.0

	// margin is how far from the background a minutia must lie, in pixels.
	margin = 10

	// frame is how far from the edge of the image a minutia must lie, in pixels.
	frame = 4

	poorest = 0.2 // quality below which a minutia is dropped
)

// clean drops pairs and what lies at the edge, judges the rest, and drops what is
// poor.
func (e *Extractor) clean() {
	e.annul()
	w, h := float32(e.raster.width), float32(e.raster.height)
	e.found = slices.DeleteFunc(e.found, func(m minutia) bool {
		return e.mask.away(m.x, m.y) < margin || min(m.x, m.y, w-1-m.x, h-1-m.y) < frame
	})
	for i := range e.found {
		e.judge(&e.found[i])
	}
	e.found = slices.DeleteFunc(e.found, func(m minutia) bool { return m.quality < poorest })
}

// A pair is two minutiae by index and how far apart they are, 0..1.
type pair struct {
	a, b  int32
	apart float32
}

// annul drops pairs of opposite sign, the closest first.
func (e *Extractor) annul() {
	slices.SortFunc(e.found, func(a, b minutia) int { return cmp.Compare(a.y, b.y) })
	e.pairs = e.pairs[:0]
	for i := range e.found {
		for j := i + 1; j < len(e.found) && e.found[j].y-e.found[i].y < pairAlong; j++ {
			a, b := &e.found[i], &e.found[j]
			if d := apart(a, b); a.charge+b.charge == 0 && d < 1 {
				e.pairs = locked.Append(e.pairs, pair{int32(i), int32(j), d})
			}
		}
	}
	slices.SortFunc(e.pairs, func(p, q pair) int { return cmp.Compare(p.apart, q.apart) })
	for _, p := range e.pairs {
		a, b := &e.found[p.a], &e.found[p.b]
		if a.charge != 0 && b.charge != 0 {
			a.charge, b.charge = 0, 0
		}
	}
	e.found = slices.DeleteFunc(e.found, func(m minutia) bool { return m.charge == 0 })
}

// apart is the distance of two minutiae in units of the ellipse around them.
func apart(a, b *minutia) float32 {
	sin, cos := math.Sincos(float64(a.angle))
	dx, dy := float64(b.x-a.x), float64(b.y-a.y)
	along, across := (dx*cos+dy*sin)/pairAlong, (dy*cos-dx*sin)/pairAcross
	return float32(math.Hypot(along, across))
}
