package matcher

import "math"

// A movement takes probe coordinates to reference coordinates: a rotation with
// a scale and a translation, x' = cos·x + sin·y + dx and y' = cos·y − sin·x + dy
// in image axes, where sin > 0 turns counter-clockwise as seen. cos and sin are
// times the scale; turned is the rotation alone.
type movement struct {
	cos, sin, dx, dy float32
	turned           turn
}

func (m *movement) apply(x, y float32) (float32, float32) {
	return m.cos*x + m.sin*y + m.dx, m.cos*y - m.sin*x + m.dy
}

// back takes reference coordinates to the probe's.
func (m *movement) back(x, y float32) (float32, float32) {
	x, y = x-m.dx, y-m.dy
	square := m.cos*m.cos + m.sin*m.sin
	return (m.cos*x - m.sin*y) / square, (m.sin*x + m.cos*y) / square
}

// fit is the least-squares movement (Umeyama, PAMI 1991, in the plane) that
// takes the probe points of the weighted pairs to their reference points. Its
// scale is drawn towards 1, since few pairs of points say little about it, as if
// prior square pixels of them had stayed as they were.
func fit(probe, ref *Prepared, pairs []pair, weight []float32, prior float64) (movement, bool) {
	var w, px, py, rx, ry float64
	for i, pr := range pairs {
		if k := float64(weight[i]); k > 0 {
			a, b := &probe.points[pr.p], &ref.points[pr.r]
			w += k
			px, py = px+k*float64(a.x), py+k*float64(a.y)
			rx, ry = rx+k*float64(b.x), ry+k*float64(b.y)
		}
	}
	if w <= 0 {
		return movement{}, false
	}
	px, py, rx, ry = px/w, py/w, rx/w, ry/w
	var c, s, spread, turnC, turnS float64
	for i, pr := range pairs {
		if k := float64(weight[i]); k > 0 {
			a, b := &probe.points[pr.p], &ref.points[pr.r]
			ax, ay := float64(a.x)-px, float64(a.y)-py
			bx, by := float64(b.x)-rx, float64(b.y)-ry
			c += k * (ax*bx + ay*by)
			s += k * (ay*bx - ax*by)
			spread += k * (ax*ax + ay*ay)
			// Directions tell the turn too, as if by a lever of leverage pixels.
			sin, cos := math.Sincos((b.angle - a.angle).radians())
			turnC += k * leverage * leverage * cos
			turnS += k * leverage * leverage * sin
		}
	}
	h := math.Hypot(c+turnC, s+turnS)
	if h == 0 {
		return movement{}, false
	}
	cos, sin := (c+turnC)/h, (s+turnS)/h
	turned := toTurn(math.Atan2(sin, cos))
	scale := (c*cos + s*sin + prior) / (spread + prior)
	scale = min(max(scale, 1/mostGrown), 1/leastGrown)
	cos, sin = cos*scale, sin*scale
	return movement{
		cos: float32(cos), sin: float32(sin),
		dx: float32(rx - (cos*px + sin*py)), dy: float32(ry - (cos*py - sin*px)),
		turned: turned,
	}, true
}

const leverage = 15 // pixels

// seeds picks the best-supported pairs as starting points, leaving out those
// that an earlier one already agrees with.
func (s *scratch) seeds() []int {
	s.order = s.order[:0]
	s.taken = grow(s.taken, len(s.pairs))
	clear(s.taken)
	for len(s.order) < mostSeeds {
		top := -1
		for i := range s.pairs {
			if !s.taken[i] && (top < 0 || s.support[i] > s.support[top]) {
				top = i
			}
		}
		if top < 0 || s.support[top] < 0.05 {
			break
		}
		s.order = append(s.order, top)
		s.taken[top] = true
		for i := range s.edges {
			switch e := &s.edges[i]; {
			case e.weight <= 0.5:
			case e.a == top:
				s.taken[e.b] = true
			case e.b == top:
				s.taken[e.a] = true
			}
		}
	}
	return s.order
}

const (
	mostSeeds = 6

	// A movement under which the flows agree promises as much as some mates.
	promiseFlow = 10
	flowFair    = 0.3 // root mean squared sine, between mates' and strangers'
)

// A bond is an accepted pair with how far its members lie apart.
type bond struct {
	pair
	cost         float32 // 0 (together) to 1 (just within tolerance)
	miss2        float32 // squared distance after bending, square pixels
	missX, missY float32 // reference minus rigidly moved probe, pixels
}

// A start is a movement to try, with what a first, rigid pairing under it gave.
type start struct {
	movement
	flow    flowMatch
	promise float32 // sum of the nearness of the mates, and how the flows agree
}

// starts fills s.begun with the movements that the seeds suggest, most
// promising first.
func (s *scratch) starts(probe, ref *Prepared) {
	s.begun = s.begun[:0]
	for _, seed := range s.seeds() {
		m, ok := s.suggested(probe, ref, seed)
		if !ok {
			continue
		}
		s.pairUp(probe, ref, &m, matchRounds[0])
		begun := start{movement: m, flow: compareFlows(&probe.flow, &ref.flow, &m)}
		if f := &begun.flow; f.cells > 0 {
			begun.promise = promiseFlow * float32(f.share()*(flowFair-math.Sqrt(f.off)))
		}
		for i := range s.mates {
			begun.promise += 1 - s.mates[i].cost
		}
		at := len(s.begun)
		s.begun = append(s.begun, begun)
		for ; at > 0 && s.begun[at-1].promise < begun.promise; at-- {
			s.begun[at] = s.begun[at-1]
		}
		s.begun[at] = begun
	}
}

// suggested is the movement on which a seed and the pairs compatible with it
// agree.
func (s *scratch) suggested(probe, ref *Prepared, seed int) (movement, bool) {
	s.weight = grow(s.weight, len(s.pairs))
	clear(s.weight)
	s.weight[seed] = s.support[seed]
	for i := range s.edges {
		switch e := &s.edges[i]; seed {
		case e.a:
			s.weight[e.b] = e.weight * s.support[e.b]
		case e.b:
			s.weight[e.a] = e.weight * s.support[e.a]
		}
	}
	return fit(probe, ref, s.pairs, s.weight, scalePrior)
}

// match fills s.mates with the pairs of minutiae under a movement; false means
// none. After a rigid first round it lets the skin stretch: each later round
// moves a probe minutia by what its neighbours' mates were off, with a smaller
// tolerance.
func (s *scratch) match(probe, ref *Prepared, m *movement) bool {
	s.mates = s.mates[:0]
	for _, round := range matchRounds {
		s.pairUp(probe, ref, m, round)
		if len(s.mates) == 0 {
			return false
		}
	}
	return true
}
