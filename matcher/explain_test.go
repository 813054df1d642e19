package matcher

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExplainShowsWhatWasPaired(t *testing.T) {
	made := finger(3)
	ref := mustPrepare(t, made)
	probe := mustPrepare(t, press(made, rand.New(rand.NewPCG(1, 1)), 12, -9, 0.4, 0.2))
	e := Explain(probe, ref)
	if e.Score != Score(probe, ref) || e.Score < 15 {
		t.Fatalf("explains a score of %.2f, Score gives %.2f", e.Score, Score(probe, ref))
	}
	// press turned by 0.4 counter-clockwise; the way back is clockwise.
	if math.Abs(e.Turned+0.4) > 0.03 || math.Abs(e.Scale-1) > 0.02 || len(e.Mates) < 20 {
		t.Errorf("turned %.3f, scale %.3f, %d mates", e.Turned, e.Scale, len(e.Mates))
	}
	for i, m := range e.Mates {
		x, y := e.Move(float64(m.Probe.X), float64(m.Probe.Y))
		if d := math.Hypot(x-float64(m.Reference.X), y-float64(m.Reference.Y)); d > 10 {
			t.Errorf("mate %d lies %.1f pixels apart after moving", i, d)
		}
		if i > 0 && m.Off < e.Mates[i-1].Off {
			t.Error("mates are not in order")
		}
		if m.Probe.Angle < 0 || m.Probe.Angle >= 2*math.Pi {
			t.Errorf("angle %v", m.Probe.Angle)
		}
	}
	mates := e.Mates
	e.Clear()
	if e.Mates != nil || mates[0] != (Mate{}) {
		t.Error("mates are left in memory")
	}
	if none := Explain(mustPrepare(t, &Template{Width: 9, Height: 9}), ref); none.Score != 0 || none.Mates != nil || none.Scale != 1 {
		t.Errorf("nothing is explained as %+v", none)
	}
}
