package matcher

import "math"

// A movement takes probe coordinates to reference coordinates: a rotation and
// a translation, x' = cos·x + sin·y + dx and y' = cos·y − sin·x + dy in image
// axes, where sin > 0 turns counter-clockwise as seen.
type movement struct {
	cos, sin, dx, dy float32
	turned           turn
}

func (m *movement) apply(x, y float32) (float32, float32) {
	return m.cos*x + m.sin*y + m.dx, m.cos*y - m.sin*x + m.dy
}

// fit is the least-squares movement (Umeyama, PAMI 1991, in the plane and
// without scale) that takes the probe points of the weighted pairs to their
// reference points.
func fit(probe, ref *Prepared, pairs []pair, weight []float32) (movement, bool) {
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
	var c, s float64
	for i, pr := range pairs {
		if k := float64(weight[i]); k > 0 {
			a, b := &probe.points[pr.p], &ref.points[pr.r]
			ax, ay := float64(a.x)-px, float64(a.y)-py
			bx, by := float64(b.x)-rx, float64(b.y)-ry
			c += k * (ax*bx + ay*by)
			s += k * (ay*bx - ax*by)
			// Directions tell the turn too, as if by a lever of leverage pixels.
			sin, cos := math.Sincos((b.angle - a.angle).radians())
			c += k * leverage * leverage * cos
			s += k * leverage * leverage * sin
		}
	}
	h := math.Hypot(c, s)
	if h == 0 {
		return movement{}, false
	}
	c, s = c/h, s/h
	return movement{
		cos: float32(c), sin: float32(s),
		dx: float32(rx - (c*px + s*py)), dy: float32(ry - (c*py - s*px)),
		turned: toTurn(math.Atan2(s, c)),
	}, true
}

const leverage = 15

// seeds picks the best-supported pairs as starting points, leaving out those
// that an earlier one already agrees with.
func (s *scratch) seeds() []int {
	n := len(s.pairs)
	s.order = s.order[:0]
	s.taken = growBool(s.taken, n)
	clear(s.taken)
	for len(s.order) < mostSeeds {
		top := -1
		for i := range s.pairs {
			if !s.taken[i] && (top < 0 || s.pairs[i].support > s.pairs[top].support) {
				top = i
			}
		}
		if top < 0 || s.pairs[top].support < 0.05 {
			break
		}
		s.order = append(s.order, top)
		s.taken[top] = true
		for j, c := range s.compat[top*n : top*n+n] {
			if c > 0.5 {
				s.taken[j] = true
			}
		}
	}
	return s.order
}

const mostSeeds = 6

func growBool(b []bool, n int) []bool {
	if cap(b) < n {
		return make([]bool, n)
	}
	return b[:n]
}

// A mate is an accepted pair with how far its members lie apart.
type mate struct {
	p, r           int
	cost           float32 // 0 (together) to 1 (just within tolerance)
	missX, missY   float32 // reference minus moved probe, pixels
	turnMiss       int     // turns
	movedX, movedY float32
	sim            float32
}

// match pairs the minutiae under the movement that seed suggests and refines
// the movement, then lets the skin stretch: each later round moves a probe
// minutia by what its neighbours' mates were off, with a smaller tolerance.
func (s *scratch) match(probe, ref *Prepared, seed int) (movement, []mate) {
	n := len(s.pairs)
	s.weight = grow(s.weight, n)
	for j := range s.pairs {
		s.weight[j] = s.compat[seed*n+j] * s.pairs[j].support
	}
	s.weight[seed] = s.pairs[seed].support
	m, ok := fit(probe, ref, s.pairs, s.weight)
	if !ok {
		return m, nil
	}
	s.mates = s.mates[:0]
	for _, round := range matchRounds {
		s.pairUp(probe, ref, &m, round)
		if len(s.mates) == 0 {
			break
		}
	}
	return m, s.mates
}

// A matchRound is one pass of pairing.
type matchRound struct {
	tolerance float32 // pixels
	turn      int     // turns
	bend      float32 // pixels over which a stretch is shared, 0 for a rigid finger
}

var matchRounds = []matchRound{
	{18, storedTurn * 30 / 360, 0},
	{16, storedTurn * 30 / 360, 60},
	{14, storedTurn * 30 / 360, 50},
}

type link struct {
	p, r int
	cost float32
}

// pairUp replaces s.mates by the one-to-one pairs within tolerance, cheapest
// first.
func (s *scratch) pairUp(probe, ref *Prepared, m *movement, round matchRound) {
	s.move(probe, m, round.bend)
	s.links = s.links[:0]
	t2 := round.tolerance * round.tolerance
	for i := range s.moved {
		a := &s.moved[i]
		for j := range ref.points {
			b := &ref.points[j]
			dx, dy := b.x-a.x, b.y-a.y
			d := (dx*dx + dy*dy) / t2
			if d > 1 {
				continue
			}
			off := apart(b.angle, a.angle)
			if off > round.turn {
				continue
			}
			t := float32(off) / float32(round.turn)
			s.links = append(s.links, link{i, j, (d + t*t) / 2})
		}
	}
	s.choose(probe, ref)
}

// choose takes links greedily by cost, each minutia once.
func (s *scratch) choose(probe, ref *Prepared) {
	sortLinks(s.links)
	s.usedP, s.usedR = growBool(s.usedP, len(probe.points)), growBool(s.usedR, len(ref.points))
	clear(s.usedP)
	clear(s.usedR)
	s.mates = s.mates[:0]
	nr := len(ref.points)
	for _, l := range s.links {
		if s.usedP[l.p] || s.usedR[l.r] {
			continue
		}
		s.usedP[l.p], s.usedR[l.r] = true, true
		a, b := &s.moved[l.p], &ref.points[l.r]
		s.mates = append(s.mates, mate{
			p: l.p, r: l.r, cost: l.cost,
			missX: b.x - s.rigid[l.p].x, missY: b.y - s.rigid[l.p].y,
			turnMiss: apart(b.angle, a.angle),
			movedX:   s.rigid[l.p].x, movedY: s.rigid[l.p].y,
			sim: s.sims[l.p*nr+l.r],
		})
	}
}

// move fills s.rigid with the moved probe and s.moved with the same, bent by
// the mates of the round before.
func (s *scratch) move(probe *Prepared, m *movement, bend float32) {
	s.rigid, s.moved = s.rigid[:0], s.moved[:0]
	for _, q := range probe.points {
		x, y := m.apply(q.x, q.y)
		q.x, q.y, q.angle = x, y, q.angle+m.turned
		s.rigid = append(s.rigid, q)
		if bend > 0 {
			dx, dy := s.stretch(x, y, bend)
			q.x, q.y = x+dx, y+dy
		}
		s.moved = append(s.moved, q)
	}
}

// stretch is the displacement at (x, y) that the mates of the last round
// suggest: their mean, weighted by nearness, drawn towards zero.
func (s *scratch) stretch(x, y, bend float32) (float32, float32) {
	var sx, sy float32
	w := float32(0.5)
	for i := range s.mates {
		k := &s.mates[i]
		dx, dy := k.movedX-x, k.movedY-y
		v := 1 / (1 + (dx*dx+dy*dy)/(bend*bend))
		v *= v * (1 - k.cost)
		sx, sy, w = sx+v*k.missX, sy+v*k.missY, w+v
	}
	return sx / w, sy / w
}
