package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/consent"
)

// Update is what the office may change about a subject besides adding
// statements. Nil leaves a field as it is. Nothing here can permit what a
// statement forbids: an adult with a say can be added, never taken away.
type Update struct {
	Name       *string         `json:"name,omitempty"`
	Form       *string         `json:"form,omitempty"`
	Photo      []byte          `json:"photo,omitempty"`
	Dietary    *[]string       `json:"dietary,omitempty"`
	Eighteenth *consent.Date   `json:"eighteenth,omitempty"` // a correction
	Roster     *consent.Roster `json:"roster,omitempty"`     // leaver erases, person record and all (D3)
	LeavesOn   *consent.Date   `json:"leaves_on,omitempty"`
	Restricted *bool           `json:"restricted,omitempty"` // F5, G11
	Hold       *bool           `json:"hold,omitempty"`       // G12
	AddAdults  []Adult         `json:"add_adults,omitempty"`
}

// UpdateSubject changes a subject's record and decides again, in one change: there
// is no moment at which a leaver is a leaver and still permitted.
func (h *Hub) UpdateSubject(ctx context.Context, site, officer string, id consent.SubjectID, u Update) (consent.Decision, error) {
	decision := consent.Erase
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		who, err := loadSubject(ctx, tx, site, id)
		if err != nil {
			return err
		}
		deed := u.apply(who)
		check := NewSubject{Class: who.Class, Eighteenth: who.Eighteenth, Name: who.person.name, Form: who.person.form,
			Photo: who.person.photo, Dietary: who.person.dietary, Responsible: u.AddAdults}
		if err := check.check(); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if err := saveSubject(ctx, tx, site, who); err != nil {
			return err
		}
		for _, a := range u.AddAdults {
			if _, err := tx.ExecContext(ctx, `INSERT INTO responsible (site, subject, adult, name, capacity, parental) VALUES ($1, $2, $3, $4, $5, $6)`,
				site, id, a.ID, a.Name, string(a.Capacity), a.ParentalResponsibility); unique(err) {
				return fmt.Errorf("%w: an adult with the id %.40q is on record already", ErrInvalid, a.ID)
			} else if err != nil {
				return err
			}
		}
		if err := h.note(ctx, tx, site, officer, deed, string(id)); err != nil {
			return err
		}
		if err := h.settle(ctx, tx, site, []consent.SubjectID{id}); err != nil {
			return err
		}
		if who, err = loadSubject(ctx, tx, site, id); err == nil {
			decision = who.standing.Decision
		}
		return err
	})
	if err != nil {
		return consent.Erase, fmt.Errorf("changing a subject: %w", err)
	}
	return decision, nil
}

// apply changes who and says in words what the office did, without the values.
func (u Update) apply(who *subject) (deed string) {
	deed = "changed the record"
	p := &who.person
	before := fmt.Sprint(p.name, p.form, p.dietary)
	set(&p.name, u.Name)
	set(&p.form, u.Form)
	set(&p.dietary, u.Dietary)
	if before != fmt.Sprint(p.name, p.form, p.dietary) || u.Photo != nil && !slices.Equal(p.photo, u.Photo) {
		p.revision++ // terminals fetch the record anew
	}
	if u.Photo != nil {
		p.photo = u.Photo
	}
	set(&who.Eighteenth, u.Eighteenth)
	set(&who.LeavesOn, u.LeavesOn)
	if u.Restricted != nil && *u.Restricted != who.Restricted {
		deed = map[bool]string{true: "restricted the processing (F5)", false: "lifted the restriction: the person is to be told (G11)"}[*u.Restricted]
	}
	if u.Hold != nil && *u.Hold != who.Hold {
		deed = map[bool]string{true: "has the data held for a claim (G12)", false: "ended the hold for a claim (G12)"}[*u.Hold]
	}
	set(&who.Restricted, u.Restricted)
	set(&who.Hold, u.Hold)
	if u.Roster != nil {
		who.Roster = *u.Roster
		deed = "set the roster to " + who.Roster.String()
	}
	return deed
}

// set changes field if the request brought a value: absent is not the same as empty.
func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// saveSubject writes back what Update can change. PIN and standing are not among
// it: those have one writer each, withPINs and settle.
func saveSubject(ctx context.Context, tx *sql.Tx, site string, s *subject) error {
	dietary, err := json.Marshal(s.person.dietary)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE subjects SET eighteenth = $3, roster = $4, leaves_on = $5, restricted = $6, hold = $7,
			name = $8, form = $9, photo = $10, dietary = $11, person_rev = $12 WHERE site = $1 AND subject = $2`,
		site, s.ID, s.Eighteenth.String(), s.Roster.String(), s.LeavesOn.String(), s.Restricted, s.Hold,
		s.person.name, s.person.form, s.person.photo, string(dietary), int64(s.person.revision))
	if err != nil {
		return fmt.Errorf("saving subject %s: %w", s.ID, err)
	}
	return nil
}

// Leave records that a subject has left: everything about them goes from every
// terminal, the person record too (D3).
func (h *Hub) Leave(ctx context.Context, site, officer string, id consent.SubjectID) error {
	leaver := consent.Leaver
	_, err := h.UpdateSubject(ctx, site, officer, id, Update{Roster: &leaver})
	return err
}
