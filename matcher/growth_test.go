package matcher

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The scale of a finger that grew is told by its mates, within what noise of a
// pixel in each place leaves.
func TestScaleIsTold(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for seed := range uint64(10) {
		made := finger(seed)
		for _, grown := range []float64{1, 1.05, 1.10, 1.15} {
			again := press(made, r, 0, 0, 0.1, 0.1)
			again.Grow(grown)
			e := Explain(mustPrepare(t, again), mustPrepare(t, made))
			if off := math.Abs(e.Scale*grown - 1); off > 0.02 {
				t.Errorf("finger %d, grown %g times: told as %.3f", seed, grown, 1/e.Scale)
			}
		}
	}
}

// The second hypothesis needs mates that say clearly that the scale is another.
func TestRegrownOnlyWhereAsked(t *testing.T) {
	s := takeScratch()
	defer s.giveBack()
	made := finger(1)
	p := mustPrepare(t, made)
	for grown, want := range map[float64]bool{1: false, 1.02: false, 1.08: true, 1.15: true} {
		larger := *made
		larger.Minutiae = append([]Minutia(nil), made.Minutiae...)
		larger.Grow(grown)
		q := mustPrepare(t, &larger)
		s.columns.fill(p.points)
		// A first guess with the middle where it belongs and the scale of before.
		off := float32(1 - grown)
		first := start{movement: movement{cos: 1, dx: off * 180, dy: off * 200}}
		if !s.match(q, p, &first.movement) {
			t.Fatal("no mates")
		}
		again, ok := s.regrown(q, p, &first)
		if ok != want {
			t.Errorf("grown %g times: asked for another scale %t", grown, ok)
		}
		if ok && math.Abs(again.scale()*grown-1) > 0.03 {
			t.Errorf("grown %g times: a scale of %.3f", grown, again.scale())
		}
	}
}
