package matcher

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawTemplate makes any valid template.
func drawTemplate(t *rapid.T) *Template {
	w, h := rapid.IntRange(1, MaxSide).Draw(t, "width"), rapid.IntRange(1, MaxSide).Draw(t, "height")
	n := rapid.IntRange(0, MaxMinutiae).Draw(t, "minutiae")
	made := &Template{Width: w, Height: h, Quality: uint8(rapid.IntRange(0, 100).Draw(t, "quality"))}
	for range n {
		made.Minutiae = append(made.Minutiae, Minutia{
			X:       rapid.Float32Range(0, float32(w)-0.01).Draw(t, "x"),
			Y:       rapid.Float32Range(0, float32(h)-0.01).Draw(t, "y"),
			Angle:   rapid.Float32Range(0, 6.2831).Draw(t, "angle"),
			Kind:    Kind(rapid.IntRange(0, 2).Draw(t, "kind")),
			Quality: uint8(rapid.IntRange(0, 100).Draw(t, "minutia quality")),
		})
	}
	if rapid.Bool().Draw(t, "with flow") {
		columns, rows := FlowSize(w, h)
		seed := rapid.IntRange(0, FlowDirections).Draw(t, "flow")
		for i := range columns * rows {
			made.Flow = append(made.Flow, uint8((seed+i*i)%(FlowDirections+1)))
		}
		if rapid.Bool().Draw(t, "with ridges") {
			sketched(made, uint64(seed))
		}
	}
	return made
}

func TestStoredFormKeepsTemplates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made := drawTemplate(t)
		first, err := made.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var read Template
		if err := read.UnmarshalBinary(first); err != nil {
			t.Fatal(err)
		}
		second, err := read.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if string(first) != string(second) {
			t.Fatal("encoding what was decoded gives other bytes")
		}
		if string(read.Flow) != string(made.Flow) {
			t.Fatalf("flow %v became %v", made.Flow, read.Flow)
		}
		if len(read.Ridges) > 0 && string(read.Ridges) != string(made.Ridges) || read.Sketch != nil {
			t.Fatalf("ridges %v became %v, sketch %v", made.Ridges, read.Ridges, read.Sketch)
		}
		for i, m := range read.Minutiae {
			was := made.Minutiae[i]
			if math.Abs(float64(m.X-was.X)) > 1.0/16 || math.Abs(float64(m.Y-was.Y)) > 1.0/16 {
				t.Fatalf("minutia %d moved from %v to %v", i, was, m)
			}
		}
	})
}

func TestValidateNamesTheFault(t *testing.T) {
	good := Minutia{X: 5, Y: 5, Angle: 1}
	nan := float32(math.NaN())
	for name, bad := range map[string]Template{
		"no size":        {},
		"negative":       {Width: -1, Height: 5},
		"huge":           {Width: MaxSide + 1, Height: 5},
		"too many":       {Width: 9, Height: 9, Minutiae: make([]Minutia, MaxMinutiae+1)},
		"quality":        {Width: 9, Height: 9, Quality: 101},
		"outside":        {Width: 9, Height: 9, Minutiae: []Minutia{good, {X: 9, Y: 1}}},
		"NaN position":   {Width: 9, Height: 9, Minutiae: []Minutia{{X: nan}}},
		"NaN angle":      {Width: 9, Height: 9, Minutiae: []Minutia{{Angle: nan}}},
		"full turn":      {Width: 9, Height: 9, Minutiae: []Minutia{{Angle: 2 * math.Pi}}},
		"unknown kind":   {Width: 9, Height: 9, Minutiae: []Minutia{{Kind: 3}}},
		"flow's size":    {Width: 48, Height: 25, Flow: make([]uint8, 3)},
		"flow's value":   {Width: 48, Height: 24, Flow: []uint8{1, FlowDirections + 1}},
		"ridges' size":   {Width: 48, Height: 24, Flow: []uint8{1, 2}, Ridges: []uint8{1}},
		"no flow":        {Width: 24, Height: 24, Ridges: []uint8{1}},
		"ridges nowhere": {Width: 48, Height: 24, Flow: []uint8{1, 0}, Ridges: []uint8{1, 1}},
		"sketch alone":   {Width: 24, Height: 24, Flow: []uint8{1}, Sketch: []uint64{1}},
		"other sketch":   {Width: 24, Height: 24, Flow: []uint8{1}, Ridges: []uint8{1}, Sketch: []uint64{1}},
		"growth":         {Width: 9, Height: 9, Growth: 1.3},
		"minutia grade":  {Width: 9, Height: 9, Minutiae: []Minutia{{Quality: 101}}},
	} {
		if err := bad.Validate(); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := Prepare(&bad); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: Prepare gave %v", name, err)
		}
		if _, err := bad.MarshalBinary(); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: MarshalBinary gave %v", name, err)
		}
	}
}

