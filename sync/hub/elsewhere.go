package hub

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

const (
	lookEvery   = 50 * time.Millisecond // between looks whether an SQLite file was changed
	listenAgain = 5 * time.Second       // after listening has failed
)

// announce tells the other hubs on a PostgreSQL that the site changes, once the
// transaction is committed. An SQLite file tells it by itself.
func (h *Hub) announce(ctx context.Context, tx *sql.Tx, site string) error {
	if h.config.Database == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SELECT pg_notify('tillprint', $1)`, site)
	return err
}

// listen wakes those who wait here when another process has changed the
// database: a command typed beside the running hub, or a second hub. Until ctx
// ends it listens again whenever that fails; meanwhile news from elsewhere reaches
// a waiter when its wait ends.
func (h *Hub) listen(ctx context.Context) {
	hear := h.hearSQLite
	if h.config.Database != "" {
		hear = h.hearPostgreSQL
	}
	for ctx.Err() == nil {
		conn, err := h.db.Conn(ctx)
		if err == nil {
			err = hear(ctx, conn)
			conn.Close()
		}
		if ctx.Err() == nil {
			h.config.Log.Warn("changes made by other programs are seen late for a while", "err", plain(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

// hearSQLite looks at the number that SQLite changes on this connection when
// any other one commits (PRAGMA data_version). That includes this hub's own, so
// that a waiter may look twice for one change.
func (h *Hub) hearSQLite(ctx context.Context, conn *sql.Conn) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := int64(-1); ; {
		var version int64
		if err := conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
			return err
		}
		if version != last { // the first time, too: what came before was not heard
			h.wakes.wakeAll()
		}
		last = version
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// hearPostgreSQL waits for what announce says.
func (h *Hub) hearPostgreSQL(ctx context.Context, conn *sql.Conn) error {
	return conn.Raw(func(driver any) error {
		c := driver.(*stdlib.Conn).Conn()
		if _, err := c.Exec(ctx, `LISTEN tillprint`); err != nil {
			return err
		}
		h.wakes.wakeAll() // what came before was not heard
		for {
			news, err := c.WaitForNotification(ctx)
			if err != nil {
				return err
			}
			h.wakes.wake(news.Payload)
		}
	})
}
