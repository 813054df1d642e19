package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/clock"
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
	verifier string   // the log's verifier key
	warnings []string // fixed after Open

	// mu guards what follows. Writers hold it over a whole operation, including its fsyncs; readers while they use
	// keys, since the next table releases the page that the keys lie in.
	mu        sync.RWMutex
	db        *bbolt.DB // nil once closed or destroyed
	table     *table
	root      *page // root key of the table's epoch
	standings map[consent.SubjectID]standing
	pending   pending
	evict     func(consent.SubjectID) // see OnWipe
}

// secretSigning is the seed of the terminal's Ed25519 key.
const secretSigning = "ed25519"

// settingClock is the high-water mark of the clock.
const settingClock = "clock"

// Create makes a new store in dir, which may exist, for a terminal that has just joined a site. It draws the
// terminal's signing key. The folder must not hold a store yet.
func Create(dir string, slot keyslot.Slot, id Identity, o Options) (*Store, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the store: %w", err)
	}
	for _, name := range []string{tableName, recordsName} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return nil, fmt.Errorf("creating the store: %s holds one already: open it, or set it aside first", dir)
		}
	}
	o = o.withDefaults()
	if err := createTable(dir, slot, id, o); err != nil {
		return nil, fmt.Errorf("creating the store: %w", err)
	}
	// A crash here leaves a table without records, which Open completes.
	return Open(dir, slot, id, o)
}

func createTable(dir string, slot keyslot.Slot, id Identity, o Options) error {
	root, err := newPage(keyslot.KeySize)
	if err != nil {
		return err
	}
	defer root.release()
	if err := slot.Next(1, root.b); err != nil {
		return err
	}
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	if _, err := o.Rand.Read(seed); err != nil {
		return fmt.Errorf("drawing the signing key: %w", err)
	}
	none := &table{secrets: map[string][]byte{}}
	first, err := none.with(edit{epoch: 1, secrets: map[string][]byte{secretSigning: seed}}, o.Rand)
	if err != nil {
		return err
	}
	defer first.page.release()
	return writeTable(dir, id, first, root.b, o.Rand)
}

// Open opens the store in dir and finishes what a power cut has interrupted. With a zero Identity it takes the store's
// own. Records that are damaged, cut off or older than the key table are set aside under another name, an
// empty file takes their place, and Warnings says so: the caller then fetches everything again from sequence 0.
//
// Everything else that is wrong is an error, and nothing on disk is changed: ErrNoStore, ErrInUse, ErrNewer, ErrOther,
// ErrKey, keyslot.ErrNoKey, or the slot's own.
func Open(dir string, slot keyslot.Slot, id Identity, o Options) (*Store, error) {
	s := &Store{dir: dir, id: id, slot: slot, o: o.withDefaults(), standings: map[consent.SubjectID]standing{}}
	if _, err := os.Lstat(filepath.Join(dir, tableName)); err != nil {
		return nil, missing(dir, err)
	}
	if err := s.openAll(); err != nil {
		s.release()
		return nil, fmt.Errorf("opening the store in %s: %w", dir, err)
	}
	return s, nil
}

// missing tells an empty folder from one that has lost its key table.
func missing(dir string, cause error) error {
	if _, err := os.Lstat(filepath.Join(dir, recordsName)); err == nil {
		return fmt.Errorf("opening the store: %s has lost its key table (%w): put it back, or set the store aside and join the hub again; tell the data protection officer (H16)", dir, cause)
	}
	return fmt.Errorf("%w in %s: join a hub first", ErrNoStore, dir)
}

// openAll opens the records first, since their lock keeps a second process away from everything else.
func (s *Store) openAll() error {
	doubt, err := s.openRecords()
	if err != nil {
		return err
	}
	if err := s.openTable(); err != nil {
		return err
	}
	if doubt == nil {
		doubt = s.examine()
	}
	if doubt != nil {
		if err := s.startAgain(doubt); err != nil {
			return err
		}
	}
	mark, err := s.clockMark()
	if err != nil {
		return err
	}
	s.clock = clock.Open(s.o.Now, mark, s.saveClock)
	if _, err := s.finish(); err != nil {
		return fmt.Errorf("finishing what was interrupted: %w", err)
	}
	action := "open"
	if doubt != nil {
		action = "records-set-aside"
	}
	return s.append(audit.Event{Kind: audit.Start, Action: action})
}

func (s *Store) openTable() (err error) {
	if s.id == (Identity{}) {
		return errors.New("records without an identity were set aside: name the site and the terminal")
	}
	if s.root, err = newPage(keyslot.KeySize); err != nil {
		return err
	}
	if s.table, err = readTable(s.dir, s.id, s.slot, s.root.b); err != nil {
		return err
	}
	for _, p := range []*page{s.root, s.table.page} {
		if p.unlocked != nil {
			s.warnings = append(s.warnings, p.unlocked.Error())
			break
		}
	}
	// Whatever the other place holds is the key before a commit or one that never came to be.
	if err := s.slot.Retire(s.table.epoch); err != nil {
		return fmt.Errorf("destroying the old root key: %w", err)
	}
	return s.openLog()
}

