package matcher

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// A search is the memory of one search, reused by one goroutine at a time. It
// is cleared when it goes back to the pool.
type search struct {
	sieve  sieve
	ranks  []uint16        // of all templates, in the gallery's order
	counts [rankLevels]int // templates of each rank
	above  int             // templates that rank higher than the sieve's floor
	places []place         // of those to compare, best first
	ref    Prepared
	scores tally
}

var searches = sync.Pool{New: func() any { return &search{scores: make(tally)} }}

func (s *search) giveBack() {
	s.sieve.clear()
	clear(s.ranks)
	clear(s.places[:cap(s.places)])
	clear(s.ref.points[:cap(s.ref.points)])
	clear(s.ref.local[:cap(s.ref.local)])
	clear(s.ref.hull[:cap(s.ref.hull)])
	clear(s.scores)
	searches.Put(s)
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

// compare scores the shortlist.
func (s *search) compare(ctx context.Context, p *Prepared) error {
	work := takeScratch()
	defer work.giveBack()
	for _, at := range s.places {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := at.chunk.at(int(at.entry))
		s.ref.unpackInto(e.points)
		s.scores.add(e.subject, e.finger, work.score(p, &s.ref))
	}
	return nil
}
