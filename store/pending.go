package store

import (
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
)

// pending is what has been decided durably and may not be complete yet. It stands in the database from the first
// durable step of a change; Open takes it up again.
type pending struct {
	Seq        uint64 `json:"seq"` // what the key table's sequence shall become, never less than it is
	Checkpoint []byte `json:"checkpoint,omitempty"`
	Wipes      []wipe `json:"wipes,omitempty"`
	Move       uint64 `json:"move,omitempty"` // the epoch with which the root key comes into another slot; not logged yet
}

// wipe is one subject whose keys shall be destroyed.
type wipe struct {
	Subject consent.SubjectID `json:"subject"`
	Row     string            `json:"row"`              // requirement that triggers it
	Person  bool              `json:"person,omitempty"` // the person's key too
	At      time.Time         `json:"at"`
}

func (s *Store) putPending(tx *bbolt.Tx, p pending) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("noting what is to be done: %w", err)
	}
	sealed, err := s.sealOwn(plain, "pending")
	if err != nil {
		return err
	}
	return s.put(tx, metaBucket, pendingKey, sealed)
}

func (s *Store) getPending(tx *bbolt.Tx) (p pending, err error) {
	sealed := tx.Bucket(metaBucket).Get(pendingKey)
	plain, err := s.openOwn(sealed, "pending")
	if err != nil {
		return p, fmt.Errorf("the note of pending wipes: %w", err)
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fmt.Errorf("the note of pending wipes: %w", err)
	}
	return p, nil
}
