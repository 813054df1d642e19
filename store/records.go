package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/crypto/blake2b"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/durable"
)

// Buckets of the records file. Keys are pseudonyms, positions and numbers; every value is sealed, but those of meta.
var (
	metaBucket     = []byte("meta")      // schema, site, terminal in clear; pending
	standingBucket = []byte("standings") // subject: standing, under the store key
	fingerBucket   = []byte("fingers")   // subject, finger, number: template, under the finger key. There only where fingers are in use (A16)
	personBucket   = []byte("people")    // subject: Person, under the person key
	pinBucket      = []byte("pins")      // blind index: subject, under the store key
	settingBucket  = []byte("settings")  // name: value, under the store key
	outboxBucket   = []byte("outbox")    // number: Item, under the store key

	schemaKey   = []byte("schema")
	siteKey     = []byte("site")
	terminalKey = []byte("terminal")
	pendingKey  = []byte("pending")
)

// maxRecords bounds the records file, so that growth fails cleanly instead of filling the card.
const maxRecords = 512 << 20

func (s *Store) bolt(path string) (db *bbolt.DB, err error) {
	defer s.guard(&err)
	return bbolt.Open(path, 0o600, &bbolt.Options{Timeout: s.o.Timeout, MaxSize: maxRecords})
}

// guard turns a panic, also one from reading past the end of a mapped file, into an error. Pages of the database
// have no checksums, so a card that lies can make it trip over anything (notes on bbolt, power cuts).
func (s *Store) guard(err *error) {
	if r := recover(); r != nil {
		if s.ready {
			s.tripped.Add(1)
		}
		*err = fmt.Errorf("the records are damaged: %v", r)
	}
}

// openRecords opens the database. doubt says why the file cannot be used; then it is closed and still in its place.
func (s *Store) openRecords() (doubt, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	path := filepath.Join(s.dir, recordsName)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the records file is missing"), nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return errors.New("the records file is empty"), nil
	}
	s.db, err = s.bolt(path)
	var errno syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: stop the other tillprintd, or wait for it to end", ErrInUse)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: run as the user that owns the store", err)
	case errors.As(err, &errno): // the machine's trouble, not the file's
		return nil, durable.Advise(err)
	case err != nil:
		return err, nil
	}
	return s.identify(info.Size())
}

// identify compares the file with its length, this version and this terminal.
func (s *Store) identify(size int64) (doubt, err error) {
	doubt = s.guarded(func(tx *bbolt.Tx) error {
		if tx.Size() > size {
			return fmt.Errorf("the records file is cut off: %d of %d bytes are there", size, tx.Size())
		}
		if err := s.checkPages(tx); err != nil {
			return err
		}
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			return errors.New("the records file is no store")
		}
		version, _ := strconv.Atoi(string(meta.Get(schemaKey)))
		if version > recordsVersion {
			err = fmt.Errorf("%w (records %d, this program %d): install that version again", ErrNewer, version, recordsVersion)
			return nil
		}
		if version < 1 {
			return errors.New("the records file has no version")
		}
		s.version = version
		is := Identity{string(meta.Get(siteKey)), string(meta.Get(terminalKey))}
		if s.id == (Identity{}) {
			s.id = is
		}
		if is != s.id {
			err = fmt.Errorf("%w, %s, and this is %s: put the right card in, or set the store's folder aside and join the hub again", ErrOther, is, s.id)
		}
		return nil
	})
	return doubt, err
}

// guarded reads with panics and faults turned into errors.
func (s *Store) guarded(f func(*bbolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer s.guard(&err)
	return s.db.View(f)
}

// startAgain sets doubtful records aside and begins with empty ones. Keys and secrets stay in the table, so a wipe
// that comes later kills the set-aside templates too.
func (s *Store) startAgain(doubt error) error {
	if s.db != nil {
		if err := s.closeDoubtful(); err != nil {
			return err
		}
	}
	// Sequence 0 first: after a crash between these steps the records are again missing or in doubt.
	e := s.table.unchanged()
	e.seq, e.checkpoint = 0, nil
	if err := s.retable(e, s.root); err != nil {
		return err
	}
	path := filepath.Join(s.dir, recordsName)
	from := path
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		from = lastAside(path) // a cut came after the renaming
	}
	found := s.salvage(from)
	aside, err := setAside(path, s.o.Now().UTC().Format("20060102T150405Z"))
	if err != nil {
		return fmt.Errorf("setting doubtful records aside: %w", err)
	}
	if aside != "" {
		s.warnings = append(s.warnings, fmt.Sprintf("the records could not be trusted (%v); they are kept as %s, and everything is fetched again from the hub; %d messages for the hub and who was served today (%d) were taken over", doubt, aside, len(found.items), len(found.served)))
	}
	if err := s.createRecords(path, found); err != nil {
		return fmt.Errorf("creating the records: %w", err)
	}
	s.standings, s.version = map[consent.SubjectID]standing{}, digestVersion
	if s.db, err = s.bolt(path); err != nil {
		return err
	}
	return s.guarded(func(tx *bbolt.Tx) error { return errors.Join(s.loadPending(tx), s.loadStandings(tx)) })
}

