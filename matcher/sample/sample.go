// Package sample holds the picture of one press of a finger, before any minutia
// is known: reading it from a file, bringing it to another resolution, and
// showing it as a given sensor would see it.
//
// A Sample is plain grey pixels with their resolution. Ridges are dark and
// valleys light, as optical and capacitive sensors deliver them. Its pixels are
// personal data: whoever holds a Sample calls Clear when done with it.
//
//	s, err := sample.ReadFile("101_1.tif")
//	if err != nil { ... }
//	defer s.Clear()
//	if s.PPI == 0 {
//		s.PPI = 500 // the file did not say
//	}
//	seen := sample.R503.Press(s)
//
// Everything read from a file is treated as hostile: sizes are bounded before
// pixels are decoded, and a damaged file is an error in plain words, never a
// panic.
package sample

import (
	"fmt"
	"math"

	"github.com/tillprint/tillprint/locked"
)

const (
	// MaxSide is the greatest width and height, in pixels, that is accepted.
	MaxSide = 4096
	// MaxFileBytes is the largest image file that is read: the largest picture
	// fits uncompressed in 8-bit colour, anything above is no fingerprint.
	MaxFileBytes = 64 << 20
	// MinPPI and MaxPPI bound a resolution that can be a fingerprint's. Image
	// editors write 72 or 96 into files whatever the picture shows; such a
	// figure is taken as no statement at all.
	MinPPI, MaxPPI = 125, 2500
)

// Sample is the grey picture of one press.
type Sample struct {
	Width, Height int     // pixels
	PPI           float64 // pixels per inch, the same both ways; 0 when not known
	Pix           []uint8 // row-major, Width*Height bytes, 0 = ridge (dark) .. 255 = valley or background
}

// New returns a sample of the given size that is all background (white).
func New(width, height int, ppi float64) *Sample {
	s := &Sample{Width: width, Height: height, PPI: ppi, Pix: make([]uint8, width*height)}
	for i := range s.Pix {
		s.Pix[i] = 255
	}
	return s
}

// Clear overwrites the pixels and drops them. Pixels in locked memory go back to
// the system, so no other slice of them may be in use.
func (s *Sample) Clear() {
	if s != nil {
		locked.Free(s.Pix)
		s.Pix = nil
	}
}

// Validate says what is wrong with s, nil when its fields agree with each other
// and are within the package's bounds.
func (s *Sample) Validate() error {
	if err := checkSize(s.Width, s.Height); err != nil {
		return err
	}
	if len(s.Pix) != s.Width*s.Height {
		return fmt.Errorf("sample of %dx%d holds %d pixels instead of %d", s.Width, s.Height, len(s.Pix), s.Width*s.Height)
	}
	if s.PPI != 0 && !plausiblePPI(s.PPI) {
		return fmt.Errorf("sample states %g ppi; a fingerprint has %d to %d (0 = not known)", s.PPI, MinPPI, MaxPPI)
	}
	return nil
}

// plausiblePPI is false for NaN too.
func plausiblePPI(ppi float64) bool { return ppi >= MinPPI && ppi <= MaxPPI && !math.IsInf(ppi, 0) }

func checkSize(width, height int) error {
	if width < 1 || height < 1 {
		return fmt.Errorf("the picture is empty (%dx%d pixels)", width, height)
	}
	if width > MaxSide || height > MaxSide {
		return fmt.Errorf("the picture is too large: %dx%d pixels, at most %dx%d are read; cut or shrink it first",
			width, height, MaxSide, MaxSide)
	}
	return nil
}
