package matcher

import (
	"math"
	"math/bits"
)

// A sieve compares one probe with the k-plets of a whole gallery: the first
// stage of a search.
//
// For every cell it holds a word with one bit for each probe minutia that has
// a neighbour there, spread over all cells where that neighbour may lie in
// another impression. The seven words of a k-plet, added bit by bit with
// carry-save adders (Warren, "Hacker's Delight", 2nd edition 2012, 5-2), say
// of all probe minutiae at once how many of its neighbours each confirms. A
// minutia that confirms enough of them is a hit; hits that agree on how the
// finger was moved add up, as in the generalised Hough transform of Ratha,
// Karu, Chen, Jain, "A real-time matching system for large fingerprint
// databases", PAMI 1996, but counted around each hit, without bins.
type sieve struct {
	cells [cellCodes]uint64
	angle [mostUsed]turn
	moved [sieveTurns][mostUsed]struct{ x, y int16 } // the probe, turned about the origin
	hits  []hit
	turns [hitTurns]int // weight of the hits by their turn
	floor int           // ranks below this need not be exact
}

// sieveTurns is the number of turns at which the probe is kept.
const sieveTurns = 64

// A hit is a movement of the finger that a pair of k-plets suggests.
type hit struct {
	x, y   int16 // pixels
	turned turn
	weight int16
}

const (
	strayBase  = 5   // pixels that a neighbour may stray from where the probe has it
	strayGrow  = 0.1 // and for each pixel of distance
	strayTurn  = storedTurn * 10 / 360
	hitTurns   = 16
	hitTurn    = storedTurn / hitTurns // turns between hits that agree
	hitMiss    = 20                    // pixels between hits that agree
	mostHits   = 256                   // of one template; more say no more, and time grows with their square
	rankLevels = 1 << 11
)

// hitWeight is what a hit counts by the number of neighbours confirmed.
var hitWeight = [8]int16{3: 1, 4: 2, 5: 3, 6: 5, 7: 5}

// set makes the sieve of a probe of at most mostUsed points.
func (s *sieve) set(points []point) {
	s.floor = 0
	clear(s.cells[:])
	for i := range points {
		p := &points[i]
		s.angle[i] = p.angle
		sin, cos := math.Sincos(p.angle.radians())
		for j := range points {
			if j != i {
				s.spread(i, p, &points[j], float32(sin), float32(cos))
			}
		}
	}
	for t := range s.moved {
		sin, cos := math.Sincos((float64(t) + 0.5) * tau / sieveTurns)
		m := movement{cos: float32(cos), sin: float32(sin)}
		for i := range points {
			x, y := m.apply(points[i].x, points[i].y)
			s.moved[t][i].x, s.moved[t][i].y = int16(x), int16(y)
		}
	}
}

// clear overwrites what set and rank left.
func (s *sieve) clear() {
	clear(s.hits[:cap(s.hits)])
	*s = sieve{hits: s.hits[:0]}
}

// spread marks the cells where neighbour q of p, the i-th point, may lie.
func (s *sieve) spread(i int, p, q *point, sin, cos float32) {
	dx, dy := q.x-p.x, -(q.y - p.y)
	stray := strayBase + strayGrow*float32(math.Sqrt(float64(dx*dx+dy*dy)))
	u, v := dx*cos+dy*sin, dy*cos-dx*sin
	if far := pletReach + stray; u >= far || u <= -far || v >= far || v <= -far {
		return
	}
	const half = cellsAcross / 2
	first := func(w float32) int { return max(0, int((w-stray)/cellSide+half)) }
	last := func(w float32) int { return min(cellsAcross-1, int((w+stray)/cellSide+half)) }
	turns := nearTurns(q.angle - p.angle)
	for a := first(u); a <= last(u); a++ {
		du := (float32(a)+0.5-half)*cellSide - u
		for b := first(v); b <= last(v); b++ {
			dv := (float32(b)+0.5-half)*cellSide - v
			if du*du+dv*dv > stray*stray {
				continue
			}
			at := s.cells[(a*cellsAcross+b)*cellTurns:][:cellTurns]
			for t := range at {
				at[t] |= uint64(turns>>t&1) << i
			}
		}
	}
}

