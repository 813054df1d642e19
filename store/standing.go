package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
)

// standing is what is kept about one subject: the hub's word and what this terminal adds to it. After a leaver has been
// erased it is the tombstone that keeps a late feed from enrolling them again (D7): a pseudonym, "no", and a date.
type standing struct {
	Standing
	Seq     uint64    `json:"seq"`              // register entry that it comes from
	Since   time.Time `json:"since"`            // when this terminal took it over
	Leaver  bool      `json:"leaver,omitzero"`  // the person was erased as well
	Refusal *refusal  `json:"refusal,omitzero"` // set exactly when Refused is
}

// refusal is a pupil's "no" at this terminal (A3). The hub cannot override it (I9); it ends when the hub, knowing of it,
// reports a newer consent.
type refusal struct {
	At    time.Time `json:"at"`
	Seq   uint64    `json:"seq"`             // sequence that was applied when it was made
	Item  uint64    `json:"item"`            // the outbox item that tells the hub
	Known uint64    `json:"known,omitempty"` // register sequence at which the hub knew of it; 0 before
}

// At is the decision at a time given in the site's zone, and the rows that it rests on. A terminal only ever narrows:
// by dates that have been reached, and by a refusal.
func (st Standing) At(now time.Time) (consent.Decision, []string) {
	d, rows := consent.Narrow(st.Decision, consent.Permit), slices.Clone(st.Reasons)
	for _, e := range st.Ends {
		if narrowed := consent.Narrow(d, e.Decision); e.On.Reached(now) && narrowed != d {
			d, rows = narrowed, []string{e.Row}
		}
	}
	if st.Refused && d != consent.Erase {
		d, rows = consent.Erase, []string{"A3"}
	}
	return d, rows
}

// Standing returns what is known about a subject; false means nobody of that name, which is a no (A5).
func (s *Store) Standing(id consent.SubjectID) (Standing, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st, ok := s.standings[id]
	return st.Standing, ok
}

// Decision is the decision about a subject at now, in the site's zone.
func (s *Store) Decision(id consent.SubjectID, now time.Time) (consent.Decision, []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.decision(id, now)
}

func (s *Store) decision(id consent.SubjectID, now time.Time) (consent.Decision, []string) {
	st, ok := s.standings[id]
	if !ok {
		return consent.Erase, []string{"A5"}
	}
	return st.At(now.In(s.o.Location))
}

// Standings calls each for every subject, in no order, until it returns false. each must not call the store.
func (s *Store) Standings(each func(consent.SubjectID, Standing) bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, st := range s.standings {
		if !each(id, st.Standing) {
			return
		}
	}
}

// merge gives what Apply makes of a change. known is false for a subject that is new here.
func (s *Store) merge(tx *bbolt.Tx, old standing, c Change, now time.Time) standing {
	next := standing{Standing: c.Standing, Seq: c.Seq, Since: now, Leaver: c.Leaver, Refusal: old.Refusal}
	next.Decision = consent.Narrow(c.Standing.Decision, consent.Permit) // what is no decision is a no (I4)
	if next.Leaver {
		next.Decision = consent.Erase
	}
	next.Ends = slices.Clone(c.Standing.Ends)
	for i, e := range next.Ends {
		next.Ends[i].Decision = consent.Narrow(e.Decision, consent.Permit)
	}
	if r := next.Refusal; r != nil {
		sent := tx.Bucket(outboxBucket).Get(itemKey(r.Item)) == nil
		switch {
		case r.Known != 0 && c.Seq > r.Known && c.Standing.Decision != consent.Erase:
			next.Refusal = nil // a consent given after the refusal
		case r.Known == 0 && sent && c.Seq > r.Seq && c.Standing.Decision == consent.Erase:
			next.Refusal = &refusal{At: r.At, Seq: r.Seq, Item: r.Item, Known: c.Seq}
		}
	}
	next.Refused = next.Refusal != nil
	return next
}

func (s *Store) putStanding(tx *bbolt.Tx, id consent.SubjectID, st standing) error {
	plain, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("keeping a standing: %w", err)
	}
	sealed, err := s.sealOwn(plain, "standing", string(id))
	if err != nil {
		return err
	}
	return s.put(tx, standingBucket, []byte(id), sealed)
}
