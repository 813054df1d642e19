package store

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
)

const maxSetting = 64 << 10

// SetSetting keeps a small value by name in the records, sealed: what changes often, such as a lease. A nil value removes it.
func (s *Store) SetSetting(name string, value []byte) error {
	s.lock()
	defer s.unlock()
	return s.setSetting(name, value)
}

// setSetting is SetSetting for a caller that holds mu.
func (s *Store) setSetting(name string, value []byte) error {
	if name == "" || len(name) > maxText || len(value) > maxSetting {
		return fmt.Errorf("store: a setting has a name and at most %d bytes", maxSetting)
	}
	err := s.update(func(tx *bbolt.Tx) error {
		if value == nil {
			return s.remove(tx, settingBucket, []byte(name))
		}
		sealed, err := s.sealOwn(value, "setting", name)
		if err != nil {
			return err
		}
		return s.put(tx, settingBucket, []byte(name), sealed)
	})
	if err != nil {
		return fmt.Errorf("keeping setting %s: %w", name, err)
	}
	s.step(StepRecords)
	return nil
}

// Setting reads a value; the error wraps ErrNotFound when there is none. The value is the caller's.
func (s *Store) Setting(name string) (value []byte, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.view(func(tx *bbolt.Tx) error {
		sealed := tx.Bucket(settingBucket).Get([]byte(name))
		if sealed == nil {
			return ErrNotFound
		}
		value, err = s.openOwn(sealed, "setting", name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, err)
	}
	return value, nil
}

// SetSecrets keeps keys of this terminal by name, all in one step: its HPKE key, the PIN pepper, the hub's key. They
// stand in the key table, so they outlive the loss of the records, and writing them costs a new table. A nil value
// removes one. Values have 1 to 1,024 bytes; the caller clears its copies.
func (s *Store) SetSecrets(values map[string][]byte) error {
	s.lock()
	defer s.unlock()
	if s.table == nil {
		return errClosed
	}
	if err := s.settleTable(); err != nil {
		return fmt.Errorf("keeping secrets: %w", err)
	}
	if err := checkSecrets(values); err != nil {
		return err
	}
	e := s.table.unchanged()
	e.secrets = values
	if err := s.retable(e, s.root); err != nil {
		return fmt.Errorf("keeping secrets: %w", err)
	}
	s.step(StepKeys)
	// The records note the new table (stamp), so that it is missed if the card has lost it.
	return s.update(func(*bbolt.Tx) error { return nil })
}

func checkSecrets(values map[string][]byte) error {
	for name, v := range values {
		if name == "" || name == secretSigning || name == secretAnchor || name == secretGeneration || len(name) > 64 || len(v) > maxSecret {
			return fmt.Errorf("store: %.64q is no name of a secret, or its value is longer than %d bytes", name, maxSecret)
		}
	}
	return nil
}

// Secret reads one into locked memory, which the caller gives back with locked.Free; the error wraps ErrNotFound when there is none.
func (s *Store) Secret(name string) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.table == nil {
		return nil, errClosed
	}
	v, ok := s.table.secrets[name]
	if !ok {
		return nil, fmt.Errorf("secret %s: %w", name, ErrNotFound)
	}
	return locked.Append(nil, v...), nil
}

// HasFingerKey reports whether templates of a subject could be opened.
func (s *Store) HasFingerKey(id consent.SubjectID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.table != nil && s.table.keys[id].finger != nil
}

// FingerKeys says of how many subjects fingers can be opened.
func (s *Store) FingerKeys() (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.table == nil {
		return 0
	}
	for _, k := range s.table.keys {
		if k.finger != nil {
			n++
		}
	}
	return n
}
