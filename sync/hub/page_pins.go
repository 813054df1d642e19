package hub

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/tillprint/tillprint/consent"
)

// PINSlip is what is printed for one person: the only place where a PIN ever stands in digits.
type PINSlip struct {
	Added
	Name string `json:"name"`
	Form string `json:"form"`
}

// PINSlips draws new PINs for any set of people in one batch and sorts them for printing, by form and name.
func (h *Hub) PINSlips(ctx context.Context, site, officer string, ids []consent.SubjectID) ([]PINSlip, error) {
	added, err := h.DrawPINs(ctx, site, officer, ids)
	if err != nil {
		return nil, err
	}
	return h.slips(ctx, site, added)
}

func (h *Hub) slips(ctx context.Context, site string, added []Added) ([]PINSlip, error) {
	all, err := h.List(ctx, site, "", sparsePINs[usualDigits])
	if err != nil {
		return nil, err
	}
	who := make(map[consent.SubjectID]Listed, len(all))
	for _, l := range all {
		who[l.Subject] = l
	}
	slips := make([]PINSlip, len(added))
	for i, a := range added {
		slips[i] = PINSlip{a, who[a.Subject].Name, who[a.Subject].Form}
	}
	slices.SortFunc(slips, func(a, b PINSlip) int { return cmp.Or(cmp.Compare(a.Form, b.Form), cmp.Compare(a.Name, b.Name)) })
	return slips, nil
}

func (h *Hub) showPINs(w http.ResponseWriter, r *http.Request, who officer, added []Added) error {
	slips, err := h.slips(r.Context(), who.site, added)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "pins", view{Title: "PINs", Body: slips})
	return nil
}

// pinsPost draws PINs for those who are ticked in the list, for all whom the search has found, or for all whose PIN is outdated.
func (h *Hub) pinsPost(w http.ResponseWriter, r *http.Request, who officer) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	ids, err := h.pinsFor(r, who)
	if err != nil {
		return err
	}
	if len(ids) == 0 || r.PostFormValue("sure") != "yes" {
		return fmt.Errorf("%w: tick somebody in the list, and that their old PINs end", ErrInvalid)
	}
	added, err := h.DrawPINs(r.Context(), who.site, who.name, ids)
	if err != nil {
		return err
	}
	return h.showPINs(w, r, who, added)
}

func (h *Hub) pinsFor(r *http.Request, who officer) (ids []consent.SubjectID, err error) {
	switch r.PostFormValue("whom") {
	case "found":
		found, err := h.List(r.Context(), who.site, r.PostFormValue("q"), MaxSubjects+1)
		for _, l := range found {
			ids = append(ids, l.Subject)
		}
		return ids, err
	case "outdated":
		fit, err := h.PINFit(r.Context(), who.site)
		return fit.Outdated(), err
	}
	for _, id := range r.PostForm["subject"] {
		ids = append(ids, consent.SubjectID(id))
	}
	return ids, nil
}
