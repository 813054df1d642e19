package hub

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/tillprint/tillprint/sync/register"
)

const tokenMark = "token:"

// AddOfficer lets a person use the office of a site, or gives them another
// password: at least 10 characters with letters and digits (H8).
func (h *Hub) AddOfficer(ctx context.Context, site, name, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	v, err := h.config.PIN.verifier([]byte(password), h.config.Rand)
	if err != nil {
		return fmt.Errorf("adding an officer: %w", err)
	}
	return h.putOfficer(ctx, site, name, v)
}

// NewOfficeToken lets a program use the office's JSON API of a site under the
// given name, and returns its bearer token, which is kept nowhere. An older
// token of that name ends.
func (h *Hub) NewOfficeToken(ctx context.Context, site, name string) (string, error) {
	b, err := randomBytes(h.config.Rand, 32)
	if err != nil {
		return "", err
	}
	token := site + "." + base64.RawURLEncoding.EncodeToString(b)
	return token, h.putOfficer(ctx, site, name, tokenVerifier(token))
}

// RemoveOfficer ends an account (H11). Sessions of it end with their next request.
func (h *Hub) RemoveOfficer(ctx context.Context, site, by, name string) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM officers WHERE site = $1 AND name = $2`, site, name); err != nil {
			return err
		}
		return h.note(ctx, tx, site, by, "removed an office account", name)
	})
	if err != nil {
		return fmt.Errorf("removing an officer: %w", err)
	}
	return nil
}

func (h *Hub) putOfficer(ctx context.Context, site, name, verifier string) error {
	if !register.ValidName(name) {
		return fmt.Errorf("%w: an account needs a name of 1 to 32 characters a-z, 0-9 and -", ErrInvalid)
	}
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO officers (site, name, verifier, created) VALUES ($1, $2, $3, $4)
			ON CONFLICT (site, name) DO UPDATE SET verifier = excluded.verifier`, site, name, verifier, at(h.config.Now()))
		if err != nil {
			return err
		}
		return h.note(ctx, tx, site, name, "was given access to the office", name)
	})
	if err != nil {
		return fmt.Errorf("adding an officer: %w", err)
	}
	return nil
}

func checkPassword(p string) error {
	letters := strings.ContainsFunc(p, unicode.IsLetter)
	digits := strings.ContainsFunc(p, unicode.IsDigit)
	if len([]rune(p)) < 10 || len(p) > 200 || !letters || !digits {
		return fmt.Errorf("%w: a password needs 10 to 200 characters, with letters and digits", ErrInvalid)
	}
	return nil
}

// errLogin is deliberately the same for a wrong name and a wrong password.
var errLogin = errors.New("the school, the name or the password is wrong")

// login checks a person's password. It takes as long for a name that does not exist.
func (h *Hub) login(ctx context.Context, site, name, password string) error {
	var stored string
	err := h.db.QueryRowContext(ctx, `SELECT verifier FROM officers WHERE site = $1 AND name = $2`, site, name).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) || err == nil && strings.HasPrefix(stored, tokenMark) {
		// as slow as a known name, so that nobody learns which names exist
		if _, err := h.config.PIN.verifier([]byte(password), h.config.Rand); err != nil {
			return err
		}
		return errLogin
	}
	if err != nil {
		return fmt.Errorf("logging in: %w", plain(err))
	}
	ok, err := verify(stored, []byte(password))
	if err == nil && !ok {
		err = errLogin
	}
	return err
}

// bearer returns whose token it is. All of the site's are compared, none faster
// than another.
func (h *Hub) bearer(ctx context.Context, token string) (officer, error) {
	site, _, ok := strings.Cut(token, ".")
	if !ok || len(token) > 200 {
		return officer{}, errLogin
	}
	want := tokenVerifier(token)
	var who officer
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var name, stored string
		err := r.Scan(&name, &stored)
		if subtle.ConstantTimeCompare([]byte(stored), []byte(want)) == 1 {
			who = officer{site, name}
		}
		return err
	}, `SELECT name, verifier FROM officers WHERE site = $1`, site)
	if err == nil && who.name == "" {
		err = errLogin
	}
	return who, err
}

// exists reports whether the account is still there.
func (h *Hub) exists(ctx context.Context, who officer) bool {
	var n int
	err := h.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM officers WHERE site = $1 AND name = $2`, who.site, who.name).Scan(&n)
	return err == nil && n == 1
}

// tokenVerifier needs no slow hash: a token has 256 random bits.
func tokenVerifier(token string) string {
	sum := sha256.Sum256([]byte(token))
	return tokenMark + hex.EncodeToString(sum[:])
}
