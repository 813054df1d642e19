package sample

import (
	"math"
	"slices"
	"sync"
)

// How much a block must be like a ridge pattern, and a turn like a core.
const (
	insideShare  = 0.15 // of the strong blocks' gradient energy: less is background
	coherenceMin = 0.25 // share of a block's gradients that agree: less tells no direction
	turnReach    = 6    // blocks about a point that vote on its turn: some five ridge periods
	turnSigma    = 2.2  // blocks, of the filter's Gaussian
	turnMin      = 0.30 // answer (0..1) above which it is trusted as a core at all
	turnSure     = 0.50 // answer from which on it is trusted in full
	edgeShare    = 0.70 // share of the filter that must lie on foreground
)

// findInside marks the foreground: blocks whose gradient energy is a share of
// what the strong blocks have.
func (f *field) findInside() {
	if len(f.energy) == 0 {
		return
	}
	ranked := slices.Clone(f.energy)
	slices.Sort(ranked)
	strong := ranked[len(ranked)*9/10]
	for i, e := range f.energy {
		f.inside[i] = strong > 0 && e >= insideShare*strong
	}
}

// centroid is the middle of the foreground in blocks, with its spread (root
// mean square distance).
func (f *field) centroid() (x, y, spread float64, ok bool) {
	n, sx, sy, sq := 0.0, 0.0, 0.0, 0.0
	for i, in := range f.inside {
		if in {
			bx, by := float64(i%f.w)+0.5, float64(i/f.w)+0.5
			n, sx, sy, sq = n+1, sx+bx, sy+by, sq+float64(bx*bx)+float64(by*by)
		}
	}
	if n == 0 {
		return 0, 0, 0, false
	}
	x, y = sx/n, sy/n
	return x, y, math.Sqrt(math.Max(sq/n-float64(x*x)-float64(y*y), 1)), true
}

// turn finds the strongest downward-opening bend, preferring the middle of the
// foreground (cx, cy, give or take spread).
func (f *field) turn(cx, cy, spread float64) (x, y, trust float64, ok bool) {
	best, at := 0.0, -1
	answers := make([]float64, len(f.re))
	for i := range f.re {
		if !f.inside[i] {
			continue
		}
		answer := f.symmetry(i%f.w, i/f.w)
		dx, dy := (float64(i%f.w)+0.5-cx)/spread, (float64(i/f.w)+0.5-cy)/spread
		answers[i] = answer
		if near := answer * math.Exp(-(float64(dx*dx)+float64(dy*dy))/6); answer >= turnMin && near > best {
			best, at = near, i
		}
	}
	if at < 0 {
		return 0, 0, 0, false
	}
	x, y = f.peak(answers, at)
	return x, y, math.Min((answers[at]-turnMin)/(turnSure-turnMin), 1), true
}

// vote is one block of the symmetry filter: where it lies from the filter's
// middle, the direction to it as a unit vector, and its weight.
type vote struct {
	dx, dy     int
	re, im     float64
	importance float64
}

// votes make up the filter; their importance adds up to 1.
var votes = sync.OnceValue(func() []vote {
	var list []vote
	sum := 0.0
	for dy := -turnReach; dy <= turnReach; dy++ {
		for dx := -turnReach; dx <= turnReach; dx++ {
			r := math.Hypot(float64(dx), float64(dy))
			if r == 0 || r > turnReach {
				continue
			}
			g := r * math.Exp(-r*r/(2*turnSigma*turnSigma))
			list = append(list, vote{dx, dy, float64(dx) / r, float64(dy) / r, g})
			sum += g
		}
	}
	for i := range list {
		list[i].importance /= sum
	}
	return list
})

// symmetry is the filter's answer at a block, 0..1: how much the field around
// it turns as around a core that opens downward.
func (f *field) symmetry(x, y int) float64 {
	var re, im, inside float64
	for _, v := range votes() {
		bx, by := x+v.dx, y+v.dy
		if bx < 0 || by < 0 || bx >= f.w || by >= f.h || !f.inside[by*f.w+bx] {
			continue
		}
		i := by*f.w + bx
		inside += v.importance
		length := math.Sqrt(float64(f.re[i]*f.re[i]) + float64(f.im[i]*f.im[i]))
		if length == 0 || length < coherenceMin*f.energy[i] {
			continue
		}
		// The unit direction times the filter's conjugate.
		share := v.importance / length
		re += share * (float64(f.re[i]*v.re) + float64(f.im[i]*v.im))
		im += share * (float64(f.im[i]*v.re) - float64(f.re[i]*v.im))
	}
	strength := math.Hypot(re, im)
	if inside < edgeShare || strength == 0 {
		return 0
	}
	// Seen with y down, a core opening downward answers with the phase of -i.
	down := -im / strength
	return strength * (0.65 + 0.35*down)
}

// peak refines the best block to a fraction of one, by the centre of the
// answers next to it.
func (f *field) peak(answers []float64, at int) (x, y float64) {
	var sum, sx, sy float64
	bx, by := at%f.w, at/f.w
	for v := max(0, by-1); v <= min(f.h-1, by+1); v++ {
		for u := max(0, bx-1); u <= min(f.w-1, bx+1); u++ {
			a := answers[v*f.w+u]
			a *= a
			sum, sx, sy = sum+a, sx+a*(float64(u)+0.5), sy+a*(float64(v)+0.5)
		}
	}
	return sx / sum, sy / sum
}
