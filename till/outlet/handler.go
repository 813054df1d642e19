package outlet

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

const (
	keepAlive  = 15 * time.Second // between signs of life
	writeLimit = 5 * time.Second  // for one write
)

// Handler serves GET /v1/identities.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/identities", s.identities)
	return mux
}

func (s *Server) identities(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !s.admits(r.Header.Get("Authorization")) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tillprint"`)
		http.Error(w, "This needs the till's token: send it as Authorization: Bearer TOKEN.", http.StatusUnauthorized)
		return
	}
	events := s.subscribe(r.Header.Get("Last-Event-ID"))
	if events == nil {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "Too many points of sale listen to this till. Close one.", http.StatusServiceUnavailable)
		return
	}
	defer s.unsubscribe(events)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s.pump(w, r, events)
}

// pump writes events until the point of sale goes or is cut off.
func (s *Server) pump(w http.ResponseWriter, r *http.Request, events <-chan event) {
	out := http.NewResponseController(w)
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	message := []byte(": tillprint\n\n")
	for {
		out.SetWriteDeadline(time.Now().Add(writeLimit)) // not every writer has one; the write tells
		if _, err := w.Write(message); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-alive.C:
			message = []byte(": still here\n\n")
		case e, open := <-events:
			if !open {
				return
			}
			message = e.message()
		}
	}
}

// message is the event as it goes over the wire; empty for an identity that has
// gone stale in the queue.
func (e event) message() []byte {
	var b bytes.Buffer
	if e.name == "identified" {
		if time.Since(e.at) >= Fresh {
			return nil
		}
		fmt.Fprintf(&b, "id: %s\n", e.id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", e.name, e.data)
	return b.Bytes()
}
