package extract

import (
	"math"
	"reflect"
	"testing"
)

// The same picture gives the same template on every processor, to a hundredth of a
// pixel and a thousandth of a radian: processors differ in whether they round
// between a product and a sum, and in nothing more. These were found on amd64.
func TestSameOnEveryProcessor(t *testing.T) {
	want := []struct{ x, y, angle float64 }{
		{97.9461, 153.9959, 2.78836},
		{45.2711, 53.8184, 5.95386},
		{95.4145, 93.9844, 5.93847},
		{144.9227, 133.8010, 5.93119},
		{47.5045, 129.3918, 2.75927},
		{139.2544, 44.4568, 2.83528},
	}
	p := scattered
	p.levels, p.noise = 16, 8
	got := mustExtract(t, p.draw(192, 192, 508))
	if len(got.Minutiae) != len(want) {
		t.Fatalf("%d minutiae, want %d", len(got.Minutiae), len(want))
	}
	for _, w := range want {
		apart := math.Inf(1)
		for _, m := range got.Minutiae {
			if d := math.Hypot(float64(m.X)-w.x, float64(m.Y)-w.y); d < apart && math.Abs(float64(m.Angle)-w.angle) < 1e-3 {
				apart = d
			}
		}
		if apart > 0.01 {
			t.Errorf("the minutia at %+v is %.3f pixels off", w, apart)
		}
	}
}

// The largest image, all of it ridges, stays within what the package promises of
// its memory.
func TestLargestImage(t *testing.T) {
	s := filled(MaxSide, MaxSide, 500, func(x, y int) uint8 { return uint8(128 + 100*math.Sin(float64(x+2*y)*0.3)) })
	e := New()
	got, err := e.Extract(s)
	if err != nil || len(got.Minutiae) > MaxMinutiae {
		t.Fatalf("%v, or too many minutiae", err)
	}
	if n := held(reflect.ValueOf(e).Elem()); n > bytesPerPixel*MaxSide*MaxSide {
		t.Errorf("%d bytes are held of %d pixels, want at most %d a pixel", n, MaxSide*MaxSide, bytesPerPixel)
	}
	e.Clear()
}

// bytesPerPixel is what the package's comment says that an image costs.
const bytesPerPixel = 28

// held counts the bytes behind all slices within v but its tables.
func held(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			n += held(v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			n += held(v.Index(i))
		}
	case reflect.Slice:
		n = v.Cap() * int(v.Type().Elem().Size())
	}
	return n
}
