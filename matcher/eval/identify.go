package eval

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tillprint/tillprint/matcher"
)

// IdentifyOptions of [Identify].
type IdentifyOptions struct {
	Input
	Enrol       int            // impressions enrolled of each finger, each kept as a view
	Distractors int            // synthetic templates added, two fingers a subject
	Policy      matcher.Policy // judges every search; zero is matcher.DefaultPolicy

	// CountLost searches enrolled fingers once more with every template
	// compared fully, which takes some hundred times as long.
	CountLost bool

	// FingersPerSubject joins the set's fingers, in its order, into subjects
	// of so many: with 2 the first and second finger are one person's, the
	// third and fourth another's. 0 is 1.
	FingersPerSubject int
}

// An IdentifyResult is what [Identify] measured. Rates are fractions.
type IdentifyResult struct {
	// FNIR at the lowest threshold at which at most that many percent of the
	// searches of fingers that are not enrolled name anybody. A search fails
	// if its own finger is not first or scores below the threshold.
	FNIR01   float64 `json:"fnir_at_fpir_0.1"`
	FNIR001  float64 `json:"fnir_at_fpir_0.01"`
	FNIR0001 float64 `json:"fnir_at_fpir_0.001"`

	Rank1       float64 `json:"rank1"` // searches whose own finger comes first
	SearchMSP50 float64 `json:"search_ms_p50"`
	SearchMSP99 float64 `json:"search_ms_p99"`
	Gallery     int     `json:"gallery"` // templates

	Mated    int `json:"mated"`     // searches of enrolled fingers
	NonMated int `json:"non_mated"` // searches with the own finger left out

	// FPIRBound is 3 divided by NonMated, the rule of three: an FPIR measured
	// as 0 is below this with 95 % confidence, and a lower FPIR than this
	// cannot be told from it.
	FPIRBound float64 `json:"fpir_bound"`

	// What the policy decided: searches of enrolled fingers that found their
	// own, and searches of either sort that found somebody else.
	Found float64 `json:"policy_found"`
	Wrong int     `json:"policy_wrong"`

	// FoundEither is the share of the searches of enrolled fingers that found
	// their own at once or, if not, by the subject's next finger's press of the
	// same number. It equals Found with one finger a subject.
	FoundEither float64 `json:"policy_found_either"`

	Lost *Lost `json:"lost_by_first_stage,omitempty"` // with CountLost

	// Exact 95 % intervals (Clopper and Pearson) of FNIR0001 at its threshold
	// and of what the policy misses.
	FNIR0001CI95 [2]float64 `json:"fnir_at_fpir_0.001_ci95"`
	MissedCI95   [2]float64 `json:"policy_fnir_ci95"`

	// Single comparisons of the set's impressions: with those of other
	// fingers, and with distractors. Distractors that score lower flatter.
	Real      Spread `json:"real_impostors"`
	Synthetic Spread `json:"synthetic_distractors"`

	Subjects []Subject `json:"subjects"` // those to enrol again first

	// Scores of all searches, ascending: own finger's (below 0 where another
	// came first), and the best of searches with the own subject left out.
	Own, Others []float64 `json:"-"`
}

// Identify measures identification: the first Enrol impressions of every
// finger enrolled among distractors, the others searched, and each of these
// searched again while its own finger is not enrolled.
func Identify(ctx context.Context, o IdentifyOptions) (*IdentifyResult, error) {
	if o.Enrol < 1 || o.Distractors < 0 || o.FingersPerSubject < 0 {
		return nil, wrongOptions("identification needs at least one impression enrolled and no negative number of distractors or fingers")
	}
	o.Policy = cmp.Or(o.Policy, matcher.DefaultPolicy)
	set, l, err := load(ctx, o.Input)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	defer clearAll(set)
	t := trial{policy: o.Policy, now: l.in.Now, gallery: matcher.NewGallery()}
	if o.CountLost {
		t.lost = new(Lost)
	}
	if err := t.crowd(ctx, o.Distractors, l.sensor); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	if err := t.run(ctx, bySubject(set, max(1, o.FingersPerSubject)), o.Enrol, l.in.Progress); err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", o.Dir, err)
	}
	r := t.result()
	if r.Real, r.Synthetic, err = spreads(ctx, set, o.Distractors, l.sensor); err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", o.Dir, err)
	}
	return r, nil
}
