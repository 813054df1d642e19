package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// Listed is one line of the office's list of people.
type Listed struct {
	Subject  consent.SubjectID `json:"subject"`
	Name     string            `json:"name"`
	Form     string            `json:"form"`
	Class    consent.Class     `json:"class"`
	PIN      bool              `json:"pin"` // has one
	Entry    uint64            `json:"entry"`
	Standing register.Subject  `json:"standing"`
}

// List returns people by name, at most most, whose name, form or pseudonym
// contains search, whatever its case. The search is done here and not by the
// database: SQLite knows the case of ASCII only, and Élise would not be found.
func (h *Hub) List(ctx context.Context, site, search string, most int) ([]Listed, error) {
	out := []Listed{}
	search = strings.ToLower(search)
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var l Listed
		var class, standing string
		var entry int64
		if err := r.Scan(&l.Subject, &l.Name, &l.Form, &class, &l.PIN, &entry, &standing); err != nil {
			return err
		}
		if len(out) >= most || !strings.Contains(strings.ToLower(l.Name+"\n"+l.Form+"\n"+string(l.Subject)), search) {
			return nil
		}
		l.Entry = uint64(entry)
		if err := l.Class.UnmarshalText([]byte(class)); err != nil {
			return err
		}
		out = append(out, l)
		return json.Unmarshal([]byte(standing), &out[len(out)-1].Standing)
	}, `SELECT subject, name, form, class, pin_index IS NOT NULL, entry, standing FROM subjects WHERE site = $1 ORDER BY LOWER(name), subject`, site)
	if err != nil {
		return nil, fmt.Errorf("listing people: %w", err)
	}
	return out, nil
}

// Detail is all that the office has on record about one person.
type Detail struct {
	Listed
	Eighteenth  consent.Date        `json:"eighteenth,omitzero"`
	Roster      consent.Roster      `json:"roster"`
	LeavesOn    consent.Date        `json:"leaves_on,omitzero"`
	LastUsed    consent.Date        `json:"last_used,omitzero"` // to about a month (D3)
	Restricted  bool                `json:"restricted"`
	Hold        bool                `json:"hold"`
	Dietary     []string            `json:"dietary"`
	Responsible []Adult             `json:"responsible"`
	Statements  []consent.Statement `json:"statements"`
	Reasons     []consent.Reason    `json:"reasons"`     // with their sentences
	Unconfirmed []string            `json:"unconfirmed"` // terminals that have yet to confirm the standing
}

// Subject returns one person's record and statements.
func (h *Hub) Subject(ctx context.Context, site string, id consent.SubjectID) (*Detail, error) {
	s, err := loadSite(ctx, h.db, site)
	if err != nil {
		return nil, err
	}
	who, err := loadSubject(ctx, h.db, site, id)
	if err != nil {
		return nil, err
	}
	d := &Detail{Eighteenth: who.Eighteenth, Roster: who.Roster, LeavesOn: who.LeavesOn, LastUsed: who.LastUsed, Restricted: who.Restricted,
		Hold: who.Hold, Dietary: who.person.dietary, Statements: who.statements}
	d.Listed = Listed{Subject: id, Name: who.person.name, Form: who.person.form, Class: who.Class, PIN: who.person.pinIndex != nil, Standing: *who.standing}
	slices.SortStableFunc(d.Statements, func(a, b consent.Statement) int { return a.At.Compare(b.At) })
	_, local, err := s.today(h.config.Now())
	if err != nil {
		return nil, err
	}
	_, d.Reasons = consent.Decide(who.Subject, who.statements, s.Profile, local)
	if slices.Contains(who.standing.Reasons, massRow) {
		d.Reasons = append(d.Reasons, consent.Reason{Row: massRow, Text: "So many would be erased at once that the office is asked first."})
	}
	err = each(ctx, h.db, func(r *sql.Rows) error {
		var a Adult
		err := r.Scan(&a.ID, &a.Name, &a.Capacity, &a.ParentalResponsibility)
		d.Responsible = append(d.Responsible, a)
		return err
	}, `SELECT adult, name, capacity, parental FROM responsible WHERE site = $1 AND subject = $2 ORDER BY adult`, site, id)
	if err != nil {
		return nil, fmt.Errorf("reading subject %s: %w", id, err)
	}
	d.Unconfirmed, d.Entry, err = h.awaited(ctx, site, id)
	return d, err
}

// awaited lists the terminals that have not confirmed the subject's last entry.
func (h *Hub) awaited(ctx context.Context, site string, id consent.SubjectID) ([]string, uint64, error) {
	var entry int64
	if err := h.db.QueryRowContext(ctx, `SELECT entry FROM subjects WHERE site = $1 AND subject = $2`, site, id).Scan(&entry); err != nil {
		return nil, 0, fmt.Errorf("reading subject %s: %w", id, plain(err))
	}
	names := []string{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		names = append(names, "")
		return r.Scan(&names[len(names)-1])
	}, `SELECT terminal FROM terminals WHERE site = $1 AND removed = FALSE AND reported < $2 ORDER BY terminal`, site, entry)
	return names, uint64(entry), err
}
