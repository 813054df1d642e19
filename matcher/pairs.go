package matcher

import "math"

// A pair is a probe minutia and a reference minutia that may be the same.
type pair struct {
	p, r    int     // indices into the points of probe and reference
	sim     float32 // of their neighbourhoods
	support float32 // sim after relaxation: what the other pairs say
}

const (
	mostPairs = 120 // candidate pairs that enter relaxation
	simSteps  = 256
)

// candidates fills s.pairs with the most similar pairs: local similarity sort
// (Cappelli, Ferrara, Maltoni, PAMI 2010, 4.1; used by Jiang and Yau, ICPR
// 2000) by counting rather than by comparison.
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

// relax lets pairs that describe the same movement of the finger raise each
// other: relaxation as in Feng, "Combining minutiae descriptors for
// fingerprint matching", Pattern Recognition 2008, and Cappelli 2010, 4.2.
func (s *scratch) relax(probe, ref *Prepared) {
	n := len(s.pairs)
	s.compat = grow(s.compat, n*n)
	for i := range s.pairs {
		s.compat[i*n+i] = 0
		for j := range i {
			c := compatibility(probe, ref, &s.pairs[i], &s.pairs[j])
			s.compat[i*n+j], s.compat[j*n+i] = c, c
		}
		s.pairs[i].support = s.pairs[i].sim
	}
	s.next = grow(s.next, n)
	for range relaxRounds {
		for i := range s.pairs {
			var sum float32
			row := s.compat[i*n : i*n+n]
			for j := range row {
				sum += row[j] * s.pairs[j].support
			}
			s.next[i] = s.pairs[i].sim * (relaxStay + sum)
		}
		var most float32
		for _, v := range s.next {
			most = max(most, v)
		}
		for i := range s.pairs {
			s.pairs[i].support = s.next[i] / (most + 1e-9)
		}
	}
}

const (
	relaxRounds = 4
	relaxStay   = 0.5
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
	compatTurn = storedTurn * 30 / 360
	compatBase = 8
	compatGrow = 0.08
	cosShift   = 6 // 1024 steps in a turn
)

var cosTable, sinTable = func() (c, s [1024]float32) {
	for i := range c {
		sin, cos := math.Sincos(float64(i) * tau / 1024)
		c[i], s[i] = float32(cos), float32(sin)
	}
	return
}()

// grow returns b with length n, reusing its memory where it can.
func grow(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}
