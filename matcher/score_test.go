package matcher

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// finger is a template of 40 minutiae scattered at random, the same for the
// same seed. Real fingers have correlated directions; for what is tested here
// scatter does. (matcher/synth, which does better, imports this package.)
func finger(seed uint64) *Template {
	r := rand.New(rand.NewPCG(seed, 1))
	t := &Template{Width: 360, Height: 400, Quality: 70}
	for range 40 {
		t.Minutiae = append(t.Minutiae, Minutia{
			X: 40 + r.Float32()*280, Y: 40 + r.Float32()*320,
			Angle: r.Float32() * 6.283, Kind: Kind(1 + r.IntN(2)), Quality: 60,
		})
	}
	return t
}

// press is another impression of t: moved, turned, with small errors, and with
// a share of its minutiae missing.
func press(t *Template, r *rand.Rand, dx, dy, turned, missing float64) *Template {
	p := &Template{Width: t.Width, Height: t.Height, Quality: t.Quality}
	sin, cos := math.Sincos(turned)
	for _, m := range t.Minutiae {
		if r.Float64() < missing {
			continue
		}
		x, y := float64(m.X)-180, float64(m.Y)-200
		// Angles run counter-clockwise as seen, y points down.
		m.X = float32(cos*x + sin*y + 180 + dx + r.NormFloat64())
		m.Y = float32(cos*y - sin*x + 200 + dy + r.NormFloat64())
		m.Angle = float32(math.Mod(float64(m.Angle)+turned+0.05*r.NormFloat64()+4*math.Pi, 2*math.Pi))
		if m.X >= 0 && m.Y >= 0 && m.X < float32(p.Width) && m.Y < float32(p.Height) {
			p.Minutiae = append(p.Minutiae, m)
		}
	}
	return p
}

// kept is what a gallery keeps of t. Its memory is given up with the test.
func kept(subject string, t *Template) entry {
	entries, _ := newEntries(subject, 1, []*Template{t})
	return entries[0]
}

func mustPrepare(t testing.TB, made *Template) *Prepared {
	t.Helper()
	p, err := Prepare(made)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestScoreTellsFingersApart(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for seed := range uint64(20) {
		made := finger(seed)
		ref := mustPrepare(t, made)
		same := Score(mustPrepare(t, press(made, r, 10, -15, 0.3, 0.25)), ref)
		other := Score(mustPrepare(t, press(finger(seed+1000), r, 0, 0, 0, 0)), ref)
		if same < 15 || other > 8 {
			t.Errorf("finger %d: itself scores %.1f, another %.1f", seed, same, other)
		}
	}
}

func TestScoreIgnoresMovement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made := finger(rapid.Uint64Range(0, 50).Draw(t, "finger"))
		turned := rapid.Float64Range(-math.Pi, math.Pi).Draw(t, "turned")
		dx := rapid.Float64Range(-15, 15).Draw(t, "dx")
		dy := rapid.Float64Range(-15, 15).Draw(t, "dy")
		still := rand.New(rand.NewPCG(3, 3))
		moved := press(made, still, dx, dy, turned, 0)
		p, _ := Prepare(made)
		q, err := Prepare(moved)
		if err != nil {
			t.Fatal(err)
		}
		full, got := Score(p, p), Score(q, p)
		kept := float64(len(moved.Minutiae)) / float64(len(made.Minutiae))
		if got < 0.5*kept*kept*full {
			t.Fatalf("turned by %.2f and moved by %.0f,%.0f it scores %.1f instead of about %.1f", turned, dx, dy, got, full)
		}
	})
}

func TestScoreIsNearlySymmetric(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for seed := range uint64(20) {
		made := finger(seed)
		p, q := mustPrepare(t, made), mustPrepare(t, press(made, r, 5, 5, 0.2, 0.3))
		a, b := Score(p, q), Score(q, p)
		if math.Abs(a-b) > 0.25*max(a, b) {
			t.Errorf("finger %d: %.1f one way, %.1f the other", seed, a, b)
		}
	}
}

// The odd templates: none may panic, hang or look alike to anything.
func TestScoreOfOddTemplates(t *testing.T) {
	one := &Template{Width: 300, Height: 300, Minutiae: []Minutia{{X: 5, Y: 5}}}
	same := &Template{Width: 300, Height: 300}
	line := &Template{Width: 300, Height: 300}
	crowd := &Template{Width: 300, Height: 300}
	for i := range MaxMinutiae {
		same.Minutiae = append(same.Minutiae, Minutia{X: 9, Y: 9, Angle: 1})
		line.Minutiae = append(line.Minutiae, Minutia{X: float32(i), Y: 9})
		crowd.Minutiae = append(crowd.Minutiae, Minutia{X: float32(i%16) * 2, Y: float32(i/16) * 2, Angle: float32(i) / 50})
	}
	odd := map[string]*Template{"none": {Width: 1, Height: 1}, "one": one, "one 255 times": same, "line": line, "crowd": crowd}
	usual := mustPrepare(t, finger(1))
	for name, made := range odd {
		p := mustPrepare(t, made)
		began := time.Now()
		for other, score := range map[string]float64{"usual": Score(p, usual), "usual as probe": Score(usual, p), "itself": Score(p, p)} {
			if math.IsNaN(score) || score < 0 || other != "itself" && score > 10 {
				t.Errorf("%s with %s scores %v", name, other, score)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	p := mustPrepare(b, finger(1))
	r := rand.New(rand.NewPCG(5, 5))
	for name, q := range map[string]*Prepared{
		"same finger":    mustPrepare(b, press(finger(1), r, 5, 5, 0.2, 0.3)),
		"another finger": mustPrepare(b, finger(2)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Score(q, p)
			}
		})
	}
}
