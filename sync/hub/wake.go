package hub

import (
	"sync"
	"time"
)

// wakes lets waiting requests of a site know that there is something new. A
// waiter takes the channel first, looks at the database, and only then waits,
// so that nothing can fall between. It reaches the waiters of this process only;
// [Hub.listen] passes on what other processes change.
type wakes struct {
	mu    sync.Mutex
	sites map[string]chan struct{} // closed and removed at each wake; guarded by mu
	stop  chan struct{}            // closed when the hub stops; guarded by mu
}

// wait returns the channel that the site's next wake closes.
func (w *wakes) wait(site string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sites == nil {
		w.sites = map[string]chan struct{}{}
	}
	c := w.sites[site]
	if c == nil {
		c = make(chan struct{})
		w.sites[site] = c
	}
	return c
}

// wake tells everyone who waits for the site.
func (w *wakes) wake(site string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.sites[site]; c != nil {
		close(c)
		delete(w.sites, site)
	}
}

// wakeAll tells everyone who waits for any site.
func (w *wakes) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.sites {
		close(c)
	}
	clear(w.sites)
}

// closing returns the channel that close closes.
func (w *wakes) closing() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == nil {
		w.stop = make(chan struct{})
	}
	return w.stop
}

// close ends all waiting, for good. It is called once.
func (w *wakes) close() {
	w.closing()
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.stop)
}

// contacts remembers when terminals were heard of until it is written down, so
// that a waiting school costs no write to the disk.
type contacts struct {
	mu   sync.Mutex
	when map[terminalName]time.Time // guarded by mu
}

type terminalName struct{ site, name string }

func (c *contacts) seen(site, terminal string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.when == nil {
		c.when = map[terminalName]time.Time{}
	}
	c.when[terminalName{site, terminal}] = now
}

// last is when a terminal was heard of since take, or the zero time.
func (c *contacts) last(site, terminal string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.when[terminalName{site, terminal}]
}

// take hands over what has to be written and forgets it.
func (c *contacts) take() map[terminalName]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	when := c.when
	c.when = nil
	return when
}
