package hub

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/pin"
	"github.com/tillprint/tillprint/sync/register"
)

// serveReports takes what happened at a terminal, each report once. What it lists
// as done is durable.
func (h *Hub) serveReports(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.Reports
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	if len(in.Reports) > register.MaxReports {
		return fail(http.StatusRequestEntityTooLarge, register.CodeSize, fmt.Sprintf("at most %d reports at a time", register.MaxReports))
	}
	var answer register.Accepted
	err := h.write(r.Context(), c.site, func(tx *sql.Tx) error {
		answer = register.Accepted{Done: []string{}}
		var refused []consent.SubjectID
		for _, rep := range in.Reports {
			why, err := h.takeReport(r.Context(), tx, c, rep)
			if err != nil {
				return err
			}
			if why != "" {
				answer.Refused = append(answer.Refused, register.RefusedItem{ID: rep.ID, Why: why})
			} else {
				answer.Done = append(answer.Done, rep.ID)
			}
			if why == "" && rep.Kind == register.ReportRefusal {
				refused = append(refused, rep.Subject)
			}
		}
		b, err := openBook(r.Context(), tx, c.site, h.config.Now())
		if err != nil {
			return err
		}
		answer.Head = b.size
		return b.restate(r.Context(), refused)
	})
	if err != nil {
		return err
	}
	for _, no := range answer.Refused {
		h.config.Log.Warn("a report was refused", "site", c.site, "terminal", c.terminal, "why", no.Why)
	}
	return writeJSON(w, http.StatusOK, answer)
}

// takeReport stores one report and does what follows from it, or says why it
// will never be taken.
func (h *Hub) takeReport(ctx context.Context, tx *sql.Tx, c caller, rep register.Report) (why string, err error) {
	if err := rep.Check(); err != nil {
		return err.Error(), nil
	}
	if rep.Kind == register.ReportDecommissioned {
		return h.takeCertificate(ctx, tx, c, "terminal "+c.terminal, rep)
	}
	if rep.Kind == register.ReportReceipt { // verified now: a receipt that proves nothing must not end "not yet confirmed"
		if why := checkReceipt(c, rep); why != "" {
			return why, nil
		}
	}
	var who *subject
	if rep.Kind == register.ReportRefusal {
		if who, err = loadSubject(ctx, tx, c.site, rep.Subject); errors.Is(err, ErrNotFound) {
			return "there is no such subject", nil
		} else if err != nil {
			return "", err
		}
	}
	if !slices.Contains([]register.ReportKind{register.ReportReceipt, register.ReportRefusal, register.ReportRefusedTemplate, register.ReportAlert}, rep.Kind) {
		return "this hub does not know this kind of report; bring hub and terminal to the same release", nil
	}
	// The report and what follows from it are one change: after a crash there are both
	// or neither, and the terminal, which has had no answer, sends the report again.
	if fresh, err := h.storeReport(ctx, tx, c, rep); err != nil || !fresh {
		return "", err // it came before, and all that follows from it was done then
	}
	if rep.Kind == register.ReportRefusal {
		return "", h.refusedAtTill(ctx, tx, c, rep, who)
	}
	return "", nil
}

// storeReport says whether a report is new.
func (h *Hub) storeReport(ctx context.Context, tx *sql.Tx, c caller, rep register.Report) (fresh bool, err error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO reports (site, terminal, id, kind, seq, subject, happened, operator, body, received)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (site, terminal, id) DO NOTHING`,
		c.site, c.terminal, rep.ID, string(rep.Kind), int64(rep.Seq), string(rep.Subject), at(rep.At), rep.Operator, rep.Body, at(h.config.Now()))
	if err != nil {
		return false, fmt.Errorf("storing a report: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// refusedAtTill makes a press at the till a statement like any other (A3).
func (h *Hub) refusedAtTill(ctx context.Context, tx *sql.Tx, c caller, rep register.Report, who *subject) error {
	s := consent.Statement{
		ID: fmt.Sprintf("till_%x", sha256.Sum256([]byte(c.terminal+"\x00"+rep.ID))), By: string(rep.Subject), Capacity: who.ownCapacity(),
		Kind: consent.Refusal, Form: consent.Verbal, At: plausible(rep.At, h.config.Now()),
		Purpose: consent.CanteenIdentification, Modality: consent.Finger, TakenBy: c.terminal + "/" + rep.Operator,
	}
	if _, err := h.insertStatement(ctx, tx, c.site, "terminal "+c.terminal, rep.Subject, s); err != nil {
		return err
	}
	if err := h.note(ctx, tx, c.site, "terminal "+c.terminal, "took a refusal at the till", string(rep.Subject)); err != nil {
		return err
	}
	return h.settle(ctx, tx, c.site, []consent.SubjectID{rep.Subject})
}

// plausible is when something happened, by a terminal whose clock may never have
// been set: what it says if that is within the last year, else now.
func plausible(said, now time.Time) time.Time {
	if said.After(now) || said.Before(now.AddDate(-1, 0, 0)) {
		return now
	}
	return said
}

// checkReceipt verifies a receipt as anybody else could, with the key that the
// terminal joined with, and says what is wrong with it.
func checkReceipt(c caller, rep register.Report) string {
	key, err := receiptKey(c)
	if err != nil {
		return err.Error()
	}
	receipt, err := audit.VerifyReceipt(rep.Body, key)
	if err != nil {
		return "the receipt does not verify: " + err.Error()
	}
	if receipt.Subject != rep.Subject {
		return "the receipt is about another subject than the report"
	}
	return ""
}

// receiptKey is the note key by which a terminal's receipts verify.
func receiptKey(c caller) (string, error) {
	key, err := note.NewEd25519VerifierKey(audit.Origin(c.site, c.terminal), c.sign)
	if err != nil {
		return "", fmt.Errorf("making the verifier key of terminal %s: %w", c.terminal, err)
	}
	return key, nil
}

// plausibleCost refuses what would make PINs too cheap to keep, or too dear to check at any terminal.
func plausibleCost(c pin.Cost) bool {
	return c == pin.Cost{} || c.Threads == 1 && !c.Cheaper(pin.Least) && !pin.Most.Cheaper(c) && Cost(c).check() == nil
}

// serveStatus keeps a terminal's newest account of itself, and what it held each time that this changed. It proves
// nothing; only receipts do.
func (h *Hub) serveStatus(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var s register.Status
	if err := register.Decode(body, &s); err != nil {
		return err
	}
	if !s.Plausible() || !plausibleCost(s.PINCost) {
		return fail(http.StatusBadRequest, register.CodeMalformed, "a status out of bounds")
	}
	used := s.Used
	s.Used = nil // not kept
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("storing a status: %w", err)
	}
	now := h.config.Now()
	write := h.change
	if len(used) > 0 {
		write = func(ctx context.Context, f func(*sql.Tx) error) error { return h.write(ctx, c.site, f) }
	}
	err = write(r.Context(), func(tx *sql.Tx) error {
		if err := h.noteUses(r.Context(), tx, c.site, used); err != nil {
			return err
		}
		if err := keepInventory(r.Context(), tx, c, s, now); err != nil {
			return err
		}
		if err := keepUpdate(r.Context(), tx, c, s.Update, now); err != nil {
			return err
		}
		_, err := tx.ExecContext(r.Context(), `UPDATE terminals SET reported = $3, status = $4, contact = $5 WHERE site = $1 AND terminal = $2`,
			c.site, c.terminal, int64(s.Applied), string(text), at(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing a status: %w", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
