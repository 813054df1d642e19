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
	moved [sieveTurns][mostUsed]pose // the probe, turned about the origin
	turns [hitTurns]hitsOfTurn       // the hits of one template, by their turn
	floor int                        // ranks below this need not be exact
}

// sieveTurns is the number of turns at which the probe is kept.
const sieveTurns = 64

// A pose packs a turn and a place, so that two are subtracted and compared in
// one go: 16 bits of turn over 24 bits each of x and y, in units of poseStep
// sixteenths of a pixel. Differences keep to their 24 bits because poseZero is
// added to both; those of turns wrap around as they should.
type pose uint64

const (
	poseStep = 10 // makes hitMiss a power of two
	poseZero = pose(1<<15<<24 | 1<<15)
)

func newPose(turned turn, x, y int) pose {
	return pose(turned)<<48 + pose(x+1<<15)<<24 + pose(y+1<<15)
}

// hitsOfTurn are the movements of the finger that pairs of k-plets suggest: the
// first n of poses, each with its weight, and the sum of the weights.
type hitsOfTurn struct {
	n, weight int
	poses     [mostHits]pose
	weights   [mostHits]uint8
}

const (
	strayBase  = 4   // pixels that a neighbour may stray from where the probe has it
	strayGrow  = 0.1 // and for each pixel of distance
	strayTurn  = storedTurn * 10 / 360
	hitTurns   = 16
	hitTurn    = storedTurn / hitTurns // turns between hits that agree
	hitMiss    = 32                    // between hits that agree, in pose units: 20 pixels
	mostHits   = 32                    // in one range of turn; more say no more, and time grows with their square
	rankLevels = 1 << 11
)

// hitWeight is what a hit counts by the number of neighbours confirmed.
var hitWeight = [8]uint8{3: 1, 4: 2, 5: 3, 6: 5, 7: 5}

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
			s.moved[t][i] = newPose(points[i].angle, int(x*storedSub)/poseStep, int(y*storedSub)/poseStep) - poseZero
		}
	}
}

// clear overwrites what set and rank left.
func (s *sieve) clear() {
	*s = sieve{}
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
	for t := range s.turns {
		s.turns[t].n, s.turns[t].weight = 0, 0
	}
	rest := e.which
	for k := range e.plets {
		one, two, four := s.confirmed(&e.plets[k])
		if hits := four | two&one; hits != 0 {
			s.collect(&e.points[bits.TrailingZeros64(rest)], hits, one, two, four)
		}
		rest &= rest - 1
	}
	scale := rankScale[len(e.plets)]
	rank := min(int(float32(s.agreement(float32(s.floor)/scale))*scale), rankLevels-1)
	if rank < s.floor {
		return 0
	}
	return uint16(rank)
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
	at := newPose(p.angle, int(p.x)/poseStep, int(p.y)/poseStep)
	for ; hits != 0; hits &= hits - 1 {
		i := bits.TrailingZeros64(hits) % mostUsed
		turned := p.angle - s.angle[i]
		like := &s.turns[turned/hitTurn]
		if like.n == mostHits {
			continue
		}
		weight := hitWeight[four>>i&1<<2|two>>i&1<<1|one>>i&1]
		like.poses[like.n%mostHits] = at - s.moved[turned/(storedTurn/sieveTurns)][i]
		like.weights[like.n%mostHits] = weight
		like.n++
		like.weight += int(weight)
	}
}

// agreement is the weight of the hits around the hit where that is greatest,
// as exactly as at least floor. Hits that agree lie in the same or in
// neighbouring ranges of turn, whose weight bounds it.
func (s *sieve) agreement(floor float32) (most int) {
	for t := range s.turns {
		before, like, after := &s.turns[(t+hitTurns-1)%hitTurns], &s.turns[t], &s.turns[(t+1)%hitTurns]
		bound := before.weight + like.weight + after.weight
		if like.n == 0 || bound <= most || float32(bound) < floor {
			continue
		}
		for _, p := range like.poses[:like.n] {
			most = max(most, before.around(p)+like.around(p)+after.around(p))
		}
	}
	return most
}

// around is the weight of the hits that agree with a: of all three differences
// d, −limit ≤ d < limit, that is, d + limit has no bits but those of
// 2·limit − 1.
func (h *hitsOfTurn) around(a pose) (sum int) {
	const (
		limits = hitTurn<<48 | hitMiss<<24 | hitMiss
		within = (2*hitTurn-1)<<48 | (2*hitMiss-1)<<24 | (2*hitMiss - 1)
	)
	a += limits + poseZero
	for i, b := range h.poses[:h.n] {
		if (a-b)&^within == poseZero {
			sum += int(h.weights[i])
		}
	}
	return sum
}
