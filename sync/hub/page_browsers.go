package hub

import (
	"encoding/base64"
	"encoding/pem"
	"html/template"
	"net/http"
	"slices"
	"time"
)

type browsersView struct {
	Browsers []TillBrowser
	New      *admitted // let in just now
}

// admitted is the only sight of a file and its password: the file is in the page itself, since the hub keeps neither.
type admitted struct {
	Name, Password string
	Ends           time.Time
	File           template.URL
}

func (h *Hub) browsersPage(w http.ResponseWriter, r *http.Request, who officer) error {
	return h.showBrowsers(w, r, who, nil)
}

func (h *Hub) showBrowsers(w http.ResponseWriter, r *http.Request, who officer, n *admitted) error {
	all, err := h.TillBrowsers(r.Context(), who.site)
	if err != nil {
		return err
	}
	now := h.config.Now()
	good := slices.DeleteFunc(all, func(b TillBrowser) bool { return !b.Revoked.IsZero() || !b.Ends.After(now) })
	h.show(w, r, http.StatusOK, who, "browsers", view{Title: "Browsers of the tills", Body: browsersView{good, n}})
	return nil
}

func (h *Hub) browserPost(w http.ResponseWriter, r *http.Request, who officer) error {
	name := r.PostFormValue("name")
	in, err := h.AdmitBrowser(r.Context(), who.site, who.name, name, r.PostFormValue("technician") == "yes", r.PostFormValue("old") == "yes")
	if err != nil {
		return err
	}
	file := template.URL("data:application/x-pkcs12;base64," + base64.StdEncoding.EncodeToString(in.File))
	return h.showBrowsers(w, r, who, &admitted{Name: name, Password: in.Password, Ends: in.Ends, File: file})
}

func (h *Hub) browserRevoke(w http.ResponseWriter, r *http.Request, who officer) error {
	if err := h.RevokeBrowser(r.Context(), who.site, who.name, r.PathValue("name")); err != nil {
		return err
	}
	http.Redirect(w, r, "/office/browsers", http.StatusSeeOther)
	return nil
}

// authorityFile is the certificate that browsers trust the tills by. Nothing in it is secret.
func (h *Hub) authorityFile(w http.ResponseWriter, r *http.Request, who officer) error {
	root, err := h.Authority(r.Context(), who.site)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-x509-ca-cert")
	w.Header().Set("Content-Disposition", `attachment; filename="`+who.site+`.crt"`)
	return pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
}
