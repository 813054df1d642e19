package store

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// Check looks for what must always be true and is not (section 4 of the design), as far as the store alone can tell:
//
//	I1  every template belongs to a subject who may be held, and opens
//	I2  the records are whole, no older than the key table, and their last change is witnessed; no key is left of a finger that must be gone
//	I4  every standing comes from an entry of the register that has been applied, and permits no leaver
//	I5  the log is whole, and every receipt that waits for the hub is proved by it, as is the last wipe
//	I6  nothing that the card has made of the records has tripped the program since the start
//	I9  every refusal in the log stands, unless the register has spoken since
//
// A broken invariant is one sentence that counts and names nobody. BenchmarkCheck says what it takes.
//
// Writers are let in between its parts, since nobody's lunch may wait for all of it.
func (s *Store) Check() []Violation {
	var found []Violation
	check := func(invariant string, f func(*bbolt.Tx) error) {
		s.writing.Lock() // a wipe that waits for its key slot is half done
		defer s.writing.Unlock()
		s.mu.RLock()
		defer s.mu.RUnlock()
		if err := s.view(f); err != nil {
			found = append(found, Violation{invariant, err.Error()})
		}
	}
	if n := s.tripped.Load(); n > 0 {
		found = append(found, Violation{"I6", fmt.Sprintf("the records have tripped the program %d times since the start: the card is failing", n)})
	}
	before := len(found)
	if check("I2", s.checkPages); len(found) > before {
		return found // no other walk through the file ends for certain
	}
	check("I2", s.checkStructure)
	check("I1", s.checkConsents)
	check("I1", s.checkTemplates)
	check("I2", s.checkSequence)
	check("I2", s.checkWitnessed)
	check("I2", s.checkKeys)
	check("I4", s.checkStandings)
	check("I5", s.checkQueued)
	var lost error
	check("I5", func(tx *bbolt.Tx) error { // the log is long: it is read once
		at, err := s.log.Check(tx, audit.Wipe, audit.Refusal)
		if err != nil {
			return err
		}
		lost = s.checkRefusals(tx, at[audit.Refusal])
		return s.checkWipe(tx, at[audit.Wipe])
	})
	check("I9", func(*bbolt.Tx) error { return lost })
	return found
}

// held reports whether anything of a subject's fingers may be kept. Dates count only when they have come for certain, as they
// do for wiping, and a day later: the sweep that wipes runs every minute, but not while the machine is off. A refusal
// always counts. While a wipe of many by dates waits, no date counts.
func (s *Store) held(id consent.SubjectID) bool {
	st := s.standings[id]
	if s.datesWait.Load() {
		st.Ends = nil
	}
	d, _ := st.At(s.Certain().AddDate(0, 0, -1))
	return d != consent.Erase
}

func (s *Store) checkConsents(tx *bbolt.Tx) error {
	wrong := 0
	err := eachRow(tx.Bucket(fingerBucket), func(k, _ []byte) error {
		if len(k) != subjectIDSize+2 || !s.held(consent.SubjectID(k[:subjectIDSize])) {
			wrong++
		}
		return nil
	})
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d templates belong to subjects of whom nothing may be held", wrong)
	}
	return err
}

// checkSequence compares the records with the key table, which is always written after them.
func (s *Store) checkSequence(tx *bbolt.Tx) error {
	p, err := s.getPending(tx)
	if err == nil && p.Seq != s.table.seq {
		err = fmt.Errorf("the records stand at sequence %d and the key table at %d", p.Seq, s.table.seq)
	}
	return err
}

// checkKeys counts keys that a wipe should have destroyed. Of a subject without a standing nothing is said: after records
// were set aside the keys wait for the register to name their subjects again.
func (s *Store) checkKeys(*bbolt.Tx) error {
	fingers, people := 0, 0
	for id, st := range s.standings {
		k := s.table.keys[id]
		if k.finger != nil && !s.held(id) {
			fingers++
		}
		if k.person != nil && st.Leaver {
			people++
		}
	}
	if fingers+people > 0 {
		return fmt.Errorf("%d keys of fingers and %d of people who have left should have been destroyed", fingers, people)
	}
	return nil
}

// checkStandings holds what is in memory, and decides, against what is on the disk and in the register's applied part.
func (s *Store) checkStandings(tx *bbolt.Tx) error {
	ahead, leavers, unknown := 0, 0, 0
	b := tx.Bucket(standingBucket)
	for id, st := range s.standings {
		if st.Seq > s.table.seq {
			ahead++
		}
		if st.Leaver && st.Decision != consent.Erase {
			leavers++
		}
		if b.Get([]byte(id)) == nil {
			unknown++
		}
	}
	if ahead+leavers+unknown > 0 {
		return fmt.Errorf("%d standings are newer than the register that was applied, %d permit somebody who has left, %d are not on the disk", ahead, leavers, unknown)
	}
	return nil
}

// checkQueued verifies, as an outsider would, the receipts on their way to the hub.
func (s *Store) checkQueued(tx *bbolt.Tx) error {
	wrong := 0
	err := tx.Bucket(outboxBucket).ForEach(func(k, v []byte) error {
		it, err := s.item(k, v)
		if err != nil || it.Kind != ItemReceipt {
			return err
		}
		if r, err := audit.VerifyReceipt(it.Text, s.verifier); err != nil || r.Subject != it.Subject {
			wrong++
		}
		return nil
	})
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d receipts for the hub do not verify", wrong)
	}
	return err
}

// checkWipe proves the last of the wipes anew.
func (s *Store) checkWipe(tx *bbolt.Tx, wipes []int64) error {
	if len(wipes) == 0 {
		return nil
	}
	r, err := s.log.Receipt(tx, s.id.Site, s.id.Terminal, wipes[len(wipes)-1])
	if err == nil {
		_, err = audit.VerifyReceipt(r.Text, s.verifier)
	}
	return err
}

// checkRefusals looks for a refusal that was logged and is in force no more although no later entry of the register is
// about that subject: somebody has taken it out of the records.
func (s *Store) checkRefusals(tx *bbolt.Tx, refusals []int64) error {
	lost := 0
	for _, n := range refusals {
		e, err := s.log.Event(tx, n)
		if err != nil {
			return err
		}
		if st := s.standings[e.Subject]; !st.Refused && st.Seq <= e.Seq {
			lost++
		}
	}
	if lost > 0 {
		return fmt.Errorf("%d refusals at this terminal are not in force, and no later entry of the register says why", lost)
	}
	return nil
}
