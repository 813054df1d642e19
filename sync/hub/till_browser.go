package hub

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/base32"
	"fmt"
	"io"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/sync/register"
)

// TillBrowser is a browser that may work the tills of a site.
type TillBrowser struct {
	Name    string    `json:"name"` // of the machine, never a person's
	Role    string    `json:"role"` // staff or technician
	Serial  string    `json:"serial"`
	Issued  time.Time `json:"issued"`
	Ends    time.Time `json:"ends"`
	Revoked time.Time `json:"revoked,omitzero"`
}

// Admission is what a browser imports: its certificate and key in a PKCS #12 file, and the password that opens it. Neither is kept.
type Admission struct {
	File     []byte
	Password string
	Ends     time.Time
}

// AdmitBrowser lets a browser work the site's tills until the school year ends. old makes a file that devices from before about 2021
// can read; its older ciphers rest on the password alone.
func (h *Hub) AdmitBrowser(ctx context.Context, site, officer, name string, technician, old bool) (Admission, error) {
	if !register.ValidName(name) {
		return Admission{}, fmt.Errorf("%w: a browser's name has 1 to 32 characters a-z, 0-9 and -; name the machine, not a person", ErrInvalid)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Admission{}, fmt.Errorf("making a browser's key: %w", err)
	}
	var own, root *x509.Certificate
	err = h.write(ctx, site, func(tx *sql.Tx) error {
		a, err := h.authority(ctx, tx, site)
		if err != nil {
			return err
		}
		root = a.Certificate
		if err := h.roomForBrowser(ctx, tx, site, name); err != nil {
			return err
		}
		who := authority.Browser{Name: name, Technician: technician}
		if own, err = a.Browser(who, &key.PublicKey, h.config.Now()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO browsers (site, serial, name, technician, issued, ends) VALUES ($1, $2, $3, $4, $5, $6)`,
			site, authority.Serial(own), name, technician, at(h.config.Now()), at(own.NotAfter))
		if err != nil {
			return err
		}
		return h.note(ctx, tx, site, officer, "let a browser work the tills as "+who.Role(), name)
	})
	if err != nil {
		return Admission{}, fmt.Errorf("letting a browser in: %w", err)
	}
	return pack(key, own, root, old)
}

// roomForBrowser refuses a name that is in use, so that a name in an audit log is one machine.
func (h *Hub) roomForBrowser(ctx context.Context, tx *sql.Tx, site, name string) error {
	var same, all int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM browsers WHERE site = $1 AND ends > $2 AND name = $3 AND revoked = 0),
		(SELECT COUNT(*) FROM browsers WHERE site = $1 AND ends > $2)`, site, at(h.config.Now()), name).Scan(&same, &all)
	switch {
	case err != nil:
		return err
	case same > 0:
		return fmt.Errorf("%w: there is a browser %s already; revoke it first, or choose another name", ErrInvalid, name)
	case all >= register.MaxBrowsers:
		return fmt.Errorf("%w: %d browsers have been let in this year; more than that no terminal keeps in mind", ErrInvalid, all)
	}
	return nil
}

func pack(key *ecdsa.PrivateKey, own, root *x509.Certificate, old bool) (Admission, error) {
	drawn := make([]byte, 15)
	if _, err := io.ReadFull(rand.Reader, drawn); err != nil {
		return Admission{}, fmt.Errorf("drawing a password: %w", err)
	}
	p := base32.StdEncoding.EncodeToString(drawn)
	password := p[:6] + "-" + p[6:12] + "-" + p[12:18] + "-" + p[18:]
	encoder := pkcs12.Modern2023
	if old {
		encoder = pkcs12.LegacyDES
	}
	file, err := encoder.Encode(key, own, []*x509.Certificate{root}, password)
	if err != nil {
		return Admission{}, fmt.Errorf("packing a browser's certificate: %w", err)
	}
	return Admission{File: file, Password: password, Ends: own.NotAfter}, nil
}

// RevokeBrowser lets a browser in no more. Terminals learn of it within a minute, or when they reach the hub again.
func (h *Hub) RevokeBrowser(ctx context.Context, site, officer, name string) error {
	err := h.write(ctx, site, func(tx *sql.Tx) error {
		now := at(h.config.Now())
		done, err := tx.ExecContext(ctx, `UPDATE browsers SET revoked = $3 WHERE site = $1 AND name = $2 AND revoked = 0 AND ends > $3`, site, name, now)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err == nil && n == 0 {
			return fmt.Errorf("%w: there is no browser %.40q that is let in", ErrNotFound, name)
		}
		return h.note(ctx, tx, site, officer, "revoked a browser of the tills", name)
	})
	if err != nil {
		return fmt.Errorf("revoking a browser: %w", err)
	}
	return nil
}

// TillBrowsers lists the browsers that were ever let in, by name, the last first.
func (h *Hub) TillBrowsers(ctx context.Context, site string) ([]TillBrowser, error) {
	if _, err := h.Site(ctx, site); err != nil {
		return nil, err
	}
	all := []TillBrowser{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var b TillBrowser
		var technician bool
		var issued, ends, revoked int64
		err := r.Scan(&b.Name, &technician, &b.Serial, &issued, &ends, &revoked)
		b.Role = authority.Browser{Technician: technician}.Role()
		b.Issued, b.Ends = instant(issued), instant(ends)
		if revoked != 0 {
			b.Revoked = instant(revoked)
		}
		all = append(all, b)
		return err
	}, `SELECT name, technician, serial, issued, ends, revoked FROM browsers WHERE site = $1 ORDER BY name, issued DESC`, site)
	return all, err
}
