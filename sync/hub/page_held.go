package hub

import (
	"fmt"
	"net/http"
	"time"
)

// evidenceOf reads the terminal and the moment that a request is about. The moment is in UTC, as a date or a date and a time.
func (h *Hub) evidenceOf(r *http.Request, who officer) (*Evidence, error) {
	when, err := ParseMoment(r.URL.Query().Get("at"))
	if err != nil {
		return nil, err
	}
	return h.Evidence(r.Context(), who.site, r.PathValue("name"), when)
}

// ParseMoment reads 2026-11-23, which means the end of that day, 2026-11-23T12:30 or a time of RFC 3339; "" is the zero time. Without
// a zone it is UTC.
func ParseMoment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Microsecond), nil
	}
	for _, layout := range []string{"2006-01-02T15:04", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %.40q is no moment; write 2026-11-23 or 2026-11-23T12:30", ErrInvalid, text)
}

func (h *Hub) apiHeld(r *http.Request, who officer) (any, error) { return h.evidenceOf(r, who) }

func (h *Hub) heldPage(w http.ResponseWriter, r *http.Request, who officer) error {
	e, err := h.evidenceOf(r, who)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "held", view{Title: "What " + e.Terminal + " held", Body: e})
	return nil
}
