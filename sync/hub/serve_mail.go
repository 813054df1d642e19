package hub

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// maxMail bounds what may wait for one terminal: ten fingers of a large school.
const maxMail = 20_000

// servePost takes templates for other terminals of the site.
func (h *Hub) servePost(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.Envelopes
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	if len(in.Envelopes) > register.MaxEnvelopes {
		return fail(http.StatusRequestEntityTooLarge, register.CodeSize, fmt.Sprintf("at most %d envelopes at a time", register.MaxEnvelopes))
	}
	answer := register.Accepted{Done: []string{}}
	err := h.write(r.Context(), c.site, func(tx *sql.Tx) error {
		answer = register.Accepted{Done: []string{}}
		for _, e := range in.Envelopes {
			if e == nil {
				return fail(http.StatusBadRequest, register.CodeMalformed, "an envelope is missing")
			}
			why, err := h.post(r.Context(), tx, e, c)
			if errors.Is(err, errLater) {
				continue // in neither list: it is sent again
			}
			if err != nil {
				return err
			}
			if why != "" {
				answer.Refused = append(answer.Refused, register.RefusedItem{ID: e.ID(), Why: why})
			} else {
				answer.Done = append(answer.Done, e.ID())
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// post puts one envelope into its mailbox, or says why it never will. The permit
// is looked at within the change, so that a withdrawal comes either before, and
// the envelope is refused, or after, and empties the mailbox.
func (h *Hub) post(ctx context.Context, tx *sql.Tx, e *register.Envelope, c caller) (why string, err error) {
	if e.Purpose != register.PurposeTemplate || e.Site != c.site || e.From != c.terminal {
		return "it is no template from this terminal for this site", nil
	}
	if err := e.Check(c.sign); err != nil {
		return "its signature does not verify", nil
	}
	var listed, waiting int
	err = tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM terminals WHERE site = $1 AND terminal = $2 AND removed = FALSE AND mode = 'fingers'),
		(SELECT COUNT(*) FROM mailbox WHERE site = $1 AND recipient = $2)`, c.site, e.To).Scan(&listed, &waiting)
	if err != nil {
		return "", err
	}
	who, err := loadSubject(ctx, tx, c.site, e.Subject)
	switch {
	case errors.Is(err, ErrNotFound):
		return "there is no such subject", nil
	case err != nil:
		return "", err
	case who.standing == nil || who.standing.Decision != consent.Permit:
		return "the subject is not permitted (A1)", nil
	case listed == 0:
		return "no such terminal shares fingers", nil
	case waiting >= maxMail:
		return "", fail(http.StatusTooManyRequests, register.CodeBusy, "the recipient's mailbox is full")
	}
	if early, err := sharesTooEarly(ctx, tx, c, e.Subject); err != nil {
		return "", err
	} else if early {
		return "", errLater
	}
	text, err := e.Marshal()
	if err != nil {
		return "", err
	}
	// Numbers are drawn from the site's row and not from the table, so that an empty
	// mailbox does not begin again at 1 and a late reader never mixes up the order.
	var number int64
	if err := tx.QueryRowContext(ctx, `UPDATE sites SET mail = mail + 1 WHERE site = $1 RETURNING mail`, c.site).Scan(&number); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO mailbox (site, number, id, recipient, subject, envelope, posted) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (site, id) DO NOTHING`, c.site, number, e.ID(), e.To, e.Subject, text, at(h.config.Now()))
	return "", err
}

// serveMail gives the caller its oldest envelopes. They stay until it deletes them.
func (h *Hub) serveMail(w http.ResponseWriter, r *http.Request, _ []byte, c caller) error {
	var out bytes.Buffer
	err := each(r.Context(), h.db, func(rows *sql.Rows) error {
		var text []byte
		if err := rows.Scan(&text); err != nil || out.Len()+len(text) >= register.MaxBody {
			return err
		}
		out.Write(text)
		return out.WriteByte('\n')
	}, `SELECT envelope FROM mailbox WHERE site = $1 AND recipient = $2 ORDER BY number LIMIT $3`, c.site, c.terminal, register.MaxEnvelopes)
	if err != nil {
		return fmt.Errorf("reading a mailbox: %w", err)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Write(out.Bytes())
	return nil
}

// serveTaken deletes envelopes that the caller has stored, in one change.
func (h *Hub) serveTaken(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.Taken
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	if len(in.IDs) > register.MaxEnvelopes {
		return fail(http.StatusRequestEntityTooLarge, register.CodeSize, fmt.Sprintf("at most %d ids at a time", register.MaxEnvelopes))
	}
	err := h.write(r.Context(), c.site, func(tx *sql.Tx) error {
		for _, id := range in.IDs {
			if _, err := tx.ExecContext(r.Context(), `DELETE FROM mailbox WHERE site = $1 AND recipient = $2 AND id = $3`, c.site, c.terminal, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("emptying a mailbox: %w", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// servePeople gives person records, each sealed to the caller: a proxy that opens
// TLS, as schools have them, reads no names. Records are made when asked for and
// never stored sealed, so that a leaver's cannot be handed out late.
func (h *Hub) servePeople(w http.ResponseWriter, r *http.Request, body []byte, c caller) error {
	var in register.PeopleRequest
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	if len(in.Subjects) > register.MaxEnvelopes {
		return fail(http.StatusRequestEntityTooLarge, register.CodeSize, fmt.Sprintf("at most %d people at a time", register.MaxEnvelopes))
	}
	var out bytes.Buffer
	for _, id := range in.Subjects {
		line, err := h.sealPerson(r.Context(), id, c)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if out.Len()+len(line) >= register.MaxBody { // photos: the terminal asks again for those left out
			break
		}
		out.Write(append(line, '\n'))
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Write(out.Bytes())
	return nil
}

func (h *Hub) sealPerson(ctx context.Context, id consent.SubjectID, c caller) ([]byte, error) {
	who, err := loadSubject(ctx, h.db, c.site, id)
	if err != nil {
		return nil, err
	}
	if who.standing == nil || who.standing.Leaver {
		return nil, ErrNotFound // a leaver's record is never handed out again
	}
	p := register.Person{Name: who.person.name, Form: who.person.form, Class: who.Class, Photo: who.person.photo,
		Dietary: who.person.dietary, PINIndex: who.person.pinIndex, PINVerifier: who.person.pinVerifier}
	text, err := p.Marshal()
	if err != nil {
		return nil, fmt.Errorf("sealing the record of %s: %w", id, err)
	}
	defer clear(text)
	label := register.Label{Purpose: register.PurposePerson, Site: c.site, From: register.Hub, To: c.terminal, Subject: id, Revision: who.person.revision}
	e, err := register.Seal(label, text, c.seal, h.keys.register)
	if err != nil {
		return nil, fmt.Errorf("sealing the record of %s: %w", id, err)
	}
	return e.Marshal()
}
