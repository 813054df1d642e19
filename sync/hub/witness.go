package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/register"
)

// witnessed is what the hub has countersigned of one terminal's audit log.
type witnessed struct {
	audit.Head
	text    string // with both signatures
	refetch uint64 // command that the terminal must have carried out before anything else counts; 0 for none
}

// serveWitness countersigns the head of a terminal's log if it holds all of what was countersigned before. If not, an
// old copy of the card was put back, or its records were lost: the office is told, and the terminal is ordered to wipe
// and to fetch everything again. After that its log begins anew.
func (h *Hub) serveWitness(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.Witness
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	key, err := receiptKey(c)
	if err != nil {
		return err
	}
	shown, err := audit.OpenHead(in.Head, key)
	if err != nil || len(in.Proof) > 64 {
		return fail(http.StatusBadRequest, register.CodeMalformed, "the head of the log does not verify")
	}
	var answer register.Witnessed
	err = h.write(r.Context(), c.site, func(tx *sql.Tx) error {
		answer, err = h.witness(r.Context(), tx, c, in, shown)
		return err
	})
	if err != nil {
		return err
	}
	if answer.Rewound {
		h.config.Log.Warn("a terminal shows less than was countersigned", "site", c.site, "terminal", c.terminal, "records", shown.Size)
	}
	return writeJSON(w, http.StatusOK, answer)
}

func (h *Hub) witness(ctx context.Context, tx *sql.Tx, c caller, in register.Witness, shown audit.Head) (register.Witnessed, error) {
	last, err := loadWitnessed(ctx, tx, c.site, c.terminal)
	if err != nil {
		return register.Witnessed{}, err
	}
	switch {
	case last.refetch > 0 && in.Refetched >= last.refetch: // it has been emptied: a new log
		last = witnessed{}
	case last.refetch > 0:
		return register.Witnessed{Rewound: true}, nil
	case in.Earlier != last.Size && shown.Size >= last.Size:
		return register.Witnessed{Known: last.Size}, nil // the answer before was lost, or this is its first since a start
	case last.Continues(tlog.TreeProof(in.Proof), shown) != nil:
		return register.Witnessed{Rewound: true}, h.orderRefetch(ctx, tx, c, last, shown)
	}
	key, err := receiptKey(c)
	if err != nil {
		return register.Witnessed{}, err
	}
	head, err := audit.Countersign(in.Head, key, audit.NewCosigner(h.keys.register, h.signedTime()))
	if err != nil {
		return register.Witnessed{}, err
	}
	history := ""
	if last.Size > 0 {
		history = audit.History(last.text, tlog.TreeProof(in.Proof), head)
		if _, _, err := audit.VerifyHistory(history, key, audit.CosignKey(h.PublicKey())); err != nil {
			history = "" // an earlier version has countersigned the last head in another form
		}
	}
	return register.Witnessed{Head: head}, h.keepWitnessed(ctx, tx, c, witnessed{Head: shown, text: head}, history)
}

// orderRefetch tells the office and orders the terminal emptied and filled again, its fingers by the site's others.
func (h *Hub) orderRefetch(ctx context.Context, tx *sql.Tx, c caller, last witnessed, shown audit.Head) error {
	b, err := openBook(ctx, tx, c.site, h.config.Now())
	if err != nil {
		return err
	}
	seq, err := b.append(ctx, register.Entry{Terminal: c.terminal, Kind: register.KindCommand, Command: &register.Command{Do: register.Refetch}}, false)
	if err != nil {
		return err
	}
	introduce := &register.Command{Do: register.Introduce, Settings: map[string]string{"terminal": c.terminal}}
	if _, err := b.append(ctx, register.Entry{Kind: register.KindCommand, Command: introduce}, false); err != nil {
		return err
	}
	text := fmt.Sprintf("An old copy of this terminal's card was put back, or its records were lost: its audit log shows %d records and does not continue the %d that were countersigned. It has been ordered to wipe everything and to fetch it again. Find out who had the card (H17).",
		shown.Size, last.Size)
	_, err = tx.ExecContext(ctx, `INSERT INTO reports (site, terminal, id, kind, seq, subject, happened, operator, body, received)
		VALUES ($1, $2, $3, $4, $5, '', $6, '', $7, $6) ON CONFLICT (site, terminal, id) DO NOTHING`,
		c.site, c.terminal, fmt.Sprintf("rewound-%d", seq), string(register.ReportAlert), int64(seq), at(h.config.Now()), text)
	if err != nil {
		return fmt.Errorf("telling the office of a card that was put back: %w", err)
	}
	if err := h.note(ctx, tx, c.site, "hub", "ordered refetch", c.terminal); err != nil {
		return err
	}
	last.refetch = seq
	return h.keepWitnessed(ctx, tx, c, last, "")
}

func loadWitnessed(ctx context.Context, q asker, site, terminal string) (w witnessed, err error) {
	var root []byte
	var refetch int64
	err = q.QueryRowContext(ctx, `SELECT size, root, head, refetch FROM witnessed WHERE site = $1 AND terminal = $2`, site, terminal).
		Scan(&w.Size, &root, &w.text, &refetch)
	if errors.Is(err, sql.ErrNoRows) {
		return witnessed{}, nil
	}
	if err != nil {
		return witnessed{}, fmt.Errorf("reading what was countersigned: %w", plain(err))
	}
	copy(w.Root[:], root)
	w.refetch = uint64(refetch)
	return w, nil
}

// keepWitnessed keeps a countersigned head, with its history unless that is to stay as it is.
func (h *Hub) keepWitnessed(ctx context.Context, tx *sql.Tx, c caller, w witnessed, history string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO witnessed (site, terminal, size, root, head, history, refetch, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (site, terminal) DO UPDATE SET size = excluded.size, root = excluded.root, head = excluded.head,
			history = excluded.history, refetch = excluded.refetch, seen = excluded.seen`,
		c.site, c.terminal, w.Size, w.Root[:], w.text, history, int64(w.refetch), at(h.config.Now()))
	if err != nil {
		return fmt.Errorf("keeping what was countersigned: %w", err)
	}
	return nil
}

// LogHistory is a proof that a terminal's log has only grown from the last but one countersigned head to the last, with the keys that verify
// it; the text is empty as long as there is but one.
type LogHistory struct {
	Head    string `json:"head"`    // the last, with both signatures
	History string `json:"history"` // see audit.VerifyHistory
	Key     string `json:"key"`     // the terminal's verifier key
	HubKey  string `json:"hub_key"` // the hub's
}

// LogHistory returns what the hub has countersigned last of a terminal's log.
func (h *Hub) LogHistory(ctx context.Context, site, terminal string) (out LogHistory, err error) {
	c := caller{site: site, terminal: terminal}
	err = h.db.QueryRowContext(ctx, `SELECT w.head, w.history, t.sign_key FROM witnessed w JOIN terminals t ON t.site = w.site AND t.terminal = w.terminal
		WHERE w.site = $1 AND w.terminal = $2`, site, terminal).Scan(&out.Head, &out.History, (*[]byte)(&c.sign))
	if errors.Is(err, sql.ErrNoRows) {
		return out, fmt.Errorf("%w: nothing of that terminal's log was countersigned yet", ErrNotFound)
	}
	if err != nil {
		return out, fmt.Errorf("reading what was countersigned: %w", plain(err))
	}
	if out.Key, err = receiptKey(c); err != nil {
		return out, err
	}
	out.HubKey = audit.CosignKey(h.PublicKey())
	return out, nil
}
