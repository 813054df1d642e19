package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// keepCounts notes how long a terminal's log and queue are, where they are not as it said before: every meal moves them, and an
// inventory of each would be large (J3).
func keepCounts(ctx context.Context, tx *sql.Tx, c caller, s register.Status, now time.Time) error {
	var before register.Status
	when, err := countsAt(ctx, tx, c.site, c.terminal, now, &before)
	if err != nil || !when.IsZero() && before.Log == s.Log && before.Pending == s.Pending {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO inventory_counts (site, terminal, received, log, queue) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (site, terminal, received) DO UPDATE SET log = excluded.log, queue = excluded.queue`, c.site, c.terminal, at(now), s.Log, s.Pending)
	return err
}

// countsAt puts what a terminal had last counted at a moment into s, and says when that was; the zero time if it never had.
func countsAt(ctx context.Context, q asker, site, terminal string, when time.Time, s *register.Status) (time.Time, error) {
	var us int64
	err := q.QueryRowContext(ctx, `SELECT received, log, queue FROM inventory_counts WHERE site = $1 AND terminal = $2 AND received <= $3
		ORDER BY received DESC LIMIT 1`, site, terminal, at(when)).Scan(&us, &s.Log, &s.Pending)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("reading what terminal %s had counted: %w", terminal, plain(err))
	}
	return instant(us), nil
}

// Lock says whether what was held lay open: in what state the keys were, and when they were last unlocked, as far as the terminal has
// told (J4). Nobody can know of a stolen one whether it still has power.
func (e *Evidence) Lock() string {
	obeyed := func(do register.Action) int {
		for i, o := range slices.Backward(e.Orders) {
			if o.Do == do && o.Applied {
				return i
			}
		}
		return -1
	}
	words := "it has not told when it was last unlocked"
	if !e.Held.Opened.IsZero() {
		words = "last unlocked by its key slot at " + e.Held.Opened.UTC().Format("2006-01-02 15:04 UTC") + ", by its clock; its keys are in memory while it has power, and without it in the key slot only"
	}
	switch {
	case e.Disposed != nil || obeyed(register.Wipe) >= 0:
		return "its keys are destroyed, by its own word"
	case obeyed(register.Block) > obeyed(register.Unblock):
		return words + "; blocked: it matches no finger"
	}
	return words
}
