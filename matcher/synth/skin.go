package synth

import (
	"math"
	"math/rand/v2"
)

// drag is how the skin is distorted by one press: the plastic distortion of
// Cappelli, Maio and Maltoni ("Modelling plastic distortion in fingerprint
// images", ICAPR 2001). An inner ellipse sticks to the glass; the skin outside
// of it follows the finger's push and turn, the more the farther out, until it
// follows them wholly.
type drag struct {
	sin, cos   float64 // of the turn
	pivot      point
	push       point   // pixels
	across, up float64 // semi-axes of the ellipse that sticks, pixels
	plasticity float64 // ellipse sizes over which the skin lets go
}

// newDrag draws a distortion of the given strength, 0..1: one millimetre and
// ten degrees at 1.
func newDrag(r *rand.Rand, strength float64) drag {
	direction := between(r, 0, 2*math.Pi)
	push := strength * between(r, 0.4, 1) * PPI / 25.4
	turn := strength * between(r, -1, 1) * 10 * math.Pi / 180
	d := drag{
		pivot:  point{between(r, -40, 40), between(r, -40, 40)},
		push:   point{push * math.Cos(direction), push * math.Sin(direction)},
		across: between(r, 35, 75), up: between(r, 45, 90),
		plasticity: between(r, 0.7, 2),
	}
	d.sin, d.cos = math.Sincos(turn)
	return d
}

// at moves a point, seen from the middle of the contact.
func (d *drag) at(p point) point {
	out := math.Hypot(p.x/d.across, p.y/d.up) - 1
	if out <= 0 {
		return p
	}
	brake := 1.0
	if out < d.plasticity {
		brake = (1 - math.Cos(out/d.plasticity*math.Pi)) / 2
	}
	x, y := p.x-d.pivot.x, p.y-d.pivot.y
	moved := point{d.cos*x - d.sin*y + d.pivot.x + d.push.x, d.sin*x + d.cos*y + d.pivot.y + d.push.y}
	return point{p.x + brake*(moved.x-p.x), p.y + brake*(moved.y-p.y)}
}

// touch is the part of the finger that meets the glass: an oval, squarer than
// an ellipse, with an uneven edge.
type touch struct {
	middle     point // from the core
	across, up float64
	waves      [4]wave // of the edge, over the bearing
}

// newTouch draws the contact of one press that misses the given share of the
// full one of about 14 x 18 mm.
func newTouch(r *rand.Rand, missing float64) touch {
	size := math.Sqrt(1 - missing)
	away := between(r, 0, 2*math.Pi)
	far := (1 - size) * 160
	t := touch{
		middle: point{normal(r, 0, 6) + far*math.Cos(away), normal(r, 12, 8) + far*math.Sin(away)},
		across: size * normal(r, 138, 7), up: size * normal(r, 176, 9),
	}
	for i := range t.waves {
		t.waves[i] = wave{amplitude: normal(r, 0, 0.06) / float64(i+2), kx: float64(i + 2), phase: between(r, 0, 2*math.Pi)}
	}
	return t
}

// depth is how deep inside the contact a point lies: 1 in its middle, 0 on its
// edge, negative outside.
func (t *touch) depth(p point) float64 {
	x, y := (p.x-t.middle.x)/t.across, (p.y-t.middle.y)/t.up
	bearing := math.Atan2(y, x)
	edge := 1.0
	for _, w := range t.waves {
		edge += w.amplitude * math.Sin(w.kx*bearing+w.phase)
	}
	return 1 - math.Sqrt(math.Sqrt(x*x*x*x+y*y*y*y+1.2*x*x*y*y))/edge
}
