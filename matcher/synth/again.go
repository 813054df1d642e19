package synth

import (
	"math"
	"math/rand/v2"

	"github.com/tillprint/tillprint/matcher"
)

// Press is another press of the finger that t was read from: turned, shifted
// and dragged, with some minutiae missed, some found that are not there, and
// small errors of place and direction in the rest. The template is of the same
// size as t; t is left as it is.
func Press(t *matcher.Template, seed uint64) *matcher.Template {
	r := random(seed, streamTemplatePress)
	drag := newDrag(r, math.Abs(normal(r, 0, 0.3)))
	touch := newTouch(r, between(r, 0, 0.25))
	rotation := normal(r, 0, 0.14)
	sin, cos := math.Sincos(rotation)
	middle := point{float64(t.Width) / 2, float64(t.Height) / 2}
	shift := point{normal(r, 0, 10), normal(r, 0, 12)}
	missed := between(r, 0.05, 0.25)

	out := &matcher.Template{Width: t.Width, Height: t.Height, Quality: t.Quality}
	for _, m := range t.Minutiae {
		skin := point{float64(m.X) - middle.x, float64(m.Y) - middle.y}
		if touch.depth(skin) < 0.02 || r.Float64() < missed {
			continue
		}
		p := drag.at(skin)
		x, y := middle.x+shift.x+cos*p.x+sin*p.y, middle.y+shift.y-sin*p.x+cos*p.y
		kind := m.Kind
		if r.Float64() < 0.12 { // endings and bifurcations change with pressure
			kind = matcher.Ending + matcher.Bifurcation - kind
		}
		put(out, x+normal(r, 0, 1.2), y+normal(r, 0, 1.2), float64(m.Angle)+rotation+normal(r, 0, 0.07), kind, m.Quality)
	}
	spurious(out, r, len(t.Minutiae))
	again := pressed{of: t, drag: drag, touch: touch, middle: middle, shift: shift, sin: sin, cos: cos}
	fillFlow(out, func(x, y float64) (float64, bool) {
		cell, _, seen := again.back(x, y)
		if !seen {
			return 0, false
		}
		return matcher.FlowAngle(t.Flow[cell]) + rotation + normal(r, 0, angleNoise), true
	})
	again.sketch(out, r)
	return out
}

// pressed takes places of a press back to the template that was pressed.
type pressed struct {
	of            *matcher.Template
	drag          drag
	touch         touch
	middle, shift point
	sin, cos      float64
}

// back is where (x, y) of the press lies on the finger: the cell of the flow,
// and the place within its sketch. seen says whether ridges are seen there.
func (p *pressed) back(x, y float64) (cell, place int, seen bool) {
	dx, dy := x-p.middle.x-p.shift.x, y-p.middle.y-p.shift.y
	at := point{p.cos*dx - p.sin*dy, p.sin*dx + p.cos*dy}
	dragged := p.drag.at(at)
	skin := point{2*at.x - dragged.x, 2*at.y - dragged.y} // a drag is short and smooth
	x, y = skin.x+p.middle.x, skin.y+p.middle.y
	columns, _ := matcher.FlowSize(p.of.Width, p.of.Height)
	column, row := int(x)/matcher.FlowCell, int(y)/matcher.FlowCell
	cell = row*columns + column
	if x < 0 || y < 0 || column >= columns || cell >= len(p.of.Flow) || p.of.Flow[cell] == 0 || p.touch.depth(skin) < 0.02 {
		return 0, 0, false
	}
	const side = matcher.FlowCell / matcher.SketchStep
	return cell, int(y)/matcher.SketchStep%side*side + int(x)/matcher.SketchStep%side, true
}

// sketch gives out, whose flow is filled, the ridges of the finger where it has
// any; one place in eight is seen wrongly.
func (p *pressed) sketch(out *matcher.Template, r *rand.Rand) {
	if len(p.of.Sketch) == 0 {
		return
	}
	columns, _ := matcher.FlowSize(out.Width, out.Height)
	out.Sketch, out.Ridges = make([]uint64, len(out.Flow)), make([]uint8, len(out.Flow))
	for i, v := range out.Flow {
		if v == 0 {
			continue
		}
		left, top := float64(i%columns*matcher.FlowCell), float64(i/columns*matcher.FlowCell)
		for k := range 64 {
			x, y := matcher.SketchPlace(k)
			if cell, place, seen := p.back(left+x, top+y); seen {
				out.Sketch[i] |= p.of.Sketch[cell] >> place & 1 << k
			}
		}
		out.Sketch[i] ^= r.Uint64() & r.Uint64() & r.Uint64()
		out.Ridges[i] = matcher.RidgesOf(out.Sketch[i])
	}
}

// spurious adds up to a sixth as many false minutiae as the finger has true
// ones, each near a true one and along its ridge, as breaks and specks are.
func spurious(t *matcher.Template, r *rand.Rand, of int) {
	found := t.Minutiae
	for range r.IntN(of/6 + 1) {
		if len(found) == 0 {
			return
		}
		m := found[r.IntN(len(found))]
		bearing, far := between(r, 0, 2*math.Pi), between(r, 10, 40)
		angle := float64(m.Angle) + normal(r, 0, 0.2) + math.Pi*float64(r.IntN(2))
		put(t, float64(m.X)+far*math.Cos(bearing), float64(m.Y)+far*math.Sin(bearing), angle,
			matcher.Ending, uint8(5+r.IntN(40)))
	}
}
