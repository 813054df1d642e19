package matcher

import "math"

// look tells whether what was found decides the search. Before it does, and after
// it has, the other views of the fingers that scored best are compared, whose
// scores are fused.
func (s *search) look(work *scratch, p *Prepared, templates int, l look) bool {
	s.completeViews(work, p, looked)
	decided := l.decided(s.scores.candidates(templates), templates)
	if decided {
		s.completeViews(work, p, completed)
	}
	return decided
}

const (
	looked    = 4  // best templates whose fingers' other views are compared before a look
	completed = 24 // and in the end
)

// A look at a search's candidates after so many comparisons, or so many subjects
// at the first glance, ends it if the best is clear, or if it is likely to be a
// stranger: if strangers can be expected, hopeless or more of them, who score as
// high.
type look struct {
	after    int
	hopeless float64
}

// Whoever is among the best at all is nearly always among the first, so that a
// clear finger needs few comparisons, and a stranger few more: the more there were,
// the better the tail is known, and the less hope is enough to give up. Nobody is
// found in doubt: that takes the whole shortlist. After four, only the tail's prior
// says what strangers reach, so that the best must be far ahead indeed.
var (
	firstLooks = []look{{4, math.Inf(1)}, {8, math.Inf(1)}}
	usualLooks = []look{{16, 1}, {32, 0.3}, {96, 0.1}, {192, 0.03}}
)

// clearStrangers is the number of strangers, expected to score as high as the best,
// below which nobody else's score can change the outcome: a sixth of the smallest
// budget that [Policy.Early] makes of the default one.
const clearStrangers = 1e-5

func (l look) decided(found []Candidate, templates int) bool {
	if len(found) == 0 {
		return false
	}
	strangers := FalseMatchRate(found[0].Score) * float64(templates)
	return strangers < clearStrangers || strangers > l.hopeless
}
