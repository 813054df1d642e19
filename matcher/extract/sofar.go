package extract

import (
	"fmt"

	"github.com/tillprint/tillprint/matcher"
)

const (
	// An image is worth a look between these shares of its rows: one every 1/closely
	// of them up to halfLook, where a clear finger is decided, one every 1/widely
	// from there. That makes matcher.EarlyLooks at most.
	firstLook = 0.42
	halfLook  = 0.65
	lastLook  = 0.95
	closely   = 48
	widely    = 12
)

// Ripe says that so many rows have come since the last Sofar, or since Begin, that
// another one is worth its while.
func (e *Extractor) Ripe() bool {
	seen := float64(e.rows) / float64(max(1, e.height))
	looks := closely
	if seen > halfLook {
		looks = widely
	}
	return e.bad == nil && e.native() && seen >= firstLook && seen < lastLook && (e.rows-e.looked)*looks >= e.height
}

// Sofar is the template of the rows that have arrived, as if the image ended
// there. More rows may follow, and End gives what it would have given without it.
// [ErrEarly] says that there is too little to look at yet (or, at resolutions far
// from 500 ppi, that only End can tell); the other errors are Extract's. Report
// tells about the part seen.
//
// Contrast and gradients are kept from row to row, but for the last few rows; what
// is filtered again are the rows that came. The cost is below that of an image of
// so many rows.
func (e *Extractor) Sofar() (*matcher.Template, error) {
	t := new(matcher.Template)
	if err := e.SofarInto(t); err != nil {
		return nil, err
	}
	return t, nil
}

// SofarInto is Sofar into a template that the caller reuses. On error t is empty.
func (e *Extractor) SofarInto(t *matcher.Template) error {
	t.Width, t.Height, t.Quality = 0, 0, 0
	t.Minutiae, t.Flow, t.Ridges, t.Sketch = t.Minutiae[:0], t.Flow[:0], t.Ridges[:0], t.Sketch[:0]
	e.looked = e.rows
	if e.bad != nil {
		return fmt.Errorf("reading the image: %w", e.bad)
	}
	if !e.native() || e.width == 0 || check(e.width, e.rows, e.ppi) != nil {
		return fmt.Errorf("looking at %d rows: %w", e.rows, ErrEarly)
	}
	whole := e.raster.height
	e.raster.ahead(e.pixels[:e.rows*e.width])
	err := e.analyse(t)
	e.raster.height = whole
	return err
}
