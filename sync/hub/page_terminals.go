package hub

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

type terminalsView struct {
	Terminals []TerminalState
	Rejoins   []Rejoin
	Code      string
	Bundles   []Bundle
	Rollouts  []Rollout
}

func (h *Hub) terminalsPage(w http.ResponseWriter, r *http.Request, who officer) error {
	return h.showTerminals(w, r, who, "")
}

func (h *Hub) showTerminals(w http.ResponseWriter, r *http.Request, who officer, code string) error {
	all, err := h.Terminals(r.Context(), who.site)
	if err != nil {
		return err
	}
	rejoins, err := h.Rejoins(r.Context(), who.site)
	if err != nil {
		return err
	}
	bundles, err := h.Bundles(r.Context())
	if err != nil {
		return err
	}
	rollouts, err := h.Rollouts(r.Context(), who.site)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "terminals", view{Title: "Terminals", Body: terminalsView{all, rejoins, code, bundles, rollouts}})
	return nil
}

// updatePost stages a version for one terminal of the school or all, or stops what has not begun.
func (h *Hub) updatePost(w http.ResponseWriter, r *http.Request, who officer) error {
	sequence, err := strconv.ParseUint(r.PostFormValue("sequence"), 10, 63)
	if err != nil {
		return fmt.Errorf("%w: choose a version", ErrInvalid)
	}
	if r.PostFormValue("do") == "stop" {
		err = h.StopRollout(r.Context(), who.name, sequence, who.site)
	} else {
		var only []string
		if name := r.PostFormValue("name"); name != "" {
			only = []string{name}
		}
		_, err = h.Stage(r.Context(), who.name, sequence, who.site, only...)
	}
	if err == nil {
		http.Redirect(w, r, "/office/terminals", http.StatusSeeOther)
	}
	return err
}

func (h *Hub) rejoinPost(w http.ResponseWriter, r *http.Request, who officer) error {
	if _, err := h.Readmit(r.Context(), who.site, who.name, r.PostFormValue("code")); err != nil {
		return err
	}
	http.Redirect(w, r, "/office/terminals", http.StatusSeeOther)
	return nil
}

func (h *Hub) joinPost(w http.ResponseWriter, r *http.Request, who officer) error {
	code, err := h.NewJoinCode(r.Context(), who.site, who.name, r.PostFormValue("name"))
	if err != nil {
		return err
	}
	return h.showTerminals(w, r, who, code)
}

func (h *Hub) orderPost(w http.ResponseWriter, r *http.Request, who officer) (err error) {
	name, do := r.PostFormValue("name"), r.PostFormValue("do")
	if do == "remove" {
		err = h.RemoveTerminal(r.Context(), who.site, who.name, name)
	} else {
		err = h.Command(r.Context(), who.site, who.name, name, register.Command{Do: register.Action(do)})
	}
	if err == nil {
		http.Redirect(w, r, "/office/terminals", http.StatusSeeOther)
	}
	return err
}

// disposedPost takes a certificate as it was pasted: browsers send lines with CR LF.
func (h *Hub) disposedPost(w http.ResponseWriter, r *http.Request, who officer) error {
	name, err := h.Dispose(r.Context(), who.site, who.name, strings.ReplaceAll(r.PostFormValue("certificate"), "\r\n", "\n"))
	if err == nil {
		http.Redirect(w, r, "/office/terminals/"+name+"/held", http.StatusSeeOther)
	}
	return err
}

func (h *Hub) apiDisposed(r *http.Request, who officer) (any, error) {
	var in struct {
		Certificate string `json:"certificate"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	name, err := h.Dispose(r.Context(), who.site, who.name, in.Certificate)
	return struct {
		Terminal string `json:"terminal"`
	}{name}, err
}

func (h *Hub) receiptsPage(w http.ResponseWriter, r *http.Request, who officer) error {
	all, err := h.Reports(r.Context(), who.site, register.ReportReceipt, consent.SubjectID(r.URL.Query().Get("subject")), 500)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "receipts", view{Title: "Receipts", Body: all})
	return nil
}

// receiptFile gives one receipt as the terminal wrote it, to keep and to verify.
func (h *Hub) receiptFile(w http.ResponseWriter, r *http.Request, who officer) error {
	rep, err := h.receipt(r.Context(), who.site, r.PathValue("terminal"), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="receipt-`+url.PathEscape(string(rep.Subject))+`.txt"`)
	w.Write([]byte(rep.Body))
	return nil
}

type schoolView struct {
	Profile consent.Profile
	Heard   consent.Date // the last complete list of pupils
	Silent  bool
	Deeds   []Deed
	Reports []Report
}

func (h *Hub) schoolPage(w http.ResponseWriter, r *http.Request, who officer) error {
	site, err := h.Site(r.Context(), who.site)
	if err != nil {
		return err
	}
	deeds, err := h.Deeds(r.Context(), who.site, 200)
	if err != nil {
		return err
	}
	alerts, err := h.Reports(r.Context(), who.site, register.ReportAlert, "", 50)
	if err != nil {
		return err
	}
	heard, silent, err := loadHeard(r.Context(), h.db, who.site)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "school", view{Title: "School", Body: schoolView{site.Profile, heard, silent, deeds, alerts}})
	return nil
}
