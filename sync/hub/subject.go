package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// Bounds of what may be recorded about a person.
const (
	MaxSubjects = 5000     // of one AddSubjects
	MaxPhoto    = 64 << 10 // bytes
	maxAdults   = 12
	maxDietary  = 16
)

// Adult is someone with a say about a pupil. Names stay at the hub (F1).
type Adult struct {
	consent.Responsible
	Name string `json:"name"`
}

// NewSubject is a person to be added, with what has been said so far.
type NewSubject struct {
	Class       consent.Class       `json:"class"`
	Eighteenth  consent.Date        `json:"eighteenth,omitzero"` // 18th birthday
	LeavesOn    consent.Date        `json:"leaves_on,omitzero"`
	Name        string              `json:"name"`
	Form        string              `json:"form,omitempty"`
	Photo       []byte              `json:"photo,omitempty"` // JPEG or PNG, at most MaxPhoto bytes
	Dietary     []string            `json:"dietary,omitempty"`
	Responsible []Adult             `json:"responsible,omitempty"`
	Statements  []consent.Statement `json:"statements,omitempty"` // an empty ID is given one
	PIN         bool                `json:"pin,omitempty"`        // draw a PIN at once
}

// Added is what became of a NewSubject.
type Added struct {
	Subject consent.SubjectID `json:"subject"`
	PIN     string            `json:"pin,omitempty"` // shown this once, and kept nowhere
}

// subject is a row of the table with its adults and statements.
type subject struct {
	consent.Subject
	statements []consent.Statement
	person     person
	standing   *register.Subject // last entered in the register; nil if none was
}

// person is what terminals may know about a subject besides the decision.
type person struct {
	name, form  string
	photo       []byte
	dietary     []string
	pinIndex    []byte
	pinVerifier string
	revision    uint64
}

// AddSubjects adds people in one transaction: all of them, or none and the
// reason why. Their PINs are in the answer, in the same order.
func (h *Hub) AddSubjects(ctx context.Context, site, officer string, people []NewSubject) ([]Added, error) {
	if len(people) > MaxSubjects {
		return nil, fmt.Errorf("%w: at most %d people at a time; split the list", ErrInvalid, MaxSubjects)
	}
	if err := refuseBulkConsent(people); err != nil {
		return nil, err
	}
	for i, p := range people {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("%w: person %d of the list: %w", ErrInvalid, i+1, err)
		}
	}
	wanted := 0
	for _, p := range people {
		if p.PIN {
			wanted++
		}
	}
	var added []Added
	err := h.withPINs(ctx, site, wanted, func(tx *sql.Tx, pins []drawnPIN) error {
		added = make([]Added, 0, len(people))
		ids := make([]consent.SubjectID, 0, len(people))
		for _, p := range people {
			var pin drawnPIN
			if p.PIN {
				pin, pins = pins[0], pins[1:]
			}
			id, err := h.insertSubject(ctx, tx, site, officer, p, pin)
			if err != nil {
				return err
			}
			ids = append(ids, id)
			added = append(added, Added{id, pin.digits})
		}
		if err := h.note(ctx, tx, site, officer, fmt.Sprintf("added %d people", len(people)), ""); err != nil {
			return err
		}
		return h.settle(ctx, tx, site, ids)
	})
	if err != nil {
		return nil, fmt.Errorf("adding people: %w", err)
	}
	return added, nil
}

