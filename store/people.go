package store

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
)

const (
	minIndex    = 16
	maxIndex    = 64
	maxText     = 256
	maxDietary  = 32
	maxVerifier = 512
)

func (p Person) check() error {
	if len(p.Photo) > MaxPhoto || len(p.Name) > maxText || len(p.Form) > maxText || len(p.Dietary) > maxDietary ||
		len(p.PINVerifier) > maxVerifier || len(p.PINIndex) != 0 && (len(p.PINIndex) < minIndex || len(p.PINIndex) > maxIndex) {
		return fmt.Errorf("store: a person record is out of bounds: photos have at most %d bytes, texts %d", MaxPhoto, maxText)
	}
	for _, d := range p.Dietary {
		if len(d) > maxText {
			return fmt.Errorf("store: a dietary note has more than %d bytes", maxText)
		}
	}
	return nil
}

// PutPeople keeps a batch of person records, in one transaction. A record with a lower revision than the one that is
// kept, and one of a leaver, is passed over (D7); a subject that the register has not named is an error.
func (s *Store) PutPeople(records []PersonRecord) error {
	s.lock()
	defer s.unlock()
	if _, err := s.finish(); err != nil {
		return fmt.Errorf("keeping people: %w", err)
	}
	need := map[consent.SubjectID]bool{}
	for _, r := range records {
		st, ok := s.standings[r.Subject]
		if !ok {
			return fmt.Errorf("keeping people: %w: the register has not named this subject", ErrNotFound)
		}
		if err := r.Person.check(); err != nil {
			return fmt.Errorf("keeping people: %w", err)
		}
		if !st.Leaver {
			need[r.Subject] = true
		}
	}
	if err := s.ensureKeys(nil, need); err != nil {
		return fmt.Errorf("keeping people: %w", err)
	}
	err := s.update(func(tx *bbolt.Tx) error {
		for _, r := range records {
			if s.standings[r.Subject].Leaver {
				continue
			}
			if err := s.putPerson(tx, r.Subject, r.Person); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping people: %w", err)
	}
	s.step(StepRecords)
	return nil
}

// putPerson writes one person and moves their PIN's index. Should two subjects ever bring the same index, the later
// one has it, and the other is served by name until the hub has drawn a new PIN.
func (s *Store) putPerson(tx *bbolt.Tx, id consent.SubjectID, p Person) error {
	old, err := s.getPerson(tx, id)
	if err == nil && old.Revision > p.Revision {
		return nil
	}
	if err == nil {
		if err := s.dropPIN(tx, id, old.PINIndex); err != nil {
			return err
		}
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return err
	}
	sealed, err := seal(s.o.Rand, s.table.keys[id].person, plain, s.id.binding("person", string(id)))
	if err != nil {
		return err
	}
	if err := s.put(tx, personBucket, []byte(id), sealed); err != nil {
		return err
	}
	if len(p.PINIndex) == 0 {
		return nil
	}
	owner, err := s.sealOwn([]byte(id), "pin", string(p.PINIndex))
	if err != nil {
		return err
	}
	return s.put(tx, pinBucket, p.PINIndex, owner)
}

// dropPIN removes an index if it is this subject's.
func (s *Store) dropPIN(tx *bbolt.Tx, id consent.SubjectID, index []byte) error {
	if owner, ok := s.pinOwner(tx, index); !ok || owner != id {
		return nil
	}
	return s.remove(tx, pinBucket, index)
}

func (s *Store) pinOwner(tx *bbolt.Tx, index []byte) (consent.SubjectID, bool) {
	sealed := tx.Bucket(pinBucket).Get(index)
	if len(index) == 0 || sealed == nil {
		return "", false
	}
	id, err := s.openOwn(sealed, "pin", string(index))
	return consent.SubjectID(id), err == nil
}

// deletePeople removes the rows of leavers. Their keys are gone already, so the PINs' indices are found by
// their owners, in one walk for all.
func (s *Store) deletePeople(tx *bbolt.Tx, gone map[consent.SubjectID]bool) error {
	if len(gone) == 0 {
		return nil
	}
	for id := range gone {
		if err := s.remove(tx, personBucket, []byte(id)); err != nil {
			return err
		}
	}
	pins := tx.Bucket(pinBucket)
	for _, index := range keysOf(pins, nil) {
		if owner, ok := s.pinOwner(tx, index); ok && gone[owner] {
			if err := s.remove(tx, pinBucket, index); err != nil {
				return err
			}
		}
	}
	return nil
}

// Person reads one person; the error wraps ErrNotFound when there is none.
func (s *Store) Person(id consent.SubjectID) (p Person, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.view(func(tx *bbolt.Tx) error {
		p, err = s.getPerson(tx, id)
		return err
	})
	return p, err
}

func (s *Store) getPerson(tx *bbolt.Tx, id consent.SubjectID) (p Person, err error) {
	sealed, key := tx.Bucket(personBucket).Get([]byte(id)), s.table.keys[id].person
	if sealed == nil || key == nil {
		return p, fmt.Errorf("person record: %w", ErrNotFound)
	}
	plain, err := open(nil, key, sealed, s.id.binding("person", string(id)))
	if err != nil {
		return p, fmt.Errorf("person record: %w", err)
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fmt.Errorf("person record: not laid out as this program writes it")
	}
	return p, nil
}

// People calls each for every person, in the order of pseudonyms, until it returns false. each must not call the
// store.
func (s *Store) People(each func(consent.SubjectID, Person) bool) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(personBucket).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			p, err := s.getPerson(tx, consent.SubjectID(k))
			if err != nil {
				return err
			}
			if !each(consent.SubjectID(k), p) {
				return nil
			}
		}
		return nil
	})
}

// FindPIN finds who has the PIN with this blind index, and the verifier that the PIN must still pass.
func (s *Store) FindPIN(index []byte) (id consent.SubjectID, verifier string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err := s.view(func(tx *bbolt.Tx) error {
		owner, found := s.pinOwner(tx, index)
		if !found {
			return ErrNotFound
		}
		p, err := s.getPerson(tx, owner)
		id, verifier = owner, p.PINVerifier
		return err
	})
	if err != nil {
		return "", "", false
	}
	return id, verifier, true
}

// checkPeople opens every person but those of pending wipes.
func (s *Store) checkPeople(tx *bbolt.Tx) error {
	wiped := map[consent.SubjectID]bool{}
	for _, w := range s.pending.Wipes {
		wiped[w.Subject] = w.Person
	}
	return tx.Bucket(personBucket).ForEach(func(k, _ []byte) error {
		if wiped[consent.SubjectID(k)] {
			return nil
		}
		_, err := s.getPerson(tx, consent.SubjectID(k))
		return err
	})
}
