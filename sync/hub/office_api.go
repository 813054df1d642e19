package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// maxOfficeBody bounds a request of the office: a school with small photos.
const maxOfficeBody = 64 << 20

// apiRoutes are the office's requests for programs. Each is about the site of
// whoever asks. Errors have a JSON body {"error": "one sentence"}.
func (h *Hub) apiRoutes(mux *http.ServeMux) {
	for pattern, serve := range map[string]func(*http.Request, officer) (any, error){
		"GET /office/api/site":                         h.apiSite,
		"PUT /office/api/site/profile":                 h.apiProfile,
		"GET /office/api/waiting":                      h.apiWaiting,
		"POST /office/api/waiting/confirm":             answer(h.ConfirmErasures),
		"POST /office/api/waiting/reject":              answer(h.RejectErasures),
		"PUT /office/api/roster":                       h.apiRoster,
		"GET /office/api/subjects":                     h.apiList,
		"POST /office/api/subjects":                    h.apiAdd,
		"POST /office/api/subjects/bulk":               h.apiBulk,
		"GET /office/api/subjects/{id}":                h.apiSubject,
		"PATCH /office/api/subjects/{id}":              about(h.apiUpdate),
		"POST /office/api/subjects/{id}/statements":    about(h.apiStatement),
		"POST /office/api/subjects/{id}/withdraw":      about(h.apiWithdraw),
		"POST /office/api/subjects/{id}/refuse":        h.apiRefuse,
		"POST /office/api/subjects/{id}/leave":         h.apiLeave,
		"POST /office/api/subjects/{id}/not-theirs":    h.apiNotTheirs,
		"GET /office/api/subjects/{id}/history":        h.apiHistory,
		"GET /office/api/exports":                      h.apiExports,
		"POST /office/api/exports":                     h.apiExport,
		"POST /office/api/exports/{id}/confirm":        h.apiConfirm,
		"POST /office/api/pins":                        h.apiPINs,
		"POST /office/api/join":                        h.apiJoin,
		"GET /office/api/terminals":                    h.apiTerminals,
		"POST /office/api/disposed":                    h.apiDisposed,
		"GET /office/api/rejoin":                       h.apiRejoins,
		"POST /office/api/rejoin":                      h.apiReadmit,
		"GET /office/api/terminals/{name}/held":        h.apiHeld,
		"POST /office/api/terminals/{name}/command":    h.apiCommand,
		"POST /office/api/terminals/{name}/commission": h.apiCommission,
		"GET /office/api/terminals/{name}/log":         h.apiLogHistory,
		"DELETE /office/api/terminals/{name}":          h.apiRemove,
		"GET /office/api/receipts":                     h.apiReceipts,
		"GET /office/api/reports":                      h.apiReports,
		"GET /office/api/log":                          h.apiLog,
	} {
		mux.HandleFunc(pattern, h.forPrograms(serve))
	}
}

// forPrograms asks who is there, bounds the body and turns the result into JSON.
func (h *Hub) forPrograms(serve func(*http.Request, officer) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := h.who(r)
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tillprint office"`)
			writeJSON(w, http.StatusUnauthorized, officeError{"log in, or send a valid bearer token"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxOfficeBody)
		v, err := serve(r, who)
		if err != nil {
			status, text := h.officeFailure(r, err)
			writeJSON(w, status, officeError{text})
			return
		}
		if err := writeJSON(w, http.StatusOK, v); err != nil {
			h.config.Log.Error("an answer to the office failed", "path", r.URL.Path, "err", err)
		}
	}
}

type officeError struct {
	Error string `json:"error"`
}

// officeFailure is what the office may read of an error. What it cannot help is
// logged and told in general words.
func (h *Hub) officeFailure(r *http.Request, err error) (int, string) {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, "the request is too large; send fewer people at a time"
	case errors.Is(err, ErrInvalid) || errors.Is(err, register.ErrMalformed):
		return http.StatusUnprocessableEntity, err.Error()
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound, err.Error()
	case errors.Is(err, ErrBusy):
		return http.StatusServiceUnavailable, "the hub is busy; try again in a moment"
	}
	h.config.Log.Error("a request of the office failed", "path", r.URL.Path, "err", err)
	return http.StatusInternalServerError, "the hub could not do this; its log says why"
}

// decode reads a JSON body strictly. A key that it does not know, such as
// "opt_out" or "default", is refused rather than ignored (A8).
func decode(r *http.Request, v any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: reading the request: %w", ErrInvalid, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows the JSON value", ErrInvalid)
	}
	return nil
}

// most reads how many rows are wanted, 1 to 5000.
func most(r *http.Request, usual int) int {
	n, err := strconv.Atoi(r.URL.Query().Get("most"))
	if err != nil || n < 1 {
		return usual
	}
	return min(n, 5000)
}

func (h *Hub) apiSite(r *http.Request, who officer) (any, error) {
	return h.Site(r.Context(), who.site)
}

func (h *Hub) apiProfile(r *http.Request, who officer) (any, error) {
	var p consent.Profile
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	return p, h.SetProfile(r.Context(), who.site, who.name, p)
}