func TestGrowEnlargesWhatIsCompared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made := drawTemplate(t)
		before, err := made.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		factor := rapid.Float64().Draw(t, "factor")
		made.Grow(factor)
		if err := made.Validate(); err != nil {
			t.Fatalf("grown by %g: %v", factor, err)
		}
		if after, err := made.MarshalBinary(); err != nil || string(after) != string(before) {
			t.Fatalf("what is stored changes with growth: %v", err)
		}
		f := min(max(factor, 0.9), 1.2)
		if f*float64(max(made.Width, made.Height)) > MaxSide {
			f = 1
		}
		small := usedPoints(nil, &Template{Minutiae: made.Minutiae})
		for i, p := range usedPoints(nil, made) {
			if q := small[i]; math.Abs(float64(p.x)-f*float64(q.x)) > 0.01 || p.angle != q.angle {
				t.Fatalf("minutia %d went from %v to %v by %g", i, q, p, f)
			}
		}
	})
	made := Template{Width: 9, Height: 9}
	if made.Grow(math.NaN()); made.grown() != 1 {
		t.Error("no number of growth changes the template")
	}
	for years, want := range map[float64]float64{-1: 1, 0: 1, 2: 1.05, 40: 1.10, math.NaN(): 1} {
		if got := GrowthSince(years); math.Abs(got-want) > 1e-12 {
			t.Errorf("%g years of growth are %g, want %g", years, got, want)
		}
	}
}

func TestClearOverwritesMinutiae(t *testing.T) {
	minutiae := []Minutia{{X: 1, Y: 2, Angle: 3, Kind: Ending, Quality: 4}, {X: 5}}
	made := &Template{Width: 9, Height: 9, Minutiae: minutiae[:1]}
	made.Flow, made.Ridges, made.Sketch = []uint8{7}, []uint8{1}, []uint64{1 << 9}
	flow, ridges, sketch := made.Flow, made.Ridges, made.Sketch
	made.Clear()
	if flow[0] != 0 || ridges[0] != 0 || sketch[0] != 0 {
		t.Error("flow, ridges or sketch are left in memory")
	}
	if diff := cmp.Diff(make([]Minutia, 2), minutiae); diff != "" {
		t.Error("minutiae are left in memory:", diff)
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	made := finger(1)
	b, err := made.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:9])
	withFlow := &Template{Width: 50, Height: 30, Flow: []uint8{0, 1, 15, 8, 2, 3}}
	if b, err = withFlow.MarshalBinary(); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	sketched(withFlow, 3)
	if b, err = withFlow.MarshalBinary(); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("TM\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var read Template
		if err := read.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, ErrEncoding) || read.Minutiae != nil {
				t.Fatalf("refused with %v, leaving %d minutiae", err, len(read.Minutiae))
			}
			return
		}
		again, err := read.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != string(b) {
			t.Fatal("accepted bytes that MarshalBinary would not write")
		}
	})
}
