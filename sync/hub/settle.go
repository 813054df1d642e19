package hub

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// change is what settle makes of one subject.
type change struct {
	id       consent.SubjectID
	was, now *register.Subject // was is nil for somebody new
	next     consent.Date      // when to decide again
}

// settle decides for each of the subjects from all that is on record and enters
// in the register what has changed, revocations first. It also empties the
// mailbox of whoever is not permitted. It is the only place where a standing
// comes from: there is no other way to one, and so no way around a refusal (I9).
func (h *Hub) settle(ctx context.Context, tx *sql.Tx, site string, ids []consent.SubjectID) error {
	s, err := loadSite(ctx, tx, site)
	if err != nil {
		return err
	}
	changes := make([]change, 0, len(ids))
	for _, id := range ids {
		who, err := loadSubject(ctx, tx, site, id)
		if err != nil {
			return err
		}
		now, next, err := who.decide(s, h.config.Now())
		if err != nil {
			return err
		}
		changes = append(changes, change{id, who.standing, now, next})
	}
	if err := h.guardMass(ctx, tx, s, changes); err != nil {
		return fmt.Errorf("guarding against an erasure of many by mistake: %w", err)
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.now.Decision, b.now.Decision) })
	b, err := openBook(ctx, tx, site, h.config.Now())
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := b.enter(ctx, c.id, c.was, c.now, c.next); err != nil {
			return fmt.Errorf("settling subject %s: %w", c.id, err)
		}
	}
	return nil
}

// enter records a subject's standing, and tells the terminals if it is another one.
func (b *book) enter(ctx context.Context, id consent.SubjectID, was, now *register.Subject, next consent.Date) error {
	if now.Decision != consent.Permit {
		if _, err := b.tx.ExecContext(ctx, `DELETE FROM mailbox WHERE site = $1 AND subject = $2`, b.site, id); err != nil {
			return err
		}
	}
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	if was != nil {
		// An entry for nothing would wake every terminal of the site and grow the register for ever.
		if before, err := json.Marshal(was); err == nil && string(before) == string(text) {
			_, err := b.tx.ExecContext(ctx, `UPDATE subjects SET next_end = $3 WHERE site = $1 AND subject = $2`, b.site, id, next.String())
			return err
		}
	}
	// what takes something away is marked: it stays "not yet confirmed" at the office until every terminal has applied it (D2)
	revokes := was != nil && (now.Decision < was.Decision || now.Leaver && !was.Leaver)
	seq, err := b.append(ctx, register.Entry{Kind: register.KindSubject, Subject: now}, revokes)
	if err != nil {
		return err
	}
	_, err = b.tx.ExecContext(ctx, `UPDATE subjects SET standing = $3, entry = $4, next_end = $5 WHERE site = $1 AND subject = $2`,
		b.site, id, string(text), int64(seq), next.String())
	return err
}

// restate enters standings once more. The terminal that told of a refusal obeys it
// until an entry later than the answer's head shows that the hub knew of it; that
// entry must come even if a later yes of the pupil's means that nothing changes,
// and even if an earlier answer was lost.
func (b *book) restate(ctx context.Context, ids []consent.SubjectID) error {
	for _, id := range ids {
		var text string
		if err := b.tx.QueryRowContext(ctx, `SELECT standing FROM subjects WHERE site = $1 AND subject = $2`, b.site, id).Scan(&text); err != nil {
			return fmt.Errorf("restating subject %s: %w", id, err)
		}
		var s register.Subject
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return fmt.Errorf("restating subject %s: %w", id, err)
		}
		seq, err := b.append(ctx, register.Entry{Kind: register.KindSubject, Subject: &s}, false)
		if err != nil {
			return err
		}
		if _, err := b.tx.ExecContext(ctx, `UPDATE subjects SET entry = $3 WHERE site = $1 AND subject = $2`, b.site, id, int64(seq)); err != nil {
			return fmt.Errorf("restating subject %s: %w", id, err)
		}
	}
	return nil
}

// decide is the subject's standing now, and the first date at which it may be
// another one; zero if there is none.
func (s *subject) decide(site Site, now time.Time) (*register.Subject, consent.Date, error) {
	today, local, err := site.today(now)
	if err != nil {
		return nil, consent.Date{}, err
	}
	decision, reasons := consent.Decide(s.Subject, s.statements, site.Profile, local)
	out := &register.Subject{
		ID: s.ID, Class: s.Class, Decision: decision, Reasons: rows(reasons),
		Ends: consent.Ends(s.Subject, s.statements, site.Profile, local), Person: s.person.revision,
	}
	// A hold (G12) keeps a leaver's data; otherwise the person goes as well.
	gone := s.Roster == consent.Leaver || s.LeavesOn.Reached(local)
	out.Leaver = gone && decision == consent.Erase
	var dates []consent.Date
	for _, e := range out.Ends {
		dates = append(dates, e.On)
	}
	dates = append(dates, s.LeavesOn, s.Eighteenth)
	for _, st := range s.statements { // dated ahead by a slow clock or a careless hand
		if st.At.After(local) {
			dates = append(dates, consent.DateOf(st.At.In(local.Location())).AddDays(1))
		}
	}
	return out, first(dates, today), nil
}

// rows are the reasons' row ids, each once. Why an adult could not be asked is
// safeguarding data and stays at the hub (s.27).
func rows(reasons []consent.Reason) []string {
	out := []string{}
	for _, r := range reasons {
		if !strings.HasPrefix(r.Row, "s.27") && !slices.Contains(out, r.Row) && len(out) < 32 {
			out = append(out, r.Row)
		}
	}
	return out
}

// first is the earliest of the dates after today.
func first(dates []consent.Date, today consent.Date) consent.Date {
	var next consent.Date
	for _, d := range dates {
		if d.After(today) && (next.IsZero() || d.Before(next)) {
			next = d
		}
	}
	return next
}
