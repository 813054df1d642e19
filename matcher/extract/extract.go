package extract

import (
	"errors"
	"fmt"
	"math"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Bounds of what an [Extractor] accepts, in pixels and pixels per inch.
const (
	MinSide = 64   // smaller images hold too few ridges to tell fingers apart
	MaxSide = 1500 // larger ones, as given or at 500 ppi, are no single finger
	MinPPI  = 250
	MaxPPI  = 1500

	// MaxMinutiae is the most that a template gets: the best by quality.
	MaxMinutiae = 100
)

// Errors that callers tell apart. Each is wrapped with the figures of the case.
var (
	ErrNoFinger   = errors.New("no finger in the image")
	ErrTooSmall   = errors.New("image too small")
	ErrTooLarge   = errors.New("image too large")
	ErrResolution = errors.New("image resolution not usable")
	ErrPixels     = errors.New("image data incomplete")
	ErrEarly      = errors.New("too few rows yet")
)

// nativeTolerance is how far a sample's resolution may be from 500 ppi and
// still be filtered as it is; beyond it the image is resampled first. Sensors of
// 508 ppi thus lose nothing to interpolation.
const nativeTolerance = 0.06

// An Extractor turns images into templates. It keeps its buffers from one image
// to the next, so it is not for concurrent use; make one per goroutine. The
// buffers are locked memory outside the Go heap and stay as long as the program
// runs: Clear overwrites them and gives none back.
type Extractor struct {
	width, height int     // of the raster being worked on
	ppi           float64 // of the raster
	rows          int     // rows received so far
	looked        int     // of these, when Sofar last looked
	bad           error   // why Begin or Row refused; told by End
	pixels        []uint8 // rows received, width × height
	raster        raster
	gradients     gradients
	orientation   orientation
	mask          mask
	period        period
	wave          wave
	flow          flow
	found         []minutia
	pairs         []pair
	report        Report
}

// New returns an Extractor without buffers; the first image sizes them.
func New() *Extractor {
	return &Extractor{}
}

// Extract finds the minutiae of the sample, whose PPI must be set. The errors are
// [ErrNoFinger], [ErrTooSmall], [ErrTooLarge], [ErrResolution] and [ErrPixels];
// [Extractor.Report] says more in every case.
func (e *Extractor) Extract(s *sample.Sample) (*matcher.Template, error) {
	t := new(matcher.Template)
	if err := e.ExtractInto(t, s); err != nil {
		return nil, err
	}
	return t, nil
}

// ExtractInto is Extract into a template that the caller reuses: t's minutiae are
// overwritten and their memory kept. On error t is empty.
func (e *Extractor) ExtractInto(t *matcher.Template, s *sample.Sample) error {
	if s == nil {
		s = &sample.Sample{}
	}
	e.Begin(s.Width, s.Height, s.PPI)
	if e.bad == nil && len(s.Pix) != s.Width*s.Height {
		e.bad = fmt.Errorf("%w: %d pixels for %d × %d", ErrPixels, len(s.Pix), s.Width, s.Height)
	}
	for y := 0; e.bad == nil && y < s.Height; y++ {
		e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width])
	}
	return e.finish(t)
}

// Clear overwrites what the Extractor remembers of the last image.
func (e *Extractor) Clear() {
	clear(e.pixels[:cap(e.pixels)])
	clear(e.found[:cap(e.found)])
	clear(e.pairs[:cap(e.pairs)])
	e.found = e.found[:0]
	e.raster.clear()
	e.gradients.forget()
	e.orientation.clear()
	e.mask.clear()
	e.period.clear()
	e.wave.clear()
	e.flow.clear()
	e.rows, e.looked = 0, 0
	e.report = Report{}
}

// check says whether an image of this size and resolution can be worked on.
func check(width, height int, ppi float64) error {
	if math.IsNaN(ppi) || ppi < MinPPI || ppi > MaxPPI {
		return fmt.Errorf("%w: %.0f ppi, need %d to %d; set it if the file does not say", ErrResolution, ppi, MinPPI, MaxPPI)
	}
	if large := MaxSide * min(1, ppi/matcher.PPI); float64(width) > large || float64(height) > large {
		return fmt.Errorf("%w: %d × %d pixels at %.0f ppi, at most %.0f a side", ErrTooLarge, width, height, ppi, large)
	}
	if small := MinSide * ppi / matcher.PPI; float64(width) < small || float64(height) < small {
		return fmt.Errorf("%w: %d × %d pixels at %.0f ppi, at least %d a side at 500", ErrTooSmall, width, height, ppi, MinSide)
	}
	return nil
}
