package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/durable"
)

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
