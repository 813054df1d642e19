package matcher

import "math"

// A ridgeMatch is how ridges agree under a movement.
type ridgeMatch struct {
	places float64 // compared
	agreed float64 // those that agree less those that do not
}

// level is how far the agreement is beyond chance, in its standard deviations
// for many places, and drawn towards 0 for few.
func (r ridgeMatch) level() float64 { return r.agreed / math.Sqrt(r.places+ridgesFew) }

const ridgesFew = 50

// evidence weighs the level.
func (r ridgeMatch) evidence() float64 {
	z := r.level()
	return z * (weightRidges + weightSquare*max(0, z))
}

// A ridgeCell is one cell of the reference's flow, compared.
type ridgeCell struct {
	places           float32
	acrossX, acrossY float32 // unit vector across the ridges
	agreed           slips   // as in ridgeMatch
}

// compareRidges compares the ridges of ref with the sketch of probe, moved by m
// and bent as s.mates, made under m, ask for.
func (s *scratch) compareRidges(probe, ref *Prepared, m *movement) (r ridgeMatch) {
	if len(probe.sketch) == 0 || len(ref.ridges) == 0 {
		return r
	}
	s.ridges = grow(s.ridges, len(ref.ridges))
	clear(s.ridges)
	for i, v := range ref.flow.cells {
		if v != 0 {
			s.slide(&s.ridges[i], probe, ref, m, i)
		}
	}
	for i := range s.ridges {
		if cell := &s.ridges[i]; cell.places > 0 {
			r.places += float64(cell.places)
			r.agreed += float64(cell.agreed.at(s.slip(i, ref.flow.columns)))
		}
	}
	return r
}

// slide compares cell i of ref at every slip.
func (s *scratch) slide(cell *ridgeCell, probe, ref *Prepared, m *movement, i int) {
	side := ref.flow.side
	left, top := float32(i%ref.flow.columns)*side, float32(i/ref.flow.columns)*side
	bentX, bentY := s.stretch(left+side/2, top+side/2, ridgeBend)
	left, top = left-bentX, top-bentY
	if probe.flow.at(m.back(left+side/2, top+side/2)) == 0 {
		return
	}
	across := flowAcross[ref.flow.cells[i]&15]
	cell.acrossX, cell.acrossY = across.x, across.y
	// One pixel to the right on ref, as seen on the probe; downwards is a
	// quarter turn on.
	square := m.cos*m.cos + m.sin*m.sin
	rightX, rightY := m.cos/square, m.sin/square
	slipX := probe.inSketch(slipStep * (rightY*across.y - rightX*across.x))
	slipY := probe.inSketch(-slipStep * (rightY*across.x + rightX*across.y))
	x0, y0 := m.back(left, top)
	step := SketchStep * side / FlowCell
	var sums [slipCount]int8
	for bit, place := range ridgePlaces {
		right, down := (float32(place%sketchSide)+0.5)*step, (float32(place/sketchSide)+0.5)*step
		x := probe.inSketch(x0+right*rightX-down*rightY) - mostSlips*slipX
		y := probe.inSketch(y0+right*rightY+down*rightX) - mostSlips*slipY
		want := int8(ref.ridges[i]>>bit&1)*2 - 1
		for slip := range sums {
			is := probe.ridge(x, y)
			sums[slip] += want * is
			if slip == mostSlips {
				cell.places += float32(is * is)
			}
			x, y = x+slipX, y+slipY
		}
	}
	for slip, sum := range sums {
		cell.agreed |= slips(sum+8) << (8 * slip)
	}
}

// ridgeBend is over how many pixels a stretch is shared, as in the last of
// matchRounds.
const ridgeBend = 50

// flowAcross is the unit vector across the ridges of each cell value, in image
// axes.
var flowAcross = func() (across [16]vec) {
	for v := uint8(1); v <= FlowDirections; v++ {
		sin, cos := math.Sincos(FlowAngle(v))
		across[v] = vec{float32(sin), float32(cos)}
	}
	return across
}()
