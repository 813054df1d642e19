package web

import (
	"bytes"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/till"
)

const (
	keepAlive  = 15 * time.Second // between signs of life, so that a page notices a dead line
	writeLimit = 10 * time.Second // for one write; a page that does not read is dropped
)

// part is a piece of a page that is sent again when it has changed.
type part struct {
	event, template string
	sent            bool
	last            []byte // what was sent, which may be nothing at all
}

func (p *pages) operatorEvents(w http.ResponseWriter, r *http.Request) {
	p.stream(w, r, []part{{event: "say", template: "say"}, {event: "keyed", template: "keyed"}, {event: "desk", template: "desk"}, {event: "health", template: "health"}})
}

func (p *pages) pupilEvents(w http.ResponseWriter, r *http.Request) {
	p.stream(w, r, []part{{event: "pupil", template: "pupil-view"}})
}

// stream sends each part whenever it differs from what was sent last.
func (p *pages) stream(w http.ResponseWriter, r *http.Request, parts []part) {
	views := p.till.Subscribe(r.Context(), 1)
	if views == nil {
		http.Error(w, "Too many pages watch this till. Close one.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		var message bytes.Buffer
		select {
		case v, open := <-views:
			if !open {
				return
			}
			p.changed(&message, parts, v)
		case <-alive.C:
			message.WriteString(": still here\n\n")
		}
		if !send(out, w, message.Bytes()) {
			return
		}
	}
}

// changed writes an event for each part that differs from what was sent last.
func (p *pages) changed(message *bytes.Buffer, parts []part, v till.View) {
	for i := range parts {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, parts[i].template, page{p.base, p.site, v, false}); err != nil {
			panic("web: a template does not fit the view: " + err.Error()) // cannot happen: the tests render every state
		}
		if parts[i].sent && bytes.Equal(b.Bytes(), parts[i].last) {
			continue
		}
		parts[i].sent, parts[i].last = true, b.Bytes()
		writeEvent(message, parts[i].event, b.Bytes())
	}
}

// writeEvent writes one server-sent event; each line of data is a field.
func writeEvent(w *bytes.Buffer, event string, data []byte) {
	w.WriteString("event: " + event + "\n")
	for line := range bytes.Lines(data) {
		w.WriteString("data: ")
		w.Write(bytes.TrimRight(line, "\r\n"))
		w.WriteByte('\n')
	}
	if len(data) == 0 {
		w.WriteString("data:\n")
	}
	w.WriteByte('\n')
}
