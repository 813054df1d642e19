package hub

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tillprint/tillprint/sync/authority"
)

// Authority is the certificate that a browser of the site's tills imports, so that it knows the terminals' pages.
func (h *Hub) Authority(ctx context.Context, site string) (c *x509.Certificate, err error) {
	err = h.write(ctx, site, func(tx *sql.Tx) error {
		a, err := h.authority(ctx, tx, site)
		if err == nil {
			c = a.Certificate
		}
		return err
	})
	return c, err
}

// authority opens a site's authority, and makes it when it is first needed. It is called within the site's change, so that two hubs
// on one database make one.
func (h *Hub) authority(ctx context.Context, tx *sql.Tx, site string) (*authority.Authority, error) {
	box, err := h.keys.authorityBox(site)
	if err != nil {
		return nil, err
	}
	var sealed, certificate []byte
	err = tx.QueryRowContext(ctx, `SELECT sealed_key, certificate FROM authorities WHERE site = $1`, site).Scan(&sealed, &certificate)
	if errors.Is(err, sql.ErrNoRows) {
		return h.newAuthority(ctx, tx, site, box)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the authority of site %s: %w", site, plain(err))
	}
	if len(sealed) < box.NonceSize() {
		return nil, fmt.Errorf("the authority of site %s is damaged; restore the database from the backup", site)
	}
	key, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], certificate)
	if err != nil {
		return nil, fmt.Errorf("the authority of site %s was sealed under another %s than the hub's; restore both from one backup", site, pepperKeyFile)
	}
	defer clear(key)
	return authority.Open(site, key, certificate)
}

func (h *Hub) newAuthority(ctx context.Context, tx *sql.Tx, site string, box cipher.AEAD) (*authority.Authority, error) {
	a, err := authority.New(site, h.config.Now())
	if err != nil {
		return nil, err
	}
	key, err := a.Key()
	if err != nil {
		return nil, err
	}
	defer clear(key)
	nonce := make([]byte, box.NonceSize())
	if _, err := io.ReadFull(rand.Reader, nonce); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO authorities (site, sealed_key, certificate) VALUES ($1, $2, $3)`,
		site, box.Seal(nonce, nonce, key, a.Certificate.Raw), a.Certificate.Raw)
	if err != nil {
		return nil, fmt.Errorf("keeping the authority of site %s: %w", site, plain(err))
	}
	return a, nil
}

// authorityBox seals the key of a site's authority.
func (k *keys) authorityBox(site string) (cipher.AEAD, error) {
	key, err := k.derive("tillprint site authority 1\x00" + site)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return chacha20poly1305.NewX(key)
}
