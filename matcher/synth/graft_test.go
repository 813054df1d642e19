package synth

import (
	"math"
	"testing"

	"github.com/tillprint/tillprint/matcher"
)

// A minutia less than half a step of float32 inside the edge is outside once it is rounded.
func TestNothingIsPutOnTheEdge(t *testing.T) {
	out := &matcher.Template{Width: 300, Height: 400}
	put(out, math.Nextafter(300, 0), 10, 0, matcher.Ending, 50)
	put(out, 10, math.Nextafter(400, 0), 0, matcher.Ending, 50)
	put(out, 299.5, 399.5, 0, matcher.Ending, 50)
	if len(out.Minutiae) != 1 {
		t.Errorf("%d minutiae, want the one inside", len(out.Minutiae))
	}
	if err := out.Validate(); err != nil {
		t.Error(err)
	}
}

func TestGraft(t *testing.T) {
	a, b := Template(1), Template(2)
	g := Graft(a, b, 3)
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(g.Minutiae) < 10 {
		t.Errorf("only %d minutiae of two fingers", len(g.Minutiae))
	}
	if h := Graft(a, b, 3); len(h.Minutiae) != len(g.Minutiae) || h.Minutiae[0] != g.Minutiae[0] {
		t.Error("the same seed makes another finger")
	}
}
