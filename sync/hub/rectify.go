package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// NotTheirs wipes the fingers that are held under a subject's name because they are another person's (F4), and changes nothing
// that was said: the register first tells every terminal to erase them, for which each signs a receipt, and then states the
// subject's standing again, so that whoever is permitted can be enrolled anew at once.
//
// A template is never handed on to the other person. Whose finger it is was a mistake once already; the right person gives
// it with a press of their own, under their own consent.
func (h *Hub) NotTheirs(ctx context.Context, site, officer string, id consent.SubjectID) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		who, err := loadSubject(ctx, tx, site, id)
		if err != nil {
			return err
		}
		if who.standing == nil || who.standing.Decision == consent.Erase {
			return fmt.Errorf("%w: nothing of this subject's fingers may be held, so there is nothing to wipe", ErrInvalid)
		}
		b, err := openBook(ctx, tx, site, h.config.Now())
		if err != nil {
			return err
		}
		gone := *who.standing
		gone.Decision, gone.Reasons, gone.Ends = consent.Erase, []string{"F4"}, nil
		if _, err := b.append(ctx, register.Entry{Kind: register.KindSubject, Subject: &gone}, true); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM mailbox WHERE site = $1 AND subject = $2`, site, id); err != nil {
			return err
		}
		if err := h.note(ctx, tx, site, officer, "had fingers wiped that are another person's", string(id)); err != nil {
			return err
		}
		return b.restate(ctx, []consent.SubjectID{id})
	})
	if err != nil {
		return fmt.Errorf("wiping fingers of the wrong person: %w", err)
	}
	return nil
}

// errLater keeps an envelope in the sender's hands for now.
var errLater = errors.New("the sender has to catch up with the register first")

// sharesTooEarly reports whether a terminal may still offer templates from before the subject's last revocation: it has not said yet that
// it has applied that one. Such an envelope is neither stored nor refused, so that the terminal asks again when it has.
func sharesTooEarly(ctx context.Context, tx *sql.Tx, c caller, id consent.SubjectID) (bool, error) {
	var last sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT MAX(seq) FROM entries WHERE site = $1 AND subject = $2 AND revokes = TRUE`, c.site, string(id)).Scan(&last)
	if err != nil {
		return false, fmt.Errorf("looking for revocations: %w", plain(err))
	}
	return last.Valid && c.reported < uint64(last.Int64), nil
}