// nearTurns is the set of ranges of direction that another impression may
// show for turned.
func nearTurns(turned turn) (set uint8) {
	const width = storedTurn / cellTurns
	for t := range cellTurns {
		if apart(turned, turn(t*width+width/2)) <= strayTurn+width/2 {
			set |= 1 << t
		}
	}
	return set
}

// rank says how much a template resembles the probe, 0 to rankLevels-1. Where
// it would be below s.floor it is 0.
func (s *sieve) rank(e *entry) uint16 {
	s.hits = s.hits[:0]
	clear(s.turns[:])
	rest := e.which
	for k := range e.plets {
		one, two, four := s.confirmed(&e.plets[k])
		if hits := four | two&one; hits != 0 {
			s.collect(&e.points[bits.TrailingZeros64(rest)], hits, one, two, four)
		}
		rest &= rest - 1
	}
	scale := rankScale[len(e.plets)]
	if len(s.hits) == 0 || int(float32(s.mostAgreement())*scale) < s.floor {
		return 0
	}
	return uint16(min(float32(s.agreement())*scale, rankLevels-1))
}

// rankScale makes up for the chance hits that a template of n k-plets has.
var rankScale = func() (scale [mostPlets + 1]float32) {
	for n := range scale {
		scale[n] = float32(50 / math.Sqrt(float64(n)+8))
	}
	return scale
}()

// confirmed counts for each probe minutia how many of the neighbours it has:
// the count's three binary digits, a bit for each probe minutia.
func (s *sieve) confirmed(around *kplet) (one, two, four uint64) {
	const mask = cellCodes - 1
	a, b, c := s.cells[around[0]&mask], s.cells[around[1]&mask], s.cells[around[2]&mask]
	d, e, f := s.cells[around[3]&mask], s.cells[around[4]&mask], s.cells[around[5]&mask]
	g := s.cells[around[6]&mask]
	ab, de := a^b, d^e
	sum1, carry1 := ab^c, a&b|ab&c
	sum2, carry2 := de^f, d&e|de&f
	sums := sum1 ^ sum2
	one, carry3 := sums^g, sum1&sum2|sums&g
	carries := carry1 ^ carry2
	return one, carries ^ carry3, carry1&carry2 | carries&carry3
}

// collect notes the hits of the k-plet of p: the bits of hits.
func (s *sieve) collect(p *packedPoint, hits, one, two, four uint64) {
	for ; hits != 0 && len(s.hits) < mostHits; hits &= hits - 1 {
		i := bits.TrailingZeros64(hits)
		turned := p.angle - s.angle[i%mostUsed]
		at := &s.moved[turned/(storedTurn/sieveTurns)][i%mostUsed]
		weight := hitWeight[four>>i&1<<2|two>>i&1<<1|one>>i&1]
		s.turns[turned/hitTurn] += int(weight)
		s.hits = append(s.hits, hit{int16(p.x/storedSub) - at.x, int16(p.y/storedSub) - at.y, turned, weight})
	}
}

// mostAgreement is a bound of agreement that takes no time: the weight of the
// hits in three neighbouring ranges of turn.
func (s *sieve) mostAgreement() (most int) {
	for t := range s.turns {
		most = max(most, s.turns[t]+s.turns[(t+1)%hitTurns]+s.turns[(t+2)%hitTurns])
	}
	return most
}

// agreement is the weight of the hits around the hit where that is greatest.
func (s *sieve) agreement() (most int) {
	for i := range s.hits {
		a := &s.hits[i]
		sum := 0
		for j := range s.hits {
			b := &s.hits[j]
			if within(a.x-b.x, hitMiss) && within(a.y-b.y, hitMiss) && within(int16(a.turned-b.turned), hitTurn) {
				sum += int(b.weight)
			}
		}
		most = max(most, sum)
	}
	return most
}

// within tells whether |d| is at most limit.
func within(d, limit int16) bool { return uint16(d+limit) <= uint16(2*limit) }
