package matcher

// A matchRound is one pass of pairing.
type matchRound struct {
	tolerance float32 // pixels
	bend      float32 // pixels over which a stretch is shared, 0 for a rigid finger
}

var matchRounds = []matchRound{{18, 0}, {16, 60}, {14, 50}}

// matchTurn is how far the directions of mates may differ, in turns.
const matchTurn = storedTurn * 30 / 360

// A link is a pair of minutiae within tolerance.
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
		for _, at := range s.columns.between(a.x-round.tolerance, a.x+round.tolerance) {
			j := int(at)
			b := &ref.points[j]
			dx, dy := b.x-a.x, b.y-a.y
			d := (dx*dx + dy*dy) / t2
			if d > 1 {
				continue
			}
			off := apart(b.angle, a.angle)
			if off > matchTurn {
				continue
			}
			t := float32(off) / matchTurn
			s.links = append(s.links, link{i, j, (d + t*t) / 2})
		}
	}
	s.choose(probe, ref)
}

// choose takes links greedily by cost, each minutia once.
func (s *scratch) choose(probe, ref *Prepared) {
	sortLinks(s.links)
	s.usedP, s.usedR = grow(s.usedP, len(probe.points)), grow(s.usedR, len(ref.points))
	clear(s.usedP)
	clear(s.usedR)
	s.mates = s.mates[:0]
	for _, l := range s.links {
		if s.usedP[l.p] || s.usedR[l.r] {
			continue
		}
		s.usedP[l.p], s.usedR[l.r] = true, true
		rigid, bent, b := &s.rigid[l.p], &s.moved[l.p], &ref.points[l.r]
		s.mates = append(s.mates, bond{
			pair:  newPair(rigid, b, l.p, l.r, probe.local[l.p].similarity(&ref.local[l.r])),
			cost:  l.cost,
			miss2: (b.x-bent.x)*(b.x-bent.x) + (b.y-bent.y)*(b.y-bent.y),
			missX: b.x - rigid.x, missY: b.y - rigid.y,
		})
	}
}

// move fills s.rigid with the moved probe and s.moved with the same, bent by
// the mates of the round before, whose rigid places are the same.
func (s *scratch) move(probe *Prepared, m *movement, bend float32) {
	s.rigid, s.moved = grow(s.rigid, len(probe.points)), s.moved[:0]
	for i, q := range probe.points {
		q.x, q.y = m.apply(q.x, q.y)
		q.angle += m.turned
		s.rigid[i] = q
	}
	for _, q := range s.rigid {
		if bend > 0 {
			dx, dy := s.stretch(q.x, q.y, bend)
			q.x, q.y = q.x+dx, q.y+dy
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
		dx, dy := s.rigid[k.p].x-x, s.rigid[k.p].y-y
		v := 1 / (1 + (dx*dx+dy*dy)/(bend*bend))
		v *= v * (1 - k.cost)
		sx, sy, w = sx+v*k.missX, sy+v*k.missY, w+v
	}
	return sx / w, sy / w
}
