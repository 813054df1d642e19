package eval

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/matcher"
)

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
				if c.BothWays {
					c.compare(&ready[j], &ready[i])
				}
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

// compare scores one pair: i as reference, which is the earlier impression but
// for the second of both ways, and j as probe. A side that could not be enrolled scores 0.
func (c *comparison) compare(i, j *prepared) {
	var score float64
	if i.reference != nil && j.probe != nil {
		began := c.now()
		score = matcher.Score(j.probe, i.reference)
		c.took = append(c.took, c.now().Sub(began))
	}
	c.scores = append(c.scores, pairScore{i.finger, j.finger, score, i.one.number, j.one.number})
	if c.out != nil {
		fmt.Fprintf(c.out, "%s,%d,%s,%d,%.4f\n", i.one.finger, i.one.number, j.one.finger, j.one.number, score)
	}
}
