package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
)

// Redecide decides again for every subject for whom a date has been reached:
// 18th birthdays, reviews, leaving days (A2, A14, D3).
func (h *Hub) Redecide(ctx context.Context) error {
	sites, err := h.Sites(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, s := range sites {
		failed = append(failed, h.redecideSite(ctx, s))
	}
	return errors.Join(failed...)
}

func (h *Hub) redecideSite(ctx context.Context, s Site) error {
	if err := errors.Join(h.watchWaiting(ctx, s), h.watchRoster(ctx, s)); err != nil {
		return err
	}
	today, _, err := s.today(h.config.Now())
	if err != nil {
		return err
	}
	var due []consent.SubjectID
	err = each(ctx, h.db, func(r *sql.Rows) error {
		var id consent.SubjectID
		err := r.Scan(&id)
		due = append(due, id)
		return err
	}, `SELECT subject FROM subjects WHERE site = $1 AND next_end <> '' AND next_end <= $2`, s.ID, today.String())
	if err != nil || len(due) == 0 {
		return err
	}
	if err := h.write(ctx, s.ID, func(tx *sql.Tx) error {
		if err := h.settle(ctx, tx, s.ID, due); err != nil {
			return err
		}
		return h.endSwitch(ctx, tx, s.ID)
	}); err != nil {
		return fmt.Errorf("deciding again at %s: %w", s.ID, err)
	}
	h.config.Log.Info("dates reached", "site", s.ID, "subjects", len(due))
	return nil
}
