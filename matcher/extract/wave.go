package extract

import (
	"math"

	"github.com/tillprint/tillprint/locked"
)

// wave is the finger as a complex wave: at every pixel of the mask its amplitude
// and phase across the ridges. The buffers have the raster's layout.
type wave struct {
	lines     lines
	bank      *quadrature
	direction []uint8   // of each pixel, in π/directions
	smoothed  []float32 // the raster averaged along the ridges
	re, im    []float32 // dark ridges have negative re
	cos, sin  []float32 // doubled angles along one row, by column of cells
}

func (w *wave) begin(r *raster) {
	w.lines.prepare(r.stride)
	w.bank = acrossBank()
	n := len(r.level)
	w.direction = locked.Resize(w.direction, n)
	w.smoothed, w.re, w.im = locked.Resize(w.smoothed, n), locked.Resize(w.re, n), locked.Resize(w.im, n)
	clear(w.smoothed)
	clear(w.re)
	clear(w.im)
}

func (w *wave) clear() {
	clear(w.direction[:cap(w.direction)])
	clear(w.smoothed[:cap(w.smoothed)])
	clear(w.re[:cap(w.re)])
	clear(w.im[:cap(w.im)])
	clear(w.cos[:cap(w.cos)])
	clear(w.sin[:cap(w.sin)])
}

// steer writes every pixel's direction, two by two pixels at a time. The cells'
// doubled angles are interpolated down first, for a row at a time, then across.
func (w *wave) steer(r *raster, o *orientation) {
	w.cos, w.sin = locked.Resize(w.cos, o.columns+1), locked.Resize(w.sin, o.columns+1)
	for y := 0; y < r.height; y += 2 {
		at := locateOn(o.columns, o.rows, 0, float32(y)+0.5)
		blend(w.cos, o.cos[at.topLeft:], o.cos[at.bottomLeft:], at.down)
		blend(w.sin, o.sin[at.topLeft:], o.sin[at.bottomLeft:], at.down)
		for x := 0; x < r.width; x += 2 {
			c := max(0, x-1) / cell
			share := max(0, float32(x-1)/cell-float32(c))
			d := directionOf(w.cos[c]+share*(w.cos[c+1]-w.cos[c]), w.sin[c]+share*(w.sin[c+1]-w.sin[c]))
			p := r.at(x, y)
			w.direction[p], w.direction[p+1] = d, d
			w.direction[p+r.stride], w.direction[p+r.stride+1] = d, d
		}
	}
}

// blend mixes two rows of cells into out, which has one element more than they: the
// last cell's value goes on.
func blend(out, top, bottom []float32, down float32) {
	n := len(out) - 1
	top, bottom = top[:n], bottom[:n]
	for i, v := range top {
		out[i] = v + down*(bottom[i]-v)
	}
	out[n] = out[n-1]
}

// directionOf is the direction nearest to a doubled angle. The arc tangent is
// approximated to a quarter of a degree, a twentieth of the distance between two.
func directionOf(cos, sin float32) uint8 {
	long, short := max(cos, -cos), max(sin, -sin)
	steep := short > long
	if steep {
		long, short = short, long
	}
	if long == 0 {
		return 0
	}
	slope := short / long
	angle := slope * (math.Pi/4 + 0.273*(1-slope))
	if steep {
		angle = math.Pi/2 - angle
	}
	if cos < 0 {
		angle = math.Pi - angle
	}
	if sin < 0 {
		angle = 2*math.Pi - angle
	}
	return uint8(angle*(directions/(2*math.Pi))+0.5) % directions
}

// average smooths the raster along the ridges inside the mask, a square of two
// by two pixels at a time: they have one direction, so each step is looked up once.
// At an odd width or height the square reaches into the border, which is no harm.
func (w *wave) average(r *raster, m *mask) {
	var v [4]float32
	for y := 0; y < r.height; y += 2 {
		for _, run := range m.runs(y) {
			for p, end := r.at(run.from, y), r.at(run.to, y); p < end; p += 2 {
				averageQuad(&v, r.level, p, r.stride, w.lines.along[w.direction[p]%directions])
				store(w.smoothed, p, r.stride, &v)
			}
		}
	}
}

// demodulate filters the averaged raster across the ridges.
func (w *wave) demodulate(r *raster, m *mask, periods *period) {
	var re, im [4]float32
	for y := 0; y < r.height; y += 2 {
		for _, run := range m.runs(y) {
			for x := run.from; x < run.to; x += 2 {
				p := r.at(x, y)
				w.quadrature(&re, &im, p, r.stride, periods.at(x, y))
				store(w.re, p, r.stride, &re)
				store(w.im, p, r.stride, &im)
			}
		}
	}
}

// store writes a square of two by two pixels whose first is p.
func store(out []float32, p, stride int, v *[4]float32) {
	above, below := out[p:][:2], out[p+stride:][:2]
	above[0], above[1], below[0], below[1] = v[0], v[1], v[2], v[3]
}

// quadrature filters the square of two by two pixels at p, across the ridges in the
// direction at p, with the filter of one period.
func (w *wave) quadrature(re, im *[4]float32, p, stride, period int) {
	d := w.direction[p] % directions
	quadratureQuad(re, im, w.smoothed, p, stride, w.lines.steps[normal(int(d))][:], w.bank[d][period])
}

// energies are the squared answers of each period's filter at p. All of them need
// the same points of one line.
func (w *wave) energies(p int) (energies [periods]float32) {
	d := w.direction[p] % directions
	var sum, difference [longestHalf]float32
	f, bank := w.smoothed, &w.bank[d]
	for k, s := range w.lines.steps[normal(int(d))][:len(bank[periods-1])] {
		near, far := int(s.near), int(s.far)
		ahead, behind := f[p+near], f[p-near]
		ahead += s.share * (f[p+far] - ahead)
		behind += s.share * (f[p-far] - behind)
		sum[k], difference[k] = ahead+behind, ahead-behind
	}
	for i, taps := range bank {
		re, im := taps[0].even*f[p], float32(0)
		for k := 1; k < len(taps); k++ {
			re += taps[k].even * sum[k]
			im -= taps[k].odd * difference[k]
		}
		energies[i] = re*re + im*im
	}
	return energies
}
