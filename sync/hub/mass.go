package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// massRow is the row that a guarded erasure gives as its reason: protection against accidental loss.
const massRow = "H1"

// massWindow is within what time single erasures add up to a mass: a list that comes pupil by pupil is a batch too.
const massWindow = 24 * time.Hour

// waiting is one erasure that waits for the office, or for its time.
type waiting struct {
	until     consent.Date
	run       time.Duration // for how long the hub has run since
	confirmed bool
}

// guardMass looks for an erasure of so many at once that it may be a mistake: a list that came half, a switch pressed by accident. It
// stops their matching at once, as the register's other entries would, but lets the terminals keep what is sealed until the office has
// confirmed it or the site's days are over (section 6, item 5 of the field notes; H1). Whoever has spoken for themselves or their child never waits (A12), nor does
// what was confirmed. It changes what the decisions are, and only from erase to pause.
//
// What waits ends by itself at a date that every terminal knows, so no terminal keeps anything for longer although the hub is never
// heard of again.
func (h *Hub) guardMass(ctx context.Context, tx *sql.Tx, s Site, changes []change) error {
	held, err := loadWaiting(ctx, tx, s.ID)
	if err != nil {
		return err
	}
	today, _, err := s.today(h.config.Now())
	if err != nil {
		return err
	}
	var fresh []*change
	for i := range changes {
		c := &changes[i]
		w, known := held[c.id]
		switch {
		case known && c.byRecord() && !w.confirmed && !w.over(s.Profile, today):
			c.wait(w.until, today)
		case known:
			err = forgetWaiting(ctx, tx, s.ID, c.id)
		case c.byRecord():
			fresh = append(fresh, c)
		}
		if err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	mass, err := h.mass(ctx, tx, s, len(fresh), false)
	if err != nil {
		return err
	}
	if mass {
		h.config.Log.Warn("so many would be erased that the office is asked first", "site", s.ID, "subjects", len(fresh))
	}
	for _, c := range fresh {
		if err := h.noteErasure(ctx, tx, s, c, mass, today); err != nil {
			return err
		}
	}
	return nil
}

// noteErasure lets one erasure wait, or remembers it for those that follow.
func (h *Hub) noteErasure(ctx context.Context, tx *sql.Tx, s Site, c *change, mass bool, today consent.Date) error {
	now := at(h.config.Now())
	if !mass {
		_, err := tx.ExecContext(ctx, `UPDATE subjects SET ended = $3 WHERE site = $1 AND subject = $2`, s.ID, c.id, now)
		return err
	}
	until := today.AddDays(s.Profile.MassWait())
	c.wait(until, today)
	_, err := tx.ExecContext(ctx, `INSERT INTO waiting (site, subject, since, until, run, confirmed) VALUES ($1, $2, $3, $4, 0, FALSE)`,
		s.ID, c.id, now, until.String())
	return err
}

// byRecord reports whether something would be erased that nobody has asked for in their own words.
func (c change) byRecord() bool {
	return c.was != nil && c.was.Decision != consent.Erase && c.now.Decision == consent.Erase && !consent.Spoken(c.now.Reasons)
}

// wait turns the erasure into a pause that ends on a date. Until is past where the hub has not run for long enough: then it is asked again
// tomorrow, and the terminals that know the date go by it.
func (c *change) wait(until, today consent.Date) {
	row := massRow
	if len(c.now.Reasons) > 0 {
		row = c.now.Reasons[0]
	}
	c.now.Decision, c.now.Leaver = consent.Pause, false
	c.now.Ends = []consent.End{{On: until, Decision: consent.Erase, Row: row}}
	if len(c.now.Reasons) < 32 {
		c.now.Reasons = append(c.now.Reasons, massRow)
	}
	if c.next = until; !until.After(today) {
		c.next = today.AddDays(1)
	}
}

// over reports whether an erasure has waited for long enough. A date alone does not say so, since this machine's clock may have jumped:
// at least half of the time must have been seen to pass.
func (w waiting) over(p consent.Profile, today consent.Date) bool {
	return !w.until.After(today) && w.run >= time.Duration(p.MassWait()-1)*12*time.Hour
}

// mass reports whether n erasures more, or all that are left, are a mass with those that wait and those of the last day.
func (h *Hub) mass(ctx context.Context, tx *sql.Tx, s Site, n int, all bool) (bool, error) {
	held, ended := 0, 0
	since := at(h.config.Now().Add(-massWindow))
	err := each(ctx, tx, func(r *sql.Rows) error {
		var standing register.Subject
		var text string
		var end int64
		if err := r.Scan(&text, &end); err != nil {
			return err
		}
		if end > since {
			ended++
		}
		if text == "" {
			return nil // somebody who is being added
		}
		if err := json.Unmarshal([]byte(text), &standing); err != nil {
			return err
		}
		if standing.Decision != consent.Erase {
			held++
		}
		return nil
	}, `SELECT standing, ended FROM subjects WHERE site = $1`, s.ID)
	if err != nil {
		return false, fmt.Errorf("counting who would be erased: %w", err)
	}
	waits, err := countWaiting(ctx, tx, s.ID)
	if err != nil {
		return false, err
	}
	if n += waits; all {
		n = held // those who wait among them
	}
	return s.Profile.Mass(n+ended, held+ended), nil
}

func loadWaiting(ctx context.Context, q asker, site string) (map[consent.SubjectID]waiting, error) {
	all := map[consent.SubjectID]waiting{}
	err := each(ctx, q, func(r *sql.Rows) error {
		var id consent.SubjectID
		var until string
		var us int64
		var w waiting
		if err := r.Scan(&id, &until, &us, &w.confirmed); err != nil {
			return err
		}
		w.run = time.Duration(us) * time.Microsecond
		all[id] = w
		err := w.until.UnmarshalText([]byte(until))
		all[id] = w
		return err
	}, `SELECT subject, until, run, confirmed FROM waiting WHERE site = $1`, site)
	return all, err
}

func forgetWaiting(ctx context.Context, tx *sql.Tx, site string, id consent.SubjectID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM waiting WHERE site = $1 AND subject = $2`, site, id)
	return err
}
