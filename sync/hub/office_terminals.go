package hub

import (
	"net/http"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

func (h *Hub) apiJoin(r *http.Request, who officer) (any, error) {
	var in struct {
		Name string `json:"name"` // of the new terminal
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	code, err := h.NewJoinCode(r.Context(), who.site, who.name, in.Name)
	return struct {
		Code string `json:"code"`
	}{code}, err
}

func (h *Hub) apiRejoins(r *http.Request, who officer) (any, error) {
	return h.Rejoins(r.Context(), who.site)
}

func (h *Hub) apiReadmit(r *http.Request, who officer) (any, error) {
	var in struct {
		Code string `json:"code"` // as the terminal shows it
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	name, err := h.Readmit(r.Context(), who.site, who.name, in.Code)
	return struct {
		Terminal string `json:"terminal"`
	}{name}, err
}

func (h *Hub) apiTerminals(r *http.Request, who officer) (any, error) {
	return h.Terminals(r.Context(), who.site)
}

func (h *Hub) apiCommand(r *http.Request, who officer) (any, error) {
	var c register.Command
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	return struct{}{}, h.Command(r.Context(), who.site, who.name, r.PathValue("name"), c)
}

func (h *Hub) apiCommission(r *http.Request, who officer) (any, error) {
	var c register.Commission
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	return struct{}{}, h.Commission(r.Context(), who.site, who.name, r.PathValue("name"), c)
}

func (h *Hub) apiRemove(r *http.Request, who officer) (any, error) {
	return struct{}{}, h.RemoveTerminal(r.Context(), who.site, who.name, r.PathValue("name"))
}

func (h *Hub) apiLogHistory(r *http.Request, who officer) (any, error) {
	return h.LogHistory(r.Context(), who.site, r.PathValue("name"))
}

func (h *Hub) apiReceipts(r *http.Request, who officer) (any, error) {
	id := consent.SubjectID(r.URL.Query().Get("subject"))
	return h.Reports(r.Context(), who.site, register.ReportReceipt, id, most(r, 500))
}

func (h *Hub) apiReports(r *http.Request, who officer) (any, error) {
	q := r.URL.Query()
	return h.Reports(r.Context(), who.site, register.ReportKind(q.Get("kind")), consent.SubjectID(q.Get("subject")), most(r, 500))
}

func (h *Hub) apiLog(r *http.Request, who officer) (any, error) {
	return h.Deeds(r.Context(), who.site, most(r, 500))
}
