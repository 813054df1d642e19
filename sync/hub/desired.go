package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// TerminalState is what one terminal must hold against what it says it holds.
type TerminalState struct {
	Terminal    string              `json:"terminal"`
	Key         string              `json:"key"` // verifies its receipts
	Joined      time.Time           `json:"joined"`
	Contact     time.Time           `json:"contact"`
	Removed     bool                `json:"removed"`
	Mode        register.Mode       `json:"mode"`     // as commissioned (N1); Status has what it says of itself
	Desired     uint64              `json:"desired"`  // entries in the register
	Reported    uint64              `json:"reported"` // entries that it says it has applied
	Unconfirmed []consent.SubjectID `json:"unconfirmed"`
	Mail        int                 `json:"mail"` // templates waiting for it
	Status      register.Status     `json:"status"`
}

// Terminals lists the site's terminals, those that were removed too. Unconfirmed
// are the subjects from whom something was taken away and of whom the terminal
// has not said that it obeyed: "revoked, not yet confirmed" (D2).
func (h *Hub) Terminals(ctx context.Context, site string) ([]TerminalState, error) {
	var all []TerminalState
	var from []uint64 // entries that cannot be unconfirmed any more
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var t TerminalState
		var joined, since, contact, desired, reported int64
		var status string
		c := caller{site: site}
		err := r.Scan(&t.Terminal, (*[]byte)(&c.sign), &joined, &since, &contact, &t.Removed, &t.Mode, &desired, &reported, &status, &t.Mail)
		if err != nil {
			return err
		}
		c.terminal = t.Terminal
		t.Joined, t.Contact, t.Desired, t.Reported = instant(joined), instant(contact), uint64(desired), uint64(reported)
		// Contacts are written down once a minute, not with each request; the newest are in memory.
		if seen := h.contacts.last(site, t.Terminal); seen.After(t.Contact) {
			t.Contact = seen.UTC()
		}
		if status != "" {
			if err := json.Unmarshal([]byte(status), &t.Status); err != nil {
				return fmt.Errorf("the status of terminal %s cannot be read: %w", t.Terminal, err)
			}
		}
		t.Key, err = receiptKey(c)
		all = append(all, t)
		from = append(from, max(t.Reported, uint64(since)))
		return err
	}, `SELECT t.terminal, t.sign_key, t.joined, t.since, t.contact, t.removed, t.mode, s.size, t.reported, t.status,
			(SELECT COUNT(*) FROM mailbox m WHERE m.site = t.site AND m.recipient = t.terminal)
		FROM terminals t JOIN sites s ON s.site = t.site WHERE t.site = $1 ORDER BY t.terminal`, site)
	if err != nil {
		return nil, fmt.Errorf("listing terminals: %w", err)
	}
	// A removed terminal stays in the list with what it never confirmed: somebody may
	// have to go and find it.
	for i := range all {
		if all[i].Unconfirmed, err = h.unconfirmed(ctx, site, from[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// unconfirmed lists the subjects of revocations after the entry that was applied.
func (h *Hub) unconfirmed(ctx context.Context, site string, applied uint64) ([]consent.SubjectID, error) {
	out := []consent.SubjectID{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var id consent.SubjectID
		err := r.Scan(&id)
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
		return err
	}, `SELECT subject FROM entries WHERE site = $1 AND seq > $2 AND revokes = TRUE ORDER BY seq LIMIT 5000`, site, int64(applied))
	if err != nil {
		return nil, fmt.Errorf("listing what is unconfirmed: %w", err)
	}
	return out, nil
}
