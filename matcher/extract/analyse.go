package extract

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
)

// leastFinger is the least area, in square pixels at 500 ppi, that counts as a
// finger on the sensor: 3 mm by 3 mm.
const leastFinger = 60 * 60

// leastCoherence is the mean coherence below which what was found is noise: that
// of white noise is 0.1, that of poor prints 0.25.
const leastCoherence = 0.14

// analyse goes from the levelled raster, as high as it says that it is, to the
// template. It leaves the raster and the gradients' sums as they are.
func (e *Extractor) analyse(t *matcher.Template) error {
	r := &e.raster
	e.report = Report{}
	e.orientation.take(&e.gradients, r)
	e.mask.weigh(e.pixels, r, &e.orientation)
	e.orientation.finish()
	e.mask.find(&e.orientation)
	e.survey()
	if e.area() < leastFinger {
		return fmt.Errorf("%w: ridges on %.0f %% of it", ErrNoFinger, 100*e.mask.fraction)
	}
	if e.report.Coherence < leastCoherence {
		return fmt.Errorf("%w: what is there is noise", ErrNoFinger)
	}
	e.wave.begin(r)
	e.filter()
	e.orientation.refine(r, &e.wave, &e.mask)
	e.filter()
	e.vortices()
	e.clean()
	e.conclude()
	e.write(t)
	return nil
}

// filter makes the wave along the directions known by now.
func (e *Extractor) filter() {
	r := &e.raster
	e.wave.steer(r, &e.orientation)
	e.wave.average(r, &e.mask)
	e.period.measure(r, &e.wave, &e.mask)
	e.wave.demodulate(r, &e.mask, &e.period)
}

// write puts the best minutiae into the template, best first, at 500 ppi.
func (e *Extractor) write(t *matcher.Template) {
	slices.SortFunc(e.found, func(a, b minutia) int {
		return cmp.Or(cmp.Compare(b.quality, a.quality), cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x))
	})
	e.found = e.found[:min(len(e.found), MaxMinutiae)]
	scale := matcher.PPI / e.ppi
	t.Width = int(math.Ceil(float64(e.raster.width) * scale))
	t.Height = int(math.Ceil(float64(e.raster.height) * scale))
	t.Quality = e.report.Quality
	t.Minutiae = locked.Resize(t.Minutiae, len(e.found))[:0] // room for all at once: append must not move them
	for _, m := range e.found {
		kind := matcher.Ending
		if m.valley {
			kind = matcher.Bifurcation
		}
		t.Minutiae = append(t.Minutiae, matcher.Minutia{
			X: m.x * float32(scale), Y: m.y * float32(scale),
			Angle: upright(m.angle), Kind: kind,
			Quality: uint8(max(1, math.Round(100*float64(m.quality)))),
		})
	}
	e.flow.write(t, &e.orientation, &e.mask, scale)
	e.flow.sketch(t, &e.raster, &e.wave, scale)
}

// upright turns an angle of this package, clockwise, into the counter-clockwise
// one of a template, in [0, 2π).
func upright(angle float32) float32 {
	a := 2*math.Pi - angle
	for a >= 2*math.Pi {
		a -= 2 * math.Pi
	}
	return max(0, a)
}
