package synth

import (
	"math"
	"math/rand/v2"
)

// Master is the ridge pattern of one synthetic finger: what would be seen if
// all of it could be pressed at once, evenly and cleanly. It does not change
// once made and may be used by several goroutines.
type Master struct {
	flow *flow
	// ridges is the height of the skin, masterWidth x masterHeight, from -127
	// (floor of a valley) to 127 (top of a ridge).
	ridges []int8
}

// Class tells the finger's pattern class.
func (m *Master) Class() Class { return m.flow.class }

// NewMaster grows the finger of this seed.
func NewMaster(seed uint64) *Master {
	f := newFlow(random(seed, streamFlow))
	r := random(seed, streamRidges)
	g := newGrowth(f, r)
	g.grow(r)
	m := &Master{flow: f, ridges: enlarge(g)}
	m.wear(r)
	return m
}

// margin keeps the filter inside the plane at the edges.
const (
	margin      = reach
	growStride  = growWidth + 2*margin
	growRows    = growHeight + 2*margin
	seedsLeast  = 220 // fewer give cleaner fingers than people have
	seedsMost   = 380
	growSteps   = 60 // enough for any seeding to cover the finger
	settleSteps = 3  // after the last gap has closed
)

// growth is a pattern while its ridges spread.
type growth struct {
	plane, next []int32   // growRows x growStride, -127..127
	filters     []*kernel // for each pixel of growWidth x growHeight
}

// newGrowth chooses the filter for every pixel.
func newGrowth(f *flow, r *rand.Rand) *growth {
	g := &growth{
		plane:   make([]int32, growRows*growStride),
		next:    make([]int32, growRows*growStride),
		filters: make([]*kernel, growWidth*growHeight),
	}
	b := bank()
	period := newPeriods(r, f.centre)
	for y := range growHeight {
		for x := range growWidth {
			px, py := float64(2*x), float64(2*y)
			turn := f.at(px, py).angle / math.Pi
			a := int(math.Floor((turn-math.Floor(turn))*angles+0.5)) % angles
			p := int(math.Round((period.at(px, py)/2 - periodFirst) / periodStep))
			g.filters[y*growWidth+x] = &b[min(max(p, 0), periods-1)][a]
		}
	}
	return g
}

// ridgePeriods says how far ridges lie apart: pixels at 500 ppi.
type ridgePeriods struct {
	mean   float64
	centre point
	below  float64 // added share at the foot of the pattern, where ridges are broader
	waves  [3]wave
}

// newPeriods draws a finger's periods: about 9 pixels, 0.46 mm, between ridges
// of an adult.
func newPeriods(r *rand.Rand, centre point) *ridgePeriods {
	p := &ridgePeriods{mean: normal(r, 9, 0.45), centre: centre, below: between(r, 0.05, 0.2)}
	for i := range p.waves {
		p.waves[i] = wave{normal(r, 0, 0.035), normal(r, 0, 0.025), normal(r, 0, 0.025), between(r, 0, 2*math.Pi)}
	}
	return p
}

func (p *ridgePeriods) at(x, y float64) float64 {
	factor := 1 + p.below*clamp((y-p.centre.y)/200, 0, 1)
	for _, w := range p.waves {
		factor += w.amplitude * math.Sin(w.kx*x+w.ky*y+w.phase)
	}
	return p.mean * factor
}

// grow spreads ridges from a few spots until they fill the plane and have
// settled. Where two growing patches meet out of step, minutiae arise.
func (g *growth) grow(r *rand.Rand) {
	for range seedsLeast + r.IntN(seedsMost-seedsLeast) {
		x, y := margin+r.IntN(growWidth), margin+r.IntN(growHeight)
		g.plane[y*growStride+x] = 127
	}
	for step, settled := 0, 0; step < growSteps && settled < settleSteps; step++ {
		if g.step() {
			settled++
		}
	}
}

// step filters the plane once and says whether ridges cover it. The answer is
// raised and cut at 127, which makes weak ridges grow and strong ones stay.
func (g *growth) step() (covered bool) {
	gaps := 0
	for y := range growHeight {
		out := g.next[(y+margin)*growStride+margin:][:growWidth]
		filters := g.filters[y*growWidth:][:growWidth]
		for x := range out {
			v := filters[x].apply(g.plane[y*growStride+x:], growStride)
			out[x] = min(max(v>>7, -127), 127) // a gain of 8
			if v>>4 == 0 {
				gaps++
			}
		}
	}
	g.plane, g.next = g.next, g.plane
	return gaps < growWidth*growHeight/500
}

// halfway is Lanczos' kernel of three lobes between two pixels, in 1/256.
var halfway = [6]int32{6, -35, 157, 157, -35, 6}

// enlarge brings the grown plane to full resolution.
func enlarge(g *growth) []int8 {
	wide := make([]int32, growRows*masterWidth)
	for y := range growRows {
		row := g.plane[y*growStride:][:growStride]
		for x := range growWidth {
			wide[y*masterWidth+2*x] = row[margin+x] * 256
			wide[y*masterWidth+2*x+1] = between6(row[margin+x-2:], 1)
		}
	}
	ridges := make([]int8, masterWidth*masterHeight)
	for y := range growHeight {
		for x := range masterWidth {
			at := (margin+y)*masterWidth + x
			ridges[2*y*masterWidth+x] = toInt8(wide[at] >> 8)
			ridges[(2*y+1)*masterWidth+x] = toInt8(between6(wide[at-2*masterWidth:], masterWidth) >> 16)
		}
	}
	return ridges
}

func between6(from []int32, stride int) int32 {
	var sum int32
	for i, w := range halfway {
		sum += w * from[i*stride]
	}
	return sum
}

func toInt8(v int32) int8 { return int8(min(max(v, -127), 127)) }
