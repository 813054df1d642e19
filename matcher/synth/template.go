package synth

import (
	"math"
	"math/rand/v2"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// What minutiae are like in templates that an extractor reads from real presses.
// These are totals over many fingers, fitted by hand until real probes score no
// lower against Template than against real strangers on three sensors; nothing
// of any one finger is in them. What made strangers as alike as they are: minutiae
// crowd below the core, where ridges part most, and neighbours on adjacent
// ridges mostly point the same way.
const (
	density     = 0.4e-4 // chance minutiae a square pixel of contact at 500 ppi
	densityVary = 0.25   // standard deviation of a finger's density, as a share
	densest     = 3.2e-3 // chance and forced minutiae together, where ridges part most
	forcedShare = 0.85   // of the minutiae that the parting of ridges asks for
	forcedMost  = 2.8e-3 // a square pixel: next to a core ridges bend rather than end
	ridgePeriod = 9.0    // pixels
	apart       = 7.0    // pixels: nearer ones an extractor takes for one or for none
	besideShare = 0.45   // of minutiae with another on a ridge beside: along creases, and where ridges part together
	besideFar   = 22.0   // pixels to that one, at most
	endings     = 0.55   // share of ridge endings, the rest are bifurcations
	angleNoise  = 0.04   // radians, about the ridges' own direction
	deltasLower = 45.0   // pixels that deltas lie below those of a master, whose ridges need room to close in
	coreHigher  = 25.0   // pixels by which the core lies higher in the contact than in a master's

	// On a small glass real fingers are more alike than this pattern model
	// makes them, for reasons that it lacks; more minutiae make up for it.
	sensorRicher = 1.5
)

// Template is a plausible template of a synthetic finger without any picture,
// as a press of all of it at 500 ppi would give: 360x400 pixels, some forty
// minutiae whose directions follow the ridges of a random pattern class. It
// costs a quarter of a millisecond, and so makes crowds.
//
// As a stranger in a search it is meant to be no easier to tell apart than a
// real one: directions follow from where ridges part and close in, which
// strangers of one pattern class have in common.
//
// Such a finger can be pressed again with Press. It is no master: no seed of
// NewMaster shows the same finger.
func Template(seed uint64) *matcher.Template {
	return newCrowdTemplate(seed, impressionWidth, impressionHeight, 1)
}

// TemplateOn is what the sensor z shows of Template(seed) when the core of the
// finger lies about the middle of its glass.
func TemplateOn(z sample.Sensor, seed uint64) *matcher.Template {
	scale := PPI / z.PPI
	return newCrowdTemplate(seed, int(float64(z.Width)*scale), int(float64(z.Height)*scale), sensorRicher)
}

func newCrowdTemplate(seed uint64, width, height int, richer float64) *matcher.Template {
	r := random(seed, streamTemplate)
	crowd := newCrowdFinger(r, richer)
	rotation := normal(r, 0, 0.14)
	middle := point{float64(width)/2 + normal(r, 0, 10), float64(height)/2 + normal(r, 0, 10)}
	quality := normal(r, 65, 14)
	t := &matcher.Template{Width: width, Height: height, Quality: uint8(quality)}
	sin, cos := math.Sincos(rotation)
	for _, m := range crowd.scatter(r) {
		// Turned counter-clockwise as seen, y down.
		x, y := middle.x+cos*m.x+sin*m.y, middle.y-sin*m.x+cos*m.y
		kind := matcher.Bifurcation
		if r.Float64() < crowd.endings {
			kind = matcher.Ending
		}
		put(t, x, y, m.angle+rotation, kind, uint8(clamp(normal(r, quality, 18), 5, 100)))
	}
	fillFlow(t, func(x, y float64) (float64, bool) {
		dx, dy := x-middle.x, y-middle.y
		p := point{cos*dx - sin*dy, sin*dx + cos*dy}
		s := crowd.flow.at(crowd.flow.centre.x+p.x, crowd.flow.centre.y+p.y)
		return s.angle + rotation + normal(r, 0, angleNoise), crowd.touch.depth(p) >= 0.03
	})
	fillSketch(t, r)
	return t
}

// fillFlow gives t the ridge flow that at tells for the middle of each cell: an
// angle in radians, and whether there are ridges.
func fillFlow(t *matcher.Template, at func(x, y float64) (angle float64, seen bool)) {
	columns, rows := matcher.FlowSize(t.Width, t.Height)
	t.Flow = make([]uint8, columns*rows)
	for i := range t.Flow {
		x, y := (float64(i%columns)+0.5)*matcher.FlowCell, (float64(i/columns)+0.5)*matcher.FlowCell
		if angle, seen := at(x, y); seen {
			t.Flow[i] = matcher.FlowValue(angle)
		}
	}
}

// put adds a minutia unless it lies outside of the template.
func put(t *matcher.Template, x, y, angle float64, kind matcher.Kind, quality uint8) {
	column, row := float32(x), float32(y) // before they are compared: rounding may reach the edge
	if column < 0 || row < 0 || column >= float32(t.Width) || row >= float32(t.Height) || len(t.Minutiae) == matcher.MaxMinutiae {
		return
	}
	t.Minutiae = append(t.Minutiae, matcher.Minutia{
		X: column, Y: row, Angle: wholeTurn(angle), Kind: kind, Quality: quality,
	})
}

// wholeTurn brings an angle into [0, 2 pi).
func wholeTurn(angle float64) float32 {
	a := float32(angle - 2*math.Pi*math.Floor(angle/(2*math.Pi)))
	if a >= 2*math.Pi {
		return 0
	}
	return a
}

// crowdFinger is a finger of the crowd: contact and directions, no ridges.
type crowdFinger struct {
	flow    *flow
	touch   touch
	rich    [3]wave // where minutiae are denser
	density float64
	richer  float64 // factor on all that makes minutiae
	endings float64
}

func newCrowdFinger(r *rand.Rand, richer float64) *crowdFinger {
	missing := between(r, 0, 0.2)
	if r.Float64() < 0.2 {
		missing = between(r, 0.2, 0.5)
	}
	c := &crowdFinger{flow: newFlow(r), touch: newTouch(r, missing), richer: richer}
	c.flow.lower(deltasLower)
	c.touch.middle.y += coreHigher
	for i := range c.rich {
		c.rich[i] = wave{normal(r, 0, 0.25), normal(r, 0, 0.03), normal(r, 0, 0.03), between(r, 0, 2*math.Pi)}
	}
	c.density = richer * density * math.Max(normal(r, 1, densityVary), 0.4)
	c.endings = normal(r, endings, 0.1)
	return c
}

// mark is a minutia of a finger: place from its core, y down, and direction.
type mark struct{ x, y, angle float64 }

// scatter throws minutiae over the contact, none nearer to another than apart
// (Poisson-disc by dart throwing). Some are by chance and point either way;
// others are there because ridges part or close in, and point accordingly.
func (c *crowdFinger) scatter(r *rand.Rand) []mark {
	across, up := c.touch.across*1.15, c.touch.up*1.15
	densest := densest * c.richer
	darts := int(densest * 4 * across * up)
	marks := make([]mark, 0, 80)
	for range darts {
		p := point{c.touch.middle.x + between(r, -across, across), c.touch.middle.y + between(r, -up, up)}
		if c.touch.depth(p) < 0.03 || !free(marks, p) {
			continue
		}
		s := c.flow.at(c.flow.centre.x+p.x, c.flow.centre.y+p.y)
		chance := c.density * math.Max(0.2, 1+sum(c.rich[:], p))
		forced := c.richer * clamp(forcedShare*s.spread()/ridgePeriod, -forcedMost, forcedMost)
		if r.Float64()*densest > chance+math.Abs(forced) {
			continue
		}
		angle := s.angle + normal(r, 0, angleNoise)
		if r.Float64()*(chance+math.Abs(forced)) < chance {
			angle += math.Pi * float64(r.IntN(2))
		} else if forced < 0 {
			angle += math.Pi
		}
		marks = append(marks, mark{p.x, p.y, angle})
		for r.Float64() < besideShare {
			if !c.beside(&marks, r) {
				break
			}
		}
	}
	return marks
}

// beside adds to the last mark one on a ridge beside it that points the same
// way, unless there is no room.
func (c *crowdFinger) beside(marks *[]mark, r *rand.Rand) bool {
	m := (*marks)[len(*marks)-1]
	across, along := between(r, apart, besideFar), normal(r, 0, 6)
	if r.IntN(2) == 0 {
		across = -across
	}
	sin, cos := math.Sincos(m.angle)
	p := point{m.x + across*sin + along*cos, m.y + across*cos - along*sin}
	if c.touch.depth(p) < 0.03 || !free(*marks, p) {
		return false
	}
	angle := c.flow.at(c.flow.centre.x+p.x, c.flow.centre.y+p.y).angle + normal(r, 0, angleNoise)
	if math.Cos(angle-m.angle) < 0 {
		angle += math.Pi
	}
	*marks = append(*marks, mark{p.x, p.y, angle})
	return true
}

func sum(waves []wave, p point) float64 {
	v := 0.0
	for _, w := range waves {
		v += w.amplitude * math.Sin(w.kx*p.x+w.ky*p.y+w.phase)
	}
	return v
}

// free says whether no mark lies nearer to p than apart.
func free(marks []mark, p point) bool {
	for i := range marks {
		dx, dy := marks[i].x-p.x, marks[i].y-p.y
		if dx*dx+dy*dy < apart*apart {
			return false
		}
	}
	return true
}
