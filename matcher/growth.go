package matcher

import "math"

const (
	// How much the finger may have grown since the reference was taken:
	// growth is an isotropic scaling (Gottschlich, Hotz, Lorenz, Bernhardt,
	// Hantschel, Munk, "Modeling the growth of fingerprints improves matching
	// for adolescents", IEEE TIFS 2011). See also Template.Grow.
	leastGrown, mostGrown = 0.90, 1.20

	// The prior of the scale is a normal distribution about 1.
	scaleDeviation = 0.065

	// The same against places that are off by 5 pixels: (5 / 0.065)² square
	// pixels.
	scalePrior = 6000
)

// The mates of a first pairing tell the scale better than the seed that found
// them. Where they say clearly that the finger has another size, they are paired
// again under a movement of that scale, as a second hypothesis.
const (
	regrownPrior = 2000  // square pixels: weaker, the mates being many
	regrownLeast = 0.03  // away from 1: less is within the tolerance of pairing
	regrownMore  = 0.015 // away from the first scale
	regrownSure  = 2     // deviations, of places that are off by 5 pixels
	regrownMates = 4
)

// regrown is the movement that s.mates, made under b, ask for; false if that is
// not clearly of another scale.
func (s *scratch) regrown(probe, ref *Prepared, b *start) (again start, ok bool) {
	if len(s.mates) < regrownMates {
		return again, false
	}
	s.weight = grow(s.weight, len(s.mates))
	s.pairs = s.pairs[:0]
	for i := range s.mates {
		s.pairs = append(s.pairs, s.mates[i].pair)
		s.weight[i] = 1 - s.mates[i].cost
	}
	m, ok := fit(probe, ref, s.pairs, s.weight, regrownPrior)
	was, scale := b.scale(), m.scale()
	more := math.Abs(scale/was - 1)
	if !ok || math.Abs(scale-1) < regrownLeast || more < regrownMore || more*s.spread() < 5*regrownSure {
		return again, false
	}
	return start{movement: m, flow: compareFlows(&probe.flow, &ref.flow, &m)}, true
}

// scale is by how much m enlarges.
func (m *movement) scale() float64 { return math.Hypot(float64(m.cos), float64(m.sin)) }

// spread is the root of the summed squares of the mates' distances from their
// middle, in pixels: 1 / spread is how far the scale goes wrong with each pixel
// that places are off.
func (s *scratch) spread() float64 {
	var x, y, squares float64
	n := float64(len(s.mates))
	for i := range s.mates {
		q := &s.rigid[s.mates[i].p]
		x, y = x+float64(q.x)/n, y+float64(q.y)/n
	}
	for i := range s.mates {
		q := &s.rigid[s.mates[i].p]
		squares += (float64(q.x)-x)*(float64(q.x)-x) + (float64(q.y)-y)*(float64(q.y)-y)
	}
	return math.Sqrt(squares)
}
