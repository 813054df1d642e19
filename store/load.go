package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
)

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
