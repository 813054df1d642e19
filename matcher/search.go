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
	ranks  []uint16             // of all templates, in the gallery's order
	counts [rankLevels]int      // templates of each rank
	above  int                  // templates that rank higher than the sieve's floor
	places []place              // of those to compare, best first
	seen   map[*chunkEntry]bool // compared fully
	scored []scoredPlace        // the same with their scores
	ref    Prepared
	scores tally
}

var searches = stock[search]{make: func() *search {
	return &search{
		scores: make(tally), seen: make(map[*chunkEntry]bool),
		sieve: &locked.Make[sieve](1)[0], probe: lockedPrepared(), ref: lockedPrepared(),
	}
}}

func (s *search) giveBack() {
	s.sieve.clear()
	clear(s.ranks)
	clear(s.places[:cap(s.places)])
	clear(s.seen)
	clear(s.scored[:cap(s.scored)])
	s.scored = s.scored[:0]
	s.probe.wipe()
	s.ref.wipe()
	clear(s.scores)
	searches.give(s)
}

// likeliest compares the templates that are likeliest to be the probe's.
func (s *search) likeliest(ctx context.Context, snap *snapshot) error {
	p := &s.probe
	if err := s.rank(ctx, snap, p, shortlisted); err != nil {
		return err
	}
	s.shortlist(snap, shortlisted)
	work := takeScratch()
	defer work.giveBack()
	if s.glance(work, p, snap.templates) {
		return nil
	}
	s.order(p, s.places)
	return s.compare(ctx, work, p, snap.templates, usualLooks)
}

// glance puts only the highest ranks in order, among which nearly all mates are,
// compares the best of these, one a subject, and tells whether one of them clearly
// is the probe's. A finger that is enrolled for somebody else as well is among
// them, however many views it has.
func (s *search) glance(work *scratch, p *Prepared, templates int) bool {
	slices.SortStableFunc(s.places, func(a, b place) int { return cmp.Compare(b.rank, a.rank) })
	highest := s.places[:min(glanced, len(s.places))]
	s.order(p, highest)
	looks := firstLooks
	for _, at := range highest {
		if s.scores.has(at.chunk.entries[at.entry].subject) {
			continue // the look compares all views of the best fingers
		}
		s.score(work, p, at)
		if len(s.scores) < looks[0].after {
			continue
		}
		if s.look(work, p, templates, looks[0]) {
			return true
		}
		if looks = looks[1:]; len(looks) == 0 {
			break
		}
	}
	return false
}

const glanced = 100

// everybody compares the whole gallery.
func (s *search) everybody(ctx context.Context, snap *snapshot) error {
	s.places = s.places[:0]
	for _, c := range snap.chunks {
		for i := range c.len() {
			s.places = append(s.places, place{chunk: c, entry: uint16(i)})
		}
	}
	work := takeScratch()
	defer work.giveBack()
	return s.compare(ctx, work, &s.probe, snap.templates, nil)
}

// compare scores s.places, best first, until a look at what was found shows
// that the rest can hardly change the verdict.
func (s *search) compare(ctx context.Context, work *scratch, p *Prepared, templates int, looks []look) error {
	for i, at := range s.places {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(looks) > 0 && i == looks[0].after {
			if s.look(work, p, templates, looks[0]) {
				return nil
			}
			looks = looks[1:]
		}
		s.score(work, p, at)
	}
	s.completeViews(work, p, completed)
	return nil
}

// A scoredPlace is a place with its score.
type scoredPlace struct {
	place
	score float64
}

// score compares one template and notes the score, once.
func (s *search) score(work *scratch, p *Prepared, at place) {
	of := &at.chunk.entries[at.entry]
	if s.seen[of] {
		return
	}
	s.seen[of] = true
	e := at.chunk.at(int(at.entry))
	s.ref.unpackInto(&e)
	score := work.score(p, &s.ref)
	s.scores.add(e.subject, e.finger, score)
	s.scored = append(s.scored, scoredPlace{at, score})
}

// completeViews compares the views, enrolled together with the best so many,
// that are not compared yet.
func (s *search) completeViews(work *scratch, p *Prepared, best int) {
	slices.SortStableFunc(s.scored, func(a, b scoredPlace) int { return cmp.Compare(b.score, a.score) })
	for _, one := range s.scored[:min(best, len(s.scored))] {
		of := &one.chunk.entries[one.entry]
		for i := range one.chunk.entries {
			if e := &one.chunk.entries[i]; e.subject == of.subject && e.finger == of.finger {
				s.score(work, p, place{chunk: one.chunk, entry: uint16(i)})
			}
		}
	}
}
