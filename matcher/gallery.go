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
// millisecond at 10,000 templates.
//
// Removed templates are overwritten in memory: before RemoveSubject returns if
// no search is running, otherwise when the last search that began before the
// removal ends.
type Gallery struct {
	current atomic.Pointer[snapshot]

	mu       sync.Mutex     // held by writers, and for the two fields below
	subjects map[string]int // templates of each subject
	retired  []*snapshot    // replaced, oldest first, not all read to the end
}

// A snapshot is one immutable state of the gallery.
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
	g := &Gallery{subjects: make(map[string]int)}
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
	entries := make([]entry, 0, len(templates))
	for i, t := range templates {
		p, err := Prepare(t)
		if err != nil {
			return fmt.Errorf("add to gallery: impression %d: %w", i+1, err)
		}
		entries = append(entries, entry{subject, finger, p})
	}
	g.add(subject, entries)
	for _, e := range entries {
		e.Clear() // the chunks have their own copies
	}
	return nil
}

func (g *Gallery) add(subject string, entries []entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.current.Load()
	next := &snapshot{chunks: slices.Clone(old.chunks), templates: old.templates + len(entries)}
	g.subjects[subject] += len(entries)
	for len(entries) > 0 {
		at, room := next.room()
		n := min(room, len(entries))
		next.chunks[at] = next.chunks[at].with(entries[:n])
		entries = entries[n:]
	}
	g.publish(next)
}

// room finds the last chunk with room, or appends an empty one.
func (s *snapshot) room() (at, room int) {
	if n := len(s.chunks); n > 0 && len(s.chunks[n-1].entries) < chunkTemplates {
		return n - 1, chunkTemplates - len(s.chunks[n-1].entries)
	}
	s.chunks = append(s.chunks, new(chunk))
	return len(s.chunks) - 1, chunkTemplates
}

// RemoveSubject takes every template of a subject out and returns how many
// there were. Identify calls that return later do not name the subject, even
// if they began before.
func (g *Gallery) RemoveSubject(subject string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.subjects[subject]
	if n == 0 {
		return 0
	}
	delete(g.subjects, subject)
	old := g.current.Load()
	next := &snapshot{chunks: make([]*chunk, 0, len(old.chunks)), templates: old.templates - n}
	for _, c := range old.chunks {
		if c = c.without(subject); len(c.entries) > 0 {
			next.chunks = append(next.chunks, c)
		}
	}
	g.publish(next)
	return n
}

// publish makes next the current snapshot and retires the old one with the
// chunks that next does not share. The caller holds mu.
func (g *Gallery) publish(next *snapshot) {
	old := g.current.Load()
	kept := make(map[*chunk]bool, len(next.chunks))
	for _, c := range next.chunks {
		kept[c] = true
	}
	for _, c := range old.chunks {
		if !kept[c] {
			old.garbage = append(old.garbage, c)
		}
	}
	g.current.Store(next)
	g.retired = append(g.retired, old)
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
	return g.subjects[subject] > 0
}
