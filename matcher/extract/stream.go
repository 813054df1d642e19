package extract

import (
	"fmt"
	"math"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Begin starts an image of width × height pixels at ppi whose rows follow from
// the top. What is wrong with these figures is told by [Extractor.End].
func (e *Extractor) Begin(width, height int, ppi float64) {
	e.report = Report{}
	e.rows, e.looked = 0, 0
	e.found = e.found[:0]
	e.mask.depth = e.mask.depth[:0]
	e.width, e.height, e.ppi = 0, 0, ppi
	if e.bad = check(width, height, ppi); e.bad != nil {
		return
	}
	e.width, e.height = width, height
	e.pixels = locked.Resize(e.pixels, width*height)
	if e.native() {
		e.start()
	}
}

// native says that the image is worked on in its own resolution.
func (e *Extractor) native() bool {
	return math.Abs(e.ppi/matcher.PPI-1) <= nativeTolerance
}

func (e *Extractor) start() {
	e.raster.begin(e.width, e.height)
	e.gradients.begin(e.width, e.height)
}

// Row takes row y, which must be the next one, and keeps a copy. Contrast and
// gradients are worked out as far as the rows received allow, so that End has
// less to do, by about a sixth. (Not for images far from 500 ppi,
// which wait for End.)
func (e *Extractor) Row(y int, pix []uint8) {
	if e.bad != nil {
		return
	}
	if y != e.rows || y >= e.height || len(pix) != e.width {
		e.bad = fmt.Errorf("%w: row %d of %d pixels, expected row %d of %d", ErrPixels, y, len(pix), e.rows, e.width)
		return
	}
	copy(e.pixels[y*e.width:], pix)
	e.rows++
	if e.native() {
		e.raster.push(e.pixels[:e.rows*e.width])
		e.gradients.gather(&e.raster)
	}
}

// End finishes the image and returns its template. Rows that never came are left
// out: the image ends at the last row received.
func (e *Extractor) End() (*matcher.Template, error) {
	t := new(matcher.Template)
	if err := e.finish(t); err != nil {
		return nil, err
	}
	return t, nil
}

// finish works out everything that is left and writes the template.
func (e *Extractor) finish(t *matcher.Template) error {
	t.Width, t.Height, t.Quality = 0, 0, 0
	t.Minutiae, t.Flow, t.Ridges, t.Sketch = t.Minutiae[:0], t.Flow[:0], t.Ridges[:0], t.Sketch[:0]
	if e.bad == nil {
		e.bad = check(e.width, e.rows, e.ppi)
	}
	if e.bad != nil {
		return fmt.Errorf("reading the image: %w", e.bad)
	}
	e.height = e.rows
	if !e.native() {
		e.resample()
	}
	e.raster.finish(e.pixels[:e.width*e.height])
	e.gradients.gather(&e.raster)
	return e.analyse(t)
}

// resample brings an image of another resolution to 500 ppi, whole.
func (e *Extractor) resample() {
	whole := sample.Sample{Width: e.width, Height: e.height, PPI: e.ppi, Pix: e.pixels[:e.width*e.height]}
	scaled := whole.Resample(matcher.PPI)
	e.width, e.height, e.ppi = scaled.Width, scaled.Height, matcher.PPI
	e.pixels = locked.Append(e.pixels[:0], scaled.Pix...)
	scaled.Clear()
	e.start()
	e.raster.push(e.pixels)
}
