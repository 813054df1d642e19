package matcher

import (
	"math"
	"math/bits"
)

// A chance says what a hit of each probe minutia weighs: the more the less
// likely chance makes it. A minutia in a crowd confirms some neighbours of most
// k-plets, one in a bare place hardly any, and how often is counted on a sample
// of the gallery itself. So the weight is an evidence in the sense of a
// likelihood ratio, and how many hits chance gives is bounded whatever the
// probe is like.
type chance struct {
	weights [mostUsed][8]uint8 // by the number of neighbours confirmed
	three   uint64             // minutiae whose hits of three neighbours weigh something
	four    uint64             // and those whose hits of four do
}

const (
	chanceSample = 256 // templates counted
	chancePrior  = 150 // k-plets of which one is hit, added to those counted

	weightSteps = 2.0 // to the factor e in likelihood
	weightFrom  = 4.0 // −ln of the chance from which on a hit weighs something
	weightMore  = 1.8 // for each neighbour beyond three
	weightMost  = 20
)

// learn counts on snap how often k-plets of strangers are hit.
func (s *sieve) learn(snap *snapshot) {
	var counts [mostUsed]int
	plets, at, step := 0, 0, max(1, snap.templates/chanceSample)
	for _, c := range snap.chunks {
		for ; at < c.len(); at += step {
			e := c.at(at)
			plets += len(e.plets)
			for k := range e.plets {
				s.count(&e.plets[k], &counts)
			}
		}
		at -= c.len()
	}
	s.chance = chance{}
	for i, n := range counts {
		s.chance.weigh(i, float64(n+1)/float64(plets+chancePrior))
	}
}

// count adds one to the minutiae that confirm three neighbours or more.
func (s *sieve) count(around *kplet, counts *[mostUsed]int) {
	one, two, four := s.confirmed(around)
	for hits := two&one | four; hits != 0; hits &= hits - 1 {
		counts[bits.TrailingZeros64(hits)]++
	}
}

// weigh sets the weights of a minutia that a stranger's k-plet hits with
// probability p.
func (c *chance) weigh(i int, p float64) {
	for n := 3; n <= kpletSize; n++ {
		evidence := -math.Log(p) - weightFrom + weightMore*float64(min(n, kpletSize-1)-3)
		c.weights[i][n] = uint8(min(max(math.Round(weightSteps*evidence), 0), weightMost))
	}
	if c.weights[i][3] > 0 {
		c.three |= 1 << i
	}
	if c.weights[i][4] > 0 {
		c.four |= 1 << i
	}
}
