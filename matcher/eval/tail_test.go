package eval

import (
	"math"
	"math/rand/v2"
	"testing"
)

// exponential makes impostor pairs of the given number of fingers whose scores
// fall off exponentially with mean scale.
func exponential(fingers, each int, scale float64) (scores []pairScore) {
	r := rand.New(rand.NewPCG(5152, 0))
	for i := range fingers {
		for j := range i {
			for range each {
				scores = append(scores, pairScore{fingerI: j, fingerJ: i, score: scale * r.ExpFloat64()})
			}
		}
	}
	sortScores(scores)
	return scores
}

func TestTailOfExponentialScores(t *testing.T) {
	const scale = 2
	scores := exponential(20, 200, scale)
	tail := tailOf(scores, 20, 2400)
	if tail.Pairs != 38_000 || tail.FingerPairs != 190 || tail.Bound != 3.0/38_000 || tail.FingerBound != 3.0/190 {
		t.Errorf("bounds of %+v", tail)
	}
	if math.Abs(tail.Scale-scale) > 0.3 || math.Abs(tail.Shape) > 0.15 {
		t.Errorf("scale %.2f, shape %.2f, want %d and 0", tail.Scale, tail.Shape, scale)
	}
	want := math.Exp(-tail.Threshold / scale)
	if off := math.Log(tail.Fitted / want); math.Abs(off) > 0.5*tail.Threshold/scale {
		t.Errorf("fitted %.2g at the threshold, the truth is %.2g", tail.Fitted, want)
	}
	if tail.FittedCI95[0] > want || tail.FittedCI95[1] < want {
		t.Errorf("%.2g is outside the interval %.2g", want, tail.FittedCI95)
	}
	if tail.Counted > 20 {
		t.Errorf("%d pairs reach a threshold that one in a million should", tail.Counted)
	}
}

// The shape tells an exponential tail from one that ends: scores spread evenly
// have shape -1.
func TestShapeOfEvenScores(t *testing.T) {
	var over []pairScore
	for i := range 1000 {
		over = append(over, pairScore{score: 7 - float64(i)/1000})
	}
	if got := shape(over, 6); math.Abs(got+1) > 0.02 {
		t.Errorf("shape %.3f of even scores, want -1", got)
	}
}

func TestTailOfFewScores(t *testing.T) {
	for _, scores := range [][]pairScore{nil, {{score: 3}}, exponential(2, 5, 1), make([]pairScore, 5000)} {
		for i := range scores {
			scores[i].fingerJ = 1
		}
		tail := tailOf(scores, 2, 10)
		if tail.Scale != 0 || tail.Fitted != 0 || tail.Pairs != len(scores) {
			t.Errorf("of %d scores: %+v", len(scores), tail)
		}
	}
}

func TestShareInterval(t *testing.T) {
	// From the closed form for none, and published tables for the others.
	for _, c := range []struct {
		k, n   int
		lo, hi float64
	}{{0, 50, 0, 0.0711}, {50, 50, 0.9289, 1}, {1, 10, 0.0025, 0.4450}, {5, 20, 0.0866, 0.4910}, {0, 0, 0, 1}} {
		got := shareInterval(c.k, c.n)
		if math.Abs(got[0]-c.lo) > 1e-4 || math.Abs(got[1]-c.hi) > 1e-4 {
			t.Errorf("%d of %d: %.4f, want %.4f to %.4f", c.k, c.n, got, c.lo, c.hi)
		}
	}
}

func TestFingersToEnrolAgain(t *testing.T) {
	scores := []pairScore{
		{0, 0, 30, 1, 2}, {0, 0, 2, 1, 3}, {0, 0, 4, 2, 3}, // press 3 of the first finger is poor
		{1, 1, 25, 1, 2}, {0, 1, 7, 2, 1}, {0, 2, 1, 1, 1}, {1, 2, 3, 1, 1},
	}
	ready := []prepared{{one: &impression{finger: "a"}}, {finger: 1, one: &impression{finger: "b"}}, {finger: 2, one: &impression{finger: "c"}}}
	got := fingersOf(scores, ready, 10)
	if a := got[0]; a != (Finger{"a", 3, 2, 12, 2, 3, 7, "b"}) {
		t.Errorf("worst finger %+v", a)
	}
	if len(got) != 3 || got[1].Finger != "c" || got[2].Finger != "b" || got[2].Alike != "a" {
		t.Errorf("%+v", got)
	}
}
