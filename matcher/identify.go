package matcher

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// A Candidate is somebody whom a probe may show.
type Candidate struct {
	Subject string
	Finger  uint8
	Score   float64 // as of Score, of the best of the subject's templates
}

// Identify compares probe with the whole gallery and returns the best
// candidate of each subject, best first, at most most of them. Subjects of
// score 0 are left out: a probe without usable minutiae or an empty gallery
// gives no candidates and no error. ctx ends a search early with its error.
//
// A first stage looks at every template's neighbourhoods only; the second
// compares fully, in the first stage's order, secondStage templates at most.
func (g *Gallery) Identify(ctx context.Context, probe *Template, most int) ([]Candidate, error) {
	p, err := Prepare(probe)
	if err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	defer p.Clear()
	snap := g.acquire()
	defer g.release(snap)
	s := takeScratch()
	defer s.giveBack()
	ranked, err := snap.rank(ctx, s, p)
	if err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	found := make(map[string]Candidate)
	for _, at := range ranked[:min(len(ranked), secondStage)] {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("identify: %w", ctx.Err())
		}
		e := &at.chunk.entries[at.entry]
		score := s.score(p, at.chunk.prepared(e))
		if score > found[e.subject].Score {
			found[e.subject] = Candidate{e.subject, e.finger, score}
		}
	}
	return g.best(found, most), nil
}

// secondStage bounds the templates that are compared fully in one search.
const secondStage = 200

// best sorts candidates and drops those removed since the search began.
func (g *Gallery) best(found map[string]Candidate, most int) []Candidate {
	g.mu.Lock()
	candidates := make([]Candidate, 0, len(found))
	for subject, c := range found {
		if g.subjects[subject] > 0 {
			candidates = append(candidates, c)
		}
	}
	g.mu.Unlock()
	slices.SortFunc(candidates, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Subject, b.Subject))
	})
	return candidates[:max(0, min(most, len(candidates)))]
}

// A place is one template in a snapshot with its first-stage rank.
type place struct {
	chunk *chunk
	entry int
	rank  float32
}

// rank orders all templates by the first stage, best first.
func (snap *snapshot) rank(ctx context.Context, s *scratch, p *Prepared) ([]place, error) {
	places := make([]place, 0, snap.templates)
	if len(p.points) < fewest {
		return places, nil
	}
	for _, c := range snap.chunks {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for i := range c.entries {
			e := &c.entries[i]
			if e.last-e.first >= fewest {
				r := s.firstStage(p, c.points[e.first:e.last], c.local[e.first:e.last])
				places = append(places, place{c, i, r})
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(b.rank, a.rank) })
	return places, nil
}

const turnBins = 16

// firstStage lets every probe minutia vote with its most similar reference
// minutia for the turn between the two and returns the strongest turn's votes.
func (s *scratch) firstStage(p *Prepared, points []point, local []neighbourhood) float32 {
	var votes [turnBins]float32
	for i := range p.local {
		var top float32
		var turned turn
		for j := range local {
			if v := p.local[i].similarity(&local[j]); v > top {
				top, turned = v, p.points[i].angle-points[j].angle
			}
		}
		votes[turned>>12] += top * top
	}
	var most float32
	for b := range votes {
		most = max(most, votes[b]+votes[(b+1)%turnBins])
	}
	return most
}
