package hub

import (
	"net/http"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
)

func (h *Hub) exportsPage(w http.ResponseWriter, r *http.Request, who officer) error {
	all, err := h.Exports(r.Context(), who.site, "")
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "exports", view{Title: "Requests for access", Body: all})
	return nil
}

func (h *Hub) exportPost(w http.ResponseWriter, r *http.Request, who officer) error {
	o := export.Order{Subject: consent.SubjectID(r.PostFormValue("subject")), Recipient: r.PostFormValue("recipient"),
		Requester: r.PostFormValue("requester"), Identity: r.PostFormValue("identity")}
	if _, err := h.AskExport(r.Context(), who.site, who.name, o); err != nil {
		return err
	}
	http.Redirect(w, r, "/office/exports", http.StatusSeeOther)
	return nil
}

func (h *Hub) exportConfirm(w http.ResponseWriter, r *http.Request, who officer) error {
	if err := h.ConfirmExport(r.Context(), who.site, who.name, r.PathValue("id")); err != nil {
		return err
	}
	http.Redirect(w, r, "/office/exports", http.StatusSeeOther)
	return nil
}

func (h *Hub) exportFile(w http.ResponseWriter, r *http.Request, who officer) error {
	bundle, err := h.ExportFile(r.Context(), who.site, who.name, r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="answer.zip"`)
	w.Write(bundle)
	return nil
}

func (h *Hub) historyPage(w http.ResponseWriter, r *http.Request, who officer) error {
	id, err := subjectOf(r)
	if err != nil {
		return err
	}
	events, err := h.History(r.Context(), who.site, id)
	if err != nil {
		return err
	}
	body := struct {
		Subject consent.SubjectID
		Events  []export.Event
	}{id, events}
	h.show(w, r, http.StatusOK, who, "history", view{Title: "History", Body: body})
	return nil
}

func (h *Hub) apiHistory(r *http.Request, who officer) (any, error) {
	id, err := subjectOf(r)
	if err != nil {
		return nil, err
	}
	return h.History(r.Context(), who.site, id)
}

func (h *Hub) apiExports(r *http.Request, who officer) (any, error) {
	return h.Exports(r.Context(), who.site, consent.SubjectID(r.URL.Query().Get("subject")))
}

func (h *Hub) apiExport(r *http.Request, who officer) (any, error) {
	var o export.Order
	if err := decode(r, &o); err != nil {
		return nil, err
	}
	id, err := h.AskExport(r.Context(), who.site, who.name, o)
	return struct {
		ID string `json:"id"`
	}{id}, err
}

func (h *Hub) apiConfirm(r *http.Request, who officer) (any, error) {
	return struct{}{}, h.ConfirmExport(r.Context(), who.site, who.name, r.PathValue("id"))
}
