package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/till"
)

// What the demo sees of a terminal that runs as another process: what the
// operator's page shows, and figures that no page may show. It comes over a
// Unix socket that only the demo's hidden terminal command opens; tillprintd
// has nothing like it.

// News is one line from a terminal: exactly one field is set.
type News struct {
	View *till.View   `json:"view,omitempty"`
	Scan *till.Result `json:"scan,omitempty"`
}

// Standing is how a terminal stands: counts and keys, no names.
type Standing struct {
	Templates  int               `json:"templates"` // in the gallery
	Key        string            `json:"key"`       // verifies its receipts
	Applied    uint64            `json:"applied"`   // register entries
	Reachable  bool              `json:"reachable"` // the hub
	Pending    int               `json:"pending"`   // items for the hub
	Violations []store.Violation `json:"violations,omitempty"`
}

// Watch serves a terminal's news and standing.
type Watch struct {
	mu        sync.Mutex // guards listeners
	listeners map[chan News]bool
}

// NewWatch makes a watch; pass its Scanned to terminald.Hooks.
func NewWatch() *Watch { return &Watch{listeners: map[chan News]bool{}} }

// Scanned is told of each press. It never waits: a listener that does not read misses it.
func (w *Watch) Scanned(r till.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := range w.listeners {
		select {
		case l <- News{Scan: &r}:
		default:
		}
	}
}

// Open listens on the socket at path and answers there until ctx ends.
func (w *Watch) Open(ctx context.Context, path string, t *terminald.Terminal) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("opening the demo's watch: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /news", func(rw http.ResponseWriter, r *http.Request) { w.news(rw, r, t) })
	mux.HandleFunc("GET /standing", func(rw http.ResponseWriter, r *http.Request) {
		applied, _ := t.Store.Applied()
		state := t.Hub.State()
		json.NewEncoder(rw).Encode(Standing{Templates: t.Gallery.Len(), Key: t.Store.VerifierKey(), Applied: applied,
			Reachable: state.Reachable, Pending: state.Pending, Violations: t.Custody.Check()})
	})
	s := &http.Server{Handler: mux, BaseContext: func(net.Listener) context.Context { return ctx }}
	context.AfterFunc(ctx, func() { s.Close() })
	go s.Serve(l) // ends with ctx
	return nil
}

func (w *Watch) news(rw http.ResponseWriter, r *http.Request, t *terminald.Terminal) {
	scans := make(chan News, 64)
	w.mu.Lock()
	w.listeners[scans] = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.listeners, scans)
		w.mu.Unlock()
	}()
	views := t.Till.Subscribe(r.Context(), 64)
	out := json.NewEncoder(rw)
	for {
		var n News
		select {
		case <-r.Context().Done():
			return
		case n = <-scans:
		case v, open := <-views:
			if !open {
				return
			}
			n = News{View: &v}
		}
		if out.Encode(n) != nil || http.NewResponseController(rw).Flush() != nil {
			return
		}
	}
}
