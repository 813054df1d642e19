package extract

import "math"

// wave is the finger as a complex wave: at every pixel of the mask its amplitude
// and phase across the ridges. The buffers have the raster's layout.
type wave struct {
	lines     lines
	direction []uint8   // of each pixel, in π/directions
	smoothed  []float32 // the raster averaged along the ridges
	re, im    []float32 // dark ridges have negative re
}

func (w *wave) begin(r *raster) {
	w.lines.prepare(r.stride)
	n := len(r.level)
	w.direction = resize(w.direction, n)
	w.smoothed, w.re, w.im = resize(w.smoothed, n), resize(w.re, n), resize(w.im, n)
	clear(w.smoothed)
	clear(w.re)
	clear(w.im)
}

func (w *wave) clear() {
	clear(w.smoothed[:cap(w.smoothed)])
	clear(w.re[:cap(w.re)])
	clear(w.im[:cap(w.im)])
}

// steer writes every pixel's direction, two by two pixels at a time.
func (w *wave) steer(r *raster, o *orientation) {
	for y := 0; y < r.height; y += 2 {
		for x := 0; x < r.width; x += 2 {
			cos, sin := o.between(float32(x)+0.5, float32(y)+0.5)
			turn := math.Atan2(float64(sin), float64(cos)) * (directions / (2 * math.Pi))
			d := uint8(int(turn+directions+0.5) % directions)
			p := r.at(x, y)
			w.direction[p], w.direction[p+1] = d, d
			w.direction[p+r.stride], w.direction[p+r.stride+1] = d, d
		}
	}
}

// average smooths the raster along the ridges of every cell in the mask.
func (w *wave) average(r *raster, m *mask) {
	for y := range r.height {
		for _, run := range m.runs(y) {
			for p := r.at(run.from, y); p < r.at(run.to, y); p++ {
				d := w.direction[p] % directions
				weights := w.lines.along[d]
				steps := w.lines.steps[d][:len(weights)]
				v := weights[0] * r.level[p]
				for k := 1; k < len(weights); k++ {
					s := steps[k]
					near := r.level[p+s.near] + r.level[p-s.near]
					far := r.level[p+s.far] + r.level[p-s.far]
					v += weights[k] * (near + s.share*(far-near))
				}
				w.smoothed[p] = v
			}
		}
	}
}

// demodulate filters the averaged raster across the ridges.
func (w *wave) demodulate(r *raster, m *mask, periods *period) {
	for y := range r.height {
		for _, run := range m.runs(y) {
			for x := run.from; x < run.to; x++ {
				p := r.at(x, y)
				w.re[p], w.im[p] = w.quadrature(p, periods.at(x, y))
			}
		}
	}
}

// quadrature is the complex answer at index p of the filter of one period.
func (w *wave) quadrature(p, period int) (re, im float32) {
	d := w.direction[p] % directions
	even := acrossBank.even[d][period]
	odd := acrossBank.odd[d][period][:len(even)]
	steps := w.lines.steps[normal(int(d))][:len(even)]
	f := w.smoothed
	re = even[0] * f[p]
	for k := 1; k < len(even); k++ {
		s := steps[k]
		ahead, behind := f[p+s.near], f[p-s.near]
		ahead += s.share * (f[p+s.far] - ahead)
		behind += s.share * (f[p-s.far] - behind)
		re += even[k] * (ahead + behind)
		im -= odd[k] * (ahead - behind)
	}
	return re, im
}
