package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// WaitingErasures is what the office is asked about: erasures that wait because they are so many.
type WaitingErasures struct {
	Subjects []consent.SubjectID `json:"subjects"`
	Until    consent.Date        `json:"until,omitzero"` // the day on which they are erased without an answer
	Switched bool                `json:"switched"`       // a change of the school's profile is behind it
}

// Waiting lists the erasures that wait, by pseudonym.
func (h *Hub) Waiting(ctx context.Context, site string) (WaitingErasures, error) {
	held, err := loadWaiting(ctx, h.db, site)
	if err != nil {
		return WaitingErasures{}, fmt.Errorf("listing erasures that wait: %w", err)
	}
	w := WaitingErasures{Subjects: slices.Sorted(maps.Keys(held))}
	for _, one := range held {
		if one.until.After(w.Until) {
			w.Until = one.until
		}
	}
	before, err := profileBefore(ctx, h.db, site)
	w.Switched = before != nil
	return w, err
}

// ConfirmErasures has everything erased that waits: it was meant.
func (h *Hub) ConfirmErasures(ctx context.Context, site, officer string) error {
	return h.answerErasures(ctx, site, officer, "confirmed the erasure of %d people", func(tx *sql.Tx, _ []consent.SubjectID) error {
		_, err := tx.ExecContext(ctx, `UPDATE waiting SET confirmed = TRUE WHERE site = $1`, site)
		return err
	})
}

// RejectErasures takes back what led to the erasures that wait: whoever the school's list has dropped is on it again, and the
// profile is the one before. Nobody is permitted by it but those whose consents permit; a date that ends a consent
// stands, so whoever it concerns goes on waiting for the day on which nothing waits.
func (h *Hub) RejectErasures(ctx context.Context, site, officer string) error {
	return h.answerErasures(ctx, site, officer, "took back the erasure of %d people", func(tx *sql.Tx, ids []consent.SubjectID) error {
		s, err := loadSite(ctx, tx, site)
		if err != nil {
			return err
		}
		today, _, err := s.today(h.config.Now())
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `UPDATE subjects SET roster = $3, leaves_on = CASE WHEN leaves_on <= $4 THEN '' ELSE leaves_on END
				WHERE site = $1 AND subject = $2`, site, id, consent.Current.String(), today.String()); err != nil {
				return err
			}
		}
		before, err := profileBefore(ctx, tx, site)
		if err != nil || before == nil {
			return err
		}
		return h.saveProfile(ctx, tx, s, officer, *before)
	})
}

// answerErasures carries out the office's answer and decides again for everybody whom it may concern.
func (h *Hub) answerErasures(ctx context.Context, site, officer, deed string, answer func(*sql.Tx, []consent.SubjectID) error) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		held, err := loadWaiting(ctx, tx, site)
		if err != nil {
			return err
		}
		if len(held) == 0 {
			return fmt.Errorf("%w: no erasure waits any more", ErrInvalid)
		}
		ids := slices.Sorted(maps.Keys(held))
		if err := answer(tx, ids); err != nil {
			return err
		}
		if err := h.note(ctx, tx, site, officer, fmt.Sprintf(deed, len(ids)), ""); err != nil {
			return err
		}
		before, err := profileBefore(ctx, tx, site)
		if err != nil {
			return err
		}
		if before != nil { // the profile that decides may be another one now, for everybody
			if ids, err = everybody(ctx, tx, site); err != nil {
				return err
			}
		}
		if err := h.settle(ctx, tx, site, ids); err != nil {
			return err
		}
		return h.endSwitch(ctx, tx, site)
	})
	if err != nil {
		return fmt.Errorf("answering for erasures that wait: %w", err)
	}
	return nil
}

// profileBefore is the profile that was in force before the change whose erasures wait; nil if there is none.
func profileBefore(ctx context.Context, q asker, site string) (*consent.Profile, error) {
	var text string
	if err := q.QueryRowContext(ctx, `SELECT profile_before FROM sites WHERE site = $1`, site).Scan(&text); err != nil || text == "" {
		return nil, plain(err)
	}
	p := new(consent.Profile)
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, fmt.Errorf("the earlier profile of site %s cannot be read: %w", site, err)
	}
	return p, nil
}

// endSwitch forgets the earlier profile once nothing waits because of the change, and tells terminals that keep sealed templates for a
// site without biometrics that they need not any longer (A16).
func (h *Hub) endSwitch(ctx context.Context, tx *sql.Tx, site string) error {
	held, err := loadWaiting(ctx, tx, site)
	if err != nil || len(held) > 0 {
		return err
	}
	before, err := profileBefore(ctx, tx, site)
	if err != nil || before == nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE sites SET profile_before = '' WHERE site = $1`, site); err != nil {
		return err
	}
	s, err := loadSite(ctx, tx, site)
	if err != nil || s.Profile.Biometrics {
		return err
	}
	if err := h.enterProfile(ctx, tx, s, consent.Date{}); err != nil {
		return err
	}
	return h.stepBack(ctx, tx, site, "hub")
}

// watchWaiting credits the time for which this hub has run to the erasures that wait. Of a gap, be it a restart or a clock that jumped,
// no more counts than two looks.
func (h *Hub) watchWaiting(ctx context.Context, s Site) error {
	n, err := countWaiting(ctx, h.db, s.ID)
	if err != nil || n == 0 {
		return err
	}
	now := h.config.Now()
	return h.write(ctx, s.ID, func(tx *sql.Tx) error {
		var looked int64
		if err := tx.QueryRowContext(ctx, `SELECT looked FROM sites WHERE site = $1`, s.ID).Scan(&looked); err != nil {
			return err
		}
		passed := min(max(0, now.Sub(instant(looked))), 2*h.config.Look)
		if _, err := tx.ExecContext(ctx, `UPDATE waiting SET run = run + $2 WHERE site = $1`, s.ID, int64(passed/time.Microsecond)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE sites SET looked = $2 WHERE site = $1`, s.ID, at(now))
		return err
	})
}

func countWaiting(ctx context.Context, q asker, site string) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM waiting WHERE site = $1`, site).Scan(&n)
	return n, plain(err)
}
