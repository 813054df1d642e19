package store

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// Check looks for what must always be true and is not: I1, every template belongs to a subject who may be held, and
// opens; I5, the log is whole and every wipe in it can be proved. At 10,000 templates it takes well below a second.
func (s *Store) Check() []Violation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []Violation
	check := func(invariant string, f func(*bbolt.Tx) error) {
		if err := s.view(f); err != nil {
			found = append(found, Violation{invariant, err.Error()})
		}
	}
	check("I1", s.checkConsents)
	check("I1", s.checkTemplates)
	check("I2", s.checkStructure)
	check("I5", func(tx *bbolt.Tx) error { return s.log.Check(tx) })
	check("I5", s.checkReceipts)
	return found
}

// checkConsents counts templates of subjects who must not be held. Dates count only when the clock is trusted, as they do for
// wiping.
func (s *Store) checkConsents(tx *bbolt.Tx) error {
	now, trusted := s.now(), s.clock.Trusted()
	wrong := 0
	err := tx.Bucket(fingerBucket).ForEach(func(k, _ []byte) error {
		if len(k) != subjectIDSize+2 {
			wrong++
			return nil
		}
		st := s.standings[consent.SubjectID(k[:subjectIDSize])]
		d, _ := st.At(now)
		if !trusted && !st.Refused {
			d = st.Decision
		}
		if d == consent.Erase {
			wrong++
		}
		return nil
	})
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d templates belong to subjects of whom nothing may be held", wrong)
	}
	return err
}

// checkReceipts verifies the receipt of the last wipe as an outsider would, and that the log opens to the end.
func (s *Store) checkReceipts(tx *bbolt.Tx) error {
	for n := audit.Size(tx) - 1; n >= 0; n-- {
		e, err := s.log.Event(tx, n)
		if err != nil {
			return err
		}
		if e.Kind != audit.Wipe {
			continue
		}
		r, err := s.log.Receipt(tx, s.id.Site, s.id.Terminal, n)
		if err != nil {
			return err
		}
		_, err = audit.VerifyReceipt(r.Text, s.verifier)
		return err
	}
	return nil
}
