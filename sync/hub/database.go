package hub

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewerDatabase says that a later version of the hub has already changed the
// database, so that this one would not understand all of it.
var ErrNewerDatabase = errors.New("the database was made by a newer version of the hub; install that version again")

// ErrBusy says that another program holds the database.
var ErrBusy = errors.New("the database is in use by another program; stop the other hub or backup and try again")

// openDatabase opens and migrates what address names: a file in dir when it is
// empty, else a PostgreSQL URL.
func openDatabase(ctx context.Context, dir, address string) (*sql.DB, error) {
	driver, dialect := "pgx", goose.DialectPostgres
	if address == "" {
		driver, dialect = "sqlite", goose.DialectSQLite3
		address = sqliteAddress(filepath.Join(dir, databaseFile))
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return nil, fmt.Errorf("opening the hub's database: %w", err)
	}
	// Every connection keeps its own page cache; four readers, a writer and one that
	// listens are enough for a school and small enough for the box under the desk.
	db.SetMaxOpenConns(6)
	if err := migrate(ctx, db, dialect); err != nil {
		db.Close()
		return nil, fmt.Errorf("opening the hub's database: %w", plain(err))
	}
	return db, nil
}

// sqliteAddress sets what an acknowledged statement needs to survive a power
// cut: WAL with synchronous=FULL syncs the log at every commit. Writers begin
// IMMEDIATE, so that two of them queue instead of failing half-way, and
// secure_delete overwrites what a deleted row held (D1).
func sqliteAddress(path string) string {
	q := url.Values{}
	for _, p := range []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)"} {
		q.Add("_pragma", p)
	}
	q.Set("_txlock", "immediate")
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// migrate brings the schema up to this program's version, each step in its own
// transaction. A second run finds nothing to do.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return fmt.Errorf("%w (database version %d, this program knows %d)", ErrNewerDatabase, current, target)
	}
	_, err = p.Up(ctx)
	return err
}

// plain puts the driver's code for "someone else holds it" into words.
func plain(err error) error {
	var code *sqlite.Error
	if errors.As(err, &code) && code.Code()&0xff == sqlite3.SQLITE_BUSY {
		return fmt.Errorf("%w (%v)", ErrBusy, err)
	}
	if errors.As(err, &code) && code.Code()&0xff == sqlite3.SQLITE_NOTADB {
		return fmt.Errorf("%s is not a database; restore it from the backup: %w", databaseFile, err)
	}
	return err
}

// write runs f in one transaction that holds the site's row from its first
// statement on, so that sequence numbers have no gaps and writers of one site
// queue on either database. When write returns nil the change is durable, and
// those who wait for the site, here or at another hub, look again.
func (h *Hub) write(ctx context.Context, site string, f func(tx *sql.Tx) error) error {
	err := h.change(ctx, func(tx *sql.Tx) error {
		held, err := tx.ExecContext(ctx, `UPDATE sites SET size = size WHERE site = $1`, site)
		if err != nil {
			return err
		}
		if n, err := held.RowsAffected(); err == nil && n == 0 {
			return fmt.Errorf("%w: there is no site %.40q", ErrNotFound, site)
		}
		if err := f(tx); err != nil {
			return err
		}
		return h.announce(ctx, tx, site)
	})
	if err == nil {
		h.wakes.wake(site)
	}
	return err
}

// change runs f in a transaction of its own and makes it durable.
func (h *Hub) change(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a change: %w", plain(err))
	}
	defer tx.Rollback() // no effect after Commit
	if err := f(tx); err != nil {
		return plain(err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("making a change durable: %w", plain(err))
	}
	return nil
}

// asker is what a read needs: the database or a transaction in it.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each runs a query and calls scan for every row; scan must not query on the
// same transaction.
func each(ctx context.Context, q asker, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return plain(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return plain(rows.Err())
}

// unique reports whether err is a refused duplicate, on either database.
func unique(err error) bool {
	var code *sqlite.Error
	if errors.As(err, &code) {
		return code.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return err != nil && strings.Contains(err.Error(), "SQLSTATE 23505")
}
