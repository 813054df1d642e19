package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/sample"
	"pgregory.net/rapid"
)

// TestSameSeedSameFinger holds the very pixels, so that another processor or
// another release of Go that draws a finger differently is noticed.
func TestSameSeedSameFinger(t *testing.T) {
	if !slices.Equal(NewMaster(3).ridges, NewMaster(3).ridges) {
		t.Fatal("two masters of one seed differ")
	}
	s := NewMaster(3).Impression(4, RandomConditions(4))
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
	goldenTemplate   = "0af4d2cc09434eb5"
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
	const fingers = 8
	for seed := range uint64(fingers) {
		m := NewMaster(seed)
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
	for seed := range uint64(10) {
		x, y := NewMaster(seed).Impression(seed, Conditions{}).Core()
		if math.Hypot(x-impressionWidth/2, y-impressionHeight/2) > 45 {
			missed++
		}
	}
	if missed > 1 {
		t.Errorf("the core was missed on %d of 10 fingers", missed)
	}
}

func extracted(t *testing.T, s *sample.Sample) *matcher.Template {
	t.Helper()
	found, err := extract.New().Extract(s)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func score(t *testing.T, a, b *matcher.Template) float64 {
	t.Helper()
	p, err := matcher.Prepare(a)
	if err != nil {
		t.Fatal(err)
	}
	q, err := matcher.Prepare(b)
	if err != nil {
		t.Fatal(err)
	}
	return matcher.Score(p, q)
}

// alike tells mates from strangers: every finger's two templates must be more
// alike than any two of different fingers.
func alike(t *testing.T, pairs [][2]*matcher.Template) {
	t.Helper()
	least, most := math.Inf(1), 0.0
	for i, p := range pairs {
		least = min(least, score(t, p[0], p[1]))
		for _, q := range pairs[i+1:] {
			most = max(most, score(t, p[0], q[1]))
		}
	}
	if least <= most {
		t.Errorf("mates score down to %.1f, strangers up to %.1f", least, most)
	}
}

func TestImpressionsOfOneMasterAreAlike(t *testing.T) {
	var pairs [][2]*matcher.Template
	for seed := range uint64(6) {
		m := NewMaster(seed)
		c := Conditions{Noise: 0.3, Distortion: 0.3, Rotation: 0.1, Moisture: 0.2}
		d := Conditions{Noise: 0.3, ShiftX: 12, Rotation: -0.15, Pressure: -0.3, Missing: 0.1}
		pairs = append(pairs, [2]*matcher.Template{extracted(t, m.Impression(1, c)), extracted(t, m.Impression(2, d))})
	}
	alike(t, pairs)
}

func TestPressesOfOneTemplateAreAlike(t *testing.T) {
	var pairs [][2]*matcher.Template
	for seed := range uint64(12) {
		whole := Template(seed)
		pairs = append(pairs, [2]*matcher.Template{Press(whole, seed), Press(whole, seed+1000)})
	}
	alike(t, pairs)
}

func TestTemplatesAreNatural(t *testing.T) {
	const fingers = 400
	var count, near []float64
	kinds := map[matcher.Kind]float64{}
	for seed := range uint64(fingers) {
		found := Template(seed)
		if err := found.Validate(); err != nil {
			t.Fatal(err)
		}
		count = append(count, float64(len(found.Minutiae)))
		for i, m := range found.Minutiae {
			kinds[m.Kind]++
			nearest := math.Inf(1)
			for j, o := range found.Minutiae {
				if i != j {
					nearest = min(nearest, math.Hypot(float64(m.X-o.X), float64(m.Y-o.Y)))
				}
			}
			near = append(near, nearest)
		}
	}
	middle := func(v []float64) float64 { slices.Sort(v); return v[len(v)/2] }
	if m := middle(count); m < 35 || m > 58 {
		t.Errorf("%g minutiae in the middle template", m)
	}
	if m := middle(near); m < 13 || m > 24 || near[0] < apart-0.01 {
		t.Errorf("the nearest neighbour is %.1f pixels off in the middle, %.1f at least", m, near[0])
	}
	if s := kinds[matcher.Ending] / float64(len(near)); s < 0.5 || s > 0.6 {
		t.Errorf("%.2f of the minutiae are endings", s)
	}
}

func TestTemplateOnSensor(t *testing.T) {
	for _, z := range []sample.Sensor{sample.R503, sample.R307, sample.R558} {
		found := TemplateOn(z, 1)
		if err := found.Validate(); err != nil {
			t.Error(err)
		}
		if want := int(float64(z.Width) * 500 / z.PPI); found.Width != want || len(found.Minutiae) >= len(Template(1).Minutiae) {
			t.Errorf("%s: %d minutiae over %d pixels", z.Name, len(found.Minutiae), found.Width)
		}
	}
}

func TestPressLeavesItsTemplate(t *testing.T) {
	found := Template(9)
	before := *found
	before.Minutiae = slices.Clone(found.Minutiae)
	if Press(found, 1); !cmp.Equal(&before, found) {
		t.Error("the template was changed")
	}
	if d := cmp.Diff(Press(found, 2), Press(found, 2)); d != "" {
		t.Errorf("two presses of one seed differ: %s", d)
	}
	if err := Press(&matcher.Template{Width: 1, Height: 1}, 3).Validate(); err != nil {
		t.Errorf("pressing an empty template: %v", err)
	}
}

// TestAnyConditions: no conditions, however wild, break an impression.
func TestAnyConditions(t *testing.T) {
	m := NewMaster(1)
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
