package matcher

import (
	"cmp"
	"slices"
)

// A tally collects the scores of one search: each finger's views, then one
// candidate a subject.
type tally map[fingerOf][]float64

type fingerOf struct {
	subject string
	finger  uint8
}

// add notes the score of one view. Views of score 0 count too: they are
// strangers like others.
func (t tally) add(subject string, finger uint8, score float64) {
	at := fingerOf{subject, finger}
	t[at] = append(t[at], score)
}

// has tells whether a view of the subject's was added.
func (t tally) has(subject string) bool {
	for at := range t {
		if at.subject == subject {
			return true
		}
	}
	return false
}

// candidates are the subjects by their best finger, best first, with scores
// calibrated for a gallery of that many templates.
func (t tally) candidates(gallery int) []Candidate {
	most := make(map[string]Candidate)
	for at, views := range t {
		score := fuse(views)
		c, seen := most[at.subject]
		if !seen || score > c.Score || score == c.Score && at.finger < c.Finger {
			most[at.subject] = Candidate{at.subject, at.finger, score}
		}
	}
	found := make([]Candidate, 0, len(most))
	for _, c := range most {
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Subject, b.Subject))
	})
	scores := make([]float64, len(found))
	for i, c := range found {
		scores[i] = c.Score
	}
	calibrate(scores, gallery)
	for i := range found {
		found[i].Score = scores[i]
	}
	return found
}

// fuse makes one score of the scores of a finger's views, which it sorts. The
// best counts in full; each further view adds a share of what it has beyond
// chance, half as much as the view before: presses of one finger have minutiae
// in common, so a second agreement repeats part of the first.
func fuse(views []float64) float64 {
	if len(views) == 0 {
		return 0
	}
	slices.SortFunc(views, func(a, b float64) int { return cmp.Compare(b, a) })
	sum, share := views[0], viewShare
	for _, v := range views[1:] {
		sum += share * max(0, v-viewChance)
		share *= viewShare
	}
	return sum
}

const (
	viewShare  = 0.5
	viewChance = 5.0 // somewhat more than one in a hundred pairs of different fingers reaches
)
