package eval

import "slices"

// A Quality shows what the samples' quality is worth: how the rate of false
// non-matches falls when the worst samples are sent back, at the threshold that
// kept FMR1000 when all were taken (the error-versus-reject curve of Grother and
// Tabassi, "Performance of biometric quality measures", PAMI 2007).
type Quality struct {
	All         float64 `json:"fnmr"`                  // nothing rejected
	ThirdFewer  float64 `json:"fnmr_worst_third_out"`  // without the pairs of the worst third of the images
	WorstThird  float64 `json:"fnmr_worst_third"`      // of the pairs whose worse image is in the worst third
	MiddleThird float64 `json:"fnmr_middle_third"`     // ... in the middle third
	BestThird   float64 `json:"fnmr_best_third"`       // of the pairs of two images of the best third
	Limits      [2]int  `json:"quality_of_the_thirds"` // up to which quality the worst and the middle third go
}

// qualityOf sorts genuine pairs by the quality of their worse image. An image that
// could not be enrolled has quality 0.
func qualityOf(scores []pairScore, ready []prepared, threshold float64) Quality {
	type image struct{ finger, number int }
	grade := make(map[image]int, len(ready))
	all := make([]int, 0, len(ready))
	for i := range ready {
		q := 0
		if t := ready[i].one.probe; t != nil && ready[i].reference != nil {
			q = int(t.Quality)
		}
		grade[image{ready[i].finger, ready[i].one.number}] = q
		all = append(all, q)
	}
	if len(all) == 0 {
		return Quality{}
	}
	slices.Sort(all)
	r := Quality{Limits: [2]int{all[(len(all)-1)/3], all[(len(all)-1)*2/3]}}
	var missed, pairs [3]int
	for i := range scores {
		s := &scores[i]
		if !s.genuine() {
			continue
		}
		worse, third := min(grade[image{s.fingerI, s.numberI}], grade[image{s.fingerJ, s.numberJ}]), 0
		for third < 2 && worse > r.Limits[third] {
			third++
		}
		pairs[third]++
		if s.score < threshold {
			missed[third]++
		}
	}
	share := func(missed, pairs int) float64 { return float64(missed) / float64(max(1, pairs)) }
	r.All = share(missed[0]+missed[1]+missed[2], pairs[0]+pairs[1]+pairs[2])
	r.ThirdFewer = share(missed[1]+missed[2], pairs[1]+pairs[2])
	r.WorstThird, r.MiddleThird, r.BestThird = share(missed[0], pairs[0]), share(missed[1], pairs[1]), share(missed[2], pairs[2])
	return r
}
