package extract

import (
	"math"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
)

// flow sums the ridges' doubled angles over the cells of a template's ridge
// flow, each weighed by its coherence.
type flow struct {
	cos, sin []float32
	seen     []float32 // cells of the orientation in it
}

func (f *flow) clear() {
	for _, field := range [...][]float32{f.cos, f.sin, f.seen} {
		clear(field[:cap(field)])
	}
}

// unsteady is the mean coherence of a cell below which it has no direction.
const unsteady = 0.1

// write fills t.Flow. scale is t's pixels a pixel of the raster.
func (f *flow) write(t *matcher.Template, o *orientation, m *mask, scale float64) {
	columns, rows := matcher.FlowSize(t.Width, t.Height)
	n := columns * rows
	f.cos, f.sin, f.seen = locked.Resize(f.cos, n), locked.Resize(f.sin, n), locked.Resize(f.seen, n)
	t.Flow = locked.Resize(t.Flow, n)[:0]
	f.clear()
	for i, depth := range m.depth {
		if depth <= 0 {
			continue
		}
		x, y := (float64(i%m.columns)+0.5)*cell*scale, (float64(i/m.columns)+0.5)*cell*scale
		at := min(int(y)/matcher.FlowCell, rows-1)*columns + min(int(x)/matcher.FlowCell, columns-1)
		f.cos[at] += o.cos[i]
		f.sin[at] += o.sin[i]
		f.seen[at]++
	}
	half := float32(matcher.FlowCell * matcher.FlowCell / (2 * cell * cell * scale * scale))
	for i, seen := range f.seen {
		v := uint8(0)
		cos, sin := float64(f.cos[i]), float64(f.sin[i])
		if seen >= half && math.Hypot(cos, sin) > unsteady*float64(seen) {
			v = matcher.FlowValue(-math.Atan2(sin, cos) / 2) // counter-clockwise
		}
		t.Flow = append(t.Flow, v)
	}
}

// sketch fills t.Sketch, and t.Ridges from it, where t.Flow is written and shows
// ridges: a place lies on a ridge where the wave is dark.
func (f *flow) sketch(t *matcher.Template, r *raster, w *wave, scale float64) {
	columns, _ := matcher.FlowSize(t.Width, t.Height)
	t.Sketch, t.Ridges = locked.Resize(t.Sketch, len(t.Flow)), locked.Resize(t.Ridges, len(t.Flow))
	for i, v := range t.Flow {
		t.Sketch[i], t.Ridges[i] = 0, 0
		if v == 0 {
			continue
		}
		for place := range 64 {
			x, y := matcher.SketchPlace(place)
			column := int((float64(i%columns*matcher.FlowCell) + x) / scale)
			row := int((float64(i/columns*matcher.FlowCell) + y) / scale)
			if column < r.width && row < r.height && w.re[r.at(column, row)] < 0 {
				t.Sketch[i] |= 1 << place
			}
		}
		t.Ridges[i] = matcher.RidgesOf(t.Sketch[i])
	}
}
