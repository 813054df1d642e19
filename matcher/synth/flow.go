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
	f.turn = 0
	f.turn = -f.singular(f.centre.x, f.centre.y-160)
	return f
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

// at is the orientation of the ridges at a point of the pattern: radians
// counter-clockwise from the x axis, any of the values that differ by pi.
func (f *flow) at(x, y float64) float64 {
	angle := f.singular(x, y)/2 + f.under(x, y)
	for _, w := range f.waves {
		angle += w.amplitude * math.Sin(w.kx*x+w.ky*y+w.phase)
	}
	return angle
}

// singular is the doubled angle that cores and deltas make.
func (f *flow) singular(x, y float64) float64 {
	sum := f.turn
	for i, c := range f.cores {
		bearing := math.Atan2(c.y-y, x-c.x)
		up := 1.0
		if i > 0 {
			up = -1 // the lower core of a whorl opens upward
		}
		sum += bearing - up*f.bend*math.Cos(bearing)
	}
	for _, d := range f.deltas {
		sum -= math.Atan2(d.y-y, x-d.x)
	}
	return sum
}

// under is the arch beneath the singular points.
func (f *flow) under(x, y float64) float64 {
	height := clamp((f.archBottom-y)/(f.archBottom-f.archTop), 0, 1)
	across := clamp((x-f.centre.x)/f.archWidth, -0.5, 0.5)
	return -math.Atan(f.arch * height * math.Sin(across*math.Pi))
}
