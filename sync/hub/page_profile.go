package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tillprint/tillprint/consent"
)

// profileView is the form of the school's profile: what is in force, or what was entered and cannot be.
type profileView struct {
	consent.Profile
	Shown string // what was in force when the form was filled in
}

func (h *Hub) profilePage(w http.ResponseWriter, r *http.Request, who officer) error {
	site, err := h.Site(r.Context(), who.site)
	if err != nil {
		return err
	}
	shown, err := json.Marshal(site.Profile)
	if err != nil {
		return err
	}
	h.showProfile(w, r, http.StatusOK, who, "", profileView{site.Profile, string(shown)})
	return nil
}

func (h *Hub) showProfile(w http.ResponseWriter, r *http.Request, status int, who officer, problem string, v profileView) {
	h.show(w, r, status, who, "profile", view{Title: "School profile", Error: problem, Body: v})
}

// profilePost changes the profile. What cannot be comes back with what was entered and why.
func (h *Hub) profilePost(w http.ResponseWriter, r *http.Request, who officer) error {
	v := profileView{Shown: r.PostFormValue("shown")}
	site, err := h.Site(r.Context(), who.site)
	if err != nil {
		return err
	}
	v.Profile, err = enteredProfile(r, site.Profile)
	if err == nil {
		err = wantUnchanged(site.Profile, v.Shown)
	}
	if err == nil {
		err = h.SetProfile(r.Context(), who.site, who.name, v.Profile)
	}
	if errors.Is(err, ErrInvalid) {
		status, text := h.officeFailure(r, err)
		h.showProfile(w, r, status, who, text, v)
		return nil
	}
	if err == nil {
		http.Redirect(w, r, "/office/school", http.StatusSeeOther)
	}
	return err
}

// wantUnchanged refuses a form that was filled in over another profile: it would take back what somebody else has set since.
func wantUnchanged(now consent.Profile, shown string) error {
	text, err := json.Marshal(now)
	if err == nil && string(text) != shown {
		err = fmt.Errorf("%w: somebody has changed the profile since this form was opened: open it again, and enter your changes there", ErrInvalid)
	}
	return err
}

// enteredProfile reads the form over what the profile was, so that nothing is lost that has no field.
func enteredProfile(r *http.Request, p consent.Profile) (consent.Profile, error) {
	p.Biometrics = r.PostFormValue("biometrics") == "on"
	p.Purpose, p.Modality = strings.TrimSpace(r.PostFormValue("purpose")), strings.TrimSpace(r.PostFormValue("modality"))
	p.Nation = consent.Nation(r.PostFormValue("nation"))
	p.Notices, p.Invalid, p.Elsewhere = lines(r.PostFormValue("notices")), lines(r.PostFormValue("invalid")), lines(r.PostFormValue("elsewhere"))
	var flaws []error
	for _, field := range []struct {
		name  string
		value *int
	}{
		{"grace_days", &p.GraceDays}, {"agreement_age", &p.AgreementAge}, {"own_consent_age", &p.OwnConsentAge}, {"unused_days", &p.UnusedDays},
		{"silent_days", &p.SilentDays}, {"mass_percent", &p.MassPercent}, {"mass_days", &p.MassDays}, {"pin_digits", &p.PINDigits},
	} {
		text := strings.TrimSpace(r.PostFormValue(field.name))
		n, err := strconv.Atoi(text)
		if err != nil && text != "" {
			flaws = append(flaws, fmt.Errorf("%w: %.20q is no number (%s)", ErrInvalid, text, strings.ReplaceAll(field.name, "_", " ")))
		}
		*field.value = n // 0 where nothing is entered: the rule is off, or the usual number holds
	}
	if p.Biometrics && (p.Purpose == "" || p.Modality == "") {
		flaws = append(flaws, fmt.Errorf("%w: say what fingers are used for, and what is captured, or switch them off", ErrInvalid))
	}
	return p, errors.Join(flaws...)
}

// lines are the lines of a text that hold something.
func lines(text string) (found []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, line)
		}
	}
	return found
}
