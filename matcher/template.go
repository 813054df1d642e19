package matcher

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tillprint/tillprint/locked"
)

const (
	// PPI is the resolution, in pixels per inch, of every coordinate in this
	// package, whatever the resolution of the image that a template came from.
	PPI = 500

	// MaxMinutiae is the most minutiae that one template may hold. It is the
	// limit of ISO/IEC 19794-2:2005, whose count is one byte.
	MaxMinutiae = 255

	// MaxSide is the longest allowed side of a template, in pixels at PPI:
	// about 20 cm, more than a palm.
	MaxSide = 4095
)

// Kind tells how a ridge is interrupted at a minutia.
type Kind uint8

// The kinds of ISO/IEC 19794-2:2005, 7.5.4. Other stands for unknown too.
const (
	Other Kind = iota
	Ending
	Bifurcation
)

func (k Kind) String() string {
	switch k {
	case Ending:
		return "ending"
	case Bifurcation:
		return "bifurcation"
	}
	return "other"
}

// A Minutia is a point where a ridge ends or forks.
type Minutia struct {
	X, Y float32 // pixels at PPI, origin top left, y downwards

	// Angle is the direction in radians, in [0, 2π), as ISO/IEC 19794-2:2005
	// has it: counter-clockwise from the positive x axis; of an ending, along
	// the ridge that it ends; of a bifurcation, along the valley that it
	// closes.
	Angle float32

	Kind    Kind
	Quality uint8 // 1 (poor) to 100 (certain); 0 means unknown
}

// A Template holds the minutiae of one impression of one finger.
//
// It is personal data: call Clear when it is no longer needed.
type Template struct {
	Width, Height int       // extent of the image in pixels at PPI, 1 to MaxSide
	Minutiae      []Minutia // at most MaxMinutiae, in any order
	Quality       uint8     // of the whole impression, 0 to 100

	// Flow is the direction of the ridges on the grid of FlowSize, row by row,
	// in the cell values that FlowDirections explains; empty where it is not
	// known, as in other makers' templates.
	Flow []uint8

	// Ridges says of eight places in each cell of Flow whether they lie on a
	// ridge, as RidgesOf explains; empty where that is not known.
	Ridges []uint8

	// Sketch says so of 64 places in each cell, as SketchPlace explains; bit i
	// is place i. Ridges are then those of RidgesOf. It is nearly a picture: the
	// extractor makes it of a print just read, to compare it with the Ridges of
	// others, and MarshalBinary leaves it out.
	Sketch []uint64

	// Growth is by how much the finger is larger now than when it was pressed,
	// 0.9 to 1.2, or 0 where that is not told; see Grow. It is not stored. Score then
	// looks for a larger finger too; a Gallery, which has no time for that, takes it as 1.
	Growth float64
}

// Errors that callers may want to tell apart; both are wrapped with details
// that name no coordinate of the template.
var (
	// ErrTemplate marks a template that breaks the bounds of its type.
	ErrTemplate = errors.New("invalid template")
	// ErrEncoding marks bytes that MarshalBinary did not write.
	ErrEncoding = errors.New("not a template of this program")
)

// Validate tells whether t keeps the bounds that the field comments state.
// Duplicated minutiae are allowed; Prepare drops them.
func (t *Template) Validate() error {
	if t.Width < 1 || t.Height < 1 || t.Width > MaxSide || t.Height > MaxSide {
		return fmt.Errorf("%w: size %d×%d is outside 1 to %d pixels", ErrTemplate, t.Width, t.Height, MaxSide)
	}
	if len(t.Minutiae) > MaxMinutiae {
		return fmt.Errorf("%w: %d minutiae, at most %d", ErrTemplate, len(t.Minutiae), MaxMinutiae)
	}
	if t.Growth != 0 && !(t.Growth >= leastGrown && t.Growth <= mostGrown) {
		return fmt.Errorf("%w: growth %g is outside %g to %g", ErrTemplate, t.Growth, leastGrown, mostGrown)
	}
	if t.Quality > 100 {
		return fmt.Errorf("%w: quality %d is above 100", ErrTemplate, t.Quality)
	}
	if fault := cmp.Or(t.flowFault(), t.ridgesFault()); fault != "" {
		return fmt.Errorf("%w: %s", ErrTemplate, fault)
	}
	for i := range t.Minutiae {
		if fault := t.fault(&t.Minutiae[i]); fault != "" {
			return fmt.Errorf("%w: minutia %d: %s", ErrTemplate, i, fault)
		}
	}
	return nil
}

// fault names what is wrong with one minutia of t, or nothing. Comparisons
// are written so that a NaN fails them.
func (t *Template) fault(m *Minutia) string {
	switch {
	case !(m.X >= 0 && m.X < float32(t.Width) && m.Y >= 0 && m.Y < float32(t.Height)):
		return "position outside the image"
	case !(m.Angle >= 0 && m.Angle < 2*math.Pi):
		return "angle outside [0, 2π)"
	case m.Kind > Bifurcation:
		return "unknown kind"
	case m.Quality > 100:
		return "quality above 100"
	}
	return ""
}

// flowFault names what is wrong with t's flow, or nothing.
func (t *Template) flowFault() string {
	if len(t.Flow) == 0 {
		return ""
	}
	if columns, rows := FlowSize(t.Width, t.Height); len(t.Flow) != columns*rows {
		return fmt.Sprintf("flow of %d cells, %d×%d pixels have %d", len(t.Flow), t.Width, t.Height, columns*rows)
	}
	if slices.Max(t.Flow) > FlowDirections {
		return "unknown flow direction"
	}
	return ""
}

// Grow says that the finger has presumably grown by factor since t was made: by
// GrowthSince for pupils. Comparing then takes t as so much larger; its fields,
// and what MarshalBinary writes, stay as they are. Factors are held within 0.9
// to 1.2; one that would enlarge t beyond MaxSide is left out. Comparing allows
// for some growth by itself; that of years is better told beforehand.
func (t *Template) Grow(factor float64) {
	f := min(max(factor, leastGrown), mostGrown)
	if !math.IsNaN(factor) && f*float64(max(t.Width, t.Height)) <= MaxSide {
		t.Growth = f
	}
}

// grown is the factor that Grow was told, 1 otherwise.
func (t *Template) grown() float64 { return cmp.Or(t.Growth, 1) }

// GrowthSince is the factor by which the finger of a growing pupil is larger
// than it was that many years ago: fingers grow as body height does (as for
// Grow's source), by about 2.5 % a year between 11 and 16, at most 10 % here.
// It is 1 for times that are not in the past.
func GrowthSince(years float64) float64 {
	if !(years > 0) {
		return 1
	}
	return min(1+0.025*years, mostPupilsGrow)
}

const mostPupilsGrow = 1.10

// Clear overwrites minutiae, flow and ridges and empties the template. What is in locked
// memory, as after extraction and UnmarshalBinary, goes back to the system: no
// other slice of it may be in use. Copies that others took are theirs to clear.
func (t *Template) Clear() {
	locked.Free(t.Minutiae)
	locked.Free(t.Flow)
	locked.Free(t.Ridges)
	locked.Free(t.Sketch)
	*t = Template{}
}
