package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/clock"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/store/keyslot"
)

// Store is an open store. Close it.
type Store struct {
	dir  string
	id   Identity
	slot keyslot.Slot
	o    Options

	clock    *clock.Clock
	log      *audit.Log
	verifier string       // the log's verifier key
	warnings []string     // fixed after Open
	version  int          // of the records file; fixed after Open
	opened   time.Time    // see Opened
	tripped  atomic.Int64 // how often reading the records would have ended the program since the start
	took     atomic.Int64 // see SlotTook

	// writing is held over a whole operation that writes, and taken before mu; see lock.
	writing sync.Mutex
	// mu guards what follows. Writers hold it too, including their fsyncs, but not while they wait for the key slot; readers
	// while they use keys, since the next table releases the page that the keys lie in.
	mu        sync.RWMutex
	ready     bool      // Open is done: from here on writers hold the locks
	db        *bbolt.DB // nil once closed or destroyed
	witness   witness   // of the last change
	table     *table
	root      *page // root key of the table's epoch
	unsettled bool  // a power cut may bring the table before this one back; see settleTable
	standings map[consent.SubjectID]standing
	pending   pending
	evict     func(consent.SubjectID) // see OnWipe

	datesWait atomic.Bool // see DatesWait
}

// secretSigning is the seed of the terminal's Ed25519 key.
const secretSigning = "ed25519"

// settingClock is the high-water mark of the clock.
const settingClock = "clock"

// Close ends the use of the store and clears its keys from memory.
func (s *Store) Close() error {
	var last error
	if s.open() {
		last = errors.Join(s.clock.Tick(), s.Append(audit.Event{Kind: audit.Stop, Action: s.o.told("close")}))
	}
	return errors.Join(last, s.release())
}

func (s *Store) open() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.db != nil && s.table != nil
}

// release closes the files and clears the keys, whatever state the store is in.
func (s *Store) release() error {
	s.lock()
	defer s.unlock()
	var err error
	if s.db != nil {
		err = s.db.Close()
		s.db = nil
	}
	if s.witness.f != nil {
		err = errors.Join(err, s.witness.f.Close())
		s.witness.f = nil
	}
	if s.table != nil {
		s.table.page.release()
		s.table = nil
	}
	s.root.release()
	return err
}

// Destroy kills the root keys of a stolen terminal (H6) or before disposal (L1): nothing in the store can be opened
// ever again. It closes the store and leaves its files.
func (s *Store) Destroy() error {
	s.lock()
	if s.evict != nil {
		for id := range s.standings {
			s.evict(id)
		}
	}
	err := s.slot.Destroy()
	s.unlock()
	if err != nil {
		return fmt.Errorf("destroying the root keys: %w", err)
	}
	return s.release()
}

// Identity says whose store this is.
func (s *Store) Identity() Identity { return s.id }

// Clock is the store's clock, whose high-water mark it keeps. Tell it the hub's signed times.
func (s *Store) Clock() *clock.Clock { return s.clock }

// Opened is when the key slot opened this store, by the store's clock: since then its keys are in memory (J4).
func (s *Store) Opened() time.Time { return s.opened }

// Warnings are sentences for the log about what Open found and could live with.
func (s *Store) Warnings() []string { return s.warnings }

// VerifierKey is what others need to check this terminal's receipts and checkpoints, in the note format.
func (s *Store) VerifierKey() string { return s.verifier }

// SigningKey is the terminal's Ed25519 key, on the Go heap as its library makes it. The caller clears it.
func (s *Store) SigningKey() (ed25519.PrivateKey, error) {
	seed, err := s.Secret(secretSigning)
	if err != nil {
		return nil, err
	}
	defer locked.Free(seed)
	return ed25519.NewKeyFromSeed(seed), nil
}

// Promise is what the key slot says about itself.
func (s *Store) Promise() string { return s.slot.Promise() }

// SettleSlot lets a slot do what nobody could wait for, such as telling a hub; it may take as long as the hub does.
func (s *Store) SettleSlot() error {
	s.mu.RLock()
	slot := s.slot
	s.mu.RUnlock()
	if later, ok := slot.(interface{ Settle() error }); ok {
		return later.Settle()
	}
	return nil
}

// Applied is the register sequence whose effects are complete and durable, and the register's signed head there.
func (s *Store) Applied() (seq uint64, checkpoint []byte) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.table == nil {
		return 0, nil
	}
	return s.table.seq, append([]byte(nil), s.table.checkpoint...)
}

// Epoch counts the root keys so far; every wipe of a key adds one.
func (s *Store) Epoch() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.table == nil {
		return 0
	}
	return s.table.epoch
}

// OnWipe names who holds templates in memory: f is called for each subject at the very start of a wipe, before
// anything is written. f must not call the store.
func (s *Store) OnWipe(f func(consent.SubjectID)) {
	s.lock()
	defer s.unlock()
	s.evict = f
}

func (o Options) withDefaults() Options {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.syncDir == nil {
		o.syncDir = durable.SyncDir
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	return o
}

func (s *Store) step(name string) {
	if s.o.OnStep != nil {
		s.o.OnStep(name)
	}
}

// Now is the clock's time in the site's zone.
func (s *Store) Now() time.Time { return s.now() }

// Certain is the time in the site's zone that has passed for certain: only its dates destroy.
func (s *Store) Certain() time.Time { return s.clock.Certain().In(s.o.Location) }

// now is the time in the site's zone, never before the mark.
func (s *Store) now() time.Time { return s.clock.Now().In(s.o.Location) }

// sealOwn and openOwn use the store key. The caller holds mu.
func (s *Store) sealOwn(plain []byte, purpose string, parts ...string) ([]byte, error) {
	return seal(s.o.Rand, s.table.storeKey, plain, s.id.binding(purpose, parts...))
}

func (s *Store) openOwn(sealed []byte, purpose string, parts ...string) ([]byte, error) {
	return open(nil, s.table.storeKey, sealed, s.id.binding(purpose, parts...))
}

var errClosed = errors.New("the store is closed")

// view and update run f in a transaction; the caller holds mu. Pages that a card has changed unnoticed since the start
// can make the database panic: that is an error like any other.
func (s *Store) view(f func(*bbolt.Tx) error) (err error) {
	if s.db == nil || s.table == nil {
		return errClosed
	}
	defer s.guard(&err)
	return s.db.View(f)
}

func (s *Store) update(f func(*bbolt.Tx) error) (err error) {
	if s.db == nil || s.table == nil {
		return errClosed
	}
	defer s.guard(&err)
	var now reach
	err = s.db.Update(func(tx *bbolt.Tx) error {
		if err := errors.Join(f(tx), s.stamp(tx)); err != nil {
			return err
		}
		now = reachOf(tx)
		return nil
	})
	if err != nil {
		return durable.Advise(err)
	}
	s.noteReach(now)
	return nil
}
