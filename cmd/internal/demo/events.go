package demo

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// events passes lines on to every open page as server-sent events. A page that
// opens late gets the last line of each kind.
type events struct {
	mu    sync.Mutex // guards what follows
	pages map[chan [2]string]bool
	last  map[string]string
}

func newEvents() *events {
	return &events{pages: map[chan [2]string]bool{}, last: map[string]string{}}
}

// send never waits: a page that does not read misses the line.
func (e *events) send(kind, line string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last[kind] = line
	for page := range e.pages {
		select {
		case page <- [2]string{kind, line}:
		default:
		}
	}
}

func (e *events) serve(w http.ResponseWriter, r *http.Request) {
	lines := make(chan [2]string, 64)
	e.mu.Lock()
	e.pages[lines] = true
	for kind, line := range e.last {
		lines <- [2]string{kind, line}
	}
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.pages, lines)
		e.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for {
		if flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case l := <-lines:
			if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", l[0], strings.ReplaceAll(l[1], "\n", " ")); err != nil {
				return
			}
		}
	}
}