// insertSubject writes one person with their adults and statements. The standing
// stays empty, which is nobody's permit, until the same change settles it.
func (h *Hub) insertSubject(ctx context.Context, tx *sql.Tx, site, officer string, p NewSubject, pin drawnPIN) (consent.SubjectID, error) {
	id, err := consent.NewSubjectID(h.config.Rand)
	if err != nil {
		return "", err
	}
	dietary, err := json.Marshal(p.Dietary)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO subjects (site, subject, class, eighteenth, roster, leaves_on, restricted, hold,
			name, form, photo, dietary, pin_index, pin_verifier, person_rev, standing, entry, next_end)
		VALUES ($1, $2, $3, $4, $5, $6, FALSE, FALSE, $7, $8, $9, $10, $11, $12, 1, '', 0, '')`,
		site, id, p.Class.String(), p.Eighteenth.String(), consent.Current.String(), p.LeavesOn.String(),
		p.Name, p.Form, p.Photo, string(dietary), pin.index, pin.verifier)
	if err != nil {
		return "", err
	}
	for _, a := range p.Responsible {
		if _, err := tx.ExecContext(ctx, `INSERT INTO responsible (site, subject, adult, name, capacity, parental) VALUES ($1, $2, $3, $4, $5, $6)`,
			site, id, a.ID, a.Name, string(a.Capacity), a.ParentalResponsibility); err != nil {
			return "", err
		}
	}
	for _, s := range p.Statements {
		if _, err := h.insertStatement(ctx, tx, site, officer, id, s); err != nil {
			return "", err
		}
	}
	return id, nil
}

// check refuses what would be stored and could not be decided about later. Its
// sentences name rules and sizes, never what was in a field.
func (p NewSubject) check() error {
	for _, f := range append([]string{p.Name, p.Form}, p.Dietary...) {
		if len(f) > consent.MaxField {
			return fmt.Errorf("a field is longer than %d bytes", consent.MaxField)
		}
	}
	switch {
	case p.Name == "":
		return errors.New("the name is missing")
	case p.Class == consent.UnknownClass:
		return errors.New("the class is missing: pupil or adult")
	case p.Class == consent.Pupil && !p.Eighteenth.Valid():
		return errors.New("a pupil's 18th birthday is missing (A2)")
	case len(p.Photo) > MaxPhoto:
		return fmt.Errorf("the photo is larger than %d bytes", MaxPhoto)
	case len(p.Dietary) > maxDietary || len(p.Responsible) > maxAdults || len(p.Statements) > maxStatements:
		return fmt.Errorf("more than %d dietary words, %d adults or %d statements", maxDietary, maxAdults, maxStatements)
	}
	var known []string
	for _, a := range p.Responsible {
		if a.ID == "" || len(a.ID) > 40 || len(a.Name) > consent.MaxField || slices.Contains(known, a.ID) {
			return errors.New("every responsible adult needs an id of its own (at most 40 bytes) and a name of reasonable length")
		}
		known = append(known, a.ID)
	}
	for _, s := range p.Statements {
		if err := acceptable(s); err != nil {
			return err
		}
	}
	return nil
}

// loadSubject reads all that a decision about one subject needs.
func loadSubject(ctx context.Context, q asker, site string, id consent.SubjectID) (*subject, error) {
	s := &subject{Subject: consent.Subject{ID: id}}
	var class, roster, eighteenth, leaves, used, dietary, standing string
	err := q.QueryRowContext(ctx, `SELECT class, eighteenth, roster, leaves_on, last_used, (SELECT silent FROM sites WHERE site = $1),
			restricted, hold, name, form, photo, dietary, pin_index, pin_verifier, person_rev, standing
		FROM subjects WHERE site = $1 AND subject = $2`, site, id).Scan(
		&class, &eighteenth, &roster, &leaves, &used, &s.Silent, &s.Restricted, &s.Hold, &s.person.name, &s.person.form, &s.person.photo, &dietary,
		&s.person.pinIndex, &s.person.pinVerifier, &s.person.revision, &standing)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: there is no subject %.40q", ErrNotFound, id)
	}
	if err != nil {
		return nil, fmt.Errorf("reading subject %s: %w", id, plain(err))
	}
	err = errors.Join(s.Class.UnmarshalText([]byte(class)), s.Roster.UnmarshalText([]byte(roster)),
		s.Eighteenth.UnmarshalText([]byte(eighteenth)), s.LeavesOn.UnmarshalText([]byte(leaves)),
		s.LastUsed.UnmarshalText([]byte(used)), json.Unmarshal([]byte(dietary), &s.person.dietary))
	s.Silent = s.Silent && s.Class == consent.Pupil // the list is of pupils
	if standing != "" && err == nil {
		err = json.Unmarshal([]byte(standing), &s.standing)
	}
	if err != nil {
		return nil, fmt.Errorf("reading subject %s: %w", id, err)
	}
	if s.Responsible, err = loadResponsible(ctx, q, site, id); err == nil {
		s.statements, err = loadStatements(ctx, q, site, id)
	}
	return s, err
}

func loadResponsible(ctx context.Context, q asker, site string, id consent.SubjectID) ([]consent.Responsible, error) {
	var all []consent.Responsible
	err := each(ctx, q, func(r *sql.Rows) error {
		var a consent.Responsible
		err := r.Scan(&a.ID, &a.Capacity, &a.ParentalResponsibility)
		all = append(all, a)
		return err
	}, `SELECT adult, capacity, parental FROM responsible WHERE site = $1 AND subject = $2 ORDER BY adult`, site, id)
	return all, err
}
