package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
)

// IdentifyOptions of [Identify].
type IdentifyOptions struct {
	Input
	Enrol       int            // impressions enrolled of each finger, each kept as a view
	Distractors int            // synthetic templates added, two fingers a subject
	Policy      matcher.Policy // judges every search; zero is matcher.DefaultPolicy
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
}

// Identify measures identification: the first Enrol impressions of every
// finger enrolled among distractors, the others searched, and each of these
// searched again while its own finger is not enrolled.
func Identify(ctx context.Context, o IdentifyOptions) (*IdentifyResult, error) {
	if o.Enrol < 1 || o.Distractors < 0 {
		return nil, errors.New("identification needs at least one impression enrolled and no negative number of distractors")
	}
	o.Policy = cmp.Or(o.Policy, matcher.DefaultPolicy)
	set, l, err := load(ctx, o.Input)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	defer clearAll(set)
	t := trial{policy: o.Policy, now: l.in.Now, gallery: matcher.NewGallery()}
	if err := t.crowd(ctx, o.Distractors, l.sensor); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	if err := t.run(ctx, byFinger(set), o.Enrol, l.in.Progress); err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", o.Dir, err)
	}
	return t.result(), nil
}

// byFinger splits the sorted set.
func byFinger(set []impression) (fingers [][]impression) {
	for i := range set {
		if n := len(fingers); n == 0 || fingers[n-1][0].finger != set[i].finger {
			fingers = append(fingers, nil)
		}
		fingers[len(fingers)-1] = append(fingers[len(fingers)-1], set[i])
	}
	return fingers
}

// A trial is one identification measurement under way.
type trial struct {
	policy  matcher.Policy
	now     func() time.Time
	gallery *matcher.Gallery

	own    []float64 // score of each mated search; below any threshold if not first
	others []float64 // best score of each non-mated search
	first  int       // mated searches whose own finger came first
	found  int       // of these, accepted by the policy
	wrong  int       // searches in which the policy accepted somebody else
	took   []time.Duration
}

// crowd adds n synthetic templates, as the sensor would show them.
func (t *trial) crowd(ctx context.Context, n int, sensor *sample.Sensor) error {
	for i := range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := t.gallery.Add(fmt.Sprintf("synthetic %d", i/2), uint8(1+i%2), distractor(i, sensor)); err != nil {
			return err
		}
	}
	return nil
}

func distractor(i int, sensor *sample.Sensor) *matcher.Template {
	if sensor != nil {
		return synth.TemplateOn(*sensor, uint64(i))
	}
	return synth.Template(uint64(i))
}

func (t *trial) run(ctx context.Context, fingers [][]impression, enrol int, progress func(done, total int)) error {
	for _, f := range fingers {
		if err := t.enrol(f, enrol); err != nil {
			return err
		}
	}
	for i, f := range fingers {
		progress(i, len(fingers))
		for _, one := range f[min(enrol, len(f)):] {
			if err := t.search(ctx, one, true); err != nil {
				return err
			}
		}
		t.gallery.RemoveSubject(f[0].finger)
		for _, one := range f[min(enrol, len(f)):] {
			if err := t.search(ctx, one, false); err != nil {
				return err
			}
		}
		if err := t.enrol(f, enrol); err != nil {
			return err
		}
	}
	progress(len(fingers), len(fingers))
	if len(t.own) == 0 {
		return fmt.Errorf("every impression is enrolled, none is left to search: enrol fewer than %d", enrol)
	}
	return nil
}

// enrol adds a finger's first impressions, as many as could be extracted.
func (t *trial) enrol(finger []impression, n int) error {
	var views []*matcher.Template
	for _, one := range finger[:min(n, len(finger))] {
		if one.reference != nil {
			views = append(views, one.reference)
		}
	}
	if len(views) == 0 {
		return nil // its searches will fail, as they should
	}
	return t.gallery.Add(finger[0].finger, 1, views...)
}

// search looks one impression up and notes the outcome.
func (t *trial) search(ctx context.Context, one impression, mated bool) error {
	var found []matcher.Candidate
	if one.probe != nil {
		began := t.now()
		var err error
		if found, err = t.gallery.Identify(ctx, one.probe, 2); err != nil {
			return err
		}
		t.took = append(t.took, t.now().Sub(began))
	}
	verdict := t.policy.Decide(found, t.gallery.Len())
	hit := len(found) > 0 && found[0].Subject == one.finger
	if verdict.Found && !hit {
		t.wrong++
	}
	if !mated {
		t.others = append(t.others, topScore(found))
		return nil
	}
	if !hit {
		t.own = append(t.own, -1)
		return nil
	}
	t.own = append(t.own, found[0].Score)
	t.first++
	if verdict.Found {
		t.found++
	}
	return nil
}

func topScore(found []matcher.Candidate) float64 {
	if len(found) == 0 {
		return 0
	}
	return found[0].Score
}

func (t *trial) result() *IdentifyResult {
	slices.Sort(t.others)
	mated := float64(len(t.own))
	return &IdentifyResult{
		FNIR01:      t.fnir(0.1),
		FNIR001:     t.fnir(0.01),
		FNIR0001:    t.fnir(0.001),
		Rank1:       float64(t.first) / mated,
		SearchMSP50: quantile(t.took, 0.5, time.Millisecond),
		SearchMSP99: quantile(t.took, 0.99, time.Millisecond),
		Gallery:     t.gallery.Len(),
		Mated:       len(t.own),
		NonMated:    len(t.others),
		FPIRBound:   3 / float64(len(t.others)),
		Found:       float64(t.found) / mated,
		Wrong:       t.wrong,
	}
}

// fnir is the share of mated searches that fail when a search must score above
// what all but the given share of non-mated searches reach. t.others is sorted.
func (t *trial) fnir(fpir float64) float64 {
	allowed := int(fpir * float64(len(t.others)))
	threshold := t.others[len(t.others)-1-min(allowed, len(t.others)-1)]
	missed := 0
	for _, s := range t.own {
		if s <= threshold {
			missed++
		}
	}
	return float64(missed) / float64(len(t.own))
}
