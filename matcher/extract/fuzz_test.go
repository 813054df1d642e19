package extract

import (
	"testing"

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
