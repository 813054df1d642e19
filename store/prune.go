package store

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// PruneLog drops records of the audit log that have for certain been there for longer than keep (D3, D4), and logs that it
// did. It goes no further than the number of records that the hub has countersigned, since the hub's next question begins
// there. What stays, however old: the record of a refusal that is in force, which the invariants are held against, and of a wipe
// whose receipt the hub has not had. It returns how many were dropped.
//
// Each step is one transaction: a cut leaves the log before it or after it.
func (s *Store) PruneLog(keep time.Duration, countersigned int64) (int, error) {
	before, all := s.Certain().Add(-keep), 0
	for {
		n, err := s.pruneSome(before, countersigned)
		all += n
		if err != nil {
			return all, fmt.Errorf("dropping old records of the audit log: %w", err)
		}
		if n == 0 {
			return all, nil
		}
	}
}

func (s *Store) pruneSome(before time.Time, countersigned int64) (dropped int, err error) {
	s.lock()
	defer s.unlock()
	idle := errors.New("nothing to drop")
	err = s.update(func(tx *bbolt.Tx) error {
		waiting, err := s.waitingReceipts(tx)
		if err != nil {
			return err
		}
		dropped, err = s.log.Prune(tx, countersigned, before, func(n int64, e audit.Event) bool {
			return e.Kind == audit.Refusal && s.standings[e.Subject].Refused || e.Kind == audit.Wipe && waiting[e.Subject]
		})
		if err != nil {
			return err
		}
		if dropped == 0 {
			return idle
		}
		_, err = s.log.Append(tx, audit.Event{Kind: audit.Pruned, At: s.now(), Row: "D4", Seq: s.table.seq, Epoch: s.table.epoch, Count: dropped})
		return errors.Join(err, tx.Bucket(metaBucket).Put(schemaKey, []byte(strconv.Itoa(recordsVersion))))
	})
	if errors.Is(err, idle) {
		return 0, nil
	}
	if err == nil {
		s.step(StepRecords)
	}
	return dropped, err
}

// waitingReceipts are the subjects of receipts on their way to the hub.
func (s *Store) waitingReceipts(tx *bbolt.Tx) (map[consent.SubjectID]bool, error) {
	waiting := map[consent.SubjectID]bool{}
	err := tx.Bucket(outboxBucket).ForEach(func(k, v []byte) error {
		it, err := s.item(k, v)
		if err == nil && it.Kind == ItemReceipt {
			waiting[it.Subject] = true
		}
		return err
	})
	return waiting, err
}

// LogPruned is the number of the first record from which on the audit log is whole; 0 if nothing was dropped.
func (s *Store) LogPruned() (n int64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.view(func(tx *bbolt.Tx) error {
		n, err = s.log.Pruned(tx)
		return err
	})
	return n, err
}
