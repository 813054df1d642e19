package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// States of a terminal in a rollout.
const (
	rolloutWaiting = "waiting"
	rolloutBegun   = "under way"
	rolloutDone    = "done"
	rolloutFailed  = "failed"
	rolloutLeft    = "left out" // the terminal takes its versions from elsewhere
)

// Rollout is how one terminal stands with the version that is staged for it.
type Rollout struct {
	Site     string    `json:"site"`
	Terminal string    `json:"terminal"`
	Bundle             // what it is to take
	Wave     int       `json:"wave"`
	State    string    `json:"state"`
	Words    string    `json:"words,omitempty"` // the terminal's own
	Staged   time.Time `json:"staged"`
	Changed  time.Time `json:"changed"`
}

// Stage has terminals take a version, in three waves: one terminal of each board, then a tenth, then the others; see waves.
// A wave begins when in each before it at least one terminal has committed the version and none is left to do so; the first
// failure keeps everything that has not begun from beginning, so that a fleet never breaks at once. terminals narrows to those of one site; none means all. An
// empty site means every site. What was staged for a terminal before is replaced.
func (h *Hub) Stage(ctx context.Context, officer string, sequence uint64, site string, terminals ...string) (int, error) {
	chosen, err := h.chosen(ctx, site, terminals)
	if err != nil {
		return 0, err
	}
	if len(chosen) == 0 {
		return 0, fmt.Errorf("%w: there is no terminal to stage a version for", ErrNotFound)
	}
	err = h.change(ctx, func(tx *sql.Tx) error {
		var version string
		err := tx.QueryRowContext(ctx, `SELECT version FROM bundles WHERE sequence = $1`, int64(sequence)).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("%w: there is no version with the sequence %d; add it first", ErrNotFound, sequence)
		}
		if err != nil {
			return err
		}
		drawn := waves(chosen)
		for i, c := range chosen {
			if _, err := tx.ExecContext(ctx, `INSERT INTO rollouts (site, terminal, sequence, wave, staged, state, words, changed)
				VALUES ($1, $2, $3, $4, $5, $6, '', $5)
				ON CONFLICT (site, terminal) DO UPDATE SET sequence = $3, wave = $4, staged = $5, state = $6, words = '', changed = $5`,
				c.site, c.terminal, int64(sequence), drawn[i], at(h.config.Now()), rolloutWaiting); err != nil {
				return err
			}
			if err := h.note(ctx, tx, c.site, officer, "staged version "+version, c.terminal); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("staging a version: %w", err)
	}
	return len(chosen), nil
}

// StopRollout keeps terminals that have not begun to take a version from beginning. An empty site means every site.
func (h *Hub) StopRollout(ctx context.Context, officer string, sequence uint64, site string) error {
	err := h.change(ctx, func(tx *sql.Tx) error {
		var stopped []caller
		if err := each(ctx, tx, func(r *sql.Rows) error {
			var c caller
			err := r.Scan(&c.site, &c.terminal)
			stopped = append(stopped, c)
			return err
		}, `SELECT site, terminal FROM rollouts WHERE sequence = $1 AND state = $2 AND ($3 = '' OR site = $3)`, int64(sequence), rolloutWaiting, site); err != nil {
			return err
		}
		for _, c := range stopped {
			if _, err := tx.ExecContext(ctx, `DELETE FROM rollouts WHERE site = $1 AND terminal = $2`, c.site, c.terminal); err != nil {
				return err
			}
			if err := h.note(ctx, tx, c.site, officer, "stopped an update", c.terminal); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("stopping an update: %w", err)
	}
	return nil
}

// Rollouts lists what is staged, by wave. An empty site means every site.
func (h *Hub) Rollouts(ctx context.Context, site string) ([]Rollout, error) {
	all := []Rollout{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var o Rollout
		var sequence, staged, changed int64
		err := r.Scan(&o.Site, &o.Terminal, &sequence, &o.Version, &o.Wave, &o.State, &o.Words, &staged, &changed)
		o.Sequence, o.Staged, o.Changed = uint64(sequence), instant(staged), instant(changed)
		all = append(all, o)
		return err
	}, `SELECT r.site, r.terminal, r.sequence, b.version, r.wave, r.state, r.words, r.staged, r.changed FROM rollouts r JOIN bundles b ON b.sequence = r.sequence
		WHERE $1 = '' OR r.site = $1 ORDER BY r.sequence DESC, r.wave, r.site, r.terminal`, site)
	if err != nil {
		return nil, fmt.Errorf("listing updates: %w", err)
	}
	return all, nil
}

// serveUpdate offers the caller the version that is staged for it, once its wave has begun.
func (h *Hub) serveUpdate(w http.ResponseWriter, r *http.Request, _ []byte, c caller) error {
	o, _, err := h.offered(r.Context(), c)
	if err != nil {
		return err
	}
	if o == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return writeJSON(w, http.StatusOK, o)
}

// offered is what a terminal may take now, and the folder that it lies in; nil for nothing. One that has begun goes on.
func (h *Hub) offered(ctx context.Context, c caller) (*register.UpdateOffer, string, error) {
	var sequence, wave int64
	var o register.UpdateOffer
	var folder, state string
	err := h.db.QueryRowContext(ctx, `SELECT r.sequence, r.wave, r.state, b.version, b.folder FROM rollouts r JOIN bundles b ON b.sequence = r.sequence
		WHERE r.site = $1 AND r.terminal = $2`, c.site, c.terminal).Scan(&sequence, &wave, &state, &o.Version, &folder)
	if errors.Is(err, sql.ErrNoRows) || err == nil && state != rolloutWaiting && state != rolloutBegun {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("looking for an update: %w", plain(err))
	}
	if state == rolloutWaiting {
		if open, err := h.waveOpen(ctx, sequence, wave); err != nil || !open {
			return nil, "", err
		}
	}
	o.Sequence = uint64(sequence)
	return &o, filepath.Join(h.config.Dir, folder), nil
}

// keepUpdate notes how a terminal stands with what is staged for it.
func keepUpdate(ctx context.Context, tx *sql.Tx, c caller, u register.UpdateState, now time.Time) error {
	if u == (register.UpdateState{}) {
		return nil
	}
	state := rolloutBegun
	switch u.Step {
	case register.UpdateFailed:
		state = rolloutFailed
	case register.UpdateForeign:
		state = rolloutLeft
	case register.UpdateNone:
		state = rolloutWaiting
	}
	_, err := tx.ExecContext(ctx, `UPDATE rollouts SET state = CASE WHEN sequence = $3 THEN 'done' WHEN sequence = $4 OR $5 = 'left out' THEN $5 ELSE state END,
			words = $6, changed = $7
		WHERE site = $1 AND terminal = $2 AND (sequence = $3 OR sequence = $4 OR $5 = 'left out') AND state <> 'done' AND state <> 'failed'`,
		c.site, c.terminal, int64(u.Sequence), int64(u.Offered), state, u.Words, at(now))
	if err != nil {
		return fmt.Errorf("noting an update: %w", err)
	}
	if state == rolloutLeft {
		return refill(ctx, tx, c)
	}
	return nil
}
