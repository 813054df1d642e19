package matcher

import (
	"slices"
	"unsafe"

	"github.com/tillprint/tillprint/locked"
)

// chunkTemplates bounds what one write has to copy: a chunk of that many full
// templates is about 128 KiB. Fewer would waste more of their last pages.
const chunkTemplates = 128

// A chunk is a few templates laid out in flat arrays, in locked memory. It
// never changes after it is published; it owns its arrays until clear.
type chunk struct {
	entries []chunkEntry
	slab    *locked.Slab // holds the rest
	points  []packedPoint
	plets   []kplet
	flows   []uint8 // two cells a byte
	ridges  []uint8 // of the cells that show any
}

// A chunkEntry is one template. Its points, k-plets and flow follow those of the
// entry before and end at the given places of the chunk's arrays, of which
// chunkTemplates keeps the first two below 1<<16.
type chunkEntry struct {
	subject             string
	which               uint64 // bit i: points[i] of the template has a k-plet
	flowsEnd, ridgesEnd uint32
	cellSide            float32 // of the flow, pixels
	pointsEnd, pletsEnd uint16
	finger              uint8
	columns             uint8 // of the flow; 0 if there is none
}

// at views entry i of c; it shares c's memory.
func (c *chunk) at(i int) entry {
	var before chunkEntry
	if i > 0 {
		before = c.entries[i-1]
	}
	e := &c.entries[i]
	return entry{
		subject: e.subject, finger: e.finger, which: e.which, columns: e.columns, side: e.cellSide,
		points: c.points[before.pointsEnd:e.pointsEnd],
		plets:  c.plets[before.pletsEnd:e.pletsEnd],
		flow:   c.flows[before.flowsEnd:e.flowsEnd],
		ridges: c.ridges[before.ridgesEnd:e.ridgesEnd],
	}
}

// len is the number of templates of c, which may be nil.
func (c *chunk) len() int {
	if c == nil {
		return 0
	}
	return len(c.entries)
}

// room is how many templates may join those of c, which may be nil.
func (c *chunk) room() int { return chunkTemplates - c.len() }

// all views the entries of c.
func (c *chunk) all() []entry {
	if c == nil {
		return nil
	}
	entries := make([]entry, len(c.entries))
	for i := range entries {
		entries[i] = c.at(i)
	}
	return entries
}

// newChunk copies entries into a chunk of their own.
func newChunk(entries []entry) *chunk {
	points, plets, flows, ridges := 0, 0, 0, 0
	for i := range entries {
		e := &entries[i]
		points, plets = points+len(e.points), plets+len(e.plets)
		flows, ridges = flows+len(e.flow), ridges+len(e.ridges)
	}
	slab := locked.NewSlab(points*int(unsafe.Sizeof(packedPoint{})) + plets*int(unsafe.Sizeof(kplet{})) + flows + ridges)
	c := &chunk{
		entries: make([]chunkEntry, 0, len(entries)),
		slab:    slab,
		points:  locked.Carve[packedPoint](slab, points)[:0],
		plets:   locked.Carve[kplet](slab, plets)[:0],
		flows:   locked.Carve[uint8](slab, flows)[:0],
		ridges:  locked.Carve[uint8](slab, ridges)[:0],
	}
	for i := range entries {
		e := &entries[i]
		if i > 0 && entries[i-1].subject == e.subject {
			e.subject = entries[i-1].subject // one copy of the name will do
		}
		c.points, c.plets = append(c.points, e.points...), append(c.plets, e.plets...)
		c.flows, c.ridges = append(c.flows, e.flow...), append(c.ridges, e.ridges...)
		c.entries = append(c.entries, chunkEntry{
			subject: e.subject, which: e.which, finger: e.finger, columns: e.columns, cellSide: e.side,
			pointsEnd: uint16(len(c.points)), pletsEnd: uint16(len(c.plets)), flowsEnd: uint32(len(c.flows)),
			ridgesEnd: uint32(len(c.ridges)),
		})
	}
	return c
}

// without returns c if it has nothing of subject, else a copy without it, or
// nil if nothing else is in it. It may be called on nil.
func (c *chunk) without(subject string) *chunk {
	if c == nil {
		return nil
	}
	mine := func(e chunkEntry) bool { return e.subject == subject }
	if !slices.ContainsFunc(c.entries, mine) {
		return c
	}
	rest := slices.DeleteFunc(c.all(), func(e entry) bool { return e.subject == subject })
	if len(rest) == 0 {
		return nil
	}
	return newChunk(rest)
}

// clear overwrites what is personal in c and gives its memory back. Nobody may
// be reading c.
func (c *chunk) clear() {
	clear(c.entries)
	c.slab.Free()
	c.points, c.plets, c.flows, c.ridges = nil, nil, nil, nil
}
