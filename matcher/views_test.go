package matcher

import (
	"slices"
	"testing"
)

func TestFuse(t *testing.T) {
	for _, test := range []struct {
		views []float64
		want  float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{3, 7, 2}, 7},
		{[]float64{10, 14, 8}, 14 + 0.5*5 + 0.25*3},
	} {
		if got := fuse(test.views); got != test.want {
			t.Errorf("%v fuse to %g, want %g", test.views, got, test.want)
		}
	}
	// Even endless presses count no more than twice the best.
	if got := fuse(slices.Repeat([]float64{14}, 100)); got > 28 {
		t.Errorf("a hundred views fuse to %g", got)
	}
}

func TestTallyNamesTheBestFingerOfEachSubject(t *testing.T) {
	found := make(tally)
	for _, v := range []struct {
		subject string
		finger  uint8
		score   float64
	}{{"b", 2, 3}, {"a", 1, 9}, {"b", 7, 8}, {"b", 7, 11}, {"a", 2, 9}, {"c", 1, 0}} {
		found.add(v.subject, v.finger, v.score)
	}
	got := found.candidates(6)
	want := []Candidate{{"b", 7, 11 + 0.5*3}, {"a", 1, 9}, {"c", 1, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if none := make(tally).candidates(0); len(none) != 0 {
		t.Errorf("nothing compared gives %v", none)
	}
}
