package synth

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/sample"
)

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
		m := master(seed)
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
	if m := middle(count); m < 30 || m > 50 {
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
	for z, want := range map[sample.Sensor][2]int{sample.R503: {18, 34}, sample.R307: {30, 52}, sample.R558: {5, 16}} {
		var count []int
		for seed := range uint64(200) {
			found := TemplateOn(z, seed)
			if err := found.Validate(); err != nil {
				t.Error(err)
			}
			if width := int(float64(z.Width) * 500 / z.PPI); found.Width != width {
				t.Errorf("%s: %d pixels wide, want %d", z.Name, found.Width, width)
			}
			count = append(count, len(found.Minutiae))
		}
		slices.Sort(count)
		if m := count[len(count)/2]; m < want[0] || m > want[1] {
			t.Errorf("%s: %d minutiae in the middle template, want %d to %d", z.Name, m, want[0], want[1])
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
