package hub

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"net/http"

	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/sync/register"
)

// servePage tells a terminal whom its page on the school's network may let in, and certifies the page when asked.
func (h *Hub) servePage(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.PageRequest
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	var out register.PageAnswer
	err := errNoAuthority
	if len(in.Request) == 0 { // every terminal asks every minute: no change, and no waiting for one
		err = h.readPage(r.Context(), c.site, &out)
	}
	if errors.Is(err, errNoAuthority) {
		err = h.write(r.Context(), c.site, func(tx *sql.Tx) error { return h.certifyPage(r.Context(), tx, c, in, &out) })
	}
	if err != nil {
		return err
	}
	if out.Revoked, err = h.revokedBrowsers(r.Context(), c.site); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

var errNoAuthority = errors.New("the site has no authority yet")

func (h *Hub) readPage(ctx context.Context, site string, out *register.PageAnswer) error {
	err := h.db.QueryRowContext(ctx, `SELECT certificate FROM authorities WHERE site = $1`, site).Scan(&out.Authority)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoAuthority
	}
	return plain(err)
}

func (h *Hub) certifyPage(ctx context.Context, tx *sql.Tx, c caller, in register.PageRequest, out *register.PageAnswer) error {
	a, err := h.authority(ctx, tx, c.site)
	if err != nil {
		return err
	}
	out.Authority = a.Certificate.Raw
	if len(in.Request) == 0 {
		return nil
	}
	var page *x509.Certificate
	page, err = a.Page(c.terminal, in.Request, h.config.Now())
	if errors.Is(err, authority.ErrRequest) {
		return fail(http.StatusBadRequest, register.CodeMalformed, err.Error())
	}
	if err != nil {
		return err
	}
	out.Certificate = page.Raw
	return h.note(ctx, tx, c.site, "terminal "+c.terminal, "had its page certified", c.terminal)
}

// revokedBrowsers are the serial numbers that have not ended by themselves.
func (h *Hub) revokedBrowsers(ctx context.Context, site string) (serials []string, err error) {
	err = each(ctx, h.db, func(r *sql.Rows) error {
		var s string
		err := r.Scan(&s)
		serials = append(serials, s)
		return err
	}, `SELECT serial FROM browsers WHERE site = $1 AND revoked > 0 AND ends > $2 ORDER BY serial`, site, at(h.config.Now()))
	return serials, err
}
