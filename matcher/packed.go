package matcher

import "math"

// A packedPoint is a point as the gallery keeps it, in six bytes: places as
// MarshalBinary rounds them, so that a template from the store loses nothing
// there. Its quality has done its work by then.
type packedPoint struct {
	x, y    uint16 // sixteenths of a pixel
	heading uint16 // direction in turns; the last two bits are the kind
}

const kindBits = 3

func pack(p *point) packedPoint {
	sixteenths := func(v float32) uint16 {
		return uint16(min(math.Round(float64(v)*storedSub), math.MaxUint16))
	}
	return packedPoint{sixteenths(p.x), sixteenths(p.y), uint16(p.angle)&^kindBits | uint16(p.kind)}
}

func (p *packedPoint) angle() turn { return turn(p.heading &^ kindBits) }

func (p *packedPoint) unpack() point {
	return point{float32(p.x) / storedSub, float32(p.y) / storedSub, p.angle(), Kind(p.heading & kindBits), 0}
}

// unpackInto makes p the prepared form of e, reusing p's memory.
func (p *Prepared) unpackInto(e *entry) {
	p.points = grow(p.points, len(e.points))
	for i := range e.points {
		p.points[i] = e.points[i].unpack()
	}
	p.flow = flow{cells: p.flow.cells[:0]}
	p.ridges = p.ridges[:0]
	if columns := int(e.columns); columns > 0 {
		rows := 2 * len(e.flow) / columns
		p.flow = flow{columns, rows, e.side, unpackCells(p.flow.cells, e.flow, columns*rows)}
		p.ridges = unpackRidges(p.ridges, p.flow.cells, e.ridges)
	}
	p.describe()
}

// packRidges appends to packed those of ridges whose cells show any; none if there
// are none at all.
func packRidges(packed, cells, ridges []uint8) []uint8 {
	for i, r := range ridges {
		if cells[i] != 0 {
			packed = append(packed, r)
		}
	}
	return packed
}

// unpackRidges appends to ridges, which is empty, a byte for each cell.
func unpackRidges(ridges, cells, packed []uint8) []uint8 {
	if len(packed) == 0 {
		return ridges
	}
	for _, v := range cells {
		if v == 0 {
			ridges = append(ridges, 0)
			continue
		}
		ridges, packed = append(ridges, packed[0]), packed[1:]
	}
	return ridges
}
