package matcher

import (
	"cmp"
	"context"
	"slices"
)

// A place is one template in a snapshot with its first-stage rank and, once it
// is looked at, its accord.
type place struct {
	chunk  *chunk
	entry  uint16
	rank   uint16
	looked bool // accord is known
	accord float32
}

// rank fills s.ranks, the first stage, as exactly as shortlist(most) needs it.
func (s *search) rank(ctx context.Context, snap *snapshot, p *Prepared, most int) error {
	s.sieve.set(p.points)
	s.sieve.learn(snap)
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
				s.places = append(s.places, place{chunk: c, entry: uint16(i), rank: rank})
			}
		}
	}
}

// order looks at every one of places where its hits suggest that it lies, unless
// it has already, and sorts them by how well they fit there, best first.
func (s *search) order(p *Prepared, places []place) {
	for i := range places {
		at := &places[i]
		if at.looked {
			continue
		}
		at.looked = true
		e := at.chunk.at(int(at.entry))
		if m, ok := s.sieve.movement(&e); ok {
			at.accord = accord(p.points, &m, e.points)
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.accord, a.accord) })
}
