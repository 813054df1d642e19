package hub

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

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
	code := register.JoinCode{Site: site, Name: name, Hubs: h.config.Addresses, Pin: pin, Token: token}
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
		return h.note(ctx, tx, site, officer, "made the join code "+code.Fingerprint(), name)
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
	answer, err := h.joinAnswer(in.Site, name, in.Seal)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// join gives the terminal its name and lists it; the same keys
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
	if used != "" { // the answer was lost on the way, or somebody else has seen the code
		for _, p := range peers {
			if p.ID == used && p.Sign.Equal(in.Sign) && bytes.Equal(p.Seal, in.Seal) {
				return used, nil
			}
		}
		return "", ErrNotFound
	}
	if name, err = freeName(ctx, tx, in.Site, name); err != nil {
		return "", err
	}
	if err := h.addTerminal(ctx, tx, in.Site, name, in.Sign, in.Seal); err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE join_tokens SET used_by = $2 WHERE hash = $1`, hash[:], name); err != nil {
		return "", err
	}
	if err := h.note(ctx, tx, in.Site, "terminal "+name, "joined", name); err != nil {
		return "", err
	}
	return name, nil
}

// addTerminal lists a new terminal, in mode off.
func (h *Hub) addTerminal(ctx context.Context, tx *sql.Tx, site, name string, sign ed25519.PublicKey, seal []byte) error {
	peers, err := loadPeers(ctx, tx, site)
	if err != nil {
		return err
	}
	if len(peers) >= register.MaxTerminals {
		return fail(http.StatusForbidden, register.CodeToken, fmt.Sprintf("the site has %d terminals already; remove one at the hub first", len(peers)))
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO terminals (site, terminal, sign_key, seal_key, joined, since, removed, reported, status, contact)
		VALUES ($1, $2, $3, $4, $5, (SELECT size FROM sites WHERE site = $1), FALSE, 0, '', $5)`,
		site, name, []byte(sign), seal, at(h.config.Now()))
	return err
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

// joinAnswer seals the site's PIN pepper to the new terminal: without it an index of
// PINs that was read from a stolen card cannot be searched for a million PINs.
func (h *Hub) joinAnswer(site, name string, seal []byte) (*register.JoinAnswer, error) {
	pepper, err := h.keys.sitePepper(site)
	if err != nil {
		return nil, fmt.Errorf("deriving the PIN pepper: %w", err)
	}
	defer clear(pepper)
	label := register.Label{Purpose: register.PurposePepper, Site: site, From: register.Hub, To: name}
	sealed, err := register.Seal(label, pepper, seal, h.keys.register)
	if err != nil {
		return nil, err
	}
	return &register.JoinAnswer{Terminal: name, Site: site, Key: h.PublicKey(), Pepper: sealed}, nil
}
