package matcher

import "math"

// The evidence that a set of mates gives is a weighted sum of what was counted
// on them, on the ridge flow and on the ridges: a logistic regression of "same
// finger" on the counts, after Jea and Govindaraju, "A minutia-based partial
// fingerprint recognition system", Pattern Recognition 2005, who learned the
// score from such counts too. The weights were fitted to fvc2004_db2_b alone,
// with impostors weighed a hundred times, since the threshold lies where impostors
// are rare. EXPERIMENTS.md has the figures and what was left out.
type weights struct {
	anyway     float64 // so that the tail of strangers lies above 0
	mates      float64 // each mate by itself
	similarity float64 // of the mates' neighbourhoods
	share      float64 // mates times their share of the overlap
	kinds      float64 // mates of equal kind
	rigid      float64 // squared distance before bending, per 100 square pixels
	agreed     float64 // share of agreeing segments at each mate
	seen       float64 // common area of the flows
	flow       float64 // level of their disagreement there, a logarithm
}

// Templates of other makers have no flow, so that the minutiae have to say more:
// their weights were fitted to such templates of the same set.
var (
	withFlow    = weights{2.5, -0.576, 0.747, 1.408, 0.231, -0.427, 1.064, -9.802, -1.257}
	withoutFlow = weights{1.2, -0.687, 0.009, 1.593, 0.322, -0.354, 0.963, 0, 0}
)

const (
	weightRidges = 0.506 // level of the ridges' agreement
	weightSquare = 0.075 // its square, where they agree better than by chance
)

const (
	segmentReach  = 100 // pixels: segments between mates farther apart say little
	shareExpected = 6   // minutiae added to the overlap, so that a small one does not count as full
)

// counts are what one alignment is judged by.
type counts struct {
	mates, similarity, share, kinds, rigid, agreed float64
	seen, flow                                     float64
	grown                                          float64 // how unlikely the scale is, a logarithm
}

// plain weighs all counts but the ridges.
func (c *counts) plain() float64 {
	w := &withFlow
	if c.seen == 0 {
		w = &withoutFlow
	}
	return w.anyway + w.mates*c.mates + w.similarity*c.similarity + w.share*c.share + w.kinds*c.kinds +
		w.rigid*c.rigid + w.agreed*c.agreed + w.seen*c.seen + w.flow*c.flow - c.grown
}

// evidence is a sum of weights made a score. It is above 0: far from what a
// match has, it still orders strangers.
func evidence(sum float64) float64 {
	return max(0, sum) + math.Log1p(math.Exp(-math.Abs(sum)))
}

// count takes s.mates, made under the movement of b, into account.
func (s *scratch) count(probe, ref *Prepared, b *start) (c counts) {
	for i := range s.mates {
		k := &s.mates[i]
		c.similarity += float64(k.sim)
		c.rigid += float64(k.missX*k.missX+k.missY*k.missY) / 100
		if probe.points[k.p].kind == ref.points[k.r].kind {
			c.kinds++
		}
		agreed, segments := s.agreement(i)
		c.agreed += agreed / (segments + 2)
	}
	c.mates = float64(len(s.mates))
	c.share = c.mates * c.mates / (s.overlap(probe, ref, &b.movement)/2 + shareExpected)
	off := (b.scale() - 1) / scaleDeviation
	c.grown = off * off / 2
	if b.flow.cells > 0 {
		c.seen = b.flow.share()
		c.flow = c.seen * b.flow.level()
	}
	return c
}

// agreement sums, over the segments from mate i to the mates within reach,
// their compatibility, and counts them.
func (s *scratch) agreement(i int) (agreed, segments float64) {
	a := &s.mates[i]
	for j := range s.mates {
		b := &s.mates[j]
		dx, dy := s.rigid[a.p].x-s.rigid[b.p].x, s.rigid[a.p].y-s.rigid[b.p].y
		if i == j || dx*dx+dy*dy >= segmentReach*segmentReach {
			continue
		}
		segments++
		agreed += float64(compatibility(&a.pair, &b.pair))
	}
	return agreed, segments
}

// overlap counts the minutiae of either side that lie where the other shows
// ridges or have a mate: those that could have found one. Without a flow, the
// hull of the minutiae says where that is. The probe's is moved without bending.
func (s *scratch) overlap(probe, ref *Prepared, m *movement) (n float64) {
	for i := range s.moved {
		if s.usedP[i] || ref.shows(s.moved[i].x, s.moved[i].y) {
			n++
		}
	}
	for j := range ref.points {
		if s.usedR[j] || probe.shows(m.back(ref.points[j].x, ref.points[j].y)) {
			n++
		}
	}
	return n
}

// shows tells whether p has ridges at a place.
func (p *Prepared) shows(x, y float32) bool {
	if len(p.flow.cells) > 0 {
		return p.flow.at(x, y) != 0
	}
	return inside(p.hull, x, y)
}
