package matcher

import "math"

// A packedPoint is a point as the gallery keeps it, in eight bytes: rounded as
// MarshalBinary rounds, so that a template from the store loses nothing.
type packedPoint struct {
	x, y    uint16 // sixteenths of a pixel
	angle   turn
	kind    Kind
	quality uint8
}

func pack(p *point) packedPoint {
	sixteenths := func(v float32) uint16 {
		return uint16(min(math.Round(float64(v)*storedSub), math.MaxUint16))
	}
	return packedPoint{sixteenths(p.x), sixteenths(p.y), p.angle, p.kind, p.quality}
}

func (p *packedPoint) unpack() point {
	return point{float32(p.x) / storedSub, float32(p.y) / storedSub, p.angle, p.kind, p.quality}
}

// unpackInto makes p the prepared form of e, reusing p's memory.
func (p *Prepared) unpackInto(e *entry) {
	p.points = grow(p.points, len(e.points))
	for i := range e.points {
		p.points[i] = e.points[i].unpack()
	}
	p.flow = flow{cells: p.flow.cells[:0]}
	if columns := int(e.columns); columns > 0 {
		rows := 2 * len(e.flow) / columns
		p.flow = flow{columns, rows, unpackCells(p.flow.cells, e.flow, columns*rows)}
	}
	p.describe()
}
