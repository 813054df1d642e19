package extract

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
	"pgregory.net/rapid"
)

// scattered is a print with six minutiae, far enough apart to be told apart.
var scattered = pattern{
	period: 9, angle: 0.3,
	faults: []dislocation{{-50, -40, 1}, {45, -50, -1}, {0, 0, 1}, {-45, 35, -1}, {50, 40, 1}, {5, 60, -1}},
}

// wantAll checks that every fault of p is in t within the tolerances (pixels,
// radians), and little else.
func wantAll(t *testing.T, p pattern, got *matcher.Template, s *sample.Sample, pixels, radians float64) {
	t.Helper()
	for i := range p.faults {
		want := p.truth(i, s.Width, s.Height, s.PPI)
		m, distance, turn := nearest(got, want)
		if distance > pixels || turn > radians || want.Kind != matcher.Other && m.Kind != want.Kind {
			t.Errorf("fault %d: got %+v, want %+v (off by %.1f pixels, %.2f rad)", i, m, want, distance, turn)
		}
	}
	if len(got.Minutiae) > len(p.faults)+1 {
		t.Errorf("%d minutiae for %d faults", len(got.Minutiae), len(p.faults))
	}
}

func mustExtract(t *testing.T, s *sample.Sample) *matcher.Template {
	t.Helper()
	got, err := New().Extract(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOneDislocation(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := pattern{
			period: rapid.Float64Range(6.5, 12).Draw(r, "period"),
			angle:  rapid.Float64Range(0, math.Pi).Draw(r, "angle"),
			faults: []dislocation{{
				x:      rapid.Float64Range(-20, 20).Draw(r, "x"),
				y:      rapid.Float64Range(-20, 20).Draw(r, "y"),
				charge: rapid.SampledFrom([]float64{-1, 1}).Draw(r, "charge"),
			}},
		}
		// The phase at the fault makes it a clear ending or bifurcation.
		at := p.phaseAt(p.faults[0].x+math.Cos(p.angle), p.faults[0].y+math.Sin(p.angle))
		p.phase = -at + math.Pi*float64(rapid.IntRange(0, 1).Draw(r, "kind"))
		s := p.draw(140, 120, 500)
		got, err := New().Extract(s)
		if err != nil {
			r.Fatal(err)
		}
		want := p.truth(0, s.Width, s.Height, s.PPI)
		m, distance, turn := nearest(got, want)
		if distance > 3 || turn > 0.2 || m.Kind != want.Kind || len(got.Minutiae) != 1 {
			r.Fatalf("got %+v of %d, want %+v (off by %.1f pixels, %.2f rad)", m, len(got.Minutiae), want, distance, turn)
		}
	})
}

func TestSensors(t *testing.T) {
	tests := []struct {
		name          string
		width, height int
		ppi           float64
		levels        int
		noise         float64
	}{
		{"optical", 256, 288, 500, 0, 0},
		{"16 levels", 256, 288, 500, 16, 8},
		{"R503", 192, 192, 508, 16, 8},
		{"noise", 256, 288, 500, 0, 40},
		{"1000 ppi", 400, 420, 1000, 0, 10},
		{"250 ppi", 110, 120, 250, 0, 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := scattered
			p.levels, p.noise = test.levels, test.noise
			s := p.draw(test.width, test.height, test.ppi)
			wantAll(t, p, mustExtract(t, s), s, 2.5, 0.3)
		})
	}
}

func TestMoveAndTurn(t *testing.T) {
	for turn := 0.0; turn < 2*math.Pi; turn += 0.37 {
		p := scattered
		p.turn, p.moveX, p.moveY, p.noise = turn, 7.3*math.Sin(3*turn), -9.1*math.Cos(2*turn), 20
		s := p.draw(256, 288, 500)
		wantAll(t, p, mustExtract(t, s), s, 2.5, 0.3)
	}
}

func TestEdgeOfPrintIsNoEnding(t *testing.T) {
	for _, p := range []pattern{
		{period: 9, angle: 0.5, radius: 90},
		{period: 9, angle: 1.2, radius: 90, levels: 16},
		{period: 8, angle: 2.2}, // cut by the image on all sides
	} {
		if got := mustExtract(t, p.draw(256, 288, 500)); len(got.Minutiae) > 0 {
			t.Errorf("%+v: %d minutiae, want none: %+v", p, len(got.Minutiae), got.Minutiae)
		}
	}
}

