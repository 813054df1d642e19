package hub

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/register"
)

// serveDeposit keeps half of a terminal's root key.
func (h *Hub) serveDeposit(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.ShareDeposit
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	if err := in.Check(); err != nil {
		return err
	}
	err := h.write(r.Context(), c.site, func(tx *sql.Tx) error {
		if err := dropShare(r.Context(), tx, c.site, c.terminal); err != nil {
			return err
		}
		_, err := tx.ExecContext(r.Context(), `INSERT INTO shares (site, terminal, epoch, half, fetch_key) VALUES ($1, $2, $3, $4, $5)`,
			c.site, c.terminal, int64(in.Epoch), in.Half, []byte(in.Key))
		if err != nil {
			return err
		}
		return h.note(r.Context(), tx, c.site, "terminal "+c.terminal, "gave half of its key to the hub", c.terminal)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// dropShare forgets a terminal's half: it opens nothing after its next start.
func dropShare(ctx context.Context, tx *sql.Tx, site, terminal string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM shares WHERE site = $1 AND terminal = $2`, site, terminal)
	return err
}

// serveShare answers a terminal that starts, or that has gone on to another epoch. It is signed with a key of its own.
func (h *Hub) serveShare(w http.ResponseWriter, r *http.Request, body []byte) error {
	var in register.ShareQuestion
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	c, err := h.whoCalls(r)
	if err != nil {
		return err
	}
	if c.removed {
		return fail(http.StatusForbidden, register.CodeRemoved, "this terminal has been removed from its site")
	}
	var answer register.ShareAnswer
	err = h.write(r.Context(), c.site, func(tx *sql.Tx) (err error) {
		answer.Half, err = h.share(r, tx, c, body, in)
		return err
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (h *Hub) share(r *http.Request, tx *sql.Tx, c caller, body []byte, in register.ShareQuestion) ([]byte, error) {
	var epoch int64
	var half, key []byte
	err := tx.QueryRowContext(r.Context(), `SELECT epoch, half, fetch_key FROM shares WHERE site = $1 AND terminal = $2`, c.site, c.terminal).Scan(&epoch, &half, &key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fail(http.StatusNotFound, register.CodeUnknown, "this hub keeps no half of this terminal's key")
	}
	if err != nil {
		return nil, err
	}
	if err := register.VerifyRequest(r, body, c.site, ed25519.PublicKey(key)); err != nil {
		return nil, fail(http.StatusUnauthorized, register.CodeSignature, "the request's signature does not verify")
	}
	if !h.nonces.use(r.Header.Get(register.HeaderNonce), h.config.Now()) {
		return nil, fail(http.StatusUnauthorized, register.CodeNonce, "the nonce is unknown, old or used; try again with the fresh one")
	}
	if in.Forget && in.Epoch == 0 {
		return nil, dropShare(r.Context(), tx, c.site, c.terminal)
	}
	if half, err = keyslot.HalfOf(half, uint64(epoch), in.Epoch); err != nil {
		return nil, fail(http.StatusConflict, register.CodeRollback, fmt.Sprintf("the hub has forgotten every half before epoch %d", epoch))
	}
	if !in.Forget {
		return half, nil
	}
	_, err = tx.ExecContext(r.Context(), `UPDATE shares SET epoch = $3, half = $4 WHERE site = $1 AND terminal = $2`, c.site, c.terminal, int64(in.Epoch), half)
	return nil, err
}
