package matcher

import "math"

// calibrate rescales the scores of one search, one a subject and best first, to
// what FalseMatchRate takes: afterwards FalseMatchRate(scores[0]) times gallery
// is the probability that the best of this many strangers scores as high
// against this very probe. A crowded or smudged probe is alike to everybody,
// and only its own search shows how much.
//
// The subjects after the first are strangers to the probe, so their scores
// show the tail of its impostor scores. An exponential tail's spacings,
// i·(x_i − x_(i+1)) from the i-th best to the next, are independent and
// exponential with the tail's scale (Rényi, Acta Mathematica Hungarica 1953);
// the first spacing is left out, since the first may be no stranger. Their sum
// with a gamma prior on the rate gives the predictive tail in closed form
// (Lomax), so that few strangers ask for a wider margin. Judging a match by
// the tail of the same probe's non-matches is Scheirer, Rocha, Micheals, Boult,
// "Meta-recognition", PAMI 2011.
//
// With no stranger in the tail the scores stay as they are; with one the prior
// alone says how steep it is.
func calibrate(scores []float64, gallery int) {
	k := min(tailMost, (len(scores)-1)/tailShare)
	if k < 1 || !(scores[k] > 0) {
		return
	}
	spread, weight := tailPrior*tailPriorScale, tailPrior
	for i := 2; i <= k; i++ {
		spread += float64(i) * (scores[i-1] - scores[i])
		weight++
	}
	from, n := scores[k], float64(max(gallery, 1))
	// FalseMatchRate(score) = strangers/n, solved for score.
	score := func(logStrangers float64) float64 { return tailScale * (tailLevel - logStrangers + math.Log(n)) }
	atFrom := score(math.Log(float64(k)))
	for i, x := range scores {
		if x > from {
			scores[i] = score(math.Log(float64(k)) - weight*math.Log1p((x-from)/spread))
		} else {
			scores[i] = atFrom * x / from
		}
	}
}

const (
	tailMost  = 24 // strangers that show the tail
	tailShare = 3  // at most one compared subject in so many is in the tail

	// The prior is worth eight spacings of mean 1: on eleven of twelve
	// combinations of sensor and view the mean was 0.5 to 1.0.
	tailPrior      = 8.0
	tailPriorScale = 1.0
)
