package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
)

// Move seals the key table under the root key of the next epoch in another slot and then destroys all keys of the
// present one. to must be empty. The steps, and which slot opens the store after a power cut at each:
//
//	StepSlot     the next root key exists in to, and was read back       the old slot
//	StepTable    COMMIT: the table is sealed under it                    to
//	StepRetired  to holds one key, the old slot none                     to
//	StepDone     the move stands in the audit log (H15)                  to
//
// Who opens the store next must know which slots to try, and destroys the other one's keys: an error, or a cut,
// may leave keys in both.
func (s *Store) Move(to keyslot.Slot) error {
	s.lock()
	defer s.unlock()
	if _, err := s.finish(); err != nil { // nothing unless an earlier wipe met an error
		return fmt.Errorf("finishing what was interrupted: %w", err)
	}
	e := s.table.unchanged()
	e.epoch++
	p := s.pending
	p.Move = e.epoch // so that a cut between the table and the log loses no key event (H15)
	if err := s.update(func(tx *bbolt.Tx) error { return s.putPending(tx, p) }); err != nil {
		return fmt.Errorf("noting the move: %w", err)
	}
	s.pending = p
	var root *page
	err := s.slowly(func() (err error) {
		root, err = nextRoot(to, e.epoch)
		return err
	})
	if err != nil {
		return fmt.Errorf("making a root key in the new slot: %w", err)
	}
	s.step(StepSlot)
	from := s.slot
	err = s.retable(e, root)
	if s.table.epoch == e.epoch { // the new slot opens the table, also while a cut may bring the old table back
		s.slot = to
	}
	if err != nil {
		return err
	}
	s.step(StepTable)
	if err := s.slowly(func() error { return errors.Join(to.Retire(e.epoch), from.Destroy()) }); err != nil {
		return fmt.Errorf("the new slot opens the store, but the keys of the old one could not be destroyed: %w", err)
	}
	s.step(StepRetired)
	if err := s.finishMove(); err != nil {
		return err
	}
	s.step(StepDone)
	return nil
}

// finishMove logs a move that has been committed, or forgets one that has not come to be.
func (s *Store) finishMove() error {
	p := s.pending
	if p.Move == 0 {
		return nil
	}
	moved := s.table.epoch >= p.Move
	p.Move = 0
	err := s.update(func(tx *bbolt.Tx) error {
		if moved {
			event := audit.Event{Kind: audit.KeyEvent, At: s.now(), Action: "slot-moved", Seq: s.table.seq, Epoch: s.table.epoch}
			if _, err := s.log.Append(tx, event); err != nil {
				return err
			}
		}
		return s.putPending(tx, p)
	})
	if err != nil {
		return fmt.Errorf("logging the move: %w", err)
	}
	s.pending = p
	return nil
}

// nextRoot makes a key and has the slot give it back once, before anything is sealed under it.
func nextRoot(slot keyslot.Slot, epoch uint64) (*page, error) {
	root := newPage(keyslot.KeySize)
	back := newPage(keyslot.KeySize)
	defer back.release()
	err := slot.Next(epoch, root.b)
	if err == nil {
		err = slot.Key(epoch, back.b)
	}
	if err == nil && !bytes.Equal(root.b, back.b) {
		err = errors.New("it gives back another key than it made: use another slot")
	}
	if err != nil {
		root.release()
		return nil, err
	}
	return root, nil
}

// TableEpoch reads from the store in dir, without opening it, which epoch's root key it needs. It works beside a running daemon.
func TableEpoch(dir string) (uint64, error) {
	b, err := readBounded(filepath.Join(dir, tableName), maxTable)
	if err != nil {
		return 0, fmt.Errorf("reading the key table: %w", err)
	}
	if len(b) < tableHeader || string(b[:len(tableMagic)]) != tableMagic {
		return 0, fmt.Errorf("%s is no key table of this version", filepath.Join(dir, tableName))
	}
	return binary.BigEndian.Uint64(b[len(tableMagic):]), nil
}
