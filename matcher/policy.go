package matcher

import (
	"fmt"
	"math"
)

// A Policy decides whether a search found somebody.
type Policy struct {
	// FalseMatchBudget is the probability, above 0 and below 1, that a search
	// by somebody who is not enrolled may name anybody at all. It is for the
	// whole gallery: the threshold rises with the gallery's size. A search
	// is content with a best of whom it expects fewer than 1e-5 strangers, so that
	// a smaller budget leaves some unfound whom comparing more would have found.
	FalseMatchBudget float64

	// Margin is by how much the best subject's score must exceed the second
	// subject's. By the impostor model, 3 means that the second is eleven
	// times likelier than the best to be there by chance.
	Margin float64
}

// DefaultPolicy wrongly names at most one stranger in a thousand.
var DefaultPolicy = Policy{FalseMatchBudget: 1e-3, Margin: 3}

// A Verdict is what a Policy made of a search's candidates.
type Verdict struct {
	Found     bool
	Best      Candidate // zero if there were no candidates
	Margin    float64   // Best's score less the second subject's
	Threshold float64   // what Best's score had to reach
	Why       string    // in a few words, without naming anybody
}

// Decide judges candidates, best first and at most one per subject as Identify
// returns them, of a gallery with that many templates.
func (p Policy) Decide(cands []Candidate, gallery int) Verdict {
	v := Verdict{Threshold: Threshold(p.FalseMatchBudget, gallery)}
	if len(cands) == 0 {
		v.Why = "no finger in the gallery is alike"
		return v
	}
	v.Best, v.Margin = cands[0], cands[0].Score
	if len(cands) > 1 {
		v.Margin -= cands[1].Score
	}
	switch {
	case !(v.Best.Score >= v.Threshold):
		v.Why = fmt.Sprintf("score %.1f is below the threshold %.1f", v.Best.Score, v.Threshold)
	case v.Margin < p.Margin:
		v.Why = fmt.Sprintf("two subjects are alike within %.1f, less than the margin %.1f", v.Margin, p.Margin)
	default:
		v.Found = true
		v.Why = fmt.Sprintf("score %.1f is above the threshold %.1f by the margin %.1f", v.Best.Score, v.Threshold, v.Margin)
	}
	return v
}

// The impostor model: above its 99th percentile the score of two different
// fingers falls off exponentially, FMR(s) = exp(tailLevel − s/tailScale). That
// is the generalised Pareto tail of extreme-value theory with shape 0 (Pickands,
// Annals of Statistics 1975). It follows the worst of nine sets of 2,880 real
// impostor scores each (three sensors, seen whole and as two smaller glasses):
// there the percentile was 5.3 and the mean excess over it 1.3, of which 1.25 is
// taken because on the other eight they were 3.3 to 4.7 and 0.55 to 0.9. With
// ridge flow and ridges as evidence they are at most 4.0 and 1.2, without them, as
// between other makers' templates, 4.4 and 0.95: the model covers both. These
// 26,000 pairs support the model down to an FMR of about 1e-4; what a gallery of
// thousands asks for beyond that is an extrapolation.
//
// It serves single comparisons and very small galleries. A search has the scores
// of many strangers for its very probe and is judged by these; see calibrate.
const (
	tailLevel = -0.365
	tailScale = 1.25
)

// FalseMatchRate is the modelled probability that two impressions of different
// fingers score at least score.
func FalseMatchRate(score float64) float64 {
	return min(1, math.Exp(tailLevel-score/tailScale))
}

// Threshold is the score that keeps the probability of any false match within
// budget when a probe is compared with that many templates. A budget that is
// not above 0 gives +Inf: nothing is ever found.
func Threshold(budget float64, gallery int) float64 {
	if !(budget > 0) {
		return math.Inf(1)
	}
	return max(0, tailScale*(tailLevel+math.Log(float64(max(gallery, 1))/min(budget, 1))))
}
