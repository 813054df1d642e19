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
// A first stage ranks all templates by their k-plets; the second looks at the
// best of them where their hits suggest that they lie, and compares fully, best
// first, until it is clear who it is, or that it is likely to be a stranger.
//
// Time is bounded whatever probe and gallery hold: at most 32 k-plets and 64
// hits a template in the first stage; in the second at most 400 templates, and
// the other views of the 24 best fingers, are compared, each as Score says.
func (g *Gallery) Identify(ctx context.Context, probe *Template, most int) ([]Candidate, error) {
	return g.identify(ctx, probe, most, (*search).likeliest)
}

// IdentifyExhaustively is Identify with every template compared fully: what
// Identify would find if its first stage lost nobody. It takes a hundred times
// as long and is there to measure that.
func (g *Gallery) IdentifyExhaustively(ctx context.Context, probe *Template, most int) ([]Candidate, error) {
	return g.identify(ctx, probe, most, (*search).everybody)
}

func (g *Gallery) identify(ctx context.Context, probe *Template, most int, compare func(*search, context.Context, *snapshot) error) ([]Candidate, error) {
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
	p.takeRidges(probe)
	p.describe()
	if err := compare(s, ctx, snap); err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	return g.best(s.scores.candidates(snap.templates), most), nil
}

// shortlisted bounds the templates that the second stage looks at in one search.
const shortlisted = 400

// best drops candidates removed since the search began and those of score 0.
func (g *Gallery) best(found []Candidate, most int) []Candidate {
	g.mu.Lock()
	defer g.mu.Unlock()
	found = slices.DeleteFunc(found, func(c Candidate) bool {
		_, known := g.subjects[c.Subject]
		return !known || !(c.Score > 0)
	})
	return found[:max(0, min(most, len(found)))]
}
