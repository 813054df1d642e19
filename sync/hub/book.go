package hub

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/sync/register"
)

// book is a site's register while a transaction appends to it. The transaction
// holds the site's row, so nobody else appends at the same time.
type book struct {
	tx     *sql.Tx
	site   string
	size   uint64
	now    time.Time
	hashes map[int64]tlog.Hash // written by this book: most reads ask for these
}

// openBook begins appending. The caller's transaction has the site's row to itself.
func openBook(ctx context.Context, tx *sql.Tx, site string, now time.Time) (*book, error) {
	b := &book{tx: tx, site: site, now: now, hashes: map[int64]tlog.Hash{}}
	if err := tx.QueryRowContext(ctx, `SELECT size FROM sites WHERE site = $1`, site).Scan(&b.size); err != nil {
		return nil, fmt.Errorf("opening the register of %s: %w", site, plain(err))
	}
	return b, nil
}

// append gives e the next number and adds it to the tree. It becomes visible to
// terminals when the transaction commits, and only then.
func (b *book) append(ctx context.Context, e register.Entry, revokes bool) (uint64, error) {
	e.Seq = b.size + 1
	body, err := e.Marshal()
	if err != nil {
		return 0, fmt.Errorf("entering in the register: %w", err)
	}
	subject := ""
	if e.Subject != nil {
		subject = string(e.Subject.ID)
	}
	hashes, err := tlog.StoredHashes(int64(b.size), body, b.reader(ctx))
	if err != nil {
		return 0, fmt.Errorf("growing the register's tree: %w", err)
	}
	// A leaf completes up to log2(size) inner nodes. They are written with it, so
	// that no reader ever has to hash the register again.
	first := tlog.StoredHashIndex(0, int64(b.size))
	for i, h := range hashes {
		position := first + int64(i)
		if _, err := b.tx.ExecContext(ctx, `INSERT INTO tree_hashes (site, position, hash) VALUES ($1, $2, $3)`, b.site, position, h[:]); err != nil {
			return 0, fmt.Errorf("growing the register's tree: %w", err)
		}
		b.hashes[position] = h
	}
	_, err = b.tx.ExecContext(ctx, `INSERT INTO entries (site, seq, subject, terminal, body, revokes, recorded) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		b.site, int64(e.Seq), subject, e.Terminal, body, revokes, at(b.now))
	if err != nil {
		return 0, fmt.Errorf("entering in the register: %w", err)
	}
	if _, err := b.tx.ExecContext(ctx, `UPDATE sites SET size = $2 WHERE site = $1`, b.site, int64(e.Seq)); err != nil {
		return 0, fmt.Errorf("entering in the register: %w", err)
	}
	b.size = e.Seq
	return e.Seq, nil
}

// reader gives the tree's hashes, its own not yet committed ones first: adding a
// school appends thousands of entries, and each asks for the hashes just written.
func (b *book) reader(ctx context.Context) tlog.HashReader {
	stored := storedHashes(ctx, b.tx, b.site)
	return tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(positions))
		for i, p := range positions {
			h, ok := b.hashes[p]
			if !ok {
				one, err := stored.ReadHashes([]int64{p})
				if err != nil {
					return nil, err
				}
				h = one[0]
			}
			out[i] = h
		}
		return out, nil
	})
}

// storedHashes reads the tree of a site's register.
func storedHashes(ctx context.Context, q asker, site string) tlog.HashReader {
	return tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(positions))
		for i, p := range positions {
			var b []byte
			if err := q.QueryRowContext(ctx, `SELECT hash FROM tree_hashes WHERE site = $1 AND position = $2`, site, p).Scan(&b); err != nil {
				return nil, fmt.Errorf("the register of %s lacks hash %d: %w", site, p, plain(err))
			}
			if copy(out[i][:], b) != tlog.HashSize {
				return nil, fmt.Errorf("the register of %s has a damaged hash %d", site, p)
			}
		}
		return out, nil
	})
}
