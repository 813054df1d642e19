package matcher

import (
	"unsafe"

	"github.com/tillprint/tillprint/locked"
)

// entry is a template on its way into a chunk.
type entry struct {
	subject string
	finger  uint8
	points  []packedPoint
	plets   []kplet
	which   uint64
	flow    []uint8
	ridges  []uint8 // of the flow's cells that are not 0
	side    float32 // of the flow's cells
	columns uint8   // at most MaxSide / FlowCell, rounded up
}

// newEntries makes what the gallery keeps of templates. Its maker frees the slab, in
// which they lie.
func newEntries(subject string, finger uint8, templates []*Template) ([]entry, *locked.Slab) {
	size, room := 0, 0
	for _, t := range templates {
		size += mostEntry(t)
		room = max(room, len(t.Minutiae))
	}
	slab := locked.NewSlab(size + room*int(unsafe.Sizeof(point{})))
	points := locked.Carve[point](slab, room)[:0]
	entries := make([]entry, 0, len(templates))
	for _, t := range templates {
		entries = append(entries, newEntry(slab, subject, finger, t, usedPoints(points, t)))
	}
	return entries, slab
}

// mostEntry bounds the bytes that newEntry takes for t.
func mostEntry(t *Template) int {
	const alignments = 2
	return min(len(t.Minutiae), mostUsed)*int(unsafe.Sizeof(packedPoint{})) + mostPlets*int(unsafe.Sizeof(kplet{})) +
		(len(t.Flow)+1)/2 + len(t.Ridges) + alignments
}

func newEntry(slab *locked.Slab, subject string, finger uint8, t *Template, points []point) entry {
	e := entry{subject: subject, finger: finger, points: locked.Carve[packedPoint](slab, len(points))}
	for i := range points {
		e.points[i] = pack(&points[i])
	}
	if len(points) >= fewest { // others match nothing
		e.plets, e.which = kplets(locked.Carve[kplet](slab, mostPlets)[:0], points)
	}
	if f := t.flow(); len(f.cells) > 0 {
		e.flow, e.columns, e.side = locked.Carve[uint8](slab, (len(f.cells)+1)/2), uint8(f.columns), f.side
		packCells(e.flow[:0], f.cells)
		e.ridges = packRidges(locked.Carve[uint8](slab, len(t.Ridges))[:0], f.cells, t.Ridges)
	}
	return e
}
