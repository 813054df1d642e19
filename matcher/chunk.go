package matcher

// chunkTemplates bounds what one write has to copy: a chunk of full templates
// is about 200 KiB.
const chunkTemplates = 64

// A chunk is a few templates laid out in flat arrays for the first stage of a
// search. It never changes after it is published; it owns its arrays.
type chunk struct {
	entries []chunkEntry
	points  []point
	local   []neighbourhood
}

// A chunkEntry is one template: the points and neighbourhoods from first up to
// last in the chunk's arrays.
type chunkEntry struct {
	subject     string
	finger      uint8
	first, last int32
}

// entry is a template on its way into a chunk.
type entry struct {
	subject string
	finger  uint8
	*Prepared
}

// with returns a copy of c with entries added.
func (c *chunk) with(entries []entry) *chunk {
	points := len(c.points)
	for _, e := range entries {
		points += len(e.points)
	}
	n := newChunk(len(c.entries)+len(entries), points)
	n.entries = append(n.entries, c.entries...)
	n.points = append(n.points, c.points...)
	n.local = append(n.local, c.local...)
	for _, e := range entries {
		n.append(e.subject, e.finger, e.points, e.local)
	}
	return n
}

func newChunk(entries, points int) *chunk {
	return &chunk{
		entries: make([]chunkEntry, 0, entries),
		points:  make([]point, 0, points),
		local:   make([]neighbourhood, 0, points),
	}
}

func (c *chunk) append(subject string, finger uint8, points []point, local []neighbourhood) {
	first := int32(len(c.points))
	c.points = append(c.points, points...)
	c.local = append(c.local, local...)
	c.entries = append(c.entries, chunkEntry{subject, finger, first, int32(len(c.points))})
}

// without returns c if it has nothing of subject, else a copy without it.
func (c *chunk) without(subject string) *chunk {
	found := false
	for i := range c.entries {
		found = found || c.entries[i].subject == subject
	}
	if !found {
		return c
	}
	n := newChunk(len(c.entries), len(c.points))
	for i := range c.entries {
		if e := &c.entries[i]; e.subject != subject {
			n.append(e.subject, e.finger, c.points[e.first:e.last], c.local[e.first:e.last])
		}
	}
	return n
}

// prepared views one template of c as Score wants it; it shares c's memory.
func (c *chunk) prepared(e *chunkEntry) *Prepared {
	points := c.points[e.first:e.last]
	return &Prepared{points: points, local: c.local[e.first:e.last], hull: convexHull(nil, points)}
}

// clear overwrites what is personal in c.
func (c *chunk) clear() {
	clear(c.points)
	clear(c.local)
	clear(c.entries)
}
