package hub

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/sync/register"
)

// exportLife is for how long an export can be confirmed and fetched: then the parts are deleted, and it is asked for again.
const exportLife = 31 * 24 * time.Hour

// Export is a request for access and how far it has come.
type Export struct {
	export.Order
	AskedBy     string   `json:"asked_by"`
	ConfirmedBy string   `json:"confirmed_by,omitempty"`
	Awaited     []string `json:"awaited"` // terminals whose part has not come yet
}

// AskExport notes that somebody wants to know what is held about a subject (G1), and how the office has made sure who
// it is (G13). Nothing is made before a second officer confirms.
func (h *Hub) AskExport(ctx context.Context, site, officer string, o export.Order) (id string, err error) {
	b, err := randomBytes(h.config.Rand, 8)
	if err != nil {
		return "", err
	}
	o.ID, o.Asked = fmt.Sprintf("x_%x", b), h.config.Now()
	o.Confirmed = o.Asked.Add(time.Second) // only for the check
	o.Recipient = strings.TrimSpace(o.Recipient)
	switch err := o.Check(); {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	case o.Requester == "" || o.Identity == "":
		return "", fmt.Errorf("%w: say who asks, and how their identity was checked (G13)", ErrInvalid)
	}
	err = h.write(ctx, site, func(tx *sql.Tx) error {
		if _, err := loadSubject(ctx, tx, site, o.Subject); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO exports (site, id, subject, recipient, requester, identity, asked, asked_by, confirmed, confirmed_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '')`, site, o.ID, o.Subject, o.Recipient, o.Requester, o.Identity, at(o.Asked), officer)
		if err != nil {
			return err
		}
		return h.note(ctx, tx, site, officer, "asked for an export", string(o.Subject))
	})
	if err != nil {
		return "", fmt.Errorf("asking for an export: %w", err)
	}
	return o.ID, nil
}

// ConfirmExport orders the export from every terminal of the site. The officer is another one than who asked.
func (h *Hub) ConfirmExport(ctx context.Context, site, officer, id string) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		x, err := h.loadExport(ctx, tx, site, id)
		switch {
		case err != nil:
			return err
		case x.ConfirmedBy != "":
			return nil // a second press
		case x.AskedBy == officer:
			return fmt.Errorf("%w: whoever asked for an export cannot confirm it; let a second person look at it (G13)", ErrInvalid)
		}
		x.Confirmed = h.config.Now()
		_, err = tx.ExecContext(ctx, `UPDATE exports SET confirmed = $3, confirmed_by = $4 WHERE site = $1 AND id = $2`, site, id, at(x.Confirmed), officer)
		if err != nil {
			return err
		}
		if err := h.note(ctx, tx, site, officer, "confirmed an export", string(x.Subject)); err != nil {
			return err
		}
		return h.orderExport(ctx, tx, site, x.Order)
	})
	if err != nil {
		return fmt.Errorf("confirming an export: %w", err)
	}
	return nil
}

// orderExport enters one command for each terminal that is of the site now.
func (h *Hub) orderExport(ctx context.Context, tx *sql.Tx, site string, o export.Order) error {
	o.Requester, o.Identity = "", ""
	peers, err := loadPeers(ctx, tx, site)
	if err != nil {
		return err
	}
	b, err := openBook(ctx, tx, site, h.config.Now())
	if err != nil {
		return err
	}
	for _, p := range peers {
		if _, err := tx.ExecContext(ctx, `INSERT INTO export_parts (site, id, terminal, received) VALUES ($1, $2, $3, 0)`, site, o.ID, p.ID); err != nil {
			return err
		}
		if _, err := b.append(ctx, register.Entry{Terminal: p.ID, Kind: register.KindCommand, Command: &register.Command{Do: register.Export, Order: &o}}, false); err != nil {
			return err
		}
	}
	return nil
}

// serveExport takes a terminal's part.
func (h *Hub) serveExport(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.ExportPart
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	result, err := h.db.ExecContext(r.Context(), `UPDATE export_parts SET sealed = $4, received = $5 WHERE site = $1 AND id = $2 AND terminal = $3`,
		c.site, in.Order, c.terminal, in.Sealed, at(h.config.Now()))
	if err != nil {
		return fmt.Errorf("storing a part of an export: %w", plain(err))
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return fail(http.StatusNotFound, register.CodeUnknown, "nobody waits for this export")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

const exportColumns = `SELECT id, subject, recipient, requester, identity, asked, asked_by, confirmed, confirmed_by FROM exports WHERE site = $1 AND `

// Exports lists the requests for access that are not closed, newest first, of one subject or, with "", of all.
func (h *Hub) Exports(ctx context.Context, site string, id consent.SubjectID) ([]Export, error) {
	return h.listExports(ctx, h.db, site, exportColumns+`($2 = '' OR subject = $2) ORDER BY asked DESC, id`, site, string(id))
}

func (h *Hub) loadExport(ctx context.Context, q asker, site, id string) (Export, error) {
	all, err := h.listExports(ctx, q, site, exportColumns+`id = $2`, site, id)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%w: there is no such request for access, or it was closed after a month", ErrNotFound)
	}
	if err != nil {
		return Export{}, err
	}
	return all[0], nil
}

func (h *Hub) listExports(ctx context.Context, q asker, site, query string, args ...any) ([]Export, error) {
	out := []Export{}
	err := each(ctx, q, func(r *sql.Rows) error {
		x := Export{Awaited: []string{}}
		var asked, confirmed int64
		err := r.Scan(&x.ID, &x.Subject, &x.Recipient, &x.Requester, &x.Identity, &asked, &x.AskedBy, &confirmed, &x.ConfirmedBy)
		if x.Asked = instant(asked); confirmed != 0 {
			x.Confirmed = instant(confirmed)
		}
		out = append(out, x)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing requests for access: %w", err)
	}
	for i := range out {
		err := each(ctx, q, func(r *sql.Rows) error {
			out[i].Awaited = append(out[i].Awaited, "")
			return r.Scan(&out[i].Awaited[len(out[i].Awaited)-1])
		}, `SELECT terminal FROM export_parts WHERE site = $1 AND id = $2 AND sealed IS NULL ORDER BY terminal`, site, out[i].ID)
		if err != nil {
			return nil, fmt.Errorf("listing requests for access: %w", err)
		}
	}
	return out, nil
}
