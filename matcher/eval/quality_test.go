package eval

import (
	"testing"

	"github.com/tillprint/tillprint/matcher"
)

// Three fingers of two presses: the pair with the worst image is missed, and
// nothing is missed without it.
func TestQualityOf(t *testing.T) {
	set := make([]impression, 6)
	ready := make([]prepared, 6)
	for i, q := range []uint8{5, 90, 40, 80, 85, 95} {
		set[i] = impression{number: 1 + i%2, probe: &matcher.Template{Quality: q}}
		ready[i] = prepared{finger: i / 2, one: &set[i], reference: new(matcher.Prepared)}
	}
	scores := []pairScore{{0, 0, 3, 1, 2}, {1, 1, 12, 1, 2}, {2, 2, 30, 1, 2}, {0, 1, 4, 1, 1}, {0, 2, 10, 1, 1}}
	got := qualityOf(scores, ready, 11)
	want := Quality{All: 1. / 3, ThirdFewer: 0, WorstThird: 0.5, BestThird: 0, Limits: [2]int{40, 85}}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := qualityOf(nil, nil, 1); got != (Quality{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
