// Package hub is the school's end of Tillprint: it keeps what people have said
// about their fingers, decides from that what every terminal must hold, and
// shows the office which terminal has done so.
//
// To use it, call [Init] once on an empty directory, [Open] at every start, and
// serve [Hub.Handler] to terminals and [Hub.Office] to browsers over
// [Hub.TLS]; [Hub.Run] decides again whenever a date is reached, and lets waiting
// terminals know what commands beside the hub have changed. One hub serves any
// number of sites (schools), which never see each other.
//
// It promises: what it has acknowledged survives a power cut; statements are
// only ever added; what a terminal is told is always [consent.Decide] of all
// statements on record, signed, in a sequence without gaps; a subject whose
// decision is not permit has no template in any mailbox; and there is no
// function, page or request by which anybody could override a refusal (I9).
// It holds names, photos and PIN verifiers in its database in clear: the disk of
// the machine that runs it must be encrypted. Templates pass through sealed to
// one terminal each and cannot be read here.
package hub

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // dates are reached in the site's time zone, also on a box without zone files

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/pin"
)

// Config says how to run a hub. Only Dir is needed.
type Config struct {
	// Dir holds the keys that Init made and, unless Database is set, the database.
	Dir string
	// Database is a PostgreSQL URL (postgres://user@host/name); empty means SQLite in
	// Dir. Two hubs may share one database, and what one changes wakes those who
	// wait at the other; but a terminal's nonce is known only to the hub that gave it.
	Database string
	// Addresses are the URLs under which terminals reach Handler, such as
	// https://hub.school.lan:8443: 1 to 4, in the order to try. Join codes carry them.
	Addresses []string
	// PIN is the cost of the Argon2id verifiers of PINs and office passwords. The zero
	// value means, for PINs, what the site's slowest terminal has measured, and the least
	// that OWASP recommends (19 MiB, 2 passes) for passwords and before any terminal has.
	PIN Cost
	// Lease is for how long a terminal may match fingers after it last heard
	// from the hub (I7). Zero means 7 days; at least a minute.
	Lease time.Duration
	// Wait is the longest time for which a terminal's question is held open.
	// Zero means 50 s, under the minute after which school proxies hang up.
	Wait time.Duration
	// Look is how often dates are looked at. Zero means a minute.
	Look time.Duration
	// Log receives what happens, without personal data. Nil means slog.Default.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand is the random source; nil means crypto/rand.
	Rand io.Reader
}

// Hub is an open hub. Its methods may be called from any goroutine.
type Hub struct {
	config   Config
	measured bool // PINs cost what terminals have measured
	db       *sql.DB
	keys     *keys
	wakes    wakes
	contacts contacts
	nonces   nonces
	office   office
	latest   atomic.Int64 // the last signed time, Unix seconds
	stopping sync.Once
}

// ErrNotFound says that there is no such site, subject, terminal or token.
var ErrNotFound = errors.New("not found")

// ErrInvalid says that what was asked for breaks a rule, and which.
var ErrInvalid = errors.New("not accepted")

// Open opens the hub in c.Dir, migrating its database if an older version made it.
func Open(ctx context.Context, c Config) (*Hub, error) {
	measured := c.PIN == Cost{}
	c.PIN = cmp.Or(c.PIN, Cost(pin.Least))
	c.Lease = cmp.Or(c.Lease, 7*24*time.Hour)
	c.Wait = cmp.Or(c.Wait, 50*time.Second)
	c.Look = cmp.Or(c.Look, time.Minute)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if err := c.PIN.check(); err != nil {
		return nil, err
	}
	if c.Lease < time.Minute || c.Wait < 0 || c.Look <= 0 {
		return nil, errors.New("the hub's lease must be at least a minute, and its wait and look must not be negative")
	}
	k, err := loadKeys(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the hub: %w", err)
	}
	db, err := openDatabase(ctx, c.Dir, c.Database)
	if err != nil {
		return nil, err
	}
	return &Hub{config: c, measured: measured, db: db, keys: k}, nil
}

// Run decides again for every subject whose standing ends by a date, at once and
// then every Config.Look, and passes on to waiting terminals what other programs
// change in the database, until ctx ends; it then returns nil. An error of the
// database is logged and tried again: a hub that stopped here would leave
// fingers of adults and leavers in force.
func (h *Hub) Run(ctx context.Context) error {
	var listener sync.WaitGroup
	listener.Go(func() { h.listen(ctx) })
	defer listener.Wait()
	tick := time.NewTicker(h.config.Look)
	defer tick.Stop()
	defer h.stopping.Do(h.wakes.close)
	for {
		if err := errors.Join(h.Redecide(ctx), h.flushContacts(ctx), h.closeExports(ctx)); err != nil && ctx.Err() == nil {
			h.config.Log.Error("looking at dates and contacts failed; trying again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Close releases the database. Requests still open fail.
func (h *Hub) Close() error {
	h.stopping.Do(h.wakes.close)
	return errors.Join(h.flushContacts(context.Background()), h.db.Close())
}

// TLS is the configuration to serve Handler and Office with.
func (h *Hub) TLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{h.keys.tls}, MinVersion: tls.VersionTLS13}
}

// PublicKey is the key with which terminals verify this hub's register.
func (h *Hub) PublicKey() ed25519.PublicKey {
	return h.keys.register.Public().(ed25519.PublicKey)
}

// at is the form in which the database keeps instants.
func at(t time.Time) int64 { return t.UTC().UnixMicro() }

func instant(us int64) time.Time { return time.UnixMicro(us).UTC() }

// today is the current date where the site is.
func (s Site) today(now time.Time) (consent.Date, time.Time, error) {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return consent.Date{}, time.Time{}, fmt.Errorf("the time zone of site %s: %w", s.ID, err)
	}
	local := now.In(zone)
	return consent.DateOf(local), local, nil
}
