package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// Ending is a subject whose fingers must go, and the row that says so.
type Ending struct {
	Subject consent.SubjectID
	Row     string
}

// DatesWait tells the checker that a wipe of many by dates waits on purpose: see package custody.
func (s *Store) DatesWait(on bool) { s.datesWait.Store(on) }

// Wipe destroys the fingers of subjects whose permission has ended by itself, such as by a date (D3). Nothing is
// wiped of a subject who is permitted now.
func (s *Store) Wipe(endings []Ending) ([]Receipt, error) {
	return s.wipeEach(func() (wipes []wipe) {
		now := s.now()
		for _, e := range endings {
			if d, _ := s.decision(e.Subject, now); d == consent.Erase && s.table.keys[e.Subject].finger != nil {
				wipes = append(wipes, wipe{Subject: e.Subject, Row: e.Row, At: now})
			}
		}
		return wipes
	}, func() error { return nil })
}

// WipeAll destroys everybody's fingers, whatever their standing: the site has given biometrics up (A16).
func (s *Store) WipeAll(row string) ([]Receipt, error) {
	return s.wipeEach(func() (wipes []wipe) {
		for _, id := range slices.Sorted(maps.Keys(s.table.keys)) {
			if s.table.keys[id].finger != nil {
				wipes = append(wipes, wipe{Subject: id, Row: row, At: s.now()})
			}
		}
		return wipes
	}, s.dropFingerBucket)
}

// wipeEach finishes what an earlier error has left, wipes whom find names, and then does what comes last.
func (s *Store) wipeEach(find func() []wipe, last func() error) (receipts []Receipt, err error) {
	s.lock()
	defer s.unlock()
	err = s.withRoom(func() error {
		done, err := s.finish()
		receipts = append(receipts, done...)
		if err != nil {
			return fmt.Errorf("wiping: %w", err)
		}
		more, err := s.wipe(find())
		receipts = append(receipts, more...)
		if err != nil {
			return err
		}
		return last()
	})
	return receipts, err
}

// dropFingerBucket leaves the records of a site without biometrics without a place for templates. A crash before it leaves an empty one.
func (s *Store) dropFingerBucket() error {
	found := false
	err := s.view(func(tx *bbolt.Tx) error {
		found = tx.Bucket(fingerBucket) != nil
		return nil
	})
	if err != nil || !found {
		return err
	}
	err = s.update(func(tx *bbolt.Tx) error {
		if k, _ := tx.Bucket(fingerBucket).Cursor().First(); k != nil {
			return errors.New("templates are left whose keys are destroyed")
		}
		return tx.DeleteBucket(fingerBucket)
	})
	if err != nil {
		return fmt.Errorf("taking the place of templates out of the records: %w", err)
	}
	return nil
}

// wipe notes wipes and carries them out.
func (s *Store) wipe(wipes []wipe) ([]Receipt, error) {
	if len(wipes) == 0 {
		return nil, nil
	}
	s.callEvict(wipes)
	p := s.pending
	p.Wipes = wipes
	if err := s.update(func(tx *bbolt.Tx) error { return s.putPending(tx, p) }); err != nil {
		return nil, fmt.Errorf("wiping: %w", err)
	}
	s.adopt(p, nil)
	return s.finish()
}

// Refetch destroys every finger's and every person's key and begins with empty records at sequence 0: the hub has found that this
// store is older than what it has seen of it (why, for people). Messages for the hub that it has not had, receipts of this wipe
// among them, and refusals are taken over; everything else the hub brings again. A crash at any line leaves a store that
// is wiped at least in part and may be told once more.
func (s *Store) Refetch(why string) error {
	s.lock()
	defer s.unlock()
	return s.withRoom(func() error { return s.refetch(why) })
}

func (s *Store) refetch(why string) error {
	if _, err := s.finish(); err != nil {
		return fmt.Errorf("wiping: %w", err)
	}
	now := s.now()
	var wipes []wipe
	for _, id := range slices.Sorted(maps.Keys(s.table.keys)) {
		wipes = append(wipes, wipe{Subject: id, Row: "H17", Person: true, At: now})
	}
	if _, err := s.wipe(wipes); err != nil {
		return err
	}
	if err := s.startAgain(errors.New(why)); err != nil {
		return err
	}
	if err := s.append(audit.Event{Kind: audit.Fault, Row: "H17", Action: "rewound"}); err != nil {
		return err
	}
	// The mark stood in the records that were set aside.
	b, err := s.clock.Mark().UTC().MarshalText()
	if err != nil {
		return err
	}
	return s.setSetting(settingClock, b)
}
