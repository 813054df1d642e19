package store

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// Refuse is a subject's own no at this terminal: nobody can override it and no reason is asked (A3, A4, I9). by is the
// account of the operator who pressed, not a name. The hub is told through the outbox; whatever the hub said
// before, the subject is not permitted from here on. The receipt exists also when there was nothing to wipe.
func (s *Store) Refuse(id consent.SubjectID, by string) (r Receipt, err error) {
	s.lock()
	defer s.unlock()
	err = s.withRoom(func() error {
		r, err = s.refuse(id, by)
		return err
	})
	return r, err
}

func (s *Store) refuse(id consent.SubjectID, by string) (Receipt, error) {
	if _, err := consent.ParseSubjectID(string(id)); err != nil {
		return Receipt{}, err
	}
	done, err := s.finish()
	if err != nil {
		return Receipt{}, fmt.Errorf("refusing: %w", err)
	}
	for _, r := range done { // this is the second press after a first whose wipe broke off: one no, one receipt
		if r.Subject == id && r.Event.Row == "A3" {
			return r, nil
		}
	}
	now := s.now()
	p := s.pending
	p.Wipes = []wipe{{Subject: id, Row: "A3", At: now}}
	st := s.standings[id]
	err = s.update(func(tx *bbolt.Tx) error {
		item, err := s.enqueue(tx, Item{Kind: ItemRefusal, Subject: id, At: now, Text: by})
		if err != nil {
			return err
		}
		st.Refused, st.Refusal = true, &refusal{At: now, Seq: s.table.seq, Item: item}
		s.callEvict(p.Wipes)
		event := audit.Event{Kind: audit.Refusal, At: now, Subject: id, Row: "A3", Operator: audit.Word(by), Seq: s.table.seq, Epoch: s.table.epoch}
		if _, err := s.log.Append(tx, event); err != nil {
			return err
		}
		if err := s.putStanding(tx, id, st); err != nil {
			return err
		}
		return s.putPending(tx, p)
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("refusing: %w", err)
	}
	s.adopt(p, map[consent.SubjectID]standing{id: st})
	receipts, err := s.finish()
	if err != nil {
		return Receipt{}, fmt.Errorf("refusing: the subject is refused, the wipe is not complete and will be taken up again: %w", err)
	}
	return receipts[0], nil // finish gives one for each wipe noted above, also where there was nothing to wipe
}

// RefusalKnown notes that the hub has recorded a refusal, the outbox item with that number, in its register at
// sequence seq: a consent in an entry after seq is a change of mind and counts.
func (s *Store) RefusalKnown(item, seq uint64) error {
	s.lock()
	defer s.unlock()
	return s.update(func(tx *bbolt.Tx) error {
		for id, st := range s.standings {
			if st.Refusal == nil || st.Refusal.Item != item {
				continue
			}
			r := *st.Refusal
			r.Known = max(r.Known, seq, 1)
			st.Refusal = &r
			if err := s.putStanding(tx, id, st); err != nil {
				return err
			}
			s.standings[id] = st
		}
		return s.remove(tx, outboxBucket, itemKey(item))
	})
}
