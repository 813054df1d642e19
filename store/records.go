package store

import (
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
