package hub

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// commissionView is what the page of one terminal's commissioning shows.
type commissionView struct {
	Terminal string
	Now      register.Commission
	Key      string               // fingerprint of its key
	Status   register.Status      // what the terminal says of itself
	Next     register.Mode        // the step that is open; "" at the end
	Ask      []register.Reference // for that step, filled in with what another terminal has on record
	Back     []register.Mode      // to which it can go back
	Notices  []string             // versions of the parents' notice that count
}

// Words for the page.
var evidenceWords = map[register.Evidence]string{
	register.Basis:         "Legal basis, in the record of processing",
	register.Policy:        "School policy that speaks of these terminals",
	register.PrivacyNotice: "Privacy notice to pupils and staff",
	register.DPIA:          "Data protection impact assessment",
	register.ParentsNotice: "Notice to every parent: its version",
	register.ConsentForm:   "Form for written consent",
	register.Alternative:   "PIN, name and cash tried at this till, at no disadvantage",
	register.SignOff:       "Agreement of governors and data protection officer",
}

var modeWords = map[register.Mode]string{
	register.ModeOff:     "off: cash only",
	register.ModePIN:     "PINs: PIN, name and cash",
	register.ModeFingers: "fingers, where consent allows them",
}

func (h *Hub) commissionPage(w http.ResponseWriter, r *http.Request, who officer) error {
	v, err := h.commissionView(r, who)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "commission", view{Title: "Commissioning of " + v.Terminal, Body: v})
	return nil
}

func (h *Hub) commissionView(r *http.Request, who officer) (v commissionView, err error) {
	v.Terminal = r.PathValue("name")
	if v.Now, err = loadCommission(r.Context(), h.db, who.site, v.Terminal); err != nil {
		return v, err
	}
	all, err := h.Terminals(r.Context(), who.site)
	if err != nil {
		return v, err
	}
	for _, t := range all {
		if t.Terminal == v.Terminal {
			v.Status, v.Key = t.Status, register.KeyFingerprint(t.Key)
		}
	}
	site, err := h.Site(r.Context(), who.site)
	if err != nil {
		return v, err
	}
	v.Notices = site.Profile.Notices
	known, err := h.References(r.Context(), who.site)
	if err != nil {
		return v, err
	}
	at := slices.Index(register.Modes, v.Now.Mode)
	v.Back = register.Modes[:at]
	if at+1 == len(register.Modes) {
		return v, nil
	}
	v.Next = register.Modes[at+1]
	for _, need := range v.Next.Needs()[len(v.Now.Mode.Needs()):] {
		ask := register.Reference{For: need}
		if i := slices.IndexFunc(known, func(o register.Reference) bool { return o.For == need }); i >= 0 {
			ask = known[i]
		}
		v.Ask = append(v.Ask, ask)
	}
	return v, nil
}

func (h *Hub) commissionPost(w http.ResponseWriter, r *http.Request, who officer) error {
	c := register.Commission{Mode: register.Mode(r.PostFormValue("mode"))}
	for _, need := range c.Mode.Needs() {
		field := func(name string) string { return r.PostFormValue(string(need) + "-" + name) }
		if field("text") == "" {
			continue // on record already, or missing: the step says which
		}
		on, err := consent.ParseDate(field("on"))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		c.References = append(c.References, register.Reference{For: need, Text: field("text"), On: on, By: field("by")})
	}
	name := r.PathValue("name")
	if err := h.Commission(r.Context(), who.site, who.name, name, c); err != nil {
		return err
	}
	http.Redirect(w, r, "/office/terminals/"+name+"/commission", http.StatusSeeOther)
	return nil
}
