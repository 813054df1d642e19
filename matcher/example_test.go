package matcher_test

import (
	"context"
	"fmt"
	"math"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/synth"
)

func ExampleScore() {
	enrolled := synth.Template(1)
	pressed := synth.Press(enrolled, 1) // the same finger again
	stranger := synth.Template(2)

	reference, _ := matcher.Prepare(enrolled)
	for _, t := range []*matcher.Template{pressed, stranger} {
		probe, err := matcher.Prepare(t)
		if err != nil {
			fmt.Println(err)
			return
		}
		score := matcher.Score(probe, reference)
		fmt.Println(matcher.FalseMatchRate(score) < 1e-6)
	}
	// Output:
	// true
	// false
}

func ExampleGallery() {
	g := matcher.NewGallery()
	for seed := range uint64(100) {
		first := synth.Template(seed)
		err := g.Add(fmt.Sprintf("pupil %d", seed), 1, first, synth.Press(first, 1), synth.Press(first, 2))
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	probe := synth.Press(synth.Template(42), 3)
	defer probe.Clear()
	found, err := g.Identify(context.Background(), probe, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict := matcher.DefaultPolicy.Decide(found, g.Len())
	fmt.Println(verdict.Found, verdict.Best.Subject)

	g.RemoveSubject("pupil 42")
	found, _ = g.Identify(context.Background(), probe, 2)
	fmt.Println(matcher.DefaultPolicy.Decide(found, g.Len()).Found)
	// Output:
	// true pupil 42
	// false
}

func ExampleExplain() {
	enrolled := synth.Template(1)
	reference, _ := matcher.Prepare(enrolled)
	probe, err := matcher.Prepare(synth.Press(enrolled, 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	e := matcher.Explain(probe, reference)
	defer e.Clear()
	near := 0
	for _, m := range e.Mates {
		// Both in pixels at 500 ppi: draw a line from one picture to the other.
		x, y := e.Move(float64(m.Probe.X), float64(m.Probe.Y))
		if math.Hypot(x-float64(m.Reference.X), y-float64(m.Reference.Y)) < 15 {
			near++
		}
	}
	fmt.Println(len(e.Mates) >= 15, near >= len(e.Mates)*9/10)
	// Output: true true
}

func ExampleTemplate_Grow() {
	enrolled := synth.Template(1) // two years ago, of a pupil
	enrolled.Grow(matcher.GrowthSince(2))
	fmt.Println(enrolled.Growth)
	// Output: 1.05
}
