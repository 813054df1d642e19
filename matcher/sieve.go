package matcher

import (
	"math"
)

// A sieve compares one probe with the k-plets of a whole gallery: the first
// stage of a search.
//
// For every cell it holds a word with one bit for each probe minutia that has
// a neighbour there, spread over all cells where that neighbour may lie in
// another impression. The seven words of a k-plet, added bit by bit with
// carry-save adders (Warren, "Hacker's Delight", 2nd edition 2012, 5-2), say
// of all probe minutiae at once how many of its neighbours each confirms. A
// minutia that confirms more of them than chance explains is a hit; hits that
// agree on how the finger was moved add up, as in the generalised Hough
// transform of Ratha, Karu, Chen, Jain, "A real-time matching system for large
// fingerprint databases", PAMI 1996, but counted around each hit, without bins.
type sieve struct {
	cells  [cellCodes]uint64
	chance chance
	angle  [mostUsed]turn
	middle vec                        // of the probe
	moved  [sieveTurns][mostUsed]pose // the probe, turned about its middle
	floor  int                        // ranks below this need not be exact

	// The hits of one template and the movements that they suggest, the first
	// found of each.
	hits  [mostHits]hit
	poses [mostHits]pose
	sums  [mostHits]int32 // what the hits weigh that agree with each
	found int
}

// sieveTurns is the number of turns at which the probe is kept.
const sieveTurns = 64

const (
	strayBase = 5   // pixels that a neighbour may stray from where the probe has it
	strayGrow = 0.1 // and for each pixel of distance
	strayTurn = storedTurn * 10 / 360
)

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
	s.turnAround(points)
}

// turnAround fills s.moved. Turning about the middle, an error in a hit's
// direction moves its pose least.
func (s *sieve) turnAround(points []point) {
	s.middle = vec{}
	for i := range points {
		s.middle.x += points[i].x / float32(len(points))
		s.middle.y += points[i].y / float32(len(points))
	}
	for t := range s.moved {
		sin, cos := math.Sincos((float64(t) + 0.5) * tau / sieveTurns)
		m := movement{cos: float32(cos), sin: float32(sin)}
		for i := range points {
			x, y := m.apply(points[i].x-s.middle.x, points[i].y-s.middle.y)
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
