package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
)

// Item is something that the hub must still be told. It stays until Done, over any number of restarts; sending it twice
// must do no harm.
type Item struct {
	ID      uint64            `json:"-"` // increasing, never used twice
	Kind    string            `json:"kind"`
	Subject consent.SubjectID `json:"subject,omitempty"`
	At      time.Time         `json:"at"`
	Text    string            `json:"text,omitempty"` // see the kinds
	// Refetched says that the register brings this about again by itself, so that it need not outlive the loss of the records.
	Refetched bool `json:"refetched,omitempty"`
}

// The kinds that the store itself queues. Others may add theirs.
const (
	ItemReceipt = "receipt" // Text is the receipt
	ItemRefusal = "refusal" // Text is the operator's account (A3, E3)
	ItemShare   = "share"   // the subject was enrolled here: read Templates, seal them to the other terminals
)

func itemKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func (s *Store) enqueue(tx *bbolt.Tx, it Item) (uint64, error) {
	b := tx.Bucket(outboxBucket)
	id, err := b.NextSequence()
	if err != nil {
		return 0, err
	}
	it.At = it.At.UTC()
	return id, s.putItem(tx, id, it)
}

func (s *Store) putItem(tx *bbolt.Tx, id uint64, it Item) error {
	plain, err := json.Marshal(it)
	if err != nil {
		return err
	}
	sealed, err := s.sealOwn(plain, "outbox", string(itemKey(id)))
	if err != nil {
		return err
	}
	return s.put(tx, outboxBucket, itemKey(id), sealed)
}

// Enqueue adds an item; it is durable when Enqueue returns.
func (s *Store) Enqueue(it Item) (id uint64, err error) {
	s.lock()
	defer s.unlock()
	if it.At.IsZero() && s.clock != nil {
		it.At = s.now()
	}
	err = s.update(func(tx *bbolt.Tx) error {
		id, err = s.enqueue(tx, it)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("queueing for the hub: %w", err)
	}
	s.step(StepRecords)
	return id, nil
}

// Pending lists up to most items, oldest first; most 0 means all.
func (s *Store) Pending(most int) (items []Item, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(outboxBucket).Cursor()
		for k, v := c.First(); k != nil && (most == 0 || len(items) < most); k, v = c.Next() {
			it, err := s.item(k, v)
			if err != nil {
				return err
			}
			items = append(items, it)
		}
		return nil
	})
	return items, err
}

func (s *Store) item(k, sealed []byte) (it Item, err error) {
	plain, err := s.openOwn(sealed, "outbox", string(k))
	if err != nil || len(k) != 8 {
		return it, fmt.Errorf("an item for the hub: %w", errSealed)
	}
	return decodeItem(k, plain)
}

func decodeItem(k, plain []byte) (it Item, err error) {
	if err := json.Unmarshal(plain, &it); err != nil {
		return it, fmt.Errorf("an item for the hub is not laid out as this program writes it")
	}
	it.ID = binary.BigEndian.Uint64(k)
	return it, nil
}

// Done removes items that the hub has acknowledged. Unknown numbers do no harm.
func (s *Store) Done(ids ...uint64) error {
	s.lock()
	defer s.unlock()
	err := s.update(func(tx *bbolt.Tx) error {
		for _, id := range ids {
			if err := s.remove(tx, outboxBucket, itemKey(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("clearing the queue for the hub: %w", err)
	}
	return nil
}

// dropShares removes the enrolments of wiped subjects that have not been sent yet (D1).
func (s *Store) dropShares(tx *bbolt.Tx, wipes []wipe) error {
	gone := make(map[consent.SubjectID]bool, len(wipes))
	for _, w := range wipes {
		gone[w.Subject] = true
	}
	b := tx.Bucket(outboxBucket)
	for _, k := range keysOf(b, nil) {
		plain, err := s.openOwn(b.Get(k), "outbox", string(k))
		if err != nil {
			return fmt.Errorf("an item for the hub: %w", err)
		}
		if !bytes.Contains(plain, []byte(`"`+ItemShare+`"`)) { // most are receipts, and long
			continue
		}
		it, err := decodeItem(k, plain)
		if err != nil {
			return err
		}
		if it.Kind == ItemShare && gone[it.Subject] {
			if err := s.remove(tx, outboxBucket, k); err != nil {
				return err
			}
		}
	}
	return nil
}
