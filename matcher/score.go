package matcher

import (
	"math"
	"slices"

	"github.com/tillprint/tillprint/locked"
)

// scratch is the memory of one comparison, reused between comparisons by one
// goroutine at a time. It holds what was derived from minutiae, places and
// directions in locked memory, and is cleared when it goes back to the stock.
type scratch struct {
	sims                  []float32 // of every probe minutia with every reference minutia
	pairs                 []pair    // candidates
	edges                 []edge    // between compatible pairs
	support, next, weight []float32 // one a pair
	order                 []int
	taken, usedP, usedR   []bool
	rigid, moved          []point // the probe's, in reference coordinates
	links                 []link
	mates                 []bond
	columns               columns     // of the reference
	begun                 []start     // movements to try
	ridges                []ridgeCell // of the reference
	movement              movement    // of the last score, before bending
}

// The room is for as much as can be needed: to append never leaves it.
var scratches = stock[scratch]{make: func() *scratch {
	return &scratch{
		pairs: locked.Make[pair](mostPairs)[:0],
		rigid: locked.Make[point](mostUsed)[:0],
		moved: locked.Make[point](mostUsed)[:0],
		mates: locked.Make[bond](mostUsed)[:0],
	}
}}

func takeScratch() *scratch { return scratches.take() }

// giveBack clears where minutiae were and returns s to the stock.
func (s *scratch) giveBack() {
	for _, points := range [][]point{s.rigid, s.moved} {
		clear(points[:cap(points)])
	}
	clear(s.pairs[:cap(s.pairs)])
	clear(s.begun[:cap(s.begun)])
	clear(s.ridges[:cap(s.ridges)])
	clear(s.mates[:cap(s.mates)])
	s.movement = movement{}
	scratches.give(s)
}

// Score compares two impressions. It is 0 when nothing is alike and grows with
// the evidence that both are of the same finger: roughly, one more unit makes
// that e times as likely. FalseMatchRate and Policy say what a score is worth.
//
// Time and memory are bounded whatever the templates hold: at most 64 minutiae
// a side take part, 80 pairs of them enter relaxation, 6 movements are paired
// rigidly and 2 of these to the end, each once more if it asks for another scale;
// ridges are compared in eight places of each cell of the flow, at seven slips.
// A reference whose growth was not told is compared twice, as it was and grown by a
// tenth, and the better one counts. Nothing is allocated after warm-up.
func Score(probe, reference *Prepared) float64 {
	s := takeScratch()
	defer s.giveBack()
	score, _ := s.scoreGrown(probe, reference)
	return score
}

// scoreGrown scores as Score says, and names which size of the reference s.movement leads to.
func (s *scratch) scoreGrown(probe, ref *Prepared) (float64, *Prepared) {
	score := s.score(probe, ref)
	if ref.grown == nil {
		return score, ref
	}
	was := s.movement
	if grown := s.score(probe, ref.grown); grown > score {
		return grown, ref.grown
	}
	s.movement = was
	return score, ref
}

// score tries the best-supported movements of the finger and takes the one
// that explains most.
func (s *scratch) score(probe, ref *Prepared) float64 {
	if len(probe.points) < fewest || len(ref.points) < fewest {
		return 0
	}
	s.candidates(probe, ref)
	s.relax()
	s.columns.fill(ref.points)
	s.starts(probe, ref)
	best := evidenceOf{plain: math.Inf(-1)}
	for i := range s.begun[:min(len(s.begun), mostTried)] {
		s.try(probe, ref, &s.begun[i], &best)
		if again, ok := s.regrown(probe, ref, &s.begun[i]); ok {
			s.try(probe, ref, &again, &best)
		}
	}
	return evidence(best.plain + best.ridges)
}

// An evidenceOf is what speaks for a movement.
type evidenceOf struct{ plain, ridges float64 }

// try pairs to the end under a movement and, if the mates and the flow say more
// than under the best so far, compares the ridges, and notes it as the best.
func (s *scratch) try(probe, ref *Prepared, b *start, best *evidenceOf) {
	if !s.match(probe, ref, &b.movement) {
		return
	}
	c := s.count(probe, ref, b)
	if plain := c.plain(); plain > best.plain {
		*best = evidenceOf{plain: plain}
		if plain > ridgesFloor {
			best.ridges = s.compareRidges(probe, ref, &b.movement).evidence()
		}
		s.movement = b.movement
	}
}

// ridgesFloor is the plain evidence below which ridges are not compared: that of a
// third of strangers, and of no genuine pair that ridges would save.
const ridgesFloor = -3

// mostTried movements are paired to the end; more find impostors' best chance
// more often than a mate's.
const mostTried = 2

// fewest minutiae that can say anything: three fix a movement with none left
// over to confirm it.
const fewest = 4

// grow returns b with length n, reusing its memory where it can. What the
// elements hold is left from before.
func grow[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}

func sortLinks(links []link) {
	slices.SortFunc(links, func(a, b link) int {
		switch {
		case a.cost < b.cost:
			return -1
		case a.cost > b.cost:
			return 1
		}
		return (a.p-b.p)*(mostUsed+1) + a.r - b.r
	})
}