func TestInverseSwapsKinds(t *testing.T) {
	p := scattered
	s := p.draw(256, 288, 500)
	p.inverse = true
	dark, light := mustExtract(t, s), mustExtract(t, p.draw(256, 288, 500))
	for _, m := range dark.Minutiae {
		if found, distance, _ := nearest(light, m); distance > 1 || found.Kind == m.Kind {
			t.Errorf("%+v became %+v", m, found)
		}
	}
}

func TestRowsAsTheyArrive(t *testing.T) {
	s := scattered.draw(256, 288, 500)
	want := mustExtract(t, s)
	e := New()
	for range 2 { // the second time in used buffers
		e.Begin(s.Width, s.Height, s.PPI)
		for y := range s.Height {
			e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width])
		}
		got, err := e.End()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

func TestRowsThatStop(t *testing.T) {
	s := scattered.draw(256, 288, 500)
	e := New()
	e.Begin(s.Width, s.Height, s.PPI)
	for y := range 180 {
		e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width])
	}
	got, err := e.End()
	if err != nil {
		t.Fatal(err)
	}
	if got.Height != 180 {
		t.Errorf("height %d, want 180", got.Height)
	}
	for i := range 3 { // those that lie in the rows that came
		want := scattered.truth(i, s.Width, s.Height, s.PPI)
		if _, distance, _ := nearest(got, want); distance > 2.5 {
			t.Errorf("fault %d is %.1f pixels off", i, distance)
		}
	}
}

func TestRowsOutOfOrder(t *testing.T) {
	e := New()
	e.Begin(100, 100, 500)
	e.Row(1, make([]uint8, 100))
	if _, err := e.End(); !errors.Is(err, ErrPixels) {
		t.Errorf("got %v, want ErrPixels", err)
	}
	e.Begin(100, 100, 500)
	e.Row(0, make([]uint8, 99))
	if _, err := e.End(); !errors.Is(err, ErrPixels) {
		t.Errorf("got %v, want ErrPixels", err)
	}
}

// filled is an image whose pixels come from f.
func filled(width, height int, ppi float64, f func(x, y int) uint8) *sample.Sample {
	s := &sample.Sample{Width: width, Height: height, PPI: ppi, Pix: make([]uint8, width*height)}
	for i := range s.Pix {
		s.Pix[i] = f(i%width, i/width)
	}
	return s
}

func TestBadImages(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	white := func(int, int) uint8 { return 255 }
	tests := []struct {
		name string
		s    *sample.Sample
		want error
	}{
		{"nil", nil, ErrResolution},
		{"white", filled(192, 192, 508, white), ErrNoFinger},
		{"black", filled(192, 192, 508, func(int, int) uint8 { return 0 }), ErrNoFinger},
		{"uniform noise", filled(192, 192, 508, func(int, int) uint8 { return uint8(random.Uint32()) }), ErrNoFinger},
		{"faint noise", filled(256, 288, 500, func(int, int) uint8 { return uint8(200 + random.IntN(12)) }), ErrNoFinger},
		{"one stripe", filled(256, 288, 500, func(x, _ int) uint8 { return uint8(255 * min(1, max(0, (x-100)*(x-110)))) }), ErrNoFinger},
		{"one edge", filled(256, 288, 500, func(x, y int) uint8 { return uint8(100 * min(1, max(0, x+y-200))) }), ErrNoFinger},
		{"a slope", filled(256, 288, 500, func(x, y int) uint8 { return uint8((x + y) / 3) }), ErrNoFinger},
		{"no ppi", filled(192, 192, 0, white), ErrResolution},
		{"5000 ppi", filled(192, 192, 5000, white), ErrResolution},
		{"ppi not a number", filled(192, 192, math.NaN(), white), ErrResolution},
		{"negative ppi", filled(192, 192, -500, white), ErrResolution},
		{"tiny", filled(20, 20, 500, white), ErrTooSmall},
		{"one pixel", filled(1, 1, 500, white), ErrTooSmall},
		{"few at high resolution", filled(100, 100, 1000, white), ErrTooSmall},
		{"huge", &sample.Sample{Width: 100000, Height: 100000, PPI: 500}, ErrTooLarge},
		{"huge at 500 ppi", filled(1000, 1000, 250, white), ErrTooLarge},
		{"largest, noise", filled(MaxSide, MaxSide, 500, func(int, int) uint8 { return uint8(random.Uint32()) }), ErrNoFinger},
		{"negative", &sample.Sample{Width: -5, Height: -5, PPI: 500}, ErrTooSmall},
		{"pixels missing", &sample.Sample{Width: 100, Height: 100, PPI: 500, Pix: make([]uint8, 99)}, ErrPixels},
	}
	e := New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := e.Extract(test.s)
			if !errors.Is(err, test.want) {
				n := 0
				if got != nil {
					n = len(got.Minutiae)
				}
				t.Errorf("error %v with %d minutiae, want %v", err, n, test.want)
			}
			if r := e.Report(); r.Quality > 0 {
				t.Errorf("quality %d of nothing", r.Quality)
			}
			if test.s != nil && test.s.Width < 300 {
				e.Overlay() // must draw whatever there is
			}
		})
	}
	// The extractor still works after all this.
	s := scattered.draw(256, 288, 500)
	got, err := e.Extract(s)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, scattered, got, s, 2.5, 0.3)
}

