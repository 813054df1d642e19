package matcher

// The evidence that a set of mates gives is a weighted sum of what was counted
// on them: a logistic regression of "same finger" on the counts, after Jea and
// Govindaraju, "A minutia-based partial fingerprint recognition system",
// Pattern Recognition 2005, who learned the score from such counts too. The
// weights were fitted to fvc2004_db2_b alone, with impostors weighed twenty
// times, since the threshold lies where impostors are rare. EXPERIMENTS.md has
// the figures and what was left out.
const (
	weightMate   = -1.320 // each mate by itself
	weightMiss   = -0.195 // squared distance left after bending, per 100 square pixels
	weightSim    = 2.100  // similarity of the mates' neighbourhoods
	weightEdges  = -0.647 // agreeing segments between mates: mates in a clump say less
	weightShare  = 2.097  // mates times their share of the overlap
	weightKind   = 0.247  // mates of equal kind
	weightRigid  = -0.266 // squared distance before bending, per 100 square pixels
	weightAgreed = 2.640  // share of agreeing segments at each mate
)

const (
	segmentReach  = 100 // pixels: segments between mates farther apart say little
	shareExpected = 6   // minutiae added to the overlap, so that a small one does not count as full
)

// evidence weighs s.mates. It is at least 0.
func (s *scratch) evidence(probe, ref *Prepared, m *movement) float64 {
	var sum float64
	for i := range s.mates {
		k := &s.mates[i]
		sum += weightMate + weightSim*float64(k.sim)
		sum += weightMiss*float64(k.miss2)/100 + weightRigid*float64(k.missX*k.missX+k.missY*k.missY)/100
		if probe.points[k.p].kind == ref.points[k.r].kind {
			sum += weightKind
		}
		agreed, segments := s.agreement(i)
		sum += weightAgreed*agreed/(segments+2) + weightEdges*agreed/4
	}
	n := float64(len(s.mates))
	sum += weightShare * n * n / (s.overlap(probe, ref, m)/2 + shareExpected)
	return max(0, sum)
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

// overlap counts the minutiae of either side that lie inside the hull of the
// other or have a mate: those that could have found one. The probe's hull is
// moved without bending.
func (s *scratch) overlap(probe, ref *Prepared, m *movement) (n float64) {
	for i := range s.moved {
		if s.usedP[i] || inside(ref.hull, s.moved[i].x, s.moved[i].y) {
			n++
		}
	}
	s.hull = s.hull[:0]
	for _, v := range probe.hull {
		x, y := m.apply(v.x, v.y)
		s.hull = append(s.hull, vec{x, y})
	}
	for j := range ref.points {
		if s.usedR[j] || inside(s.hull, ref.points[j].x, ref.points[j].y) {
			n++
		}
	}
	return n
}
