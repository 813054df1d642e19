package hub

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

const (
	maxRejoins = 16             // requests kept for a site; the one that was silent longest makes room
	rejoinLife = 24 * time.Hour // for how long one counts that is not repeated
	rejoinNote = time.Minute    // a repeat is written down no oftener
)

// Rejoin is a terminal that asks to be let in again after losing its keys. Nothing in it is proven.
type Rejoin struct {
	Terminal string    `json:"terminal"` // its new name
	Was      string    `json:"was"`
	Asked    time.Time `json:"asked"` // last
}

// Rejoins lists who asks, without the codes: those are read at the till.
func (h *Hub) Rejoins(ctx context.Context, site string) ([]Rejoin, error) {
	all := []Rejoin{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var one Rejoin
		var asked int64
		err := r.Scan(&one.Terminal, &one.Was, &asked)
		one.Asked = instant(asked)
		all = append(all, one)
		return err
	}, `SELECT terminal, was, asked FROM rejoins WHERE site = $1 AND asked > $2 ORDER BY asked DESC, terminal`, site, at(h.config.Now().Add(-rejoinLife)))
	if err != nil {
		return nil, fmt.Errorf("listing who asks to be let in again: %w", err)
	}
	return all, nil
}

// Readmit lets the terminal in again that shows this code, under its new name, and removes the one that it was. It
// returns the new name. Who keys in the code has it from the till's own page: that is the whole proof.
func (h *Hub) Readmit(ctx context.Context, site, officer, keyed string) (string, error) {
	var name string
	err := h.write(ctx, site, func(tx *sql.Tx) (err error) {
		name, err = h.readmit(ctx, tx, site, officer, register.CleanCode(keyed))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("letting a terminal in again: %w", err)
	}
	return name, nil
}

func (h *Hub) readmit(ctx context.Context, tx *sql.Tx, site, officer, code string) (string, error) {
	in := register.RejoinRequest{Site: site}
	err := tx.QueryRowContext(ctx, `SELECT terminal, was, sign_key, seal_key FROM rejoins WHERE site = $1 AND code = $2 AND asked > $3`,
		site, code, at(h.config.Now().Add(-rejoinLife))).Scan(&in.Name, &in.Was, (*[]byte)(&in.Sign), &in.Seal)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("%w: no terminal shows this code; read it again from the till's page, and see that the till reaches this hub", ErrNotFound)
	}
	if err != nil {
		return "", err
	}
	err = known(ctx, tx, site, in.Was)
	if err == nil {
		err = h.removeTerminal(ctx, tx, site, officer, in.Was)
	}
	if err != nil && !errors.Is(err, ErrNotFound) { // it may have been removed before
		return "", err
	}
	if err := h.addTerminal(ctx, tx, site, in.Name, in.Sign, in.Seal); err != nil {
		return "", err
	}
	if err := h.inherit(ctx, tx, site, officer, in.Was, in.Name); err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM rejoins WHERE site = $1 AND code = $2`, site, code); err != nil {
		return "", err
	}
	return in.Name, h.note(ctx, tx, site, officer, "let "+in.Was+" in again after it lost its keys, as "+in.Name, in.Name)
}

// serveRejoin keeps a request until the office has seen to it, and answers it then as a joining.
func (h *Hub) serveRejoin(w http.ResponseWriter, r *http.Request, body []byte) error {
	var in register.RejoinRequest
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	if err := in.Check(); err != nil {
		return err
	}
	admitted := false
	err := h.write(r.Context(), in.Site, func(tx *sql.Tx) (err error) {
		if admitted, err = admittedAs(r.Context(), tx, in); admitted || err != nil {
			return err
		}
		return h.keepRejoin(r.Context(), tx, in)
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return fail(http.StatusForbidden, register.CodeToken, "there is no such site at this hub")
	case err != nil:
		return err
	case !admitted:
		return writeJSON(w, http.StatusAccepted, struct{}{})
	}
	answer, err := h.joinAnswer(in.Site, in.Name, in.Seal)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// admittedAs reports whether the terminal with these keys is of the site. Another one with its name is in its way for ever.
func admittedAs(ctx context.Context, tx *sql.Tx, in register.RejoinRequest) (bool, error) {
	var sign, seal []byte
	var removed bool
	err := tx.QueryRowContext(ctx, `SELECT sign_key, seal_key, removed FROM terminals WHERE site = $1 AND terminal = $2`, in.Site, in.Name).Scan(&sign, &seal, &removed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case removed || !in.Sign.Equal(ed25519.PublicKey(sign)) || !bytes.Equal(in.Seal, seal):
		return false, fail(http.StatusForbidden, register.CodeToken, "a terminal has had this name; join with a new code from the hub's page")
	}
	return true, nil
}

func (h *Hub) keepRejoin(ctx context.Context, tx *sql.Tx, in register.RejoinRequest) error {
	now := h.config.Now()
	if _, err := tx.ExecContext(ctx, `INSERT INTO rejoins (site, terminal, was, sign_key, seal_key, code, asked) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (site, code) DO UPDATE SET asked = $7 WHERE rejoins.asked < $8`,
		in.Site, in.Name, in.Was, []byte(in.Sign), in.Seal, in.Code(), at(now), at(now.Add(-rejoinNote))); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM rejoins WHERE site = $1 AND code NOT IN
		(SELECT code FROM rejoins WHERE site = $1 ORDER BY asked DESC LIMIT $2)`, in.Site, maxRejoins)
	return err
}
