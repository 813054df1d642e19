package matcher

import (
	"math"
	"testing"
)

func TestDecide(t *testing.T) {
	const gallery = 2400
	enough := Threshold(DefaultPolicy.FalseMatchBudget, gallery)
	cand := func(scores ...float64) (c []Candidate) {
		for i, s := range scores {
			c = append(c, Candidate{Subject: string(rune('a' + i)), Score: s})
		}
		return c
	}
	for name, test := range map[string]struct {
		policy Policy
		cands  []Candidate
		found  bool
		margin float64
	}{
		"nobody":              {DefaultPolicy, nil, false, 0},
		"too low":             {DefaultPolicy, cand(enough - 0.1), false, enough - 0.1},
		"enough, alone":       {DefaultPolicy, cand(enough), true, enough},
		"enough, clear":       {DefaultPolicy, cand(enough+5, 4), true, enough + 1},
		"two alike":           {DefaultPolicy, cand(enough+5, enough+4), false, 1},
		"no budget":           {Policy{0, 0}, cand(1000), false, 1000},
		"budget not a number": {Policy{math.NaN(), 0}, cand(1000), false, 1000},
		"score not a number":  {DefaultPolicy, cand(math.NaN()), false, math.NaN()},
	} {
		v := test.policy.Decide(test.cands, gallery)
		if v.Found != test.found || !(math.Abs(v.Margin-test.margin) < 1e-9 || math.IsNaN(test.margin)) || v.Why == "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// The budget is for the whole gallery: threshold and modelled rate agree.
func TestThresholdSpendsTheBudget(t *testing.T) {
	last := 0.0
	for _, gallery := range []int{1, 30, 2400, 12000, 1000000} {
		threshold := Threshold(1e-3, gallery)
		if rate := FalseMatchRate(threshold) * float64(gallery); math.Abs(rate-1e-3) > 1e-9 {
			t.Errorf("gallery of %d: threshold %.2f gives %.2g false matches a search", gallery, threshold, rate)
		}
		if threshold <= last {
			t.Errorf("gallery of %d: threshold %.2f does not rise", gallery, threshold)
		}
		last = threshold
	}
	if t0 := Threshold(1e-3, 0); math.IsInf(t0, 0) || math.IsNaN(t0) {
		t.Errorf("empty gallery: threshold %v", t0)
	}
}
