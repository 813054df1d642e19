package hub

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tillprint/tillprint/consent"
)

// usedStep is how old a date of last use may be before it is written anew, in days: the hub has no need to know who eats when (F1), and
// each new date is an entry in the register. It is at most a quarter of the time for which unused fingers are kept.
const usedStep = 28

// noteUses takes it from a terminal whose fingers have been used (D3). The date is this hub's, whatever the terminal's clock says.
func (h *Hub) noteUses(ctx context.Context, tx *sql.Tx, site string, used []consent.SubjectID) error {
	if len(used) == 0 {
		return nil
	}
	s, err := loadSite(ctx, tx, site)
	if err != nil || s.Profile.UnusedDays <= 0 {
		return err
	}
	today, _, err := s.today(h.config.Now())
	if err != nil {
		return err
	}
	before := today.AddDays(-min(usedStep, s.Profile.UnusedDays/4))
	var news []consent.SubjectID
	for _, id := range used {
		// One that lies ahead was written by a clock that was wrong.
		result, err := tx.ExecContext(ctx, `UPDATE subjects SET last_used = $3 WHERE site = $1 AND subject = $2 AND (last_used <= $4 OR last_used > $3)`,
			site, id, today.String(), before.String())
		if err != nil {
			return fmt.Errorf("noting whose fingers were used: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			news = append(news, id)
		}
	}
	if len(news) == 0 {
		return nil
	}
	return h.settle(ctx, tx, site, news)
}
