package store

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
)

// finish brings the key table up to the pending note and completes its wipes. It is the tail of every change and
// the first thing that Open does; each step may already have been taken. The caller holds mu.
//
// Order, and what a power cut after each step leaves (see the Step constants):
//
//	pending noted      (the caller)    Open comes here
//	next root key      rotate          the slot has two keys, the table opens with the old one; Open forgets the new one
//	next key table     rotate, COMMIT  the wiped keys exist only under the old root key
//	old root key dead  Retire          nothing on this terminal opens the old table
//	rows, log, receipt tidy            the wipe is reported
func (s *Store) finish() ([]Receipt, error) {
	if s.table == nil {
		return nil, errClosed
	}
	if err := s.settleTable(); err != nil {
		return nil, err
	}
	if err := s.finishMove(); err != nil {
		return nil, err
	}
	p := s.pending
	e := s.table.unchanged()
	if p.Seq > e.seq {
		e.seq, e.checkpoint = p.Seq, p.Checkpoint
	}
	e.dropFinger, e.dropPerson = map[consent.SubjectID]bool{}, map[consent.SubjectID]bool{}
	for _, w := range p.Wipes {
		if k := s.table.keys[w.Subject]; k.finger != nil {
			e.dropFinger[w.Subject] = true
		}
		if k := s.table.keys[w.Subject]; w.Person && k.person != nil {
			e.dropPerson[w.Subject] = true
		}
	}
	switch {
	case len(e.dropFinger)+len(e.dropPerson) > 0:
		if err := s.rotate(e); err != nil {
			return nil, err
		}
	case e.seq > s.table.seq:
		if err := s.retable(e, s.root); err != nil {
			return nil, err
		}
		s.step(StepTable)
	}
	if len(p.Wipes) == 0 {
		return nil, nil
	}
	if err := s.retire(); err != nil {
		return nil, fmt.Errorf("destroying the old root key: %w", err)
	}
	s.step(StepRetired)
	return s.tidy(p)
}

// dropStray destroys keys of people who have left that a cut has left behind: they were drawn when somebody came back
// (StepKeys), and the change itself was never made.
func (s *Store) dropStray() error {
	e := s.table.unchanged()
	e.dropPerson = map[consent.SubjectID]bool{}
	for id, st := range s.standings {
		if st.Leaver && s.table.keys[id].person != nil {
			e.dropPerson[id] = true
		}
	}
	if len(e.dropPerson) == 0 {
		return nil
	}
	if err := s.rotate(e); err != nil {
		return err
	}
	return s.retire()
}

// retire destroys every root key but the table's.
func (s *Store) retire() error {
	epoch := s.table.epoch
	return s.slowly(func() error { return s.slot.Retire(epoch) })
}

// rotate seals the edited table under the next epoch's root key.
func (s *Store) rotate(e edit) error {
	e.epoch++
	root := newPage(keyslot.KeySize)
	if err := s.slowly(func() error { return s.slot.Next(e.epoch, root.b) }); err != nil {
		root.release()
		return fmt.Errorf("making the next root key: %w", err)
	}
	s.step(StepSlot)
	if err := s.retable(e, root); err != nil {
		return err
	}
	s.step(StepTable)
	return nil
}

// tidy deletes what can no longer be opened, logs each wipe and queues its receipt, in one transaction.
func (s *Store) tidy(p pending) ([]Receipt, error) {
	var receipts []Receipt
	done := pending{Seq: p.Seq, Checkpoint: p.Checkpoint}
	err := s.update(func(tx *bbolt.Tx) error {
		events := make([]audit.Event, 0, len(p.Wipes))
		people := map[consent.SubjectID]bool{}
		for _, w := range p.Wipes {
			if w.Person {
				people[w.Subject] = true
			}
			event, err := s.deleteRows(tx, w)
			if err != nil {
				return err
			}
			events = append(events, event)
		}
		if err := errors.Join(s.deletePeople(tx, people), s.dropShares(tx, p.Wipes)); err != nil {
			return err
		}
		first, err := s.log.Append(tx, events...)
		if err != nil {
			return err
		}
		if receipts, err = s.receipts(tx, first, len(events)); err != nil {
			return err
		}
		return s.putPending(tx, done)
	})
	if err != nil {
		return nil, fmt.Errorf("deleting what was wiped: %w", err)
	}
	s.pending = done
	s.step(StepDone)
	return receipts, nil
}

// deleteRows removes a subject's templates and describes the wipe. "gallery" is in every receipt: OnWipe's function ran
// before anything was written, and after a restart the gallery is loaded from what is left.
func (s *Store) deleteRows(tx *bbolt.Tx, w wipe) (audit.Event, error) {
	event := audit.Event{Kind: audit.Wipe, At: w.At, Subject: w.Subject, Row: audit.Word(w.Row), Seq: s.table.seq, Epoch: s.table.epoch,
		Places: []string{"gallery", "key", "records"}}
	for _, k := range keysOf(tx.Bucket(fingerBucket), []byte(w.Subject)) {
		if err := s.remove(tx, fingerBucket, k); err != nil {
			return event, err
		}
		event.Count++
	}
	if w.Person {
		event.Places = append(event.Places, "person")
	}
	return event, nil
}

// keysOf lists the keys with a prefix. Deleting while a cursor runs is not safe, so they are copied.
func keysOf(b *bbolt.Bucket, prefix []byte) [][]byte {
	if b == nil {
		return nil
	}
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// receipts writes and queues the receipts of n records from first on, all under one signed head.
func (s *Store) receipts(tx *bbolt.Tx, first int64, n int) ([]Receipt, error) {
	checkpoint, err := s.log.Checkpoint(tx)
	if err != nil {
		return nil, err
	}
	receipts := make([]Receipt, 0, n)
	for i := range int64(n) {
		r, err := s.log.ReceiptAt(tx, checkpoint, s.id.Site, s.id.Terminal, first+i)
		if err != nil {
			return nil, err
		}
		if _, err := s.enqueue(tx, Item{Kind: ItemReceipt, Subject: r.Subject, At: r.Event.At, Text: r.Text}); err != nil {
			return nil, err
		}
		receipts = append(receipts, r)
	}
	return receipts, nil
}
