package synth

import (
	"math"
	"math/rand/v2"
)

// Size of a whole finger's pattern in pixels: 20 x 26 mm, more than any press
// shows.
const (
	masterWidth  = 400
	masterHeight = 520
)

// flow is the orientation of the ridges of one finger, everywhere.
//
// Singular points follow the zero-pole model of Sherlock and Monro ("A model for
// interpreting fingerprint topology", 1993): each core turns the doubled angle
// by the bearing of the point seen from it, each delta turns it back. That model
// alone is too flat above the core, which Vizcaya and Gerhardt ("A nonlinear
// orientation model for global description of fingerprints", 1996) mend by
// bending the bearings; here the bend of the core's bearing is one cosine and
// the rest an arch without singular points laid under it, which is also the
// whole of the arch class. A few long waves make fingers differ.
type flow struct {
	class         Class
	centre        point // where the arch under everything is steepest
	cores, deltas []point
	turn          float64 // added to the doubled angle: levels the ridges far above the core
	bend          float64 // of the cores' bearings, 0 = Sherlock-Monro
	arch          float64 // slope of the arch at the top of the pattern
	archTop       float64 // y where the arch is steepest
	archBottom    float64 // y where the arch has become level
	archWidth     float64 // pixels from the left to the right foot of the arch
	waves         [4]wave
}

type wave struct{ amplitude, kx, ky, phase float64 }

// newFlow draws the orientation field of one finger.
func newFlow(r *rand.Rand) *flow {
	f := &flow{class: drawClass(r)}
	f.centre = point{normal(r, masterWidth/2, 8), normal(r, masterHeight*0.44, 14)}
	f.archTop, f.archBottom = f.centre.y-between(r, 130, 200), f.centre.y+between(r, 110, 190)
	f.archWidth = between(r, 320, 400)
	f.arch = between(r, 1.1, 1.7)
	f.bend = between(r, 0.1, 0.5)
	f.place(r)
	for i := range f.waves {
		f.waves[i] = wave{normal(r, 0, 0.045), normal(r, 0, 0.013), normal(r, 0, 0.013), between(r, 0, 2*math.Pi)}
	}
	f.level()
	return f
}

// level turns the pattern so that ridges lie level far above the core.
func (f *flow) level() {
	f.turn = 0
	f.turn = -f.singular(f.centre.x, f.centre.y-160).angle
}

// lower moves the deltas down by so many pixels.
func (f *flow) lower(by float64) {
	for i := range f.deltas {
		f.deltas[i].y += by
	}
	f.level()
}

// place puts the singular points where the class has them.
func (f *flow) place(r *rand.Rand) {
	c := f.centre
	switch f.class {
	case Arch:
		f.arch = between(r, 0.9, 1.4)
		f.archTop, f.archBottom = c.y+between(r, -60, 10), c.y+between(r, 150, 230)
	case TentedArch:
		f.cores = []point{{c.x + normal(r, 0, 3), c.y}}
		f.deltas = []point{{c.x + normal(r, 0, 5), c.y + between(r, 55, 110)}}
	case LeftLoop, RightLoop:
		side := 1.0
		if f.class == RightLoop {
			side = -1
		}
		f.cores = []point{c}
		f.deltas = []point{{c.x + side*normal(r, 88, 18), c.y + normal(r, 105, 20)}}
	case Whorl:
		gap := between(r, 6, 26)
		lean := normal(r, 0, 10)
		f.cores = []point{{c.x - lean/2, c.y - gap}, {c.x + lean/2, c.y + gap}}
		f.deltas = []point{
			{c.x - normal(r, 100, 16), c.y + normal(r, 110, 18)},
			{c.x + normal(r, 100, 16), c.y + normal(r, 110, 18)},
		}
	}
}

// slope is an angle that changes over the pattern: its value at a point, in
// radians counter-clockwise from the x axis, and how fast it changes to the
// right and upwards, in radians a pixel.
type slope struct{ angle, right, up float64 }

func (s *slope) add(factor float64, o slope) {
	s.angle += factor * o.angle
	s.right += factor * o.right
	s.up += factor * o.up
}

// at is the orientation of the ridges at a point of the pattern: any of the
// angles that differ by pi.
func (f *flow) at(x, y float64) slope {
	s := f.under(x, y)
	s.add(0.5, f.singular(x, y))
	for _, w := range f.waves {
		sin, cos := math.Sincos(w.kx*x + w.ky*y + w.phase)
		s.add(w.amplitude, slope{sin, w.kx * cos, -w.ky * cos})
	}
	return s
}

// singular is the doubled angle that cores and deltas make.
func (f *flow) singular(x, y float64) slope {
	sum := slope{angle: f.turn}
	for i, c := range f.cores {
		b := c.bearing(x, y)
		sum.add(1, b)
		bend := f.bend
		if i > 0 {
			bend = -bend // the lower core of a whorl opens upward
		}
		sin, cos := math.Sincos(b.angle)
		sum.add(bend, slope{-cos, sin * b.right, sin * b.up})
	}
	for _, d := range f.deltas {
		sum.add(-1, d.bearing(x, y))
	}
	return sum
}

// bearing is the direction in which (x, y) is seen from p.
func (p point) bearing(x, y float64) slope {
	right, up := x-p.x, p.y-y
	square := math.Max(right*right+up*up, 1)
	return slope{math.Atan2(up, right), -up / square, right / square}
}

// under is the arch beneath the singular points.
func (f *flow) under(x, y float64) slope {
	high := (f.archBottom - y) / (f.archBottom - f.archTop)
	height := clamp(high, 0, 1)
	across := (x - f.centre.x) / f.archWidth
	sin, cos := math.Sincos(clamp(across, -0.5, 0.5) * math.Pi)
	tangent := f.arch * height * sin
	s := slope{angle: -math.Atan(tangent)}
	flatter := -f.arch / (1 + tangent*tangent)
	if across == clamp(across, -0.5, 0.5) {
		s.right = flatter * height * cos * math.Pi / f.archWidth
	}
	if high == height {
		s.up = flatter * sin / (f.archBottom - f.archTop)
	}
	return s
}

// spread is how fast ridges that run along the angle part from each other, per
// pixel: the divergence of their direction. Where they part new ridges must
// begin, where they close in ridges must end, and minutiae point along with the
// parting.
func (s slope) spread() float64 {
	sin, cos := math.Sincos(s.angle)
	return cos*s.up - sin*s.right
}
