package hub

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// Report is what a terminal reported. A receipt's Body verifies offline with Key.
type Report struct {
	Terminal string    `json:"terminal"`
	Received time.Time `json:"received"`
	Key      string    `json:"key"` // the terminal's verifier key
	register.Report
}

const reportColumns = `SELECT r.terminal, r.id, r.kind, r.seq, r.subject, r.happened, r.operator, r.body, r.received, t.sign_key
	FROM reports r JOIN terminals t ON t.site = r.site AND t.terminal = r.terminal WHERE r.site = $1 AND `

// Reports lists what terminals reported, newest first, at most most. kind and
// subject narrow the list unless empty.
func (h *Hub) Reports(ctx context.Context, site string, kind register.ReportKind, id consent.SubjectID, most int) ([]Report, error) {
	return h.reports(ctx, site, reportColumns+`($2 = '' OR r.kind = $2) AND ($3 = '' OR r.subject = $3) ORDER BY r.received DESC, r.id LIMIT $4`,
		site, string(kind), string(id), most)
}

// receipt returns one receipt.
func (h *Hub) receipt(ctx context.Context, site, terminal, id string) (Report, error) {
	all, err := h.reports(ctx, site, reportColumns+`r.kind = 'receipt' AND r.terminal = $2 AND r.id = $3`, site, terminal, id)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%w: there is no such receipt", ErrNotFound)
	}
	if err != nil {
		return Report{}, err
	}
	return all[0], nil
}

func (h *Hub) reports(ctx context.Context, site, query string, args ...any) ([]Report, error) {
	out := []Report{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var rep Report
		var happened, received, seq int64
		c := caller{site: site}
		err := r.Scan(&rep.Terminal, &rep.ID, &rep.Kind, &seq, &rep.Subject, &happened, &rep.Operator, &rep.Body, &received, (*[]byte)(&c.sign))
		if err != nil {
			return err
		}
		rep.Seq, rep.At, rep.Received, c.terminal = uint64(seq), instant(happened), instant(received), rep.Terminal
		rep.Key, err = receiptKey(c)
		out = append(out, rep)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing reports: %w", err)
	}
	return out, nil
}
