package extract

import (
	"math"

	"github.com/tillprint/tillprint/locked"
)

const (
	// cell is the side in pixels of the squares over which gradients are summed
	// and on whose grid direction, period and mask are kept.
	cell = 4

	// reach is the deviation, in cells, of the Gaussian that smooths the tensor.
	reach = 3.0
)

// orientation is the direction of the ridges on a grid of cells, as the doubled
// angle: (cosine, sine) of twice the ridge's angle, scaled by coherence. Angles
// in this package run from +x towards +y (down), so clockwise as one sees them.
type orientation struct {
	columns, rows int
	cos, sin      []float32 // of the doubled angle, by cell; length = coherence 0..1
	energy        []float32 // squared gradient by cell
	scratch       []float32
}

func (o *orientation) clear() {
	for _, f := range [...][]float32{o.cos, o.sin, o.energy, o.scratch} {
		clear(f[:cap(f)])
	}
}

// gradients is the structure tensor summed over cells, not yet smoothed. It grows
// with the rows and is only read otherwise, so that what it took to sum it is
// spent once however often the image is looked at on its way.
type gradients struct {
	columns  int
	gathered int // pixel rows in the sums
	cos, sin []float32
	energy   []float32
}

func (g *gradients) begin(width, height int) {
	g.columns, g.gathered = (width+cell-1)/cell, 1
	n := g.columns * ((height + cell - 1) / cell)
	g.cos, g.sin, g.energy = locked.Resize(g.cos, n), locked.Resize(g.sin, n), locked.Resize(g.energy, n)
	g.forget()
}

func (g *gradients) forget() {
	for _, f := range [...][]float32{g.cos, g.sin, g.energy} {
		clear(f[:cap(f)])
	}
}

// gather adds the gradients of the rows that have become ready.
func (g *gradients) gather(r *raster) {
	for ; g.gathered+1 < r.ready; g.gathered++ {
		sumRow(r, g.gathered, g.columns, g.cos, g.sin, g.energy)
	}
}

// sumRow adds the structure tensor of row y to its cells. The ridge runs
// across the gradient, hence the signs. Derivatives are Scharr's 3×3.
func sumRow(r *raster, y, columns int, cos, sin, energy []float32) {
	w := r.width
	above := r.level[r.at(0, y-1):][:w]
	here := r.level[r.at(0, y):][:w]
	below := r.level[r.at(0, y+1):][:w]
	grid := y / cell * columns
	for x := 1; x < w-1; x++ {
		a, b := above[x+1]-below[x-1], above[x-1]-below[x+1]
		gx := 10*(here[x+1]-here[x-1]) + 3*(a-b)
		gy := 10*(below[x]-above[x]) - 3*(a+b)
		i := grid + x/cell
		cos[i] += gy*gy - gx*gx
		sin[i] -= 2 * gx * gy
		energy[i] += gx*gx + gy*gy
	}
}

// take copies the sums and adds the rows that are not yet in them.
func (o *orientation) take(g *gradients, r *raster) {
	o.columns, o.rows = g.columns, (r.height+cell-1)/cell
	n := o.columns * o.rows
	o.cos, o.sin, o.energy = locked.Resize(o.cos, n), locked.Resize(o.sin, n), locked.Resize(o.energy, n)
	o.scratch = locked.Resize(o.scratch, n)
	copy(o.cos, g.cos)
	copy(o.sin, g.sin)
	copy(o.energy, g.energy)
	for y := g.gathered; y+1 < r.height; y++ {
		sumRow(r, y, o.columns, o.cos, o.sin, o.energy)
	}
}

// finish smooths the tensor over reach and scales it to coherence.
func (o *orientation) finish() {
	o.spread(gaussReach)
}

// spread smooths the tensor and scales it to coherence.
func (o *orientation) spread(k kernel) {
	for _, f := range [...][]float32{o.cos, o.sin, o.energy} {
		smooth(f, o.scratch, o.columns, k)
	}
	for i, e := range o.energy {
		scale := 1 / (e + 1e-6)
		o.cos[i] *= scale
		o.sin[i] *= scale
	}
}

// refine measures the direction again on the wave as first filtered, which shows
// ridges where the picture shows breaks and pores, and so needs less smoothing.
// Cells at the edge of the mask take theirs from their neighbours.
func (o *orientation) refine(r *raster, w *wave, m *mask) {
	for i, depth := range m.depth {
		o.cos[i], o.sin[i], o.energy[i] = 0, 0, 0
		if depth > cell {
			o.cos[i], o.sin[i], o.energy[i] = w.tensor(r, i%o.columns*cell, i/o.columns*cell)
		}
	}
	o.spread(gaussRefine)
}

// tensor sums the structure tensor of the wave's real part, at equal amplitude
// everywhere, over the cell whose first pixel is (left, top).
func (w *wave) tensor(r *raster, left, top int) (cos, sin, energy float32) {
	first, last := max(1, left), min(left+cell, r.width-1)
	for y := max(1, top); y < min(top+cell, r.height-1); y++ {
		p, n := r.at(first, y), max(0, last-first)
		above, below := w.re[p-r.stride:][:n], w.re[p+r.stride:][:n]
		here, imaginary := w.re[p-1:][:n+2], w.im[p:][:n]
		for x := range n {
			re, im := here[x+1], imaginary[x]
			gx := here[x+2] - here[x]
			gy := below[x] - above[x]
			scale := 1 / (re*re + im*im + 0.02)
			cos += scale * (gy*gy - gx*gx)
			sin -= scale * 2 * gx * gy
			energy += scale * (gx*gx + gy*gy)
		}
	}
	return cos, sin, energy
}

// coherence of cell i: 1 for parallel ridges, 0 for no direction.
func (o *orientation) coherence(i int) float32 {
	return float32(math.Hypot(float64(o.cos[i]), float64(o.sin[i])))
}

// between interpolates the doubled angle at a pixel position.
func (o *orientation) between(x, y float32) (cos, sin float32) {
	at := locateOn(o.columns, o.rows, x, y)
	return at.of(o.cos), at.of(o.sin)
}

// angle is the ridge's angle in [0, π) at a pixel position.
func (o *orientation) angle(x, y float32) float64 {
	cos, sin := o.between(x, y)
	a := math.Atan2(float64(sin), float64(cos)) / 2
	if a < 0 {
		a += math.Pi
	}
	return a
}
