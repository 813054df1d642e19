package matcher

import "math"

// A pair is a probe minutia and a reference minutia that may be the same.
type pair struct {
	p, r int     // indices into the points of probe and reference
	sim  float32 // of their neighbourhoods
}

const (
	mostPairs = 120 // candidate pairs that enter relaxation
	simSteps  = 256
)

// candidates fills s.pairs with the most similar pairs: local similarity sort
// (Jiang and Yau, "Fingerprint minutiae matching based on the local and
// global structures", ICPR 2000) by counting rather than by comparison.
func (s *scratch) candidates(probe, ref *Prepared) {
	nr := len(ref.points)
	s.sims = s.sims[:0]
	var counts [simSteps]int
	for i := range probe.local {
		for j := range ref.local {
			v := probe.local[i].similarity(&ref.local[j])
			s.sims = append(s.sims, v)
			counts[simStep(v)]++
		}
	}
	floor, total := simSteps-1, 0
	for ; floor > 0; floor-- {
		if total += counts[floor]; total > mostPairs {
			break
		}
	}
	s.pairs = s.pairs[:0]
	for k, v := range s.sims {
		if simStep(v) > floor {
			s.pairs = append(s.pairs, pair{p: k / nr, r: k % nr, sim: v})
		}
	}
}

func simStep(v float32) int { return min(int(v*simSteps), simSteps-1) }

// relax fills s.support: it lets pairs that describe the same movement of the
// finger raise each other, by relaxation as in Feng, "Combining minutiae
// descriptors for fingerprint matching", Pattern Recognition 2008.
func (s *scratch) relax(probe, ref *Prepared) {
	n := len(s.pairs)
	s.compat, s.support = grow(s.compat, n*n), grow(s.support, n)
	for i := range s.pairs {
		s.compat[i*n+i] = 0
		for j := range i {
			c := compatibility(probe, ref, &s.pairs[i], &s.pairs[j])
			s.compat[i*n+j], s.compat[j*n+i] = c, c
		}
		s.support[i] = s.pairs[i].sim
	}
	for range relaxRounds {
		s.relaxOnce()
	}
}

// relaxOnce gives each pair the support of those compatible with it, scaled so
// that the best has 1.
func (s *scratch) relaxOnce() {
	n := len(s.pairs)
	s.next = grow(s.next, n)
	var most float32
	for i := range s.pairs {
		var sum float32
		for j, c := range s.compat[i*n : i*n+n] {
			sum += c * s.support[j]
		}
		s.next[i] = s.pairs[i].sim * (relaxStay + sum)
		most = max(most, s.next[i])
	}
	if most > 0 {
		for i, v := range s.next {
			s.support[i] = v / most
		}
	}
}

const (
	relaxRounds = 4
	relaxStay   = 0.5 // what a pair keeps without any support
)

// compatibility of two pairs, 0 to 1: how well the segment between the two
// probe minutiae and that between the two reference minutiae agree in length,
// in direction seen from each end, and in the turn between the two minutiae.
func compatibility(probe, ref *Prepared, a, b *pair) float32 {
	if a.p == b.p || a.r == b.r {
		return 0
	}
	pa, pb := &probe.points[a.p], &probe.points[b.p]
	ra, rb := &ref.points[a.r], &ref.points[b.r]
	// How the finger turned, according to either pair.
	turnA, turnB := pa.angle-ra.angle, pb.angle-rb.angle
	off := apart(turnA, turnB)
	if off > compatTurn {
		return 0
	}
	px, py := pb.x-pa.x, pb.y-pa.y
	rx, ry := rb.x-ra.x, rb.y-ra.y
	lp := float32(math.Sqrt(float64(px*px + py*py)))
	lr := float32(math.Sqrt(float64(rx*rx + ry*ry)))
	slack := float32(compatBase) + compatGrow*(lp+lr)/2
	if d := lp - lr; d > slack || d < -slack {
		return 0
	}
	// Turn the reference segment by the mean of both turns and compare ends.
	mean := turnA + turn(int16(turnB-turnA)/2)
	c, sn := cosTable[mean>>cosShift], sinTable[mean>>cosShift]
	dx := px - (rx*c + ry*sn)
	dy := py - (ry*c - rx*sn)
	miss := (dx*dx + dy*dy) / (slack * slack * 2.25)
	if miss > 1 {
		return 0
	}
	return (1 - miss) * (1 - float32(off)/compatTurn)
}

const (
	compatTurn = storedTurn * 30 / 360 // turns
	compatBase = 8                     // pixels
	compatGrow = 0.08                  // pixels per pixel of segment: skin stretches
	cosShift   = 6                     // 1024 steps in a turn
)

var cosTable, sinTable = func() (c, s [1024]float32) {
	for i := range c {
		sin, cos := math.Sincos(float64(i) * tau / 1024)
		c[i], s[i] = float32(cos), float32(sin)
	}
	return
}()
