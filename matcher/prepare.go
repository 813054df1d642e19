package matcher

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tillprint/tillprint/locked"
)

// mostUsed bounds the minutiae that take part in matching. Time grows with
// their square and crowded templates are crowded with false minutiae, so the
// best by quality, then the most central, stay.
const mostUsed = 64

// A Prepared is a template made ready for comparing: its minutiae in flat
// arrays with a description of each one's surroundings, the ridge flow and the ridges. It
// is immutable and may be shared between goroutines. It is as personal as the template.
type Prepared struct {
	points []point
	local  []neighbourhood
	rings  []ring // one a point
	flow   flow
	ridges []uint8 // as Template.Ridges; what a reference is asked for
	sketch []int8  // what a probe is asked for; see ridge. It grows with the flow
	hull   []vec   // convex hull of the points, counter-clockwise in image axes

	// grown is the same finger as large as a pupil's can have become; nil where
	// the growth was told. See Score.
	grown *Prepared
}

// A point is a minutia in the form that the inner loops want.
type point struct {
	x, y    float32 // pixels at PPI
	angle   turn
	kind    Kind
	quality uint8
}

// A turn is an angle in units of 2⁻¹⁶ of a full turn: its arithmetic wraps
// around as angles do.
type turn uint16

func toTurn(radians float64) turn {
	return turn(int64(math.Round(radians * storedTurn / tau)))
}

func (a turn) radians() float64 { return float64(a) * tau / storedTurn }

// apart is the absolute difference of two directions in turns, 0 to 1<<15.
func apart(a, b turn) int {
	d := int(int16(a - b))
	if d < 0 {
		return -d
	}
	return d
}

type vec struct{ x, y float32 }

// Prepare makes t ready for Score. It copies what it needs, so t may be
// cleared afterwards. An invalid template gives an error wrapping ErrTemplate;
// one of few minutiae is valid and matches nothing.
func Prepare(t *Template) (*Prepared, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("prepare template: %w", err)
	}
	p := prepare(t)
	if grown := *t; t.Growth == 0 {
		if grown.Grow(mostPupilsGrow); grown.Growth != 0 {
			p.grown = prepare(&grown)
		}
	}
	return p, nil
}

func prepare(t *Template) *Prepared {
	p := &Prepared{points: usedPoints(make([]point, 0, len(t.Minutiae)), t)}
	p.flow.take(t)
	p.takeRidges(t)
	p.describe()
	return p
}

// describe works out the rest of p from its points and flow, reusing p's memory.
func (p *Prepared) describe() {
	p.local, p.rings = grow(p.local, len(p.points)), grow(p.rings, len(p.points))
	describe(p.local, p.points)
	for i := range p.points {
		p.rings[i] = ringOf(&p.flow, &p.points[i])
	}
	p.hull = convexHull(p.hull[:0], p.points)
}

// lockedPrepared has room in locked memory for any template, and keeps it.
func lockedPrepared() Prepared {
	return Prepared{
		points: locked.Make[point](MaxMinutiae)[:0],
		local:  locked.Make[neighbourhood](mostUsed)[:0],
		rings:  locked.Make[ring](mostUsed)[:0],
		flow:   flow{cells: locked.Make[uint8](mostCells)[:0]},
		ridges: locked.Make[uint8](mostCells)[:0],
		hull:   locked.Make[vec](2 * mostUsed)[:0],
	}
}

// wipe overwrites p and keeps its memory.
func (p *Prepared) wipe() {
	clear(p.points[:cap(p.points)])
	clear(p.local[:cap(p.local)])
	clear(p.rings[:cap(p.rings)])
	clear(p.flow.cells[:cap(p.flow.cells)])
	clear(p.ridges[:cap(p.ridges)])
	clear(p.sketch[:cap(p.sketch)])
	clear(p.hull[:cap(p.hull)])
	p.points = p.points[:0]
}

// Clear overwrites p's minutiae and ridges and gives their memory back. No
// comparison may be using p.
func (p *Prepared) Clear() {
	if p.grown != nil {
		p.grown.Clear()
	}
	clear(p.points)
	clear(p.local)
	clear(p.rings)
	clear(p.flow.cells)
	clear(p.ridges)
	locked.Free(p.sketch)
	clear(p.hull)
	*p = Prepared{}
}

// usedPoints appends to points, which is empty and has room for all of t, at
// most mostUsed distinct minutiae of t, in an order that depends only on their
// geometry.
func usedPoints(points []point, t *Template) []point {
	f := float32(t.grown())
	for _, m := range t.Minutiae {
		points = append(points, point{m.X * f, m.Y * f, toTurn(float64(m.Angle)), m.Kind, m.Quality})
	}
	sortPoints(points)
	points = slices.CompactFunc(points, func(a, b point) bool {
		return a.x == b.x && a.y == b.y && a.angle == b.angle
	})
	if len(points) > mostUsed {
		points = best(points)
	}
	return points
}

// best keeps the mostUsed points of highest quality, nearest the centroid
// among equals, and restores the geometric order.
func best(points []point) []point {
	var cx, cy float32
	for _, p := range points {
		cx += p.x / float32(len(points))
		cy += p.y / float32(len(points))
	}
	away := func(p point) float32 { return (p.x-cx)*(p.x-cx) + (p.y-cy)*(p.y-cy) }
	slices.SortStableFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(b.quality, a.quality), cmp.Compare(away(a), away(b)))
	})
	clear(points[mostUsed:])
	points = points[:mostUsed]
	sortPoints(points)
	return points
}
