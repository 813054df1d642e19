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
	columns, _ := matcher.FlowSize(t.Width, t.Height)
	fillFlow(out, func(x, y float64) (float64, bool) {
		dx, dy := x-middle.x-shift.x, y-middle.y-shift.y
		p := point{cos*dx - sin*dy, sin*dx + cos*dy}
		dragged := drag.at(p)
		skin := point{2*p.x - dragged.x, 2*p.y - dragged.y} // a drag is short and smooth
		column, row := int(skin.x+middle.x)/matcher.FlowCell, int(skin.y+middle.y)/matcher.FlowCell
		if skin.x < -middle.x || skin.y < -middle.y || column >= columns || row*columns+column >= len(t.Flow) || touch.depth(skin) < 0.02 {
			return 0, false
		}
		v := t.Flow[row*columns+column]
		return matcher.FlowAngle(v) + rotation + normal(r, 0, angleNoise), v != 0
	})
	return out
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
