package matcher

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// A Gallery holds everybody's templates in memory for identification.
//
// Any number of goroutines may search while others add and remove: a search
// sees the gallery as it was when it began. Writers take turns. A write copies
// one chunk of templates and the list of chunks, so that it takes well below a
// millisecond even among a million templates.
//
// Templates lie in locked memory outside the Go heap. Removed ones are
// overwritten and their memory given back: before RemoveSubject returns if no
// search is running, otherwise when the last search that began before the
// removal ends.
//
// A template takes about 500 to 1,000 bytes, by its number of minutiae.
type Gallery struct {
	current atomic.Pointer[snapshot]

	mu       sync.Mutex // held by writers, and for the fields below
	subjects map[string]holding
	roomy    []int       // places of chunks that are not full, or empty
	retired  []*snapshot // replaced, oldest first, not all read to the end
}

// A holding is where a subject's templates are: in chunks from first to last.
type holding struct{ first, last int32 }

// A snapshot is one immutable state of the gallery. Chunks keep their places
// from one snapshot to the next; where all templates are gone is nil.
type snapshot struct {
	chunks    []*chunk
	templates int
	readers   atomic.Int64 // searches that use it
	garbage   []*chunk     // chunks that its successor lacks; guarded by Gallery.mu
}

var (
	// ErrNoTemplates marks an Add without templates.
	ErrNoTemplates = errors.New("no templates to add")
	// ErrSubject marks an empty subject name.
	ErrSubject = errors.New("subject must not be empty")
)

// NewGallery returns an empty gallery.
func NewGallery() *Gallery {
	g := &Gallery{subjects: make(map[string]holding)}
	g.current.Store(new(snapshot))
	return g
}

// Add enrols one or more impressions of one finger of a subject. It adds all
// of them or, with an error wrapping ErrTemplate, none. It copies what it
// needs; the caller clears the templates.
func (g *Gallery) Add(subject string, finger uint8, templates ...*Template) error {
	if subject == "" {
		return fmt.Errorf("add to gallery: %w", ErrSubject)
	}
	if len(templates) == 0 {
		return fmt.Errorf("add to gallery: %w", ErrNoTemplates)
	}
	for i, t := range templates {
		if err := t.Validate(); err != nil {
			return fmt.Errorf("add to gallery: impression %d: %w", i+1, err)
		}
	}
	entries, slab := newEntries(subject, finger, templates)
	defer slab.Free() // the chunks have their own copies
	g.add(subject, entries)
	return nil
}

func (g *Gallery) add(subject string, entries []entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := g.successor()
	for part := range slices.Chunk(entries, chunkTemplates) {
		g.place(next, subject, part)
	}
	g.publish(next)
}

// successor begins the snapshot after the current one. The caller holds mu.
func (g *Gallery) successor() *snapshot {
	old := g.current.Load()
	return &snapshot{chunks: slices.Clone(old.chunks), templates: old.templates}
}

// place puts entries, at most chunkTemplates, into the chunk that got room last
// if they fit in, else into a new one. The caller holds mu.
func (g *Gallery) place(next *snapshot, subject string, entries []entry) {
	at := len(next.chunks)
	if n := len(g.roomy); n > 0 && next.chunks[g.roomy[n-1]].room() >= len(entries) {
		at = g.roomy[n-1]
		g.roomy = g.roomy[:n-1]
		entries = append(next.chunks[at].all(), entries...)
	} else {
		next.chunks = append(next.chunks, nil)
	}
	g.replace(next, at, newChunk(entries))
	if next.chunks[at].room() > 0 {
		g.roomy = append(g.roomy, at)
	}
	have, known := g.subjects[subject]
	if !known {
		have.first = int32(at)
	}
	g.subjects[subject] = holding{min(have.first, int32(at)), max(have.last, int32(at))}
}

// replace puts c at a place of next and leaves what was there to be cleared.
// The caller holds mu.
func (g *Gallery) replace(next *snapshot, at int, c *chunk) {
	next.templates += c.len() - next.chunks[at].len()
	if gone := next.chunks[at]; gone != nil {
		old := g.current.Load()
		old.garbage = append(old.garbage, gone)
	}
	next.chunks[at] = c
}

// RemoveSubject takes every template of a subject out and returns how many
// there were. Identify calls that return later do not name the subject, even
// if they began before.
func (g *Gallery) RemoveSubject(subject string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	gone, known := g.subjects[subject]
	if !known {
		return 0
	}
	delete(g.subjects, subject)
	next := g.successor()
	for at := int(gone.first); at <= int(gone.last); at++ {
		full := next.chunks[at].room() == 0
		c := next.chunks[at].without(subject)
		if c == next.chunks[at] {
			continue
		}
		g.replace(next, at, c)
		if full {
			g.roomy = append(g.roomy, at)
		}
	}
	removed := g.Len() - next.templates
	g.publish(next)
	return removed
}

// publish makes next the current snapshot and retires the old one. The caller
// holds mu.
func (g *Gallery) publish(next *snapshot) {
	g.retired = append(g.retired, g.current.Swap(next))
	g.drain()
}

// drain clears what no search can reach any more. A retired snapshot's garbage
// may be in older snapshots too, so they go in order. The caller holds mu.
func (g *Gallery) drain() {
	for len(g.retired) > 0 && g.retired[0].readers.Load() == 0 {
		for _, c := range g.retired[0].garbage {
			c.clear()
		}
		g.retired[0] = nil
		g.retired = g.retired[1:]
	}
}

// acquire returns the current snapshot and keeps it from being cleared until
// release. A snapshot that was replaced between the load and the count is
// given back untouched: its memory may already be cleared.
func (g *Gallery) acquire() *snapshot {
	for {
		s := g.current.Load()
		s.readers.Add(1)
		if g.current.Load() == s {
			return s
		}
		g.release(s)
	}
}

func (g *Gallery) release(s *snapshot) {
	if s.readers.Add(-1) == 0 && g.current.Load() != s {
		g.mu.Lock()
		g.drain()
		g.mu.Unlock()
	}
}

// Len is the number of templates.
func (g *Gallery) Len() int { return g.current.Load().templates }

// Subjects lists who has templates, sorted.
func (g *Gallery) Subjects() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.subjects))
}

// Has tells whether a subject has templates.
func (g *Gallery) Has(subject string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, known := g.subjects[subject]
	return known
}
