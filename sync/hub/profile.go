package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// SetProfile changes what a site has decided about biometrics and decides again
// for all its subjects; switching biometrics off wipes (A16).
func (h *Hub) SetProfile(ctx context.Context, site, officer string, p consent.Profile) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		before, err := loadSite(ctx, tx, site)
		if err != nil {
			return err
		}
		if err := h.note(ctx, tx, site, officer, "changed the profile", ""); err != nil {
			return err
		}
		waited, err := countWaiting(ctx, tx, site)
		if err != nil {
			return err
		}
		// The profile comes before the standings that follow from it: a terminal that
		// reads only so far has already stopped by itself.
		if err := h.saveProfile(ctx, tx, before, officer, p); err != nil {
			return err
		}
		if err := h.followProfile(ctx, tx, site); err != nil {
			return err
		}
		if waits, err := countWaiting(ctx, tx, site); err != nil || waits > waited {
			return errors.Join(err, rememberProfile(ctx, tx, before))
		}
		return h.endSwitch(ctx, tx, site)
	})
	if err != nil {
		return fmt.Errorf("changing the profile of %s: %w", site, err)
	}
	return nil
}

// followProfile decides again for everybody under a profile that has just been saved.
func (h *Hub) followProfile(ctx context.Context, tx *sql.Tx, site string) error {
	s, err := loadSite(ctx, tx, site)
	if err != nil {
		return err
	}
	if _, err := h.reckonSilence(ctx, tx, s); err != nil {
		return err
	}
	all, err := everybody(ctx, tx, site)
	if err != nil {
		return err
	}
	return h.settle(ctx, tx, site, all)
}

// rememberProfile keeps the profile before a change, in case the office takes the change back. Of several changes whose erasures wait,
// the first is taken back.
func rememberProfile(ctx context.Context, tx *sql.Tx, s Site) error {
	text, err := json.Marshal(s.Profile)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE sites SET profile_before = $2 WHERE site = $1 AND profile_before = ''`, s.ID, string(text))
	}
	return err
}

// saveProfile makes p the site's profile and tells the terminals. Those of a site that gives biometrics up stop at once, and keep what is sealed
// for as long as so large an erasure waits for the office.
func (h *Hub) saveProfile(ctx context.Context, tx *sql.Tx, s Site, officer string, p consent.Profile) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE sites SET profile = $2 WHERE site = $1`, s.ID, string(text)); err != nil {
		return err
	}
	s.Profile = p
	var keep consent.Date
	if !p.Biometrics {
		today, _, err := s.today(h.config.Now())
		if err != nil {
			return err
		}
		mass, err := h.mass(ctx, tx, s, 0, true)
		if err != nil {
			return err
		}
		if mass {
			keep = today.AddDays(p.MassWait())
		}
	}
	if err := h.enterProfile(ctx, tx, s, keep); err != nil || p.Biometrics || !keep.IsZero() {
		return err
	}
	return h.stepBack(ctx, tx, s.ID, officer)
}

func everybody(ctx context.Context, q asker, site string) ([]consent.SubjectID, error) {
	var all []consent.SubjectID
	err := each(ctx, q, func(r *sql.Rows) error {
		all = append(all, "")
		return r.Scan(&all[len(all)-1])
	}, `SELECT subject FROM subjects WHERE site = $1`, site)
	return all, err
}

// enterProfile tells the site's terminals what they need to know of it; keep is until when they keep sealed templates at a site without
// biometrics.
func (h *Hub) enterProfile(ctx context.Context, tx *sql.Tx, s Site, keep consent.Date) error {
	b, err := openBook(ctx, tx, s.ID, h.config.Now())
	if err != nil {
		return err
	}
	_, err = b.append(ctx, register.Entry{Kind: register.KindProfile, Profile: &register.Profile{
		School: s.Name, Biometrics: s.Profile.Biometrics, Purpose: s.Profile.Purpose, Modality: s.Profile.Modality,
		Zone: s.Zone, Contact: s.Contact, Keep: keep, Unused: s.Profile.UnusedDays, PINDigits: s.Profile.PINDigits,
	}}, false)
	return err
}
