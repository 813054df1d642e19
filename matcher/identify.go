package matcher

import (
	"context"
	"fmt"
	"slices"
)

// A Candidate is somebody whom a probe may show.
type Candidate struct {
	Subject string
	Finger  uint8

	// Score is the evidence of all views of the finger, in the units of Score,
	// calibrated by the scores of the search's other subjects: FalseMatchRate
	// and Policy hold for it whatever the probe is like.
	Score float64
}

// Identify compares probe with the whole gallery and returns the best
// candidate of each subject, best first, at most most of them. Subjects of
// score 0 are left out: a probe without usable minutiae or an empty gallery
// gives no candidates and no error. ctx ends a search early with its error.
//
// A first stage orders all templates by their k-plets; the second compares
// fully, in that order, secondStage templates at most, fewer once it is clear
// whose finger it is.
func (g *Gallery) Identify(ctx context.Context, probe *Template, most int) ([]Candidate, error) {
	if err := probe.Validate(); err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	snap := g.acquire()
	defer g.release(snap)
	s := searches.take()
	defer s.giveBack()
	p := &s.probe
	p.points = usedPoints(p.points[:0], probe)
	if len(p.points) < fewest || snap.templates == 0 {
		return nil, nil
	}
	p.flow.take(probe)
	p.describe()
	if err := s.rank(ctx, snap, p, secondStage); err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	s.shortlist(snap, secondStage)
	if err := s.compare(ctx, p, snap.templates); err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	return g.best(s.scores.candidates(snap.templates), most), nil
}

// secondStage bounds the templates that are compared fully in one search.
const secondStage = 200

// best drops candidates removed since the search began and those of score 0.
func (g *Gallery) best(found []Candidate, most int) []Candidate {
	g.mu.Lock()
	defer g.mu.Unlock()
	found = slices.DeleteFunc(found, func(c Candidate) bool {
		return !(c.Score > 0) || g.subjects[c.Subject].templates == 0
	})
	return found[:max(0, min(most, len(found)))]
}
