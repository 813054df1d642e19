package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/store/durable"
)

// The layouts of the records file. 1 had no digest. A file becomes 3 when its log is first pruned, not before: until then a
// terminal that falls back to the program before an update can still open it. From 2 to 3 no copy is kept, since nothing is
// converted: pruneSome changes only the number, in the transaction that drops the first records, so that an older program
// refuses a log with gaps instead of taking it for damaged.
const (
	digestVersion  = 2
	recordsVersion = 3
)

// copyPath is where a copy of records of an older version lies until those of this version have been verified.
func (s *Store) copyPath(version int) string {
	return filepath.Join(s.dir, recordsName+".v"+strconv.Itoa(version))
}

// upgrade brings the records of an older version to this one, in one transaction, after making a copy of the file; what is
// in it stays sealed. The records have been examined as far as their own version allows.
func (s *Store) upgrade() error {
	path := s.copyPath(s.version)
	err := s.guarded(func(tx *bbolt.Tx) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = tx.WriteTo(f)
		return errors.Join(err, f.Sync(), f.Close())
	})
	if err == nil {
		err = durable.SyncDir(s.dir)
	}
	if err != nil {
		return fmt.Errorf("keeping a copy of the records before bringing them to this version: %w; make room on the card", err)
	}
	// A cut before the commit leaves the old version, and the next start begins again; one after it the new one.
	err = s.update(func(tx *bbolt.Tx) error {
		sum, err := s.computeDigest(tx)
		if err != nil {
			return err
		}
		meta := tx.Bucket(metaBucket)
		return errors.Join(meta.Put(digestKey, sum), meta.Put(schemaKey, []byte(strconv.Itoa(digestVersion))))
	})
	if err != nil {
		return fmt.Errorf("bringing the records to this version: %w", err)
	}
	s.version = digestVersion
	return nil
}

// verified deletes the copies of older versions: the records of this one have been read from end to end.
func (s *Store) verified() error {
	for v := 1; v < digestVersion; v++ {
		err := os.Remove(s.copyPath(v))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err = errors.Join(err, durable.SyncDir(s.dir)); err != nil {
			return fmt.Errorf("deleting the copy of the older version: %w", err)
		}
	}
	return nil
}
