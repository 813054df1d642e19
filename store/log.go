package store

import (
	"fmt"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/store/audit"
)

// Append adds events to the audit log. Time, sequence and epoch are filled in where they are zero.
func (s *Store) Append(events ...audit.Event) error {
	s.lock()
	defer s.unlock()
	return s.append(events...)
}

// append is Append for a caller that holds mu.
func (s *Store) append(events ...audit.Event) error {
	if s.table == nil {
		return errClosed
	}
	for i := range events {
		e := &events[i]
		if e.At.IsZero() {
			e.At = s.now()
		}
		if e.Seq == 0 {
			e.Seq = s.table.seq
		}
		if e.Epoch == 0 {
			e.Epoch = s.table.epoch
		}
	}
	return s.update(func(tx *bbolt.Tx) error {
		_, err := s.log.Append(tx, events...)
		return err
	})
}

// Checkpoint is the signed head of the audit log.
func (s *Store) Checkpoint() (text string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.view(func(tx *bbolt.Tx) error {
		text, err = s.log.Checkpoint(tx)
		return err
	})
	return text, err
}

// Head is Checkpoint with a proof that the log's first from records are still what they were; see audit.Log.
func (s *Store) Head(from int64) (checkpoint string, proof tlog.TreeProof, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.view(func(tx *bbolt.Tx) error {
		checkpoint, proof, err = s.log.Head(tx, from)
		return err
	})
	return checkpoint, proof, err
}

// Receipt writes the receipt of a wipe anew, by its record number in the audit log.
func (s *Store) Receipt(record int64) (r Receipt, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.view(func(tx *bbolt.Tx) error {
		r, err = s.log.Receipt(tx, s.id.Site, s.id.Terminal, record)
		return err
	})
	return r, err
}

// Events calls each with the records of the audit log from number first on that have not been dropped, until it returns
// false. each must not call the store.
func (s *Store) Events(first int64, each func(n int64, e audit.Event) bool) error {
	return s.readLog(func(tx *bbolt.Tx) error { return s.log.Each(tx, first, each) })
}

// Recent is Events from the newest record back: nobody has to wait for a year of them to know today's.
func (s *Store) Recent(each func(n int64, e audit.Event) bool) error {
	return s.readLog(func(tx *bbolt.Tx) error { return s.log.EachBack(tx, each) })
}

func (s *Store) readLog(read func(*bbolt.Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.view(read); err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	return nil
}
