package matcher

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// strangers draws the best few scores, best first, of n strangers: one in ten
// is above level, and beyond it scores fall off exponentially, as the model has
// it. The ranks are those of n even draws (Devroye, "Non-Uniform Random Variate
// Generation", V.2).
func strangers(r *rand.Rand, few, n int, level, scale float64) []float64 {
	scores := make([]float64, few)
	logBelow := 0.0
	for i := range scores {
		logBelow += math.Log(r.Float64()) / float64(n-i)
		scores[i] = max(0.01, level-scale*math.Log(10*-math.Expm1(logBelow)))
	}
	return scores
}

// Whatever a probe's tail, a stranger is named no more often than the budget
// says: the threshold follows the probe.
func TestCalibrateKeepsTheBudgetForEveryTail(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	const gallery, trials, budget = 1200, 20000, 0.01
	for _, tail := range []struct{ level, scale float64 }{{2, 0.4}, {3, 0.8}, {4, 1.0}, {6, 1.5}} {
		named := 0
		for range trials {
			scores := strangers(r, 75, gallery, tail.level, tail.scale)
			calibrate(scores, gallery)
			if scores[0] >= Threshold(budget, gallery) {
				named++
			}
		}
		// Four standard deviations of the count above the budget, a fifth more
		// where the tail is half again as wide as the prior says.
		if most := trials*budget*1.2 + 4*math.Sqrt(trials*budget); float64(named) > most {
			t.Errorf("tail %+v: %d of %d strangers are named, the budget allows %g", tail, named, trials, trials*budget)
		}
	}
}

func TestCalibrateKeepsTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for _, n := range []int{0, 1, 2, 9, 17, 40, 300} {
		scores := strangers(r, n, n, 3, 0.8)
		if n > 0 {
			scores[0] += 20
		}
		calibrate(scores, 2*n)
		for i := 1; i < n; i++ {
			if scores[i] > scores[i-1] || math.IsNaN(scores[i]) || scores[i] < 0 {
				t.Fatalf("of %d, number %d scores %v after %v", n, i, scores[i], scores[i-1])
			}
		}
	}
}

// A probe that is alike to everybody needs more to name somebody.
func TestCalibrateAsksMoreOfACrowdedProbe(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	calm, crowded := strangers(r, 200, 1000, 2, 0.5), strangers(r, 200, 1000, 5, 1.2)
	calm[0], crowded[0] = 14, 14
	calibrate(calm, 1000)
	calibrate(crowded, 1000)
	if calm[0] < crowded[0]+3 {
		t.Errorf("14 counts as %.1f on a calm probe and %.1f on a crowded one", calm[0], crowded[0])
	}
	alike := make([]float64, 100)
	calibrate(alike, 100)
	if slices.Max(alike) != 0 {
		t.Error("scores of nothing became something")
	}
}
