package eval

import (
	"cmp"
	"slices"
)

// A Subject is how one subject fares in identification.
type Subject struct {
	Subject  string  `json:"subject"`
	Searches int     `json:"searches"`
	First    int     `json:"first"` // searches in which the subject came first
	Found    int     `json:"found"` // of these, by the policy
	Lowest   float64 `json:"lowest"`
	Mean     float64 `json:"mean"` // score of the searches in which the subject came first

	// Highest is the best score that another subject reached while this one
	// was not enrolled, and Alike that subject: whom this one might be taken for.
	Highest float64 `json:"highest_other"`
	Alike   string  `json:"alike"`
}

// add notes a search of the enrolled subject.
func (s *Subject) add(o *answer) {
	score := o.score
	if !o.hit {
		score = 0
	}
	if s.Searches == 0 || score < s.Lowest {
		s.Lowest = score
	}
	s.Searches++
	if !o.hit {
		return
	}
	s.Mean += (score - s.Mean) / float64(s.First+1)
	s.First++
	if o.verdict.Found {
		s.Found++
	}
}

// addOther notes a search while the subject is not enrolled.
func (s *Subject) addOther(o *answer) {
	if o.score > s.Highest {
		s.Highest, s.Alike = o.score, o.who
	}
}

// rankSubjects puts those first that should be enrolled again: with the most
// searches that the policy missed, then of the lowest score.
func rankSubjects(subjects []Subject) {
	slices.SortStableFunc(subjects, func(a, b Subject) int {
		return cmp.Or(cmp.Compare(b.Searches-b.Found, a.Searches-a.Found), cmp.Compare(a.Lowest, b.Lowest))
	})
}
