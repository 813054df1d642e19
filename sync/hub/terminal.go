package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// joinLife is for how long a join code can be used.
const joinLife = 24 * time.Hour

// NewJoinCode makes the line that a technician gives to a new terminal, which
// will be called name. It is good for one terminal and for a day; its token is
// kept only as a hash.
func (h *Hub) NewJoinCode(ctx context.Context, site, officer, name string) (string, error) {
	if !register.ValidName(name) || name == register.Hub {
		return "", fmt.Errorf("%w: a terminal's name has 1 to 32 characters a-z, 0-9 and -, and is not %q", ErrInvalid, register.Hub)
	}
	token, err := register.NewToken(h.config.Rand)
	if err != nil {
		return "", err
	}
	pin, err := h.pin()
	if err != nil {
		return "", err
	}
	code := register.JoinCode{Site: site, Hubs: h.config.Addresses, Pin: pin, Token: token}
	if err := code.Validate(); err != nil {
		return "", fmt.Errorf("%w: %w; check the hub's addresses in its config", ErrInvalid, err)
	}
	hash := sha256.Sum256([]byte(token))
	err = h.write(ctx, site, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO join_tokens (hash, site, name, expires, used_by) VALUES ($1, $2, $3, $4, '')`,
			hash[:], site, name, at(h.config.Now().Add(joinLife)))
		if err != nil {
			return err
		}
		return h.note(ctx, tx, site, officer, "made a join code", name)
	})
	if err != nil {
		return "", fmt.Errorf("making a join code: %w", err)
	}
	return code.String(), nil
}

// pin is the SHA-256 of the TLS public key, by which a terminal knows this hub.
func (h *Hub) pin() ([sha256.Size]byte, error) {
	leaf, err := x509.ParseCertificate(h.keys.tls.Certificate[0])
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("reading the hub's certificate: %w", err)
	}
	return sha256.Sum256(leaf.RawSubjectPublicKeyInfo), nil
}

// serveJoin redeems a join token.
func (h *Hub) serveJoin(w http.ResponseWriter, r *http.Request, body []byte) error {
	var in register.JoinRequest
	if err := register.Decode(body, &in); err != nil {
		return err
	}
	if err := in.Check(); err != nil {
		return err
	}
	var name string
	err := h.write(r.Context(), in.Site, func(tx *sql.Tx) (err error) {
		name, err = h.join(r.Context(), tx, &in)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return fail(http.StatusForbidden, register.CodeToken, "the join code is not of this hub, was used, or is out of date; make a new one at the hub")
	}
	if err != nil {
		return err
	}
	h.wakes.wake(in.Site)
	answer, err := h.joinAnswer(&in, name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// join gives the terminal its name and lists it for the others; the same keys
// with the same token get the same name again, so that a lost answer costs nothing.
func (h *Hub) join(ctx context.Context, tx *sql.Tx, in *register.JoinRequest) (string, error) {
	hash := sha256.Sum256([]byte(in.Token))
	var name, used string
	var expires int64
	err := tx.QueryRowContext(ctx, `SELECT name, expires, used_by FROM join_tokens WHERE hash = $1 AND site = $2`, hash[:], in.Site).Scan(&name, &expires, &used)
	if errors.Is(err, sql.ErrNoRows) || err == nil && at(h.config.Now()) >= expires {
		return "", ErrNotFound
	}
	if err != nil {
		return "", err
	}
	peers, err := loadPeers(ctx, tx, in.Site)
	if err != nil {
		return "", err
	}
	if used != "" {
		for _, p := range peers {
			if p.ID == used && p.Sign.Equal(in.Sign) && bytes.Equal(p.Seal, in.Seal) {
				return used, nil
			}
		}
		return "", ErrNotFound
	}
	if len(peers) >= register.MaxTerminals {
		return "", fail(http.StatusForbidden, register.CodeToken, fmt.Sprintf("the site has %d terminals already; remove one at the hub first", len(peers)))
	}
	if name, err = freeName(ctx, tx, in.Site, name); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO terminals (site, terminal, sign_key, seal_key, joined, since, removed, reported, status, contact)
		VALUES ($1, $2, $3, $4, $5, (SELECT size FROM sites WHERE site = $1), FALSE, 0, '', $5)`,
		in.Site, name, []byte(in.Sign), in.Seal, at(h.config.Now()))
	if err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE join_tokens SET used_by = $2 WHERE hash = $1`, hash[:], name); err != nil {
		return "", err
	}
	if err := h.note(ctx, tx, in.Site, "terminal "+name, "joined", name); err != nil {
		return "", err
	}
	return name, h.enterPeers(ctx, tx, in.Site)
}

// freeName is name, or name-2, name-3, ...: names are never used twice, because
// receipts and the log go by them.
func freeName(ctx context.Context, tx *sql.Tx, site, name string) (string, error) {
	for i := 1; i < 1000; i++ {
		try := name
		if i > 1 {
			suffix := fmt.Sprintf("-%d", i)
			try = name[:min(len(name), 32-len(suffix))] + suffix
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM terminals WHERE site = $1 AND terminal = $2`, site, try).Scan(&n); err != nil || n == 0 {
			return try, err
		}
	}
	return "", fmt.Errorf("%w: too many terminals have been called %s; choose another name", ErrInvalid, name)
}

