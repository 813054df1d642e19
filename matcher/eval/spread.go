package eval

import (
	"context"
	"slices"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// A Spread is the distribution of impostor scores of single comparisons.
type Spread struct {
	Pairs int     `json:"pairs"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99_9"`
	Most  float64 `json:"most"`
}

// spreadOf sorts scores.
func spreadOf(scores []float64) Spread {
	n := len(scores)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(scores)
	at := func(q float64) float64 { return scores[min(int(q*float64(n)), n-1)] }
	s := Spread{Pairs: n, P50: at(0.5), P99: at(0.99), P999: at(0.999), Most: scores[n-1]}
	for _, v := range scores {
		s.Mean += v / float64(n)
	}
	return s
}

// mostCompared bounds the distractors that are compared singly with every
// impression: enough for the 99.9th percentile of a usual set in seconds.
const mostCompared = 100

// spreads compares every impression with those of other fingers, each pair
// once, and with distractors, as a gallery does: in one size.
func spreads(ctx context.Context, set []impression, distractors int, sensor *sample.Sensor) (real, synthetic Spread, err error) {
	for i := range set {
		if set[i].reference != nil {
			set[i].reference.Grow(1)
		}
	}
	ready, _, err := prepareAll(set)
	if err != nil {
		return real, synthetic, err
	}
	defer clearPrepared(ready)
	crowd := make([]*matcher.Prepared, min(distractors, mostCompared))
	for i := range crowd {
		t := distractor(i, sensor)
		t.Grow(1)
		if crowd[i], err = matcher.Prepare(t); err != nil {
			return real, synthetic, err
		}
	}
	var others, made []float64
	for i := range ready {
		if ctx.Err() != nil {
			return real, synthetic, ctx.Err()
		}
		p := &ready[i]
		for j := range ready[:i] {
			if r := &ready[j]; r.finger != p.finger && p.probe != nil && r.reference != nil {
				others = append(others, matcher.Score(p.probe, r.reference))
			}
		}
		for _, c := range crowd {
			if p.probe != nil {
				made = append(made, matcher.Score(p.probe, c))
			}
		}
	}
	return spreadOf(others), spreadOf(made), nil
}
