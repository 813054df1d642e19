package hub

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tillprint/tillprint/sync/register"
)

// candidate is a terminal that a version is staged for, and what its last status says.
type candidate struct {
	caller
	source int    // where its versions come from
	board  string // its model, without the revision; "" where it is not told
}

// Where a terminal's versions come from, in the order in which waves are filled.
const (
	fromImage   = iota // it has said which slot's version runs
	fromUnknown        // it has said nothing yet
	fromOthers         // such as a package manager: it will be left out
)

func (c *candidate) read(status string) {
	c.source = fromUnknown
	var s register.Status
	if json.Unmarshal([]byte(status), &s) != nil { // none yet
		return
	}
	c.board, _, _ = strings.Cut(s.Board, " Rev ")
	switch {
	case s.Update.Step == register.UpdateForeign:
		c.source = fromOthers
	case s.Update.Sequence > 0 || s.Update.Step != register.UpdateNone:
		c.source = fromImage
	}
}

// waves gives each terminal its wave: 1 for the first one of each board, 2 for a tenth, 3 for the others. Those that run
// from an image come first, since only they can prove a version; those that take theirs from elsewhere come last.
func waves(all []candidate) []int {
	order, takers := make([]int, len(all)), 0
	for i := range all {
		order[i] = i
		if all[i].source != fromOthers {
			takers++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(all[a].source, all[b].source) })
	drawn, tenth, seen := make([]int, len(all)), (takers+9)/10, map[string]bool{}
	for n, i := range order {
		switch c := all[i]; {
		case n == 0 || c.source == fromImage && !seen[c.board]:
			drawn[i], seen[c.board] = 1, true
		case c.source != fromOthers && tenth > 0:
			drawn[i] = 2
			tenth--
		default:
			drawn[i] = 3
		}
	}
	return drawn
}

// chosen lists whom a version is staged for, by name, so that the first till of every school comes before the second of any.
func (h *Hub) chosen(ctx context.Context, site string, terminals []string) ([]candidate, error) {
	var all []candidate
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var c candidate
		var status string
		err := r.Scan(&c.site, &c.terminal, &status)
		c.read(status)
		if len(terminals) == 0 || slices.Contains(terminals, c.terminal) {
			all = append(all, c)
		}
		return err
	}, `SELECT site, terminal, status FROM terminals WHERE removed = FALSE AND ($1 = '' OR site = $1) ORDER BY terminal, site`, site)
	if err != nil {
		return nil, fmt.Errorf("listing terminals: %w", err)
	}
	for _, name := range terminals {
		if !slices.ContainsFunc(all, func(c candidate) bool { return c.terminal == name }) {
			return nil, fmt.Errorf("%w: there is no terminal %.40q", ErrNotFound, name)
		}
	}
	return all, nil
}

// waveOpen says whether terminals of a wave may begin: nothing has failed, nobody of the waves before is still to come, and
// in each of them at least one has committed the version. One that was left out proves nothing.
func (h *Hub) waveOpen(ctx context.Context, sequence, wave int64) (bool, error) {
	var failed, coming, before, proven int
	err := h.db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM rollouts WHERE sequence = $1 AND state = $2),
		(SELECT COUNT(*) FROM rollouts WHERE sequence = $1 AND wave < $3 AND state <> $4 AND state <> $5),
		(SELECT COUNT(DISTINCT wave) FROM rollouts WHERE sequence = $1 AND wave < $3),
		(SELECT COUNT(DISTINCT wave) FROM rollouts WHERE sequence = $1 AND wave < $3 AND state = $4)`,
		sequence, rolloutFailed, wave, rolloutDone, rolloutLeft).Scan(&failed, &coming, &before, &proven)
	if err != nil {
		return false, fmt.Errorf("looking for an update: %w", plain(err))
	}
	return failed == 0 && coming == 0 && before == proven, nil
}

// refill puts the next terminal that waits into the wave of one that drops out, where nobody else is left in it to prove the
// version. The waves after would wait for ever otherwise, or open on nothing.
func refill(ctx context.Context, tx *sql.Tx, c caller) error {
	var sequence, wave int64
	var others int
	err := tx.QueryRowContext(ctx, `SELECT sequence, wave FROM rollouts WHERE site = $1 AND terminal = $2`, c.site, c.terminal).Scan(&sequence, &wave)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM rollouts WHERE sequence = $1 AND wave = $2 AND state <> $3 AND NOT (site = $4 AND terminal = $5)`,
			sequence, wave, rolloutLeft, c.site, c.terminal).Scan(&others)
	}
	if err == nil && others == 0 {
		_, err = tx.ExecContext(ctx, `UPDATE rollouts SET wave = $2 WHERE (site, terminal) =
			(SELECT site, terminal FROM rollouts WHERE sequence = $1 AND wave > $2 AND state = $3 ORDER BY wave, terminal, site LIMIT 1)`, sequence, wave, rolloutWaiting)
	}
	if err != nil {
		return fmt.Errorf("filling a wave of an update: %w", plain(err))
	}
	return nil
}
