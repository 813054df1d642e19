package synth

import (
	"math"
	"math/rand/v2"

	"github.com/tillprint/tillprint/matcher"
)

// fillSketch gives t, whose flow is filled, ridges that follow it: in each cell
// a plane wave across the flow whose phase goes on from those of its neighbours.
// Where these do not agree ridges break, as they do at minutiae, though not at
// those of t.
func fillSketch(t *matcher.Template, r *rand.Rand) {
	columns, rows := matcher.FlowSize(t.Width, t.Height)
	t.Sketch, t.Ridges = make([]uint64, len(t.Flow)), make([]uint8, len(t.Flow))
	period := normal(r, ridgePeriod, 0.7)
	tilt := point{normal(r, 0, 0.002), normal(r, 0.002, 0.002)} // periods change over the finger
	waves := make([]ridgeWave, len(t.Flow))
	for row := range rows {
		for column := range columns {
			i := row*columns + column
			if t.Flow[i] == 0 {
				continue
			}
			sin, cos := math.Sincos(matcher.FlowAngle(t.Flow[i]))
			number := 2 * math.Pi / (period * (1 + tilt.x*float64(column-columns/2)*matcher.FlowCell/10 + tilt.y*float64(row-rows/2)*matcher.FlowCell/10))
			w := ridgeWave{across: point{sin * number, cos * number}}
			w.join(waves, i, columns)
			waves[i] = w
			t.Sketch[i] = w.sketch()
			t.Ridges[i] = matcher.RidgesOf(t.Sketch[i])
		}
	}
}

// A ridgeWave is the wave of one cell: its wave vector, radians a pixel, and its
// phase in the cell's middle.
type ridgeWave struct {
	across point
	phase  float64
}

// join turns w, the wave of cell i, along with those of its neighbours that are
// there already, and takes its phase from them.
func (w *ridgeWave) join(waves []ridgeWave, i, columns int) {
	var re, im float64
	for _, step := range [3][2]int{{0, -1}, {-1, 0}, {-1, -1}} { // above, left, above left
		x := i%columns + step[0]
		at := i + step[1]*columns + step[0]
		if x < 0 || at < 0 || waves[at] == (ridgeWave{}) {
			continue
		}
		other := &waves[at]
		if first := re == 0 && im == 0; first && w.across.x*other.across.x+w.across.y*other.across.y < 0 {
			w.across = point{-w.across.x, -w.across.y}
		}
		sign := 1.0
		if w.across.x*other.across.x+w.across.y*other.across.y < 0 {
			sign = -1 // the other counts its ridges the other way
		}
		dx, dy := -float64(step[0])*matcher.FlowCell, -float64(step[1])*matcher.FlowCell
		sin, cos := math.Sincos(sign*other.phase + (w.across.x+sign*other.across.x)/2*dx + (w.across.y+sign*other.across.y)/2*dy)
		re, im = re+cos, im+sin
	}
	w.phase = math.Atan2(im, re)
}

// sketch is the word of the cell's sketch.
func (w *ridgeWave) sketch() (word uint64) {
	for i := range 64 {
		x, y := matcher.SketchPlace(i)
		x, y = x-matcher.FlowCell/2, y-matcher.FlowCell/2
		if math.Cos(w.phase+w.across.x*x+w.across.y*y) > 0 {
			word |= 1 << i
		}
	}
	return word
}
