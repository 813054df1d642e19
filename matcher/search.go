package matcher

import (
	"cmp"
	"context"
	"slices"

	"github.com/tillprint/tillprint/locked"
)

// A search is the memory of one search, reused by one goroutine at a time.
// What is made of fingers is in locked memory, and cleared when the search goes
// back to the stock.
type search struct {
	sieve  *sieve
	probe  Prepared
	ranks  []uint16        // of all templates, in the gallery's order
	counts [rankLevels]int // templates of each rank
	above  int             // templates that rank higher than the sieve's floor
	places []place         // of those to compare, best first
	seen   []*chunkEntry   // compared fully
	scored []scoredPlace   // of places, compared fully
	ref    Prepared
	scores tally
}

var searches = stock[search]{make: func() *search {
	return &search{scores: make(tally), sieve: &locked.Make[sieve](1)[0], probe: lockedPrepared(), ref: lockedPrepared()}
}}

func (s *search) giveBack() {
	s.sieve.clear()
	clear(s.ranks)
	clear(s.places[:cap(s.places)])
	clear(s.seen[:cap(s.seen)])
	clear(s.scored[:cap(s.scored)])
	s.probe.wipe()
	s.ref.wipe()
	clear(s.scores)
	searches.give(s)
}

// A place is one template in a snapshot with its first-stage rank.
type place struct {
	chunk *chunk
	entry uint16
	rank  uint16
}

// rank fills s.ranks, the first stage, as exactly as shortlist(most) needs it.
func (s *search) rank(ctx context.Context, snap *snapshot, p *Prepared, most int) error {
	s.sieve.set(p.points)
	s.ranks = s.ranks[:0]
	clear(s.counts[:])
	s.above = 0
	for _, c := range snap.chunks {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for i := range c.len() {
			e := c.at(i)
			rank := s.sieve.rank(&e)
			s.ranks = append(s.ranks, rank)
			s.counts[rank]++
			if int(rank) > s.sieve.floor {
				s.above++
			}
		}
		for s.above >= most {
			s.sieve.floor++
			s.above -= s.counts[s.sieve.floor]
		}
	}
	return nil
}

// shortlist fills s.places with the most templates of the highest ranks, those
// of the same rank in the gallery's order.
func (s *search) shortlist(snap *snapshot, most int) {
	s.places = s.places[:0]
	at, level := 0, most-s.above // level: places left for those on the floor
	for _, c := range snap.chunks {
		for i := range c.len() {
			rank := s.ranks[at]
			at++
			if int(rank) == s.sieve.floor {
				level--
			}
			if int(rank) > s.sieve.floor || int(rank) == s.sieve.floor && level >= 0 {
				s.places = append(s.places, place{c, uint16(i), rank})
			}
		}
	}
	slices.SortStableFunc(s.places, func(a, b place) int { return cmp.Compare(b.rank, a.rank) })
}

// compare scores the shortlist, best first, until it is clear who it is, and
// then the other views of the fingers that scored best.
func (s *search) compare(ctx context.Context, p *Prepared, templates int) error {
	work := takeScratch()
	defer work.giveBack()
	s.seen, s.scored = s.seen[:0], s.scored[:0]
	clearScore := Threshold(clearBudget, templates)
	top := 0.0
	for _, at := range s.places {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if top >= clearScore && len(s.scored) >= fewestCompared {
			break
		}
		score := s.score(work, p, at.chunk, int(at.entry))
		s.scored = append(s.scored, scoredPlace{at, score})
		top = max(top, score)
	}
	return s.completeViews(ctx, work, p)
}

const (
	// A best score that fewer than one search in a million of strangers
	// reaches is clear: nobody else's can change the outcome, and what else is
	// compared only shows how strangers score.
	clearBudget    = 1e-6
	fewestCompared = 96
	completed      = 24 // best templates whose fingers' other views are compared too
)

// A scoredPlace is a place with its score.
type scoredPlace struct {
	place
	score float64
}

// score compares one template and notes the score.
func (s *search) score(work *scratch, p *Prepared, c *chunk, i int) float64 {
	e := c.at(i)
	s.ref.unpackInto(&e)
	score := work.score(p, &s.ref)
	s.scores.add(e.subject, e.finger, score)
	s.seen = append(s.seen, &c.entries[i])
	return score
}

// completeViews compares the views, enrolled together with those that scored
// best, that are not compared yet: scores of one finger are fused.
func (s *search) completeViews(ctx context.Context, work *scratch, p *Prepared) error {
	slices.SortStableFunc(s.scored, func(a, b scoredPlace) int { return cmp.Compare(b.score, a.score) })
	for _, best := range s.scored[:min(completed, len(s.scored))] {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		of := &best.chunk.entries[best.entry]
		for i := range best.chunk.entries {
			e := &best.chunk.entries[i]
			if e.subject == of.subject && e.finger == of.finger && !slices.Contains(s.seen, e) {
				s.score(work, p, best.chunk, i)
			}
		}
	}
	return nil
}
