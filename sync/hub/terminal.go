package hub

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tillprint/tillprint/sync/register"
)

// loadPeers lists the terminals that are of the site now.
func loadPeers(ctx context.Context, q asker, site string) ([]register.Peer, error) {
	return listPeers(ctx, q, site, "%")
}

// loadSharing lists those of them that have been commissioned for fingers.
func loadSharing(ctx context.Context, q asker, site string) ([]register.Peer, error) {
	return listPeers(ctx, q, site, string(register.ModeFingers))
}

func listPeers(ctx context.Context, q asker, site, mode string) ([]register.Peer, error) {
	var peers []register.Peer
	err := each(ctx, q, func(r *sql.Rows) error {
		var p register.Peer
		err := r.Scan(&p.ID, (*[]byte)(&p.Sign), &p.Seal)
		peers = append(peers, p)
		return err
	}, `SELECT terminal, sign_key, seal_key FROM terminals WHERE site = $1 AND removed = FALSE AND mode LIKE $2 ORDER BY terminal`, site, mode)
	return peers, err
}

// enterPeers tells the site's terminals with whom to share fingers: those that have been commissioned for them. An empty
// list has no reader left and is not entered.
func (h *Hub) enterPeers(ctx context.Context, tx *sql.Tx, site string) error {
	peers, err := loadSharing(ctx, tx, site)
	if err != nil || len(peers) == 0 {
		return err
	}
	b, err := openBook(ctx, tx, site, h.config.Now())
	if err != nil {
		return err
	}
	_, err = b.append(ctx, register.Entry{Kind: register.KindTerminals, Terminals: peers}, false)
	return err
}

// Command gives one terminal an order: block or unblock its fingers, wipe it (H6),
// or configure it. No order can permit what a decision does not.
func (h *Hub) Command(ctx context.Context, site, officer, terminal string, c register.Command) error {
	if c.Do == register.Commissioned {
		return fmt.Errorf("ordering terminal %.40s: %w: a terminal is commissioned on its own page, step by step", terminal, ErrInvalid)
	}
	if c.Do == register.Refetch || c.Do == register.Introduce {
		return fmt.Errorf("ordering terminal %.40s: %w: the hub orders that by itself when a card was put back", terminal, ErrInvalid)
	}
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		if err := known(ctx, tx, site, terminal); err != nil {
			return err
		}
		b, err := openBook(ctx, tx, site, h.config.Now())
		if err != nil {
			return err
		}
		if _, err := b.append(ctx, register.Entry{Terminal: terminal, Kind: register.KindCommand, Command: &c}, false); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if c.Do == register.Wipe { // one that is switched off and never asks again opens nothing either
			if err := dropShare(ctx, tx, site, terminal); err != nil {
				return err
			}
		}
		return h.note(ctx, tx, site, officer, "ordered "+string(c.Do), terminal)
	})
	if err != nil {
		return fmt.Errorf("ordering terminal %.40s: %w", terminal, err)
	}
	return nil
}

// RemoveTerminal ends a terminal's place in the site: it is answered no more and
// gets no more templates. What it still holds ends with its lease; order a wipe
// first if it can still be reached.
func (h *Hub) RemoveTerminal(ctx context.Context, site, officer, terminal string) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		if err := known(ctx, tx, site, terminal); err != nil {
			return err
		}
		if err := h.removeTerminal(ctx, tx, site, officer, terminal); err != nil {
			return err
		}
		return h.enterPeers(ctx, tx, site)
	})
	if err != nil {
		return fmt.Errorf("removing terminal %.40s: %w", terminal, err)
	}
	return nil
}

// removeTerminal takes a terminal off the list; the caller tells the others.
func (h *Hub) removeTerminal(ctx context.Context, tx *sql.Tx, site, officer, terminal string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE terminals SET removed = TRUE WHERE site = $1 AND terminal = $2`, site, terminal); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM mailbox WHERE site = $1 AND recipient = $2`, site, terminal); err != nil {
		return err
	}
	if err := dropShare(ctx, tx, site, terminal); err != nil {
		return err
	}
	if err := refill(ctx, tx, caller{site: site, terminal: terminal}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM rollouts WHERE site = $1 AND terminal = $2`, site, terminal); err != nil { // no wave waits for it
		return err
	}
	return h.note(ctx, tx, site, officer, "removed a terminal", terminal)
}

func known(ctx context.Context, tx *sql.Tx, site, terminal string) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM terminals WHERE site = $1 AND terminal = $2 AND removed = FALSE`, site, terminal).Scan(&n)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: there is no terminal %.40q", ErrNotFound, terminal)
	}
	return err
}
