package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tillprint/tillprint/matcher"
)

// Options of [Run].
type Options struct {
	Input

	// Impostors is "all" (or ""), every pair of impressions of different
	// fingers, or "first", the first impressions of different fingers only.
	Impostors string

	// BothWays compares each pair a second time with reference and probe
	// exchanged, which leaves less of the rates to chance. The protocol of the
	// Fingerprint Verification Competitions has each pair once.
	BothWays bool

	// Scores, if set, receives every pair as CSV:
	// finger_i,impr_i,finger_j,impr_j,score.
	Scores io.Writer

	// Gallery is how many templates Result.Tail thinks of; 0 is 2,400, a
	// school of 1,200 with two fingers each.
	Gallery int
}

const schoolGallery = 2400

// A Result is what [Run] measured. Rates are fractions.
type Result struct {
	Genuine  int `json:"genuine"`  // pairs of one finger
	Impostor int `json:"impostor"` // pairs of different fingers

	// FTE is the share of images that could not be enrolled. Their pairs
	// count with score 0.
	FTE float64 `json:"fte"`

	Rates

	EERCI95         [2]float64 `json:"eer_ci95"` // bootstrap over fingers
	ExtractMSMedian float64    `json:"extract_ms_median"`
	MatchUSMedian   float64    `json:"match_us_median"` // of two prepared templates

	Tail    Tail     `json:"impostor_tail"`
	Fingers []Finger `json:"fingers"` // those to enrol again first
	Quality Quality  `json:"quality"` // what rejecting poor samples is worth

	// All scores, ascending: what plots are made of.
	GenuineScores, ImpostorScores []float64 `json:"-"`
}

// A prepared impression is ready to be compared; nil sides never enrolled.
type prepared struct {
	finger           int
	one              *impression
	reference, probe *matcher.Prepared
}

// Run measures verification on a folder. An empty folder, one with a single
// finger, or an unreadable image is an error that says what to do.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Impostors != "" && o.Impostors != "all" && o.Impostors != "first" {
		return nil, wrongOptions("impostors %q: choose first or all", o.Impostors)
	}
	set, l, err := load(ctx, o.Input)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	defer clearAll(set)
	ready, fingers, err := prepareAll(set)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", o.Dir, err)
	}
	defer clearPrepared(ready)
	c := comparison{Options: o, now: l.in.Now, progress: l.in.Progress}
	if err := c.all(ctx, ready); err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", o.Dir, err)
	}
	sortScores(c.scores)
	r := &Result{
		FTE:             float64(l.failed) / float64(max(1, l.attempts(len(set)))),
		Rates:           rates(c.scores, func(*pairScore) float64 { return 1 }),
		EERCI95:         interval(c.scores, fingers),
		ExtractMSMedian: median(l.took, time.Millisecond),
		MatchUSMedian:   median(c.took, time.Microsecond),
	}
	r.Tail = tailOf(c.scores, fingers, cmp.Or(o.Gallery, schoolGallery))
	r.Fingers = fingersOf(c.scores, ready, r.Threshold1000)
	r.Quality = qualityOf(c.scores, ready, r.Threshold1000)
	r.split(c.scores)
	return r, nil
}

// split hands out the scores, which are sorted, best first.
func (r *Result) split(sorted []pairScore) {
	for i := len(sorted) - 1; i >= 0; i-- {
		if sorted[i].genuine() {
			r.GenuineScores = append(r.GenuineScores, sorted[i].score)
		} else {
			r.ImpostorScores = append(r.ImpostorScores, sorted[i].score)
		}
	}
	r.Genuine, r.Impostor = len(r.GenuineScores), len(r.ImpostorScores)
}

// attempts is how many extractions there were; templates count as one each.
func (l *loader) attempts(files int) int { return max(files, len(l.took)) }

var errFingers = errors.New("error rates need at least two fingers and two impressions of one of them")

// prepareAll readies the set for comparing and numbers its fingers.
func prepareAll(set []impression) ([]prepared, int, error) {
	number := make(map[string]int)
	ready := make([]prepared, len(set))
	for i := range set {
		one := &set[i]
		if _, known := number[one.finger]; !known {
			number[one.finger] = len(number)
		}
		ready[i] = prepared{finger: number[one.finger], one: one}
		var err error
		if one.reference != nil {
			if ready[i].reference, err = matcher.Prepare(one.reference); err != nil {
				return nil, 0, err
			}
		}
		if one.probe != nil {
			if ready[i].probe, err = matcher.Prepare(one.probe); err != nil {
				return nil, 0, err
			}
		}
	}
	if len(number) < 2 || len(number) == len(set) {
		return nil, 0, errFingers
	}
	return ready, len(number), nil
}

func clearPrepared(ready []prepared) {
	for _, p := range ready {
		for _, side := range []*matcher.Prepared{p.reference, p.probe} {
			if side != nil {
				side.Clear()
			}
		}
	}
}
