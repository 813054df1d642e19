package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/store/disposal"
	"github.com/tillprint/tillprint/sync/register"
)

// certificateID is the id under which a terminal's certificate lies among its reports: it has one life.
const certificateID = "decommissioned"

// Disposal is the end of a terminal: its certificate, and when it came to the hub (L1, L2).
type Disposal struct {
	At          time.Time `json:"at"` // as the certificate says, by the terminal's clock
	Received    time.Time `json:"received"`
	Certificate string    `json:"certificate"`
}

// Dispose takes the certificate of a terminal that was decommissioned where it could not tell the hub itself, and returns the
// terminal's name. The terminal is removed from the site, and the inventory says what became of it. It need not be of the site any more.
func (h *Hub) Dispose(ctx context.Context, site, officer, certificate string) (terminal string, err error) {
	all, err := h.Terminals(ctx, site)
	if err != nil {
		return "", err
	}
	if !disposal.Is(certificate) {
		return "", fmt.Errorf("%w: %w", ErrInvalid, disposal.ErrNotCertificate)
	}
	for _, t := range all {
		if _, err := disposal.Verify(certificate, t.Key); err != nil {
			continue
		}
		return t.Terminal, h.dispose(ctx, site, officer, t.Terminal, certificate)
	}
	return "", fmt.Errorf("%w: no terminal that this site has or had signed this certificate, or it was changed", ErrInvalid)
}

func (h *Hub) dispose(ctx context.Context, site, officer, terminal, certificate string) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		c := caller{site: site, terminal: terminal}
		if err := tx.QueryRowContext(ctx, `SELECT sign_key, removed FROM terminals WHERE site = $1 AND terminal = $2`, site, terminal).
			Scan((*[]byte)(&c.sign), &c.removed); err != nil {
			return err
		}
		why, err := h.takeCertificate(ctx, tx, c, officer, register.Report{ID: certificateID, Kind: register.ReportDecommissioned, Body: certificate})
		if err == nil && why != "" {
			err = fmt.Errorf("%w: %s", ErrInvalid, why)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("taking the certificate of terminal %s: %w", terminal, err)
	}
	return nil
}

// takeCertificate keeps a certificate that verifies with the key that the terminal joined with, once, and removes the terminal; or it says why
// it will never be taken.
func (h *Hub) takeCertificate(ctx context.Context, tx *sql.Tx, c caller, by string, rep register.Report) (why string, err error) {
	key, err := receiptKey(c)
	if err != nil {
		return "", err
	}
	lines, err := disposal.Verify(rep.Body, key)
	if err != nil {
		return err.Error(), nil
	}
	if rep.At, err = time.Parse(time.RFC3339, lines["Time"]); err != nil {
		return "its certificate does not say when", nil
	}
	rep.ID = certificateID
	if fresh, err := h.storeReport(ctx, tx, c, rep); err != nil || !fresh {
		return "", err
	}
	if !c.removed {
		if err := h.removeTerminal(ctx, tx, c.site, by, c.terminal); err != nil {
			return "", err
		}
		if err := h.enterPeers(ctx, tx, c.site); err != nil {
			return "", err
		}
	}
	return "", h.note(ctx, tx, c.site, by, "took the certificate of a terminal that is no more", c.terminal)
}

// disposalOf is the end of a terminal; nil if it is not known to have ended.
func (h *Hub) disposalOf(ctx context.Context, site, terminal string) (*Disposal, error) {
	var happened, received int64
	d := new(Disposal)
	err := h.db.QueryRowContext(ctx, `SELECT happened, received, body FROM reports WHERE site = $1 AND terminal = $2 AND id = $3 AND kind = $4`,
		site, terminal, certificateID, string(register.ReportDecommissioned)).Scan(&happened, &received, &d.Certificate)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading how terminal %s ended: %w", terminal, plain(err))
	}
	d.At, d.Received = instant(happened), instant(received)
	return d, nil
}
