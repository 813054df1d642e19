package eval

import (
	"bufio"
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

	// Scores, if set, receives every pair as CSV:
	// finger_i,impr_i,finger_j,impr_j,score.
	Scores io.Writer
}

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
		return nil, fmt.Errorf("impostors %q: choose first or all", o.Impostors)
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
	for i := range c.scores {
		if c.scores[i].genuine() {
			r.Genuine++
		} else {
			r.Impostor++
		}
	}
	return r, nil
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

// A comparison collects the scores of all pairs.
type comparison struct {
	Options
	now      func() time.Time
	progress func(done, total int)
	out      *bufio.Writer
	scores   []pairScore
	took     []time.Duration
}

func (c *comparison) all(ctx context.Context, ready []prepared) error {
	if c.Scores != nil {
		c.out = bufio.NewWriter(c.Scores)
		fmt.Fprintln(c.out, "finger_i,impr_i,finger_j,impr_j,score")
	}
	for i := range ready {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for j := i + 1; j < len(ready); j++ {
			if c.counts(ready, i, j) {
				c.compare(&ready[i], &ready[j])
			}
		}
		c.progress(i+1, len(ready))
	}
	if c.out != nil {
		if err := c.out.Flush(); err != nil {
			return fmt.Errorf("write scores: %w", err)
		}
	}
	return nil
}

// counts tells whether the protocol has the pair. The set is sorted by finger
// and impression, so a finger's first impression is where the finger begins.
func (c *comparison) counts(ready []prepared, i, j int) bool {
	if ready[i].finger == ready[j].finger || c.Impostors != "first" {
		return true
	}
	first := func(k int) bool { return k == 0 || ready[k-1].finger != ready[k].finger }
	return first(i) && first(j)
}

// compare scores one pair: the earlier impression as reference, the later one
// as probe. A side that could not be enrolled scores 0.
func (c *comparison) compare(i, j *prepared) {
	var score float64
	if i.reference != nil && j.probe != nil {
		began := c.now()
		score = matcher.Score(j.probe, i.reference)
		c.took = append(c.took, c.now().Sub(began))
	}
	c.scores = append(c.scores, pairScore{i.finger, j.finger, score})
	if c.out != nil {
		fmt.Fprintf(c.out, "%s,%d,%s,%d,%.4f\n", i.one.finger, i.one.number, j.one.finger, j.one.number, score)
	}
}
