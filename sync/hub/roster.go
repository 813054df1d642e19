package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tillprint/tillprint/consent"
)

// Taken is what became of a list of the school's pupils.
type Taken struct {
	Dropped  int `json:"dropped"`  // pupils who were not on it, and count as leavers from now on
	Restored int `json:"restored"` // pupils whom an earlier list had dropped and whose erasure had still waited
	Gone     int `json:"gone"`     // on it, but leavers on record here: the office has to look, the list does not bring them back (D7)
}

// TakeRoster takes the school's own complete list of its pupils, by pseudonym, as a connector to the pupil records sends it: at least
// every day. Whoever is not on it has left (D3); so many at once as may be a mistake wait for the office. A list that names somebody
// unknown, or nobody, is refused as a whole, and the school counts as silent when none has come for the profile's days (A5).
func (h *Hub) TakeRoster(ctx context.Context, site, officer string, pupils []consent.SubjectID) (Taken, error) {
	var taken Taken
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		taken = Taken{}
		if len(pupils) == 0 {
			return fmt.Errorf("%w: a list that names nobody is none; send the complete list", ErrInvalid)
		}
		changed, err := h.compareRoster(ctx, tx, site, pupils, &taken)
		if err != nil {
			return err
		}
		s, err := loadSite(ctx, tx, site)
		if err != nil {
			return err
		}
		today, _, err := s.today(h.config.Now())
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE sites SET heard = $2 WHERE site = $1`, site, today.String()); err != nil {
			return err
		}
		if taken != (Taken{}) {
			deed := fmt.Sprintf("took a list that drops %d pupils and brings back %d", taken.Dropped, taken.Restored)
			if err := h.note(ctx, tx, site, officer, deed, ""); err != nil {
				return err
			}
		}
		if spoke, err := h.reckonSilence(ctx, tx, s); err != nil {
			return err
		} else if spoke {
			if changed, err = everybody(ctx, tx, site); err != nil {
				return err
			}
		}
		return h.settle(ctx, tx, site, changed)
	})
	if err != nil {
		return Taken{}, fmt.Errorf("taking the school's list: %w", err)
	}
	return taken, nil
}

// compareRoster writes down what a list says of each pupil and returns those of whom it is news.
func (h *Hub) compareRoster(ctx context.Context, tx *sql.Tx, site string, pupils []consent.SubjectID, taken *Taken) ([]consent.SubjectID, error) {
	listed := make(map[consent.SubjectID]bool, len(pupils))
	for _, id := range pupils {
		listed[id] = true
	}
	held, err := loadWaiting(ctx, tx, site)
	if err != nil {
		return nil, err
	}
	verdict := map[consent.SubjectID]consent.Roster{}
	known := 0
	err = each(ctx, tx, func(r *sql.Rows) error {
		var id consent.SubjectID
		var text string
		var roster consent.Roster
		if err := errors.Join(r.Scan(&id, &text), roster.UnmarshalText([]byte(text))); err != nil {
			return err
		}
		if listed[id] {
			known++
		}
		_, waits := held[id]
		if next := taken.judge(roster, listed[id], waits); next != roster {
			verdict[id] = next
		}
		return nil
	}, `SELECT subject, roster FROM subjects WHERE site = $1 AND class = 'pupil'`, site)
	if err != nil {
		return nil, err
	}
	if known < len(listed) {
		return nil, fmt.Errorf("%w: the list names %d who are not pupils on record here; add them first", ErrInvalid, len(listed)-known)
	}
	for id, roster := range verdict {
		if _, err := tx.ExecContext(ctx, `UPDATE subjects SET roster = $3 WHERE site = $1 AND subject = $2`, site, id, roster.String()); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(verdict)), nil
}

// judge is what a list makes of one pupil, and counts it.
func (t *Taken) judge(roster consent.Roster, listed, waits bool) consent.Roster {
	switch {
	case !listed && roster != consent.Leaver:
		t.Dropped++
		return consent.Leaver
	case listed && roster == consent.Leaver && waits:
		t.Restored++
		return consent.Current
	case listed && roster == consent.Leaver:
		t.Gone++
	case listed:
		return consent.Current
	}
	return roster
}

// reckonSilence writes down whether the school's list is out of date (A5) and reports whether that is news. A school that begins to
// expect lists counts from the day on which it does.
func (h *Hub) reckonSilence(ctx context.Context, tx *sql.Tx, s Site) (news bool, err error) {
	heard, was, err := loadHeard(ctx, tx, s.ID)
	if err != nil {
		return false, err
	}
	today, local, err := s.today(h.config.Now())
	if err != nil {
		return false, err
	}
	if heard.IsZero() && s.Profile.SilentDays > 0 {
		heard = today
	}
	is := s.Profile.Silent(heard, local)
	_, err = tx.ExecContext(ctx, `UPDATE sites SET heard = $2, silent = $3 WHERE site = $1`, s.ID, heard.String(), is)
	return is != was, err
}

func loadHeard(ctx context.Context, q asker, site string) (heard consent.Date, silent bool, err error) {
	var text string
	if err := q.QueryRowContext(ctx, `SELECT heard, silent FROM sites WHERE site = $1`, site).Scan(&text, &silent); err != nil {
		return heard, false, fmt.Errorf("reading when the school's list came: %w", plain(err))
	}
	return heard, silent, heard.UnmarshalText([]byte(text))
}

// watchRoster pauses or resumes a whole school when its list has fallen silent or has come again.
func (h *Hub) watchRoster(ctx context.Context, s Site) error {
	heard, was, err := loadHeard(ctx, h.db, s.ID)
	if err != nil {
		return err
	}
	_, local, err := s.today(h.config.Now())
	if err != nil || s.Profile.Silent(heard, local) == was {
		return err
	}
	err = h.write(ctx, s.ID, func(tx *sql.Tx) error {
		if _, err := h.reckonSilence(ctx, tx, s); err != nil {
			return err
		}
		all, err := everybody(ctx, tx, s.ID)
		if err != nil {
			return err
		}
		return h.settle(ctx, tx, s.ID, all)
	})
	if err != nil {
		return fmt.Errorf("acting on the silence of the school's list: %w", err)
	}
	h.config.Log.Warn("the school's list has fallen silent or has come again", "site", s.ID, "heard", heard.String())
	return nil
}
