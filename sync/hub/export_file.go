package hub

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/sync/register"
)

// ExportFile is the bundle for the recipient: the hub's part, made now, and the parts that have come so far.
func (h *Hub) ExportFile(ctx context.Context, site, officer, id string) ([]byte, error) {
	x, err := h.loadExport(ctx, h.db, site, id)
	if err != nil {
		return nil, err
	}
	if x.ConfirmedBy == "" {
		return nil, fmt.Errorf("%w: a second person has to confirm this request first (G13)", ErrInvalid)
	}
	record, err := h.record(ctx, site, x.Order)
	if err != nil {
		return nil, fmt.Errorf("making an export: %w", err)
	}
	var own bytes.Buffer
	if err := record.Seal(&own); err != nil {
		return nil, err
	}
	parts := []export.File{{Name: register.Hub + ".age", Data: own.Bytes()}}
	err = each(ctx, h.db, func(r *sql.Rows) error {
		var f export.File
		err := r.Scan(&f.Name, &f.Data)
		f.Name += ".age"
		parts = append(parts, f)
		return err
	}, `SELECT terminal, sealed FROM export_parts WHERE site = $1 AND id = $2 AND sealed IS NOT NULL ORDER BY terminal`, site, id)
	if err != nil {
		return nil, fmt.Errorf("making an export: %w", err)
	}
	err = h.write(ctx, site, func(tx *sql.Tx) error { return h.note(ctx, tx, site, officer, "fetched an export", string(x.Subject)) })
	if err != nil {
		return nil, err
	}
	return export.Bundle(parts)
}

// closeExports deletes requests and parts that are older than exportLife.
func (h *Hub) closeExports(ctx context.Context) error {
	before := at(h.config.Now().Add(-exportLife))
	return h.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM export_parts WHERE EXISTS
			(SELECT 1 FROM exports e WHERE e.site = export_parts.site AND e.id = export_parts.id AND e.asked < $1)`, before)
		_, err2 := tx.ExecContext(ctx, `DELETE FROM exports WHERE asked < $1`, before)
		return errors.Join(err, err2)
	})
}
