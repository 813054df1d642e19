package eval

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// A pairScore is one comparison. Fingers are numbered in the set's order.
type pairScore struct {
	fingerI, fingerJ int
	score            float64
	numberI, numberJ int // of the impressions
}

func (p *pairScore) genuine() bool { return p.fingerI == p.fingerJ }

// Rates are the error rates over all thresholds.
type Rates struct {
	EER     float64 `json:"eer"`     // where FMR and FNMR meet
	FMR100  float64 `json:"fmr100"`  // lowest FNMR with FMR ≤ 1 %
	FMR1000 float64 `json:"fmr1000"` // lowest FNMR with FMR ≤ 0.1 %
	ZeroFMR float64 `json:"zerofmr"` // lowest FNMR without any false match

	Threshold1000 float64 `json:"fmr1000_threshold"` // the score that FMR1000 asks for
}

// rates walks the thresholds downwards from "accept nothing". Scores must be
// sorted, best first; weight tells how often a pair counts.
//
// The EER is that of the FVC: the mean of the interval that the step functions
// leave where they cross.
func rates(sorted []pairScore, weight func(*pairScore) float64) Rates {
	var genuine, impostor float64
	for i := range sorted {
		if sorted[i].genuine() {
			genuine += weight(&sorted[i])
		} else {
			impostor += weight(&sorted[i])
		}
	}
	r := Rates{EER: 1, FMR100: 1, FMR1000: 1, ZeroFMR: 1}
	if genuine == 0 || impostor == 0 {
		return Rates{}
	}
	r.Threshold1000 = math.Nextafter(sorted[0].score, math.Inf(1))
	var accepted, wrong float64
	lastFMR, lastFNMR := 0.0, 1.0
	crossed := false
	for i := 0; i < len(sorted); {
		for at := sorted[i].score; i < len(sorted) && sorted[i].score == at; i++ {
			if sorted[i].genuine() {
				accepted += weight(&sorted[i])
			} else {
				wrong += weight(&sorted[i])
			}
		}
		fmr, fnmr := wrong/impostor, 1-accepted/genuine
		if !crossed && fmr >= fnmr {
			r.EER = crossing(lastFMR, lastFNMR, fmr, fnmr)
			crossed = true
		}
		lastFMR, lastFNMR = fmr, fnmr
		r.FMR100 = lower(r.FMR100, fnmr, fmr <= 0.01)
		r.FMR1000 = lower(r.FMR1000, fnmr, fmr <= 0.001)
		if fmr <= 0.001 {
			r.Threshold1000 = sorted[i-1].score
		}
		r.ZeroFMR = lower(r.ZeroFMR, fnmr, wrong == 0)
	}
	return r
}

// crossing is the mean of whichever of the two neighbouring operating points
// is better, as FVC2002 defines the EER.
func crossing(fmr1, fnmr1, fmr2, fnmr2 float64) float64 {
	return min(fmr1+fnmr1, fmr2+fnmr2) / 2
}

func lower(best, now float64, allowed bool) float64 {
	if allowed {
		return min(best, now)
	}
	return best
}

func sortScores(scores []pairScore) {
	slices.SortFunc(scores, func(a, b pairScore) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.fingerI, b.fingerI), cmp.Compare(a.fingerJ, b.fingerJ))
	})
}

// Bootstrap settings: the number of resamplings and the fixed seed that makes
// a report repeatable.
const (
	resamplings   = 1000
	bootstrapSeed = 19795
)

// interval is the 95 % percentile bootstrap interval of the EER when the
// fingers, not the pairs, are drawn with replacement (Bolle, Ratha, Pankanti,
// "Error analysis of pattern recognition systems: the subsets bootstrap",
// CVIU 2004).
func interval(sorted []pairScore, fingers int) [2]float64 {
	draw := rand.New(rand.NewPCG(bootstrapSeed, 0))
	eers := make([]float64, 0, resamplings)
	for range resamplings {
		times := resample(draw, fingers)
		r := rates(sorted, func(p *pairScore) float64 {
			if p.genuine() {
				return times[p.fingerI]
			}
			return times[p.fingerI] * times[p.fingerJ]
		})
		eers = append(eers, r.EER)
	}
	return middle95(eers)
}
