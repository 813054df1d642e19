package extract

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// FuzzExtract holds that no image panics, and that a template is either valid or
// comes with an error. The bytes tile an image whose size is fuzzed too.
func FuzzExtract(f *testing.F) {
	whole := scattered.draw(96, 100, 508)
	f.Add(96, 100, 508.0, whole.Pix)
	f.Add(192, 192, 508.0, []byte{0, 17, 34, 255, 0})
	f.Add(97, 65, 600.0, []byte{255, 0, 0, 0, 255, 255, 128, 0, 1})
	f.Add(64, 300, 470.0, []byte{0})
	f.Add(-1, 70, 500.0, []byte{})
	e, t := New(), new(matcher.Template)
	f.Fuzz(func(test *testing.T, width, height int, ppi float64, tile []byte) {
		s := &sample.Sample{Width: width, Height: height, PPI: ppi}
		if n := width * height; width > 0 && height > 0 && width <= 400 && height <= 400 && len(tile) > 0 {
			for len(s.Pix) < n {
				s.Pix = append(s.Pix, tile[:min(len(tile), n-len(s.Pix))]...)
			}
		}
		err := e.ExtractInto(t, s)
		if err != nil && len(t.Minutiae) > 0 {
			test.Errorf("%d minutiae beside error %v", len(t.Minutiae), err)
		}
		if err == nil {
			if bad := t.Validate(); bad != nil {
				test.Error(bad)
			}
		}
		e.Overlay()
	})
}

// FuzzSofar holds that looking at an image on its way neither panics nor changes
// what it comes to.
func FuzzSofar(f *testing.F) {
	whole := scattered.draw(96, 100, 508)
	f.Add(96, 100, 11, whole.Pix)
	f.Add(192, 192, 16, []byte{0, 17, 34, 255, 0})
	f.Add(97, 165, 10, []byte{255, 0, 0, 0, 255, 255, 128, 0, 1})
	plain, looking := New(), New()
	want, got := new(matcher.Template), new(matcher.Template)
	f.Fuzz(func(test *testing.T, width, height, every int, tile []byte) {
		if width < MinSide || width > 200 || height < MinSide || height > 200 || every < 10 || len(tile) == 0 {
			return
		}
		plain.Begin(width, height, 508)
		looking.Begin(width, height, 508)
		row := make([]byte, width)
		for y := range height {
			for x := range row {
				row[x] = tile[(y*width+x)%len(tile)]
			}
			plain.Row(y, row)
			looking.Row(y, row)
			if (y+1)%every == 0 && looking.SofarInto(got) == nil {
				if bad := got.Validate(); bad != nil {
					test.Fatal(bad)
				}
			}
		}
		first, second := plain.finish(want), looking.finish(got)
		if (first == nil) != (second == nil) || !cmp.Equal(want, got, cmpopts.EquateEmpty()) {
			test.Errorf("%v and %v, %s", first, second, cmp.Diff(want, got))
		}
	})
}