func (h *Hub) joinAnswer(in *register.JoinRequest, name string) (*register.JoinAnswer, error) {
	pepper, err := h.keys.sitePepper(in.Site)
	if err != nil {
		return nil, fmt.Errorf("deriving the PIN pepper: %w", err)
	}
	defer clear(pepper)
	label := register.Label{Purpose: register.PurposePepper, Site: in.Site, From: register.Hub, To: name}
	sealed, err := register.Seal(label, pepper, in.Seal, h.keys.register)
	if err != nil {
		return nil, err
	}
	return &register.JoinAnswer{Terminal: name, Site: in.Site, Key: h.PublicKey(), Pepper: sealed}, nil
}

// loadPeers lists the terminals that are of the site now.
func loadPeers(ctx context.Context, q asker, site string) ([]register.Peer, error) {
	var peers []register.Peer
	err := each(ctx, q, func(r *sql.Rows) error {
		var p register.Peer
		err := r.Scan(&p.ID, (*[]byte)(&p.Sign), &p.Seal)
		peers = append(peers, p)
		return err
	}, `SELECT terminal, sign_key, seal_key FROM terminals WHERE site = $1 AND removed = FALSE ORDER BY terminal`, site)
	return peers, err
}

// enterPeers tells the site's terminals of each other. An empty list has no
// reader left and is not entered.
func (h *Hub) enterPeers(ctx context.Context, tx *sql.Tx, site string) error {
	peers, err := loadPeers(ctx, tx, site)
	if err != nil || len(peers) == 0 {
		return err
	}
	b, err := openBook(ctx, tx, site, h.config.Now())
	if err != nil {
		return err
	}
	_, err = b.append(ctx, register.Entry{Kind: register.KindTerminals, Terminals: peers}, false)
	return err
}

// Command gives one terminal an order: block or unblock its fingers, wipe it (H6),
// or configure it. No order can permit what a decision does not.
func (h *Hub) Command(ctx context.Context, site, officer, terminal string, c register.Command) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		if err := known(ctx, tx, site, terminal); err != nil {
			return err
		}
		b, err := openBook(ctx, tx, site, h.config.Now())
		if err != nil {
			return err
		}
		if _, err := b.append(ctx, register.Entry{Terminal: terminal, Kind: register.KindCommand, Command: &c}, false); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		return h.note(ctx, tx, site, officer, "ordered "+string(c.Do), terminal)
	})
	if err != nil {
		return fmt.Errorf("ordering terminal %.40s: %w", terminal, err)
	}
	h.wakes.wake(site)
	return nil
}

// RemoveTerminal ends a terminal's place in the site: it is answered no more and
// gets no more templates. What it still holds ends with its lease; order a wipe
// first if it can still be reached.
func (h *Hub) RemoveTerminal(ctx context.Context, site, officer, terminal string) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		if err := known(ctx, tx, site, terminal); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE terminals SET removed = TRUE WHERE site = $1 AND terminal = $2`, site, terminal); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM mailbox WHERE site = $1 AND recipient = $2`, site, terminal); err != nil {
			return err
		}
		if err := h.note(ctx, tx, site, officer, "removed a terminal", terminal); err != nil {
			return err
		}
		return h.enterPeers(ctx, tx, site)
	})
	if err != nil {
		return fmt.Errorf("removing terminal %.40s: %w", terminal, err)
	}
	h.wakes.wake(site)
	return nil
}

func known(ctx context.Context, tx *sql.Tx, site, terminal string) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM terminals WHERE site = $1 AND terminal = $2 AND removed = FALSE`, site, terminal).Scan(&n)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: there is no terminal %.40q", ErrNotFound, terminal)
	}
	return err
}

// TerminalState is what one terminal must hold against what it says it holds.
type TerminalState struct {
	Terminal    string              `json:"terminal"`
	Key         string              `json:"key"` // verifies its receipts
	Joined      time.Time           `json:"joined"`
	Contact     time.Time           `json:"contact"`
	Removed     bool                `json:"removed"`
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
		err := r.Scan(&t.Terminal, (*[]byte)(&c.sign), &joined, &since, &contact, &t.Removed, &desired, &reported, &status, &t.Mail)
		if err != nil {
			return err
		}
		c.terminal = t.Terminal
		t.Joined, t.Contact, t.Desired, t.Reported = instant(joined), instant(contact), uint64(desired), uint64(reported)
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
	}, `SELECT t.terminal, t.sign_key, t.joined, t.since, t.contact, t.removed, s.size, t.reported, t.status,
			(SELECT COUNT(*) FROM mailbox m WHERE m.site = t.site AND m.recipient = t.terminal)
		FROM terminals t JOIN sites s ON s.site = t.site WHERE t.site = $1 ORDER BY t.terminal`, site)
	if err != nil {
		return nil, fmt.Errorf("listing terminals: %w", err)
	}
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
