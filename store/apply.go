package store

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// Apply makes the terminal hold what the register says: the changes up to and including sequence seq, whose signed head
// is checkpoint. Changes may repeat or come out of order; per subject the highest Seq wins, and a seq that has
// been applied already is not an error.
//
// When it returns nil everything is durable: who may not be held has no finger key any more, a leaver no person
// key either, and there is a receipt, also queued in the outbox, for each subject that was held or permitted before. A
// batch costs one rotation of the root key, however many it wipes. After an error nothing counts as
// applied; the same call can be repeated.
func (s *Store) Apply(changes []Change, seq uint64, checkpoint []byte) (receipts []Receipt, err error) {
	s.lock()
	defer s.unlock()
	err = s.withRoom(func() error {
		receipts, err = s.applyUpTo(changes, seq, checkpoint)
		return err
	})
	return receipts, err
}

func (s *Store) applyUpTo(changes []Change, seq uint64, checkpoint []byte) ([]Receipt, error) {
	receipts, err := s.finish() // what an earlier error has left
	if err != nil {
		return nil, fmt.Errorf("applying the register: %w", err)
	}
	if seq <= s.table.seq {
		return receipts, nil
	}
	for _, c := range changes {
		if err := c.check(seq); err != nil {
			return nil, fmt.Errorf("applying the register: %w", err)
		}
	}
	more, err := s.apply(changes, seq, checkpoint)
	if err != nil {
		return nil, fmt.Errorf("applying the register up to %d: %w", seq, err)
	}
	return append(receipts, more...), nil
}

func (c Change) check(seq uint64) error {
	if _, err := consent.ParseSubjectID(string(c.Subject)); err != nil {
		return err
	}
	if c.Seq == 0 || c.Seq > seq {
		return fmt.Errorf("store: a change of sequence %d in a batch up to %d", c.Seq, seq)
	}
	for _, e := range c.Standing.Ends {
		if !e.On.Valid() {
			return fmt.Errorf("store: change %d ends on a day that is no date", c.Seq)
		}
	}
	if c.Person != nil {
		return c.Person.check()
	}
	return nil
}

// latest keeps the newest change of each subject that is newer than what is known.
func (s *Store) latest(changes []Change) []Change {
	at := map[consent.SubjectID]int{}
	var kept []Change
	for _, c := range changes {
		if old, ok := s.standings[c.Subject]; ok && c.Seq <= old.Seq {
			continue
		}
		if i, ok := at[c.Subject]; ok {
			kept[i] = later(kept[i], c)
			continue
		}
		at[c.Subject] = len(kept)
		kept = append(kept, c)
	}
	return kept
}

// later is the newer of two changes of one subject; a person record that only the older one brings is kept.
func later(a, b Change) Change {
	if a.Seq > b.Seq {
		a, b = b, a
	}
	if b.Person == nil {
		b.Person = a.Person
	}
	return b
}

func (s *Store) apply(changes []Change, seq uint64, checkpoint []byte) ([]Receipt, error) {
	changes = s.latest(changes)
	people := map[consent.SubjectID]bool{}
	for _, c := range changes {
		if c.Person != nil && !c.Leaver {
			people[c.Subject] = true
		}
	}
	if err := s.ensureKeys(nil, people); err != nil {
		return nil, err
	}
	now := s.now()
	p := pending{Seq: seq, Checkpoint: checkpoint}
	next := make(map[consent.SubjectID]standing, len(changes))
	var events []audit.Event
	err := s.update(func(tx *bbolt.Tx) error {
		for _, c := range changes {
			old, known := s.standings[c.Subject]
			st := s.merge(tx, old, c, now)
			next[c.Subject] = st
			if w, ok := s.wipeFor(old, known, st, c, now); ok {
				p.Wipes = append(p.Wipes, w)
			} else if e, ok := ordered(old, known, st, c, now); ok {
				events = append(events, e)
			}
			if err := s.putStanding(tx, c.Subject, st); err != nil {
				return err
			}
			if people[c.Subject] {
				if err := s.putPerson(tx, c.Subject, *c.Person); err != nil {
					return err
				}
			}
		}
		s.callEvict(p.Wipes)
		if _, err := s.log.Append(tx, events...); err != nil {
			return err
		}
		return s.putPending(tx, p)
	})
	if err != nil {
		return nil, err
	}
	s.adopt(p, next)
	return s.finish()
}

// ordered is the log's entry of an order that wipes nothing and changes what may be done with somebody who was known here: a restriction
// (F5), a hold (G12), a pause, or the end of one. What wipes has the wipe's own entry.
func ordered(old standing, known bool, st standing, c Change, now time.Time) (e audit.Event, changed bool) {
	was, _ := old.At(now)
	is, rows := st.At(now)
	if !known || was == is {
		return e, false
	}
	e = audit.Event{Kind: audit.Command, At: now, Subject: c.Subject, Action: is.String(), Seq: c.Seq}
	if len(rows) > 0 {
		e.Row = audit.Word(rows[0])
	}
	return e, true
}

// wipeFor says whether a change wipes: when there is something to destroy, or when there was a permission before, so
// that the hub gets the receipt it waits for.
func (s *Store) wipeFor(old standing, known bool, st standing, c Change, now time.Time) (wipe, bool) {
	d, rows := st.At(s.Certain()) // a machine whose clock has run ahead must not forget a school
	keys := s.table.keys[c.Subject]
	was := consent.Erase
	if known {
		was, _ = old.At(now)
	}
	fingers := d == consent.Erase && (keys.finger != nil || was != consent.Erase)
	person := c.Leaver && (keys.person != nil || known && !old.Leaver)
	w := wipe{Subject: c.Subject, Row: "D1", Person: c.Leaver, At: now}
	if c.Leaver {
		w.Row = "D3"
	}
	if len(rows) > 0 && rows[0] != "" {
		w.Row = rows[0]
	}
	return w, fingers || person
}

// adopt takes over in memory what has just become durable, and reports the step.
func (s *Store) adopt(p pending, next map[consent.SubjectID]standing) {
	s.pending = p
	for id, st := range next {
		s.standings[id] = st
	}
	if len(p.Wipes) > 0 {
		s.step(StepPending)
	} else {
		s.step(StepRecords)
	}
}

func (s *Store) callEvict(wipes []wipe) {
	if s.evict == nil {
		return
	}
	for _, w := range wipes {
		s.evict(w.Subject)
	}
}