// openLog prepares the signed log. Its signer is also the terminal's note key.
func (s *Store) openLog() error {
	key := ed25519.NewKeyFromSeed(s.table.secrets[secretSigning])
	defer clear(key)
	name := audit.Origin(s.id.Site, s.id.Terminal)
	vkey, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		return fmt.Errorf("preparing the audit log: %w", err)
	}
	// The note package writes a private key as PRIVATE+KEY+name+hash+base64(1, seed); the middle is the verifier's.
	middle := vkey[:len(name)+1+8]
	signer, err := note.NewSigner("PRIVATE+KEY+" + middle + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...)))
	if err != nil {
		return fmt.Errorf("preparing the audit log: %w", err)
	}
	s.verifier = vkey
	s.log = &audit.Log{
		Signer: signer,
		Seal:   func(n int64, text []byte) ([]byte, error) { return s.sealOwn(text, "audit", strconv.FormatInt(n, 10)) },
		Open: func(n int64, sealed []byte) ([]byte, error) {
			return s.openOwn(sealed, "audit", strconv.FormatInt(n, 10))
		},
	}
	return nil
}

func (s *Store) clockMark() (time.Time, error) {
	var mark time.Time
	b, err := s.Setting(settingClock)
	if errors.Is(err, ErrNotFound) {
		return mark, nil
	}
	if err == nil {
		err = mark.UnmarshalText(b)
	}
	return mark, err
}

func (s *Store) saveClock(mark time.Time) error {
	b, err := mark.UTC().MarshalText()
	if err != nil {
		return err
	}
	return s.SetSetting(settingClock, b)
}

// Close ends the use of the store and clears its keys from memory.
func (s *Store) Close() error {
	var last error
	if s.open() {
		last = errors.Join(s.clock.Tick(), s.Append(audit.Event{Kind: audit.Stop, Action: "close"}))
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
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.db != nil {
		err = s.db.Close()
		s.db = nil
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
	s.mu.Lock()
	if s.evict != nil {
		for id := range s.standings {
			s.evict(id)
		}
	}
	err := s.slot.Destroy()
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("destroying the root keys: %w", err)
	}
	return s.release()
}

// Identity says whose store this is.
func (s *Store) Identity() Identity { return s.id }

// Clock is the store's clock, whose high-water mark it keeps. Tell it the hub's signed times.
func (s *Store) Clock() *clock.Clock { return s.clock }

// Warnings are sentences for the log about what Open found and could live with.
func (s *Store) Warnings() []string { return s.warnings }

// VerifierKey is what others need to check this terminal's receipts and checkpoints, in the note format.
func (s *Store) VerifierKey() string { return s.verifier }

// SigningKey is the terminal's Ed25519 key. The caller clears it.
func (s *Store) SigningKey() (ed25519.PrivateKey, error) {
	seed, err := s.Secret(secretSigning)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	return ed25519.NewKeyFromSeed(seed), nil
}

// Promise is what the key slot says about itself.
func (s *Store) Promise() string { return s.slot.Promise() }

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
	s.mu.Lock()
	defer s.mu.Unlock()
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

// view and update run f in a transaction; the caller holds mu.
func (s *Store) view(f func(*bbolt.Tx) error) error {
	if s.db == nil || s.table == nil {
		return errClosed
	}
	return s.db.View(f)
}

func (s *Store) update(f func(*bbolt.Tx) error) error {
	if s.db == nil || s.table == nil {
		return errClosed
	}
	return s.db.Update(f)
}

// retable makes the next key table durable under the given root key and then current in memory. The caller holds mu.
func (s *Store) retable(e edit, root *page) error {
	next, err := s.table.with(e, s.o.Rand)
	if err != nil {
		return err
	}
	if err := writeTable(s.dir, s.id, next, root.b, s.o.Rand); err != nil {
		next.page.release()
		return err
	}
	s.table.page.release()
	s.table = next
	return nil
}

// ensureKeys gives data keys to subjects that lack them. A crash afterwards leaves keys that open nothing yet.
func (s *Store) ensureKeys(finger, person map[consent.SubjectID]bool) error {
	finger, person = maps.Clone(finger), maps.Clone(person)
	maps.DeleteFunc(finger, func(id consent.SubjectID, _ bool) bool { return s.table.keys[id].finger != nil })
	maps.DeleteFunc(person, func(id consent.SubjectID, _ bool) bool { return s.table.keys[id].person != nil })
	if len(finger)+len(person) == 0 {
		return nil
	}
	e := s.table.unchanged()
	e.needFinger, e.needPerson = finger, person
	if err := s.retable(e, s.root); err != nil {
		return err
	}
	s.step(StepKeys)
	return nil
}
