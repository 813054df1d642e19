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
	ranks  []uint16 // of all templates, in the gallery's order
	places []place  // of those to compare, best first
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

// rank fills s.ranks: the first stage.
func (s *search) rank(ctx context.Context, snap *snapshot, p *Prepared) error {
	s.sieve.set(p.points)
	s.ranks = s.ranks[:0]
	for _, c := range snap.chunks {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for i := range c.len() {
			e := c.at(i)
			s.ranks = append(s.ranks, s.sieve.rank(&e))
		}
	}
	return nil
}

// shortlist fills s.places with the most templates of the highest ranks, those
// of the same rank in the gallery's order.
func (s *search) shortlist(snap *snapshot, most int) {
	var counts [rankLevels]int
	for _, rank := range s.ranks {
		counts[rank]++
	}
	floor := rankLevels - 1
	for n := counts[floor]; floor > 0 && n < most; n += counts[floor] {
		floor--
	}
	s.places = s.places[:0]
	at := 0
	for _, c := range snap.chunks {
		for i := range c.len() {
			if rank := s.ranks[at]; int(rank) >= floor {
				s.places = append(s.places, place{c, uint16(i), rank})
			}
			at++
		}
	}
	slices.SortStableFunc(s.places, func(a, b place) int { return cmp.Compare(b.rank, a.rank) })
	s.places = s.places[:min(most, len(s.places))]
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