// A palm is a lawful image of too much skin: it costs what its pixels cost, and
// gives a template within its bounds.
func TestPalm(t *testing.T) {
	const side = 600
	p := pattern{period: 10, angle: 0.7, noise: 25}
	random := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		p.faults = append(p.faults, dislocation{random.Float64()*side - side/2, random.Float64()*side - side/2, 1 - 2*float64(random.IntN(2))})
	}
	s := p.draw(side, side, 500)
	for i := range s.Pix { // creases
		if x, y := i%side, i/side; (x+2*y)%310 < 12 || (3*x-y+side)%420 < 10 {
			s.Pix[i] = 250
		}
	}
	if got := mustExtract(t, s); len(got.Minutiae) < 20 || len(got.Minutiae) > MaxMinutiae {
		t.Errorf("%d minutiae of a palm, want 20 to %d", len(got.Minutiae), MaxMinutiae)
	}
}

// Sensors that fail send such things: whatever comes of them, it is valid.
func TestBrokenSensors(t *testing.T) {
	print := scattered.draw(192, 192, 508)
	e := New()
	for name, f := range map[string]func(x, y int) uint8{
		"a dead line":        func(x, y int) uint8 { return print.Pix[y*192+x] * uint8(min(1, y%20)) },
		"every row the same": func(x, _ int) uint8 { return print.Pix[90*192+x] },
		"shifted rows":       func(x, y int) uint8 { return print.Pix[(y*192+x+y*7)%len(print.Pix)] },
		"inverted":           func(x, y int) uint8 { return 255 - print.Pix[y*192+x] },
		"two levels":         func(x, y int) uint8 { return print.Pix[y*192+x] / 128 * 255 },
		"chessboard":         func(x, y int) uint8 { return uint8((x/5 + y/5) % 2 * 255) },
		"half an image":      func(x, y int) uint8 { return print.Pix[y*192+x] | uint8(max(0, min(1, y-95))*255) },
		"the same twice":     func(x, y int) uint8 { return print.Pix[y%96*192+x] },
		"rings":              func(x, y int) uint8 { return uint8(128 + 100*math.Cos(math.Hypot(float64(x-96), float64(y-96)))) },
	} {
		got, err := e.Extract(filled(192, 192, 508, f))
		if err == nil {
			err = got.Validate()
		}
		if err != nil && !errors.Is(err, ErrNoFinger) {
			t.Errorf("%s: %v", name, err)
		}
		if r := e.Report(); r.Advice == Fine && got == nil {
			t.Errorf("%s: nothing to advise, and no template", name)
		}
	}
}

func TestExtractIntoAllocatesNothing(t *testing.T) {
	s := scattered.draw(192, 192, 508)
	e, got := New(), new(matcher.Template)
	if n := testing.AllocsPerRun(3, func() {
		if err := e.ExtractInto(got, s); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func TestClear(t *testing.T) {
	e := New()
	if _, err := e.Extract(scattered.draw(192, 192, 508)); err != nil {
		t.Fatal(err)
	}
	e.Clear()
	e.wave.lines, e.wave.bank = lines{}, nil // tables, the same for all fingers
	wantZero(t, "Extractor", reflect.ValueOf(e).Elem())
	e.Overlay()
}

// wantZero checks that every slice within v holds zeros only, up to its capacity.
func wantZero(t *testing.T, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			wantZero(t, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			wantZero(t, name, v.Index(i))
		}
	case reflect.Slice:
		v = v.Slice(0, v.Cap())
		for i := range v.Len() {
			if !v.Index(i).IsZero() {
				t.Errorf("%s keeps %v at %d", name, v.Index(i), i)
				return
			}
		}
	}
}
