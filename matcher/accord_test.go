package matcher

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// nearest agrees with looking at every point.
func TestNearestLooksAtAll(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 31))
	for range 200 {
		points := make([]packedPoint, r.IntN(mostUsed+1))
		for i := range points {
			points[i] = packedPoint{x: uint16(r.IntN(60 * storedSub)), y: uint16(r.IntN(60 * storedSub)), heading: uint16(r.IntN(storedTurn))}
		}
		slices.SortFunc(points, func(a, b packedPoint) int { return int(a.x) - int(b.x) })
		x, y, angle := r.IntN(60*storedSub), r.IntN(60*storedSub), turn(r.IntN(storedTurn))
		want := 0.0
		for _, p := range points {
			far, off := math.Hypot(float64(int(p.x)-x), float64(int(p.y)-y))/accordReach, float64(apart(p.angle(), angle))/matchTurn
			if far < 1 && off <= 1 {
				want = max(want, 1-(far*far+off*off)/2)
			}
		}
		if got := nearest(points, x, y, angle); math.Abs(float64(got)-want) > 0.01 {
			t.Fatalf("%d points: %.3f, want %.3f", len(points), got, want)
		}
	}
}

// A finger is first in the order of the second stage, and strangers far behind.
func TestAccordTellsFingersApart(t *testing.T) {
	g := galleryOf(t, 300)
	snap := g.acquire()
	defer g.release(snap)
	r := rand.New(rand.NewPCG(32, 32))
	for _, who := range []uint64{3, 140, 299} {
		p := mustPrepare(t, press(finger(who), r, 12, 8, -0.5, 0.4))
		s := &search{sieve: new(sieve)}
		if err := s.rank(t.Context(), snap, p, shortlisted); err != nil {
			t.Fatal(err)
		}
		s.shortlist(snap, shortlisted)
		s.order(p, s.places)
		first, second := s.places[0], s.places[1]
		if e := first.chunk.at(int(first.entry)); e.subject != subjectOf(who) || first.accord < 2*second.accord {
			t.Errorf("%s is first with %.1f, second %.1f; want %s", e.subject, first.accord, second.accord, subjectOf(who))
		}
	}
}
