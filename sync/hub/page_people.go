package hub

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tillprint/tillprint/consent"
)

type peopleView struct {
	Search string
	People []Listed
	PINs   PINFit
}

func (h *Hub) peoplePage(w http.ResponseWriter, r *http.Request, who officer) error {
	search := r.URL.Query().Get("q")
	people, err := h.List(r.Context(), who.site, search, 200)
	if err != nil {
		return err
	}
	fit, err := h.PINFit(r.Context(), who.site)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "people", view{Title: "People", Body: peopleView{search, people, fit}})
	return nil
}

func (h *Hub) personAdd(w http.ResponseWriter, r *http.Request, who officer) error {
	var p NewSubject
	err := errors.Join(p.Class.UnmarshalText([]byte(r.PostFormValue("class"))), p.Eighteenth.UnmarshalText([]byte(r.PostFormValue("eighteenth"))))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	p.Name, p.Form, p.PIN = r.PostFormValue("name"), r.PostFormValue("form"), true
	for i := 1; i <= 2; i++ {
		if name := r.PostFormValue(fmt.Sprintf("parent%d", i)); name != "" {
			p.Responsible = append(p.Responsible, Adult{consent.Responsible{ID: fmt.Sprintf("g_%d", i), Capacity: consent.Parent, ParentalResponsibility: true}, name})
		}
	}
	added, err := h.AddSubjects(r.Context(), who.site, who.name, []NewSubject{p})
	if err != nil {
		return err
	}
	return h.showPINs(w, r, who, added)
}

func (h *Hub) personPage(w http.ResponseWriter, r *http.Request, who officer) error {
	id, err := subjectOf(r)
	if err != nil {
		return err
	}
	d, err := h.Subject(r.Context(), who.site, id)
	if err != nil {
		return err
	}
	h.show(w, r, http.StatusOK, who, "person", view{Title: d.Name, Body: d})
	return nil
}

// personAct does what one press on a person's page asks for.
func (h *Hub) personAct(w http.ResponseWriter, r *http.Request, who officer) error {
	id, err := subjectOf(r)
	if err != nil {
		return err
	}
	switch r.PathValue("act") {
	case "withdraw":
		_, err = h.Withdraw(r.Context(), who.site, who.name, id, r.PostFormValue("by"), r.PostFormValue("form") == string(consent.Written))
	case "refuse":
		_, err = h.Refuse(r.Context(), who.site, who.name, id)
	case "leave":
		err = h.Leave(r.Context(), who.site, who.name, id)
	case "restrict", "lift":
		restricted := r.PathValue("act") == "restrict"
		_, err = h.UpdateSubject(r.Context(), who.site, who.name, id, Update{Restricted: &restricted})
	case "hold", "release":
		hold := r.PathValue("act") == "hold"
		_, err = h.UpdateSubject(r.Context(), who.site, who.name, id, Update{Hold: &hold})
	case "not-theirs":
		err = h.NotTheirs(r.Context(), who.site, who.name, id)
	case "correct":
		err = h.correctPost(r, who, id)
	case "statement":
		err = h.statementPost(r, who, id)
	case "pin":
		pins, err := h.DrawPINs(r.Context(), who.site, who.name, []consent.SubjectID{id})
		if err != nil {
			return err
		}
		return h.showPINs(w, r, who, pins)
	default:
		err = fmt.Errorf("%w: there is no such act", ErrNotFound)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/office/people/"+string(id), http.StatusSeeOther)
	return nil
}

// correctPost corrects what is on record about a person (F4, G7).
func (h *Hub) correctPost(r *http.Request, who officer, id consent.SubjectID) error {
	name, form := strings.TrimSpace(r.PostFormValue("name")), strings.TrimSpace(r.PostFormValue("form"))
	dietary := []string{}
	for note := range strings.SplitSeq(r.PostFormValue("dietary"), ",") {
		if note = strings.TrimSpace(note); note != "" {
			dietary = append(dietary, note)
		}
	}
	_, err := h.UpdateSubject(r.Context(), who.site, who.name, id, Update{Name: &name, Form: &form, Dietary: &dietary})
	return err
}

// statementPost records what a parent or the subject said on the date given.
func (h *Hub) statementPost(r *http.Request, who officer, id consent.SubjectID) error {
	d, err := h.Subject(r.Context(), who.site, id)
	if err != nil {
		return err
	}
	site, err := h.Site(r.Context(), who.site)
	if err != nil {
		return err
	}
	s := consent.Statement{Kind: consent.Kind(r.PostFormValue("kind")), Form: consent.Form(r.PostFormValue("form")), By: r.PostFormValue("by"),
		Notice: r.PostFormValue("notice"), Evidence: r.PostFormValue("evidence"), Purpose: site.Profile.Purpose, Modality: site.Profile.Modality}
	today, local, err := site.today(h.config.Now())
	if err != nil {
		return err
	}
	var said consent.Date
	if err := said.UnmarshalText([]byte(r.PostFormValue("on"))); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if s.At = local; !said.IsZero() && said.Before(today) {
		s.At = said.Start(local.Location())
	}
	s.Capacity = (&subject{Subject: consent.Subject{Class: d.Class}}).ownCapacity()
	for _, a := range d.Responsible {
		if a.ID == s.By {
			s.Capacity = a.Capacity
		}
	}
	_, err = h.AddStatement(r.Context(), who.site, who.name, id, s)
	return err
}