func (s *Store) closeDoubtful() (err error) {
	defer s.guard(&err)
	err = s.db.Close()
	s.db = nil
	return err
}

// setAside renames a file to path.aside-stamp, with a number if that name is taken. No file gives "".
func setAside(path, stamp string) (string, error) {
	for n := range 1000 {
		aside := path + ".aside-" + stamp
		if n > 0 {
			aside += "." + strconv.Itoa(n)
		}
		if _, err := os.Lstat(aside); err == nil {
			continue
		}
		err := os.Rename(path, aside)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return aside, durable.SyncDir(filepath.Dir(path))
	}
	return "", fmt.Errorf("%s has been set aside too often: look at the card", path)
}

// SetAside moves everything in dir that belongs to a store out of the way, for a terminal that has lost its key and begins
// anew, and with it the files called beside. Nothing is deleted. It returns the new names. A cut in the middle leaves some of it to do.
func SetAside(dir string, o Options, beside ...string) ([]string, error) {
	o = o.withDefaults()
	stamp := o.Now().UTC().Format("20060102T150405Z")
	var names []string
	for _, name := range append([]string{recordsName, tableName, witnessName}, beside...) {
		aside, err := setAside(filepath.Join(dir, name), stamp)
		if err != nil {
			return names, fmt.Errorf("setting the store aside: %w", err)
		}
		if aside != "" {
			names = append(names, aside)
		}
	}
	return names, nil
}

// createRecords makes the database under a temporary name and renames it: a cut in the middle of the very first
// initialisation would leave a file that bbolt cannot open. What was salvaged is in it from the first moment.
func (s *Store) createRecords(path string, found salvaged) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // what a crash left; nobody has ever relied on it
	}
	db, err := s.bolt(temporary)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error { return errors.Join(s.initialise(tx), s.restore(tx, found), s.stamp(tx)) })
	if err = errors.Join(err, db.Sync(), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return durable.SyncDir(s.dir)
}

func (s *Store) initialise(tx *bbolt.Tx) error {
	for _, name := range [][]byte{metaBucket, standingBucket, personBucket, pinBucket, settingBucket, outboxBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	if err := audit.Init(tx); err != nil {
		return err
	}
	meta := tx.Bucket(metaBucket)
	return errors.Join(
		meta.Put(schemaKey, []byte(strconv.Itoa(digestVersion))),
		meta.Put(digestKey, make([]byte, blake2b.Size256)),
		meta.Put(siteKey, []byte(s.id.Site)),
		meta.Put(terminalKey, []byte(s.id.Terminal)))
}

// examine reads everything once: structure, every sealed value, and the sequence against the table's. A non-nil
// result means that the file cannot be trusted.
func (s *Store) examine() error {
	return s.guarded(func(tx *bbolt.Tx) error {
		if s.version >= digestVersion {
			if err := s.checkDigest(tx); err != nil {
				return err
			}
		}
		for _, f := range []func(*bbolt.Tx) error{s.checkStructure, s.loadPending, s.loadStandings, s.checkTemplates, s.checkPeople} {
			if err := f(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkPages is the first look at the file: no other walk through it ends for certain.
func (s *Store) checkPages(tx *bbolt.Tx) error {
	f, err := os.Open(filepath.Join(s.dir, recordsName))
	if err != nil {
		return err
	}
	defer f.Close()
	return checkTree(f, s.db.Info().PageSize, uint64(tx.ID()))
}

// checkStructure returns the first fault. It hears the others too, since the check runs beside it and must not read
// pages of a file that has been closed.
func (s *Store) checkStructure(tx *bbolt.Tx) (first error) {
	for err := range tx.Check() {
		if first == nil {
			first = fmt.Errorf("the records are damaged: %w", err)
		}
	}
	return first
}

// loadPending also notices records that are older than the table: every sequence is noted there before it is in the
// table.
func (s *Store) loadPending(tx *bbolt.Tx) error {
	p, err := s.getPending(tx)
	if err != nil {
		return err
	}
	if p.Seq < s.table.seq {
		return fmt.Errorf("the records stand at sequence %d and the key table at %d: an old copy was put back, or the card lost writes", p.Seq, s.table.seq)
	}
	s.pending = p
	return nil
}

func (s *Store) loadStandings(tx *bbolt.Tx) error {
	return tx.Bucket(standingBucket).ForEach(func(k, v []byte) error {
		id, err := consent.ParseSubjectID(string(k))
		if err != nil {
			return err
		}
		plain, err := s.openOwn(v, "standing", string(k))
		if err != nil {
			return fmt.Errorf("a standing: %w", err)
		}
		var st standing
		if err := json.Unmarshal(plain, &st); err != nil {
			return fmt.Errorf("a standing: %w", err)
		}
		s.standings[id] = st
		return nil
	})
}
