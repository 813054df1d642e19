package chart

import (
	"image"
	"image/color"
	"math"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// laidOver is the reference in blue with the probe in orange on it, as the
// explanation moves it, at one pixel a 500th of an inch. White is neither,
// black is both.
func laidOver(probe, reference *sample.Sample, e *matcher.Explanation) *image.NRGBA {
	scale := matcher.PPI / reference.PPI
	out := image.NewNRGBA(image.Rect(0, 0, int(float64(reference.Width)*scale), int(float64(reference.Height)*scale)))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			px, py := backwards(e, float64(x), float64(y))
			p := grey(probe, px*probe.PPI/matcher.PPI, py*probe.PPI/matcher.PPI)
			r := grey(reference, float64(x)/scale, float64(y)/scale)
			// The probe's ridges take blue and half of green away, the reference's red.
			out.SetNRGBA(x, y, color.NRGBA{r, uint8((int(p) + int(r)) / 2), p, 255})
		}
	}
	return out
}

// backwards undoes Explanation.Move.
func backwards(e *matcher.Explanation, x, y float64) (float64, float64) {
	sin, cos := math.Sincos(e.Turned)
	x, y = (x-e.DX)/e.Scale, (y-e.DY)/e.Scale
	return cos*x - sin*y, sin*x + cos*y
}

// grey is the nearest pixel, white outside.
func grey(s *sample.Sample, x, y float64) uint8 {
	u, v := int(math.Round(x)), int(math.Round(y))
	if u < 0 || v < 0 || u >= s.Width || v >= s.Height {
		return 255
	}
	return s.Pix[v*s.Width+u]
}
