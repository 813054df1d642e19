package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// grown keeps the masters that several tests look at.
var grown sync.Map

func master(seed uint64) *Master {
	if m, ok := grown.Load(seed); ok {
		return m.(*Master)
	}
	m, _ := grown.LoadOrStore(seed, NewMaster(seed))
	return m.(*Master)
}

// TestSameSeedSameFinger holds the very pixels, so that another processor or
// another release of Go that draws a finger differently is noticed.
func TestSameSeedSameFinger(t *testing.T) {
	if !slices.Equal(NewMaster(3).ridges, master(3).ridges) {
		t.Fatal("two masters of one seed differ")
	}
	s := master(3).Impression(4, RandomConditions(4))
	sum := sha256.Sum256(s.Pix)
	if got := hex.EncodeToString(sum[:8]); got != goldenImpression {
		t.Errorf("the impression's pixels hash to %s instead of %s", got, goldenImpression)
	}
	b, err := Template(5).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	sum = sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:8]); got != goldenTemplate {
		t.Errorf("the template hashes to %s instead of %s", got, goldenTemplate)
	}
}

const (
	goldenImpression = "eff8665d484156e5"
	goldenTemplate   = "81f91113e2311139"
)

func TestClassesInNaturalProportion(t *testing.T) {
	const fingers = 20_000
	var count [5]int
	for seed := range uint64(fingers) {
		count[drawClass(random(seed, streamFlow))]++
	}
	for c, want := range share {
		got := float64(count[c]) / fingers
		if deviation := math.Sqrt(want * (1 - want) / fingers); math.Abs(got-want) > 4*deviation {
			t.Errorf("%v: share %.4f, want %.4f", Class(c), got, want)
		}
	}
}

// TestRidgePeriod counts ridges along vertical lines above the core, where they
// run nearly level.
func TestRidgePeriod(t *testing.T) {
	mean := 0.0
	const fingers = 6
	for seed := range uint64(fingers) {
		m := master(seed)
		crossings, length := 0, 0.0
		top, bottom := int(m.flow.centre.y)-150, int(m.flow.centre.y)-40
		for x := int(m.flow.centre.x) - 20; x <= int(m.flow.centre.x)+20; x++ {
			for y := top; y < bottom; y++ {
				if m.ridges[y*masterWidth+x] < 0 && m.ridges[(y+1)*masterWidth+x] >= 0 {
					crossings++
				}
				length += math.Abs(math.Cos(m.flow.at(float64(x), float64(y)).angle))
			}
		}
		period := length / float64(crossings)
		if period < 7 || period > 11 {
			t.Errorf("finger %d: %.1f pixels from ridge to ridge", seed, period)
		}
		mean += period / fingers
	}
	if mean < 8.3 || mean > 9.7 {
		t.Errorf("%.2f pixels from ridge to ridge on average, want about 9", mean)
	}
}

// TestSlope compares the flow's derivatives with differences.
func TestSlope(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFlow(random(rapid.Uint64().Draw(t, "seed"), streamFlow))
		x, y := rapid.Float64Range(0, masterWidth).Draw(t, "x"), rapid.Float64Range(0, masterHeight).Draw(t, "y")
		for _, p := range append(append([]point{}, f.cores...), f.deltas...) {
			if math.Hypot(x-p.x, y-p.y) < 10 {
				t.Skip("at a singular point")
			}
		}
		if math.Abs(math.Abs(x-f.centre.x)-f.archWidth/2) < 1 || math.Abs(y-f.archTop) < 1 || math.Abs(y-f.archBottom) < 1 {
			t.Skip("at a foot of the arch")
		}
		const h = 1e-3
		difference := func(dx, dy float64) float64 {
			return math.Remainder(f.at(x+dx, y+dy).angle-f.at(x-dx, y-dy).angle, math.Pi) / (2 * h)
		}
		s := f.at(x, y)
		if d := difference(h, 0); math.Abs(d-s.right) > 1e-4 {
			t.Errorf("to the right %g, differences say %g", s.right, d)
		}
		if d := difference(0, -h); math.Abs(d-s.up) > 1e-4 {
			t.Errorf("upwards %g, differences say %g", s.up, d)
		}
	})
}

// TestCoreIsFound: the press machinery finds the core where the flow has it.
func TestCoreIsFound(t *testing.T) {
	missed := 0
	for seed := range uint64(6) {
		x, y := master(seed).Impression(seed, Conditions{}).Core()
		if math.Hypot(x-impressionWidth/2, y-impressionHeight/2) > 45 {
			missed++
		}
	}
	if missed > 1 {
		t.Errorf("the core was missed on %d of 6 fingers", missed)
	}
}

// TestAnyConditions: no conditions, however wild, break an impression.
func TestAnyConditions(t *testing.T) {
	m := master(1)
	rapid.Check(t, func(t *rapid.T) {
		wild := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0}))
		c := Conditions{
			wild.Draw(t, "rotation"), wild.Draw(t, "x"), wild.Draw(t, "y"), wild.Draw(t, "pressure"), wild.Draw(t, "moisture"),
			wild.Draw(t, "missing"), wild.Draw(t, "distortion"), wild.Draw(t, "noise"), wild.Draw(t, "dirt"), rapid.Int().Draw(t, "scars"),
		}
		if err := m.Impression(rapid.Uint64().Draw(t, "seed"), c).Validate(); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkNewMaster(b *testing.B) {
	for seed := uint64(0); b.Loop(); seed++ {
		NewMaster(seed)
	}
}

func BenchmarkImpression(b *testing.B) {
	m := NewMaster(1)
	for seed := uint64(0); b.Loop(); seed++ {
		m.Impression(seed, RandomConditions(seed))
	}
}

func BenchmarkTemplate(b *testing.B) {
	for seed := uint64(0); b.Loop(); seed++ {
		Template(seed)
	}
}
