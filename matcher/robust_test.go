package matcher

import (
	"math"
	"math/rand/v2"
	"testing"
)

// mirrored is t as seen from behind the glass: no finger shows both.
func mirrored(t *Template) *Template {
	m := &Template{Width: t.Width, Height: t.Height, Quality: t.Quality}
	for _, k := range t.Minutiae {
		k.X = float32(t.Width-1) - k.X
		k.Angle = float32(math.Mod(3*math.Pi-float64(k.Angle), 2*math.Pi))
		m.Minutiae = append(m.Minutiae, k)
	}
	return m
}

// What must match and what never may, whatever the finger. 17 is about what
// the policy asks for in a gallery of thousands by the model for all probes.
func TestScoreOfChangedFingers(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 21))
	for seed := range uint64(20) {
		made := finger(seed)
		ref := mustPrepare(t, made)
		scoreOf := func(changed *Template) float64 { return Score(mustPrepare(t, changed), ref) }
		if s := scoreOf(press(made, r, 0, 0, math.Pi, 0.1)); s < 17 {
			t.Errorf("finger %d upside down scores %.1f", seed, s)
		}
		if s := scoreOf(mirrored(made)); s > 10 {
			t.Errorf("finger %d mirrored scores %.1f", seed, s)
		}
		crowded := press(made, r, 8, -6, 0.2, 0.1)
		crowded.Minutiae = append(crowded.Minutiae, press(finger(seed+500), r, 0, 0, 0, 0).Minutiae...)
		if s := scoreOf(crowded); s < 10 {
			t.Errorf("finger %d under another one's print scores %.1f", seed, s)
		}
		twice := press(made, r, 5, 5, 0.1, 0.1)
		twice.Minutiae = append(twice.Minutiae, twice.Minutiae...)
		if s := scoreOf(twice); s < 17 {
			t.Errorf("finger %d with every minutia twice scores %.1f", seed, s)
		}
		corner := press(made, r, 0, 0, 0, 0)
		for i := range corner.Minutiae { // the same, in a far corner of a far larger image
			corner.Minutiae[i].X += MaxSide - 400
			corner.Minutiae[i].Y += MaxSide - 400
		}
		corner.Width, corner.Height = MaxSide, MaxSide
		if s := scoreOf(corner); s < 17 {
			t.Errorf("finger %d far away scores %.1f", seed, s)
		}
	}
}

// A finger that grew is still itself; the scale is held within its bounds.
func TestScoreOfGrownFingers(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 22))
	for _, growth := range []float64{0.95, 1.05, 1.10, 1.15} {
		var same, grown float64
		for seed := range uint64(20) {
			made := finger(seed)
			ref, again := mustPrepare(t, made), press(made, r, 4, 4, 0.2, 0.1)
			same += Score(mustPrepare(t, again), ref)
			again.Grow(growth)
			probe := mustPrepare(t, again)
			grown += Score(probe, ref)
			if e := Explain(probe, ref); e.Scale < 1/1.2-1e-6 || e.Scale > 1/0.9+1e-6 || math.Abs(e.Scale*growth-1) > 0.06 {
				t.Errorf("finger %d grown by %g is scaled by %.3f", seed, growth, e.Scale)
			}
		}
		if grown < 0.6*same {
			t.Errorf("grown by %g scores fall from %.1f to %.1f", growth, same/20, grown/20)
		}
	}
}

// The worst templates that Validate accepts cost no more than the stated
// bounds, counted and not timed: every loop of a comparison runs over one of
// these.
func TestWorkIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 23))
	heap := func(side, turns float32) *Template {
		made := &Template{Width: 400, Height: 400}
		for range MaxMinutiae {
			made.Minutiae = append(made.Minutiae, Minutia{X: r.Float32() * side, Y: r.Float32() * side, Angle: r.Float32() * turns})
		}
		return made
	}
	grid := &Template{Width: 400, Height: 400}
	for i := range MaxMinutiae {
		grid.Minutiae = append(grid.Minutiae, Minutia{X: float32(i%16) * 9, Y: float32(i/16) * 9})
	}
	for name, made := range map[string]*Template{
		"a heap": heap(10, 6.2), "a heap of one direction": heap(17, 0.01), "the whole image": heap(400, 6.2), "a lattice": grid, "a finger": finger(1),
	} {
		p := mustPrepare(t, made)
		s := new(scratch)
		score := s.score(p, p)
		for what, n := range map[string][2]int{
			"points": {len(p.points), mostUsed}, "similarities": {len(s.sims), mostUsed * mostUsed},
			"pairs": {len(s.pairs), mostPairs}, "edges": {len(s.edges), mostPairs * (mostPairs - 1) / 2},
			"movements": {len(s.begun), mostSeeds}, "links": {len(s.links), mostUsed * mostUsed}, "mates": {len(s.mates), mostUsed},
		} {
			if n[0] > n[1] {
				t.Errorf("%s: %d %s, at most %d", name, n[0], what, n[1])
			}
		}
		if math.IsNaN(score) || math.IsInf(score, 0) {
			t.Errorf("%s scores %v with itself", name, score)
		}
		if allocs := testing.AllocsPerRun(20, func() { s.score(p, p) }); allocs > 0 {
			t.Errorf("%s: %v allocations after warm-up", name, allocs)
		}
	}
}
