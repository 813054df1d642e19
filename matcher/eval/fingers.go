package eval

import (
	"cmp"
	"slices"
)

// A Finger is how one finger of a set fares, which says whose should be
// enrolled again: in the terms of Doddington, Liggett, Martin, Przybocki and
// Reynolds, "Sheep, goats, lambs and wolves", ICSLP 1998, a finger whose own
// presses score low is a goat, one that others score high against a lamb.
type Finger struct {
	Finger  string  `json:"finger"`
	Genuine int     `json:"genuine"` // pairs of its own presses
	Missed  int     `json:"missed"`  // of these, below the threshold of FMR1000
	Mean    float64 `json:"mean"`    // score of its own pairs
	Lowest  float64 `json:"lowest"`

	// Worst is the impression whose pairs with the finger's others score
	// lowest in the mean: the one to press again.
	Worst int `json:"worst_impression"`

	Highest float64 `json:"highest_impostor"` // best score with another finger
	Alike   string  `json:"alike"`            // that other finger
}

// fingersOf gathers the statistics of every finger, those first that should be
// enrolled again: most missed, then lowest. threshold is FMR1000's.
func fingersOf(scores []pairScore, ready []prepared, threshold float64) []Finger {
	var fingers []Finger
	sums := make([]map[int]float64, 0, 16) // of the scores of each impression
	for i := range ready {
		if ready[i].finger == len(fingers) {
			fingers = append(fingers, Finger{Finger: ready[i].one.finger})
			sums = append(sums, make(map[int]float64))
		}
	}
	for i := range scores {
		p := &scores[i]
		if p.genuine() {
			fingers[p.fingerI].own(p.score, threshold)
			sums[p.fingerI][p.numberI] += p.score
			sums[p.fingerI][p.numberJ] += p.score
			continue
		}
		fingers[p.fingerI].other(p.score, fingers[p.fingerJ].Finger)
		fingers[p.fingerJ].other(p.score, fingers[p.fingerI].Finger)
	}
	for i := range fingers {
		fingers[i].finish(sums[i])
	}
	slices.SortStableFunc(fingers, func(a, b Finger) int {
		return cmp.Or(cmp.Compare(b.Missed, a.Missed), cmp.Compare(a.Lowest, b.Lowest))
	})
	return fingers
}

func (f *Finger) own(score, threshold float64) {
	if f.Genuine == 0 || score < f.Lowest {
		f.Lowest = score
	}
	if score < threshold {
		f.Missed++
	}
	f.Genuine++
	f.Mean += score
}

func (f *Finger) other(score float64, who string) {
	if score > f.Highest {
		f.Highest, f.Alike = score, who
	}
}

func (f *Finger) finish(sums map[int]float64) {
	if f.Genuine > 0 {
		f.Mean /= float64(f.Genuine)
	}
	for number, sum := range sums {
		if f.Worst == 0 || sum < sums[f.Worst] || sum == sums[f.Worst] && number < f.Worst {
			f.Worst = number
		}
	}
}
