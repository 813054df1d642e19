package hub

import (
	"fmt"
	"net/http"
	"slices"
)

type waitingView struct {
	WaitingErasures
	People []Listed
}

func (h *Hub) waitingPage(w http.ResponseWriter, r *http.Request, who officer) error {
	waits, err := h.Waiting(r.Context(), who.site)
	if err != nil {
		return err
	}
	people, err := h.List(r.Context(), who.site, "", MaxSubjects)
	if err != nil {
		return err
	}
	people = slices.DeleteFunc(people, func(l Listed) bool {
		_, found := slices.BinarySearch(waits.Subjects, l.Subject)
		return !found
	})
	h.show(w, r, http.StatusOK, who, "waiting", view{Title: "Erasures that wait", Body: waitingView{waits, people}})
	return nil
}

func (h *Hub) waitingPost(w http.ResponseWriter, r *http.Request, who officer) (err error) {
	switch r.PathValue("answer") {
	case "confirm":
		err = h.ConfirmErasures(r.Context(), who.site, who.name)
	case "reject":
		err = h.RejectErasures(r.Context(), who.site, who.name)
	default:
		err = fmt.Errorf("%w: there is no such answer", ErrNotFound)
	}
	if err == nil {
		http.Redirect(w, r, "/office/waiting", http.StatusSeeOther)
	}
	return err
}
