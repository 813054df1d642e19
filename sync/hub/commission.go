package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/sync/register"
)

// Commission moves one terminal a step on, or any number of steps back (N1). References that an earlier step has put on
// record need not be given again. A step back from fingers has the terminal wipe its templates (A16).
func (h *Hub) Commission(ctx context.Context, site, officer, terminal string, c register.Commission) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		if err := known(ctx, tx, site, terminal); err != nil {
			return err
		}
		before, err := loadCommission(ctx, tx, site, terminal)
		if err != nil {
			return err
		}
		c.References = append(slices.Clone(c.References), before.References...)
		c.Arrange()
		if err := h.checkStep(ctx, tx, site, before.Mode, c); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		return h.commission(ctx, tx, site, officer, terminal, before.Mode, c)
	})
	if err != nil {
		return fmt.Errorf("commissioning terminal %.40s: %w", terminal, err)
	}
	return nil
}

// checkStep is what a hub asks for beyond what a commission must hold anyway.
func (h *Hub) checkStep(ctx context.Context, tx *sql.Tx, site string, before register.Mode, c register.Commission) error {
	if err := c.Check(); err != nil {
		return err
	}
	if slices.Index(register.Modes, c.Mode) > slices.Index(register.Modes, before)+1 {
		return fmt.Errorf("the terminal is in mode %s: %s is more than one step away", before, c.Mode)
	}
	s, err := loadSite(ctx, tx, site)
	if err != nil {
		return err
	}
	today, _, err := s.today(h.config.Now())
	if err != nil {
		return err
	}
	for _, r := range c.References {
		if r.On.After(today) {
			return fmt.Errorf("the reference for %q is dated %s, which is still to come", r.For, r.On)
		}
		if r.For == register.ParentsNotice && !slices.Contains(s.Profile.Notices, r.Text) {
			return fmt.Errorf("the parents' notice %.80q is none of the versions that count at this school", r.Text)
		}
	}
	if c.Mode == register.ModeFingers && !s.Profile.Biometrics {
		return errors.New("the school's profile says that it uses no biometrics (A16): that is to be decided first")
	}
	return nil
}

// commission enters a checked step and lets the site's terminals know with whom to share fingers.
func (h *Hub) commission(ctx context.Context, tx *sql.Tx, site, officer, terminal string, before register.Mode, c register.Commission) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE terminals SET mode = $3, commission = $4 WHERE site = $1 AND terminal = $2`,
		site, terminal, string(c.Mode), string(text)); err != nil {
		return err
	}
	b, err := openBook(ctx, tx, site, h.config.Now())
	if err != nil {
		return err
	}
	command := register.Command{Do: register.Commissioned, Commission: &c}
	if _, err := b.append(ctx, register.Entry{Terminal: terminal, Kind: register.KindCommand, Command: &command}, false); err != nil {
		return err
	}
	if err := h.note(ctx, tx, site, officer, "commissioned: "+string(c.Mode), terminal); err != nil {
		return err
	}
	if before == c.Mode || before != register.ModeFingers && c.Mode != register.ModeFingers {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM mailbox WHERE site = $1 AND recipient = $2`, site, terminal); err != nil {
		return err
	}
	return h.enterPeers(ctx, tx, site)
}

// stepBack takes every terminal of a site that has given biometrics up back to PINs: to begin again, each is looked into
// anew (A16).
func (h *Hub) stepBack(ctx context.Context, tx *sql.Tx, site, officer string) error {
	peers, err := loadSharing(ctx, tx, site)
	if err != nil {
		return err
	}
	for _, p := range peers {
		c, err := loadCommission(ctx, tx, site, p.ID)
		if err != nil {
			return err
		}
		c.Mode = register.ModePIN
		c.Arrange()
		if err := h.commission(ctx, tx, site, officer, p.ID, register.ModeFingers, c); err != nil {
			return err
		}
	}
	return nil
}

// inherit gives a terminal that was let in again the commission of the one that it was: the till is the same.
func (h *Hub) inherit(ctx context.Context, tx *sql.Tx, site, officer, was, terminal string) error {
	c, err := loadCommission(ctx, tx, site, was)
	if err != nil || c.Mode == register.ModeOff {
		return err
	}
	return h.commission(ctx, tx, site, officer, terminal, register.ModeOff, c)
}

// loadCommission is how far a terminal, present or removed, has been commissioned.
func loadCommission(ctx context.Context, q asker, site, terminal string) (c register.Commission, err error) {
	var text string
	err = q.QueryRowContext(ctx, `SELECT commission FROM terminals WHERE site = $1 AND terminal = $2`, site, terminal).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("%w: there is no terminal %.40q", ErrNotFound, terminal)
	}
	if err != nil {
		return c, fmt.Errorf("reading how far a terminal is commissioned: %w", plain(err))
	}
	if text == "" {
		return register.Commission{Mode: register.ModeOff}, nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return c, fmt.Errorf("the commission of terminal %s cannot be read: %w", terminal, err)
	}
	return c, nil
}

// References lists what the site has on record, newest commission first, so that the next terminal's form is filled in.
func (h *Hub) References(ctx context.Context, site string) ([]register.Reference, error) {
	var all []register.Reference
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var text string
		var c register.Commission
		if err := r.Scan(&text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return fmt.Errorf("a commission cannot be read: %w", err)
		}
		for _, ref := range c.References {
			if !slices.ContainsFunc(all, func(o register.Reference) bool { return o.For == ref.For }) {
				all = append(all, ref)
			}
		}
		return nil
	}, `SELECT commission FROM terminals WHERE site = $1 AND commission <> '' ORDER BY mode = 'fingers' DESC, joined DESC`, site)
	return all, err
}
