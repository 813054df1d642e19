package eval

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tillprint/tillprint/matcher"
)

// A Tail says how far the impostor scores of a set support the threshold that
// a gallery asks for. Below Bound nothing was counted: what is said there is an
// extrapolation, by the matcher's own model and, for comparison, by this set's
// own scores.
type Tail struct {
	Pairs       int     `json:"pairs"`        // impostor pairs, which hang together
	FingerPairs int     `json:"finger_pairs"` // pairs of different fingers, which do not
	Bound       float64 `json:"bound"`        // 3 / Pairs, the rule of three: an FMR lower than this was not observed
	FingerBound float64 `json:"finger_bound"` // 3 / FingerPairs, which is what stands if pairs of two fingers count once

	Gallery   int     `json:"gallery"`    // templates that a search would compare with
	Threshold float64 `json:"threshold"`  // what matcher.DefaultPolicy then asks of a score
	Model     float64 `json:"fmr_model"`  // FMR there by matcher.FalseMatchRate
	Counted   int     `json:"false"`      // impostor pairs that reached it
	Scale     float64 `json:"tail_scale"` // mean excess over the 99th percentile
	Shape     float64 `json:"tail_shape"` // of a generalised Pareto tail there; 0 is exponential, below 0 ends, above 0 is heavy
	Fitted    float64 `json:"fmr_fitted"` // FMR at the threshold by this set's exponential tail

	// FittedCI95 holds Fitted in 95 % of resamplings of the fingers.
	FittedCI95 [2]float64 `json:"fmr_fitted_ci95"`
}

const (
	tailShare = 0.01 // of the impostor scores belong to the tail
	tailLeast = 10   // scores in the tail that a fit needs
)

// tailOf fits the peaks of the impostor scores over their 99th percentile
// (Coles, "An Introduction to Statistical Modeling of Extreme Values", 2001,
// chapter 4; ISO/IEC 5152 estimates an FMR from small sets so). Scores must be
// sorted, best first. Sets too small for a fit give zeros for what needs one.
func tailOf(sorted []pairScore, fingers, gallery int) Tail {
	t := Tail{Gallery: gallery, Threshold: matcher.Threshold(matcher.DefaultPolicy.FalseMatchBudget, gallery)}
	t.Model = matcher.FalseMatchRate(t.Threshold)
	impostors := make([]pairScore, 0, len(sorted))
	met := make(map[[2]int]bool)
	for _, p := range sorted {
		if !p.genuine() {
			impostors = append(impostors, p)
			met[[2]int{p.fingerI, p.fingerJ}] = true
		}
	}
	t.Pairs, t.FingerPairs = len(impostors), len(met)
	if t.Pairs == 0 {
		return t
	}
	t.Bound, t.FingerBound = min(1, 3/float64(t.Pairs)), min(1, 3/float64(t.FingerPairs))
	for t.Counted < len(impostors) && impostors[t.Counted].score >= t.Threshold {
		t.Counted++
	}
	once := func(*pairScore) float64 { return 1 }
	from, scale, over := excess(impostors, once)
	if over < tailLeast || scale <= 0 {
		return t
	}
	t.Scale, t.Shape = scale, shape(impostors[:over], from)
	t.Fitted = beyond(t.Threshold, from, scale)
	t.FittedCI95 = fittedInterval(impostors, fingers, t.Threshold)
	return t
}

// excess finds where the tail begins, how far its scores exceed that in the
// mean, and how many entries of impostors lie in it.
func excess(impostors []pairScore, weight func(*pairScore) float64) (from, scale float64, over int) {
	var all float64
	for i := range impostors {
		all += weight(&impostors[i])
	}
	var share, sum float64
	for over < len(impostors) {
		w := weight(&impostors[over])
		if share+w > tailShare*all {
			break
		}
		share, sum = share+w, sum+w*impostors[over].score
		over++
	}
	if share == 0 || over == len(impostors) {
		return 0, 0, 0
	}
	from = impostors[over].score
	return from, sum/share - from, over
}

// beyond is the rate of impostor scores of at least threshold in an
// exponential tail.
func beyond(threshold, from, scale float64) float64 {
	return tailShare * math.Exp(-max(0, threshold-from)/scale)
}

// shape is that of the generalised Pareto distribution by probability-weighted
// moments (Hosking and Wallis, "Parameter and quantile estimation for the
// generalized Pareto distribution", Technometrics 1987). over is sorted, best
// first.
func shape(over []pairScore, from float64) float64 {
	n := float64(len(over))
	var a0, a1 float64
	for i, p := range over {
		x := p.score - from
		a0 += x / n
		a1 += x / n * (float64(i) + 0.35) / n // share of the scores above x
	}
	if a0 == 2*a1 {
		return 0
	}
	return 2 - a0/(a0-2*a1)
}

// fittedInterval is the 95 % percentile bootstrap interval, over fingers, of
// the rate beyond threshold.
func fittedInterval(impostors []pairScore, fingers int, threshold float64) [2]float64 {
	draw := rand.New(rand.NewPCG(bootstrapSeed, 1))
	rates := make([]float64, 0, resamplings)
	for range resamplings {
		times := resample(draw, fingers)
		from, scale, over := excess(impostors, func(p *pairScore) float64 { return times[p.fingerI] * times[p.fingerJ] })
		if over > 0 && scale > 0 {
			rates = append(rates, beyond(threshold, from, scale))
		}
	}
	return middle95(rates)
}

// resample draws fingers with replacement and returns how often each came.
func resample(draw *rand.Rand, fingers int) []float64 {
	times := make([]float64, fingers)
	for range fingers {
		times[draw.IntN(fingers)]++
	}
	return times
}

// middle95 is the range of the middle 95 % of values, which it sorts.
func middle95(values []float64) [2]float64 {
	n := len(values)
	if n == 0 {
		return [2]float64{}
	}
	slices.Sort(values)
	return [2]float64{values[n*25/1000], values[max(0, n*975/1000-1)]}
}
