package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
)

const (
	maxStatements = 200 // about one subject in one import
	maxShared     = 8   // subjects that one piece of evidence can stand for
)

// AddStatement records what somebody said and decides again. A statement whose
// ID is on record already changes nothing, so that it may be sent twice; one
// without an ID is given one. There is no way to change or remove a statement.
func (h *Hub) AddStatement(ctx context.Context, site, officer string, id consent.SubjectID, s consent.Statement) (consent.Decision, error) {
	if err := acceptable(s); err != nil {
		return consent.Erase, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	decision := consent.Erase
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		if _, err := loadSubject(ctx, tx, site, id); err != nil {
			return err
		}
		fresh, err := h.insertStatement(ctx, tx, site, officer, id, s)
		if err != nil {
			return err
		}
		if fresh {
			if err := h.note(ctx, tx, site, officer, "recorded "+string(s.Kind)+" ("+string(s.Form)+")", string(id)); err != nil {
				return err
			}
		}
		if err := h.settle(ctx, tx, site, []consent.SubjectID{id}); err != nil {
			return err
		}
		who, err := loadSubject(ctx, tx, site, id)
		if err == nil {
			decision = who.standing.Decision
		}
		return err
	})
	if err != nil {
		return consent.Erase, fmt.Errorf("recording a statement: %w", err)
	}
	return decision, nil
}

// Withdraw records, in one press, that an adult takes their consent back; by
// names the adult, or is empty for the subject's own withdrawal. written says
// whether it was made in writing: both stop matching at once (s.27(3)).
func (h *Hub) Withdraw(ctx context.Context, site, officer string, id consent.SubjectID, by string, written bool) (consent.Decision, error) {
	s := h.said(consent.Withdrawal, written)
	s.By = by
	who, err := loadSubject(ctx, h.db, site, id)
	if err != nil {
		return consent.Erase, err
	}
	s.Capacity = who.ownCapacity()
	if by == "" || by == string(id) {
		s.By = string(id)
		return h.AddStatement(ctx, site, officer, id, s)
	}
	for _, a := range who.Responsible {
		if a.ID == by {
			s.Capacity = a.Capacity
			return h.AddStatement(ctx, site, officer, id, s)
		}
	}
	return consent.Erase, fmt.Errorf("%w: %.40q is not on record as responsible for this subject", ErrNotFound, by)
}

// Refuse records that the subject does not want to take part, in whatever words
// (A3). Nothing that anybody says afterwards for the subject undoes it.
func (h *Hub) Refuse(ctx context.Context, site, officer string, id consent.SubjectID) (consent.Decision, error) {
	who, err := loadSubject(ctx, h.db, site, id)
	if err != nil {
		return consent.Erase, err
	}
	s := h.said(consent.Refusal, false)
	s.By, s.Capacity = string(id), who.ownCapacity()
	return h.AddStatement(ctx, site, officer, id, s)
}

// said is a statement made now, to the office, about this product.
func (h *Hub) said(kind consent.Kind, written bool) consent.Statement {
	s := consent.Statement{Kind: kind, Form: consent.Verbal, At: h.config.Now(), Purpose: consent.CanteenIdentification, Modality: consent.Finger}
	if written {
		s.Form = consent.Written
	}
	return s
}

func (s *subject) ownCapacity() consent.Capacity {
	if s.Class == consent.Pupil {
		return consent.Child
	}
	return consent.Self
}

// acceptable refuses what could only be recorded by mistake. A consent must be a
// positive act with its evidence and notice (A8, A9, E1): "no opt-out came
// back" is not one, and the importer says so instead of recording a nothing.
func acceptable(s consent.Statement) error {
	if s.ID == "" {
		s.ID = "new"
	}
	if err := s.Validate(); err != nil {
		return err
	}
	if s.Kind != consent.Consent {
		return nil
	}
	switch {
	case s.Form == consent.OptOut || s.Form == consent.Implied:
		return fmt.Errorf("a consent of form %q is none: consent is a positive act, never an opt-out that did not come back (A8)", s.Form)
	case s.Capacity == consent.Child: // a child's yes may be a word; it permits nothing by itself
		return nil
	case s.Evidence == "":
		return errors.New("a consent needs a reference to its evidence, such as the form's number (A8, E1)")
	case s.Notice == "":
		return errors.New("a consent needs the version of the notice that it answers (A9)")
	}
	return nil
}

// refuseBulkConsent refuses a list in which one piece of evidence stands for a
// crowd: that is a default in disguise (A8). Brothers and sisters may share a form.
func refuseBulkConsent(people []NewSubject) error {
	uses := map[string]int{}
	for _, p := range people {
		seen := map[string]bool{}
		for _, s := range p.Statements {
			if s.Kind == consent.Consent && !seen[s.Evidence] {
				seen[s.Evidence] = true
				uses[s.Evidence]++
			}
		}
	}
	for _, n := range uses {
		if n > maxShared {
			return fmt.Errorf("%w: one evidence reference stands for the consents of %d people; give each consent its own (A8)", ErrInvalid, n)
		}
	}
	return nil
}

// insertStatement reports whether the statement was new.
func (h *Hub) insertStatement(ctx context.Context, tx *sql.Tx, site, officer string, id consent.SubjectID, s consent.Statement) (bool, error) {
	if s.ID == "" {
		b, err := randomBytes(h.config.Rand, 16)
		if err != nil {
			return false, err
		}
		s.ID = fmt.Sprintf("s_%x", b)
	}
	if s.TakenBy == "" {
		s.TakenBy = officer
	}
	body, err := json.Marshal(s)
	if err != nil {
		return false, fmt.Errorf("recording a statement: %w", err)
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO statements (site, subject, id, body, recorded, recorded_by)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site, subject, id) DO NOTHING`,
		site, id, s.ID, string(body), at(h.config.Now()), officer)
	if err != nil {
		return false, err
	}
	if n, err := r.RowsAffected(); err != nil || n == 1 {
		return n == 1, err
	}
	return false, sameStatement(ctx, tx, site, id, s)
}

// sameStatement refuses a statement that carries the id of another one: taken for
// a repeat, it would be lost, and it may be a refusal.
func sameStatement(ctx context.Context, tx *sql.Tx, site string, id consent.SubjectID, s consent.Statement) error {
	all, err := loadStatements(ctx, tx, site, id)
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.ID == s.ID && (old.Kind != s.Kind || old.By != s.By || old.Capacity != s.Capacity || !old.At.Equal(s.At)) {
			return fmt.Errorf("%w: another statement has the id %.40q already; leave the id empty to be given one", ErrInvalid, s.ID)
		}
	}
	return nil
}

func loadStatements(ctx context.Context, q asker, site string, id consent.SubjectID) ([]consent.Statement, error) {
	var all []consent.Statement
	err := each(ctx, q, func(r *sql.Rows) error {
		var body string
		if err := r.Scan(&body); err != nil {
			return err
		}
		var s consent.Statement
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			return fmt.Errorf("a statement about %s cannot be read: %w", id, err)
		}
		all = append(all, s)
		return nil
	}, `SELECT body FROM statements WHERE site = $1 AND subject = $2 ORDER BY recorded, id`, site, id)
	return all, err
}
