package matcher

import (
	"math"
	"math/bits"
)

// A hit is a k-plet of a template whose neighbours a probe minutia confirms.
type hit struct {
	weight       int32
	point, probe uint8 // the template's minutia, the probe's
}

// A pose packs a turn and a place, so that two are subtracted and compared in
// one go: 16 bits of turn over 24 bits each of x and y, in units of poseStep
// sixteenths of a pixel. Differences keep to their 24 bits because poseZero is
// added to both; those of turns wrap around as they should.
type pose uint64

const (
	poseStep = 8 // makes hitMiss a power of two
	poseZero = pose(1<<15<<24 | 1<<15)
)

func newPose(turned turn, x, y int) pose {
	return pose(turned)<<48 + pose(x+1<<15)<<24 + pose(y+1<<15)
}

const (
	hitTurn    = storedTurn / 16 // turns between hits that agree
	hitMiss    = 32              // between hits that agree, in pose units: 16 pixels
	mostHits   = 64              // of one template; more say no more, and time grows with their square
	rankLevels = 1 << 11
)

// rank says how much a template resembles the probe, 0 to rankLevels-1. Where
// it would be below s.floor it is 0.
func (s *sieve) rank(e *entry) uint16 {
	scale := rankScale[len(e.plets)]
	if s.find(e)*scale < float32(s.floor) {
		return 0
	}
	s.locate(e)
	_, most := s.agreement()
	rank := min(int(float32(most)*scale), rankLevels-1)
	if rank < s.floor {
		return 0
	}
	return uint16(rank)
}

// rankScale makes up for the chance hits that a template of n k-plets has.
var rankScale = func() (scale [mostPlets + 1]float32) {
	for n := range scale {
		scale[n] = float32(15 / math.Sqrt(float64(n)+8))
	}
	return scale
}()

// find fills s.hits and returns what they weigh together, which bounds their
// agreement.
func (s *sieve) find(e *entry) float32 {
	n, total := 0, int32(0)
	rest := e.which
	for k := range e.plets {
		one, two, four := s.confirmed(&e.plets[k])
		hits := two&one&s.chance.three | four&(s.chance.four|two|one)
		for ; hits != 0; hits &= hits - 1 {
			i := bits.TrailingZeros64(hits) % mostUsed
			weight := s.chance.weights[i][four>>i&1<<2|two>>i&1<<1|one>>i&1]
			s.hits[n%mostHits] = hit{int32(weight), uint8(bits.TrailingZeros64(rest)), uint8(i)}
			total += int32(weight)
			n++
		}
		rest &= rest - 1
	}
	s.found = min(n, mostHits)
	return float32(total)
}

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

// locate fills s.poses.
func (s *sieve) locate(e *entry) {
	for k := range s.hits[:s.found] {
		h := &s.hits[k]
		p, i := &e.points[h.point], h.probe%mostUsed
		at := newPose(p.angle(), int(p.x)/poseStep, int(p.y)/poseStep)
		turned := p.angle() - s.angle[i]
		s.poses[k] = at - s.moved[turned/(storedTurn/sieveTurns)][i]
	}
}

// agreement finds the hit around which the hits weigh most, and that weight.
func (s *sieve) agreement() (best int, most int32) {
	hits, poses, sums := s.hits[:s.found], s.poses[:s.found], s.sums[:s.found]
	for k := range sums {
		sums[k] = hits[k].weight
		for j, b := range poses[:k] {
			if agree(poses[k], b) {
				sums[k] += hits[j].weight
				sums[j] += hits[k].weight
			}
		}
	}
	for k, sum := range sums {
		if sum > most {
			best, most = k, sum
		}
	}
	return best, most
}

// agree tells whether of all three differences d between two poses
// −limit ≤ d < limit, that is, d + limit has no bits but those of 2·limit − 1.
func agree(a, b pose) bool {
	const (
		limits = hitTurn<<48 | hitMiss<<24 | hitMiss
		within = (2*hitTurn-1)<<48 | (2*hitMiss-1)<<24 | (2*hitMiss - 1)
	)
	return (a+limits+poseZero-b)&^within == poseZero
}

// movement is that on which the hits of e agree best; false means that it has
// none.
func (s *sieve) movement(e *entry) (movement, bool) {
	if s.find(e); s.found == 0 {
		return movement{}, false
	}
	s.locate(e)
	best, _ := s.agreement()
	from := s.poses[best]
	var weight, turned, x, y float32
	for k, p := range s.poses[:s.found] {
		if agree(from, p) {
			w := float32(s.hits[k].weight)
			dt, dx, dy := p.minus(from)
			weight, turned, x, y = weight+w, turned+w*float32(dt), x+w*float32(dx), y+w*float32(dy)
		}
	}
	fromTurn, fromX, fromY := from.minus(poseZero)
	m := movement{turned: turn(fromTurn + int16(turned/weight))}
	sin, cos := math.Sincos(m.turned.radians())
	m.cos, m.sin = float32(cos), float32(sin)
	mx, my := m.apply(s.middle.x, s.middle.y)
	m.dx = (float32(fromX)+x/weight)*poseStep/storedSub - mx
	m.dy = (float32(fromY)+y/weight)*poseStep/storedSub - my
	return m, true
}

// minus is the difference in each dimension.
func (p pose) minus(q pose) (turned int16, x, y int) {
	const low = 1<<24 - 1
	d := p + poseZero - q
	return int16(d >> 48), int(d>>24&low) - 1<<15, int(d&low) - 1<<15
}
