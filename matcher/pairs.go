package matcher

import "math"

// A pair is a probe minutia and a reference minutia that may be the same.
type pair struct {
	p, r   int     // indices into the points of probe and reference
	sim    float32 // of their surroundings
	px, py float32 // place of the probe's, pixels
	rx, ry float32 // and of the reference's
	turned turn    // how the finger turned, according to this pair
}

// newPair joins minutia p of the probe, as it stands or moved, with minutia r of
// the reference.
func newPair(a, b *point, p, r int, sim float32) pair {
	return pair{p, r, sim, a.x, a.y, b.x, b.y, a.angle - b.angle}
}

const (
	mostPairs = 80 // candidate pairs that enter relaxation
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
			v := likeness(probe, ref, i, j)
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
			s.pairs = append(s.pairs, newPair(&probe.points[k/nr], &ref.points[k%nr], k/nr, k%nr, v))
		}
	}
}

// likeness of two minutiae, 0 to 1, before any movement is known: similar
// neighbourhoods and the same ridge flow around, both of which may be all that a
// poor print has (both kinds of descriptor together are Feng's, see relax).
func likeness(probe, ref *Prepared, p, r int) float32 {
	flows := probe.rings[p].agreement(&ref.rings[r])
	return (probe.local[p].similarity(&ref.local[r]) + likeAnyway) / (1 + likeAnyway) * flows * flows
}

// likeAnyway is the similarity that is granted to minutiae without common
// neighbours.
const likeAnyway = 0.3

func simStep(v float32) int { return min(int(v*simSteps), simSteps-1) }

// An edge joins two candidate pairs that describe the same movement of the
// finger.
type edge struct {
	a, b   int     // indices into pairs, b < a
	weight float32 // their compatibility
}

// relax fills s.edges and s.support: it lets pairs that describe the same
// movement of the finger raise each other, by relaxation as in Feng, "Combining
// minutiae descriptors for fingerprint matching", Pattern Recognition 2008.
func (s *scratch) relax() {
	n := len(s.pairs)
	s.support = grow(s.support, n)
	s.edges = s.edges[:0]
	for i := range s.pairs {
		a := &s.pairs[i]
		s.support[i] = a.sim
		for j := range s.pairs[:i] {
			b := &s.pairs[j]
			// Most fail here; compatibility looks at the rest.
			if off := int16(a.turned - b.turned); off > compatTurn || off < -compatTurn {
				continue
			}
			if c := compatibility(a, b); c > 0 {
				s.edges = append(s.edges, edge{i, j, c})
			}
		}
	}
	for range relaxRounds {
		s.relaxOnce()
	}
}

// relaxOnce gives each pair the support of those compatible with it, scaled so
// that the best has 1.
func (s *scratch) relaxOnce() {
	s.next = grow(s.next, len(s.pairs))
	for i := range s.next {
		s.next[i] = relaxStay
	}
	for i := range s.edges {
		e := &s.edges[i]
		s.next[e.a] += e.weight * s.support[e.b]
		s.next[e.b] += e.weight * s.support[e.a]
	}
	var most float32
	for i := range s.next {
		s.next[i] *= s.pairs[i].sim
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
func compatibility(a, b *pair) float32 {
	off := apart(a.turned, b.turned)
	if off > compatTurn || a.p == b.p || a.r == b.r {
		return 0
	}
	px, py := b.px-a.px, b.py-a.py
	rx, ry := b.rx-a.rx, b.ry-a.ry
	lp := float32(math.Sqrt(float64(px*px + py*py)))
	lr := float32(math.Sqrt(float64(rx*rx + ry*ry)))
	slack := compatBase + compatGrow/2*(lp+lr)
	if d := lp - lr; d > slack || d < -slack {
		return 0
	}
	// Turn the reference segment by the mean of both turns and compare ends.
	mean := a.turned + turn(int16(b.turned-a.turned)/2)
	c, sn := cosTable[mean>>cosShift], sinTable[mean>>cosShift]
	dx := px - (rx*c + ry*sn)
	dy := py - (ry*c - rx*sn)
	miss := (dx*dx + dy*dy) / (slack * slack * 2.25)
	if miss > 1 {
		return 0
	}
	return (1 - miss) * (1 - float32(off)*(1.0/compatTurn))
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
