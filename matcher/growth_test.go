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

// A finger that grew unbeknown is explained in the reference's own pixels, and
// scores about as one of which that was told.
func TestUntoldGrowth(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for seed := range uint64(10) {
		made := finger(seed)
		again := press(made, r, 0, 0, 0.1, 0.1)
		again.Grow(1.15)
		probe, told := mustPrepare(t, again), *made
		told.Grow(1.15)
		untold := mustPrepare(t, made)
		e, most := Explain(probe, untold), Score(probe, mustPrepare(t, &told))
		if math.Abs(e.Scale*1.15-1) > 0.02 || e.Score < 0.85*most || e.Score != Score(probe, untold) {
			t.Errorf("finger %d: scale %.3f, score %.1f, told %.1f", seed, e.Scale, e.Score, most)
		}
		for _, m := range e.Mates {
			x, y := e.Move(float64(m.Probe.X), float64(m.Probe.Y))
			if d := math.Hypot(x-float64(m.Reference.X), y-float64(m.Reference.Y)); d > 10 {
				t.Errorf("finger %d: mates %.1f pixels apart after moving", seed, d)
			}
		}
	}
}

// A prepared template of which growth was told has one size; Clear clears both.
func TestSizesThatArePrepared(t *testing.T) {
	made := finger(1)
	p := mustPrepare(t, made)
	other := p.grown
	if other == nil || other.grown != nil {
		t.Fatal("growth that is not told is not looked for")
	}
	points := other.points
	if p.Clear(); points[0] != (point{}) {
		t.Error("the larger size is left in memory")
	}
	told := *made
	told.Grow(1)
	if mustPrepare(t, &told).grown != nil {
		t.Error("another size is looked for than the one that was told")
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
