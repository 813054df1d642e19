package matcher

import (
	"slices"
	"sync"
)

// scratch is the memory of one comparison, reused between comparisons by one
// goroutine at a time. It holds what was derived from minutiae and is cleared
// when it goes back to the pool.
type scratch struct {
	sims, compat, next, weight []float32
	pairs                      []pair
	order                      []int
	taken, usedP, usedR        []bool
	rigid, moved               []point
	links                      []link
	mates                      []mate
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func takeScratch() *scratch { return scratches.Get().(*scratch) }

// giveBack clears where minutiae were and returns s to the pool.
func (s *scratch) giveBack() {
	clear(s.rigid[:cap(s.rigid)])
	clear(s.moved[:cap(s.moved)])
	clear(s.mates[:cap(s.mates)])
	scratches.Put(s)
}

// Score compares two impressions. It is 0 when nothing is alike and grows
// with the evidence that both are of the same finger; different fingers
// rarely reach 10. See Policy for what a score is worth. It takes time
// proportional to the product of the numbers of minutiae, at most mostUsed
// each.
func Score(probe, reference *Prepared) float64 {
	s := takeScratch()
	defer s.giveBack()
	return s.score(probe, reference)
}

func (s *scratch) score(probe, ref *Prepared) float64 {
	if len(probe.points) < fewest || len(ref.points) < fewest {
		return 0
	}
	s.candidates(probe, ref)
	s.relax(probe, ref)
	var top float64
	for _, seed := range s.seeds() {
		_, mates := s.match(probe, ref, seed)
		top = max(top, s.evidence(probe, ref, mates))
	}
	return top
}

// fewest minutiae that can say anything: three fix a movement with none left
// over to confirm it.
const fewest = 4

func sortLinks(links []link) {
	slices.SortFunc(links, func(a, b link) int {
		switch {
		case a.cost < b.cost:
			return -1
		case a.cost > b.cost:
			return 1
		}
		return (a.p-b.p)*1024 + a.r - b.r
	})
}

// evidence sums what the mates say for, and the unmated minutiae in the
// overlap say against, one finger.
func (s *scratch) evidence(probe, ref *Prepared, mates []mate) float64 {
	if len(mates) < fewest-1 {
		return 0
	}
	var sum float64
	for i := range mates {
		k := &mates[i]
		t := float64(k.turnMiss) / (storedTurn * 30 / 360)
		sum += (1 - float64(k.cost)) * (0.5 + 1.5*float64(k.sim)) * (1 - 0.5*t*t)
	}
	np, nr := s.overlap(probe, ref)
	n := float64(len(mates))
	return 10 * sum * sum / (float64(np+nr)/2 + 6) * min(1, n/6) / 4
}

// overlap counts the minutiae of either side that lie inside the hull of the
// other, mated or not: those that could have found a mate.
func (s *scratch) overlap(probe, ref *Prepared) (np, nr int) {
	np, nr = 0, 0
	for i := range s.moved {
		if s.usedP[i] || inside(ref.hull, s.moved[i].x, s.moved[i].y) {
			np++
		}
	}
	hull := convexHullOf(s.moved)
	for j := range ref.points {
		if s.usedR[j] || inside(hull, ref.points[j].x, ref.points[j].y) {
			nr++
		}
	}
	return np, nr
}

func convexHullOf(points []point) []vec {
	sorted := slices.Clone(points)
	slices.SortFunc(sorted, comparePoints)
	return convexHull(sorted)
}

// inside tells whether (x, y) lies in the hull, which convexHull wound so that
// the inside is where the cross product is positive.
func inside(hull []vec, x, y float32) bool {
	if len(hull) < 3 {
		return false
	}
	for i := range hull {
		if cross(hull[i], hull[(i+1)%len(hull)], vec{x, y}) < 0 {
			return false
		}
	}
	return true
}
