package store

import (
	"encoding/binary"
	"errors"
	"maps"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/durable"
)

// retable makes the next key table durable under the given root key and then current in memory. The root key is the
// store's from here on, and cleared after an error. The caller holds mu.
//
// When the rename has happened but is not durable, the error comes with the new table current all the same: it is what
// the next start is most likely to find, and going on from the old one would draw another key for the same epoch.
func (s *Store) retable(e edit, root *page) error {
	e.secrets = maps.Clone(e.secrets)
	if e.secrets == nil {
		e.secrets = map[string][]byte{}
	}
	e.secrets[secretAnchor] = s.anchor()
	e.secrets[secretGeneration] = binary.BigEndian.AppendUint64(nil, s.table.generation()+1)
	next, err := s.table.with(e, s.o.Rand)
	if err == nil {
		err = writeTable(s.dir, s.id, next, root.b, s.o)
	}
	s.unsettled = errors.Is(err, durable.ErrUnsettled)
	if err != nil && !s.unsettled {
		if next != nil {
			next.page.release()
		}
		if root != s.root {
			root.release()
		}
		return err
	}
	s.table.page.release()
	s.table = next
	if root != s.root {
		s.root.release()
		s.root = root
	}
	return err
}

// settleTable writes the table once more if a cut could still bring the one before it back. Until that has
// succeeded no root key is destroyed, since either table may be the one that the next start finds.
func (s *Store) settleTable() error {
	if !s.unsettled {
		return nil
	}
	if err := writeTable(s.dir, s.id, s.table, s.root.b, s.o); err != nil {
		return err
	}
	s.unsettled = false
	return nil
}

// ensureKeys gives data keys to subjects that lack them. A crash afterwards leaves keys that open nothing yet.
func (s *Store) ensureKeys(finger, person map[consent.SubjectID]bool) error {
	finger, person = maps.Clone(finger), maps.Clone(person)
	maps.DeleteFunc(finger, func(id consent.SubjectID, _ bool) bool { return s.table.keys[id].finger != nil })
	maps.DeleteFunc(person, func(id consent.SubjectID, _ bool) bool { return s.table.keys[id].person != nil })
	if len(finger)+len(person) == 0 {
		return nil
	}
	e := s.table.unchanged()
	e.needFinger, e.needPerson = finger, person
	if err := s.retable(e, s.root); err != nil {
		return err
	}
	s.step(StepKeys)
	return nil
}
