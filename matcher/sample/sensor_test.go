package sample

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// rings is a print whose ridges are concentric arcs about (cx, cy) above it and
// straight down below it, as in a loop that opens downward.
func rings(width, height int, ppi, cx, cy float64) *Sample {
	s := New(width, height, ppi)
	period := ppi / 500 * 9
	for y := range height {
		for x := range width {
			dx, dy := float64(x)-cx, float64(y)-cy
			r := math.Abs(dx)
			if dy < 0 {
				r = math.Hypot(dx, dy)
			}
			s.Pix[y*width+x] = uint8(128 - 100*math.Cos(r/period*2*math.Pi))
		}
	}
	return s
}

func TestCoreOfALoop(t *testing.T) {
	for _, c := range []struct{ ppi, x, y float64 }{{500, 150, 200}, {500, 220, 140}, {508, 120, 150}, {1000, 300, 350}} {
		side := int(c.ppi / 500 * 350)
		x, y := rings(side, side, c.ppi, c.x, c.y).Core()
		// The whole upper half bends about c; the answer is strongest a little above.
		if dx, dy := (x-c.x)*500/c.ppi, (y-c.y)*500/c.ppi; math.Abs(dx) > 8 || dy > 5 || dy < -30 {
			t.Errorf("%g ppi: core found at %.0f, %.0f instead of %g, %g", c.ppi, x, y, c.x, c.y)
		}
	}
}

func TestCoreFallsBackToTheForeground(t *testing.T) {
	s := New(300, 300, 500)
	for y := 180; y < 260; y++ { // straight ridges: no turn anywhere
		for x := 40; x < 120; x++ {
			s.Pix[y*s.Width+x] = uint8(128 + 100*math.Sin(float64(x)/9*2*math.Pi))
		}
	}
	if x, y := s.Core(); math.Hypot(x-80, y-220) > 12 {
		t.Errorf("middle of the ridges found at %.0f, %.0f instead of 80, 220", x, y)
	}
	if x, y := New(300, 200, 500).Core(); x != 150 || y != 100 {
		t.Errorf("a blank picture has its core at %g, %g instead of its middle", x, y)
	}
}

func TestPressCentresTheCore(t *testing.T) {
	src := rings(400, 420, 500, 150, 200)
	before := bytes.Clone(src.Pix)
	for _, z := range []Sensor{R503, R307, R558} {
		s := z.Press(src)
		if err := s.Validate(); err != nil || s.Width != z.Width || s.Height != z.Height || s.PPI != z.PPI {
			t.Fatalf("%s: %dx%d at %g ppi, %v", z.Name, s.Width, s.Height, s.PPI, err)
		}
		if x, y := s.Core(); math.Hypot(x-float64(z.Width)/2, y-float64(z.Height)/2) > 16 {
			t.Errorf("%s: the core lies at %.0f, %.0f", z.Name, x, y)
		}
		if !bytes.Equal(s.Pix, z.Press(src).Pix) {
			t.Errorf("%s: a second press of the same picture differs", z.Name)
		}
	}
	if !bytes.Equal(before, src.Pix) {
		t.Error("Press changed its source")
	}
}

func TestPressBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 60).Draw(t, "w"), rapid.IntRange(1, 60).Draw(t, "h")
		ppi := rapid.SampledFrom([]float64{0, 1, math.NaN(), 125, 500, 2500, 5000}).Draw(t, "ppi")
		s := New(w, h, ppi)
		copy(s.Pix, rapid.SliceOfN(rapid.Byte(), w*h, w*h).Draw(t, "pix"))
		out := R503.Press(s)
		if err := out.Validate(); err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(out.Pix, func(v uint8) bool { return v%17 != 0 }); i >= 0 {
			t.Fatalf("pixel %d is %d: not one of 16 levels", i, out.Pix[i])
		}
	})
}

func TestSensorByName(t *testing.T) {
	if z, err := SensorByName("r503"); err != nil || z != R503 {
		t.Errorf("r503: %v, %v", z, err)
	}
	if _, err := SensorByName("r999"); err == nil {
		t.Error("r999 was found")
	}
}

func TestResampleKeepsThePicture(t *testing.T) {
	src := rings(200, 160, 500, 100, 80)
	up := src.Resample(1000)
	if up.Width != 400 || up.Height != 320 || up.PPI != 1000 {
		t.Fatalf("%dx%d at %g", up.Width, up.Height, up.PPI)
	}
	back := up.Resample(500)
	worst := 0
	for y := 4; y < 156; y++ {
		for x := 4; x < 196; x++ {
			d := int(back.Pix[y*200+x]) - int(src.Pix[y*200+x])
			worst = max(worst, d, -d)
		}
	}
	if worst > 40 { // at the kink of the rings; ridges are 200 high
		t.Errorf("up and down again changes a pixel by %d", worst)
	}
}

func TestResampleKeepsFlatAreas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(rapid.IntRange(1, 80).Draw(t, "w"), rapid.IntRange(1, 80).Draw(t, "h"), rapid.Float64Range(MinPPI, MaxPPI).Draw(t, "from"))
		v := rapid.Byte().Draw(t, "v")
		for i := range s.Pix {
			s.Pix[i] = v
		}
		out := s.Resample(rapid.Float64Range(MinPPI, MaxPPI).Draw(t, "to"))
		if err := out.Validate(); err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(out.Pix, func(p uint8) bool { return p != v }); i >= 0 {
			t.Fatalf("flat %d became %d", v, out.Pix[i])
		}
	})
}

func TestResampleWithoutResolutionCopies(t *testing.T) {
	s := New(10, 10, 0)
	out := s.Resample(500)
	if out.Width != 10 || out.PPI != 0 || &out.Pix[0] == &s.Pix[0] {
		t.Errorf("%dx%d at %g ppi", out.Width, out.Height, out.PPI)
	}
}

func TestClear(t *testing.T) {
	s := New(4, 4, 500)
	s.Clear()
	if slices.ContainsFunc(s.Pix, func(v uint8) bool { return v != 0 }) {
		t.Error("pixels are left")
	}
	(*Sample)(nil).Clear()
}

func BenchmarkPress(b *testing.B) {
	src := rings(388, 374, 500, 190, 180)
	for b.Loop() {
		R503.Press(src)
	}
}
