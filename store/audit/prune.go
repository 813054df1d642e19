package audit

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
)

// pruned is how far old records have been dropped from the front of the log. The tree loses nothing that a proof can need: for
// every record that is left, and from every head of at least before records on, proofs are what they always were. It is sealed
// like a record, so that nobody can pass off records that were taken out for records that were dropped.
type pruned struct {
	Before int64     `json:"before"`         // from this number on the log is whole
	Root   tlog.Hash `json:"root"`           // of its first Before records
	Kept   []int64   `json:"kept,omitempty"` // those of them that are still there, in order
}

var (
	prunedBucket = []byte("audit.pruned")
	prunedKey    = []byte("state")
)

// prunedNumber is what the state is sealed as; records count from 0.
const prunedNumber = -1

// pruneMost bounds the records that one transaction drops, since nobody's lunch may wait for a year of them.
const pruneMost = 2000

// Prune drops the oldest records as far as they were made before a time and stand before number limit, but those that are needed,
// and returns how many. It goes some way at a time: call it until it drops nothing. The last record always stays. Receipts that
// were written before keep verifying, as does everything that is left.
func (l *Log) Prune(tx *bbolt.Tx, limit int64, before time.Time, needed func(n int64, e Event) bool) (dropped int, err error) {
	p, err := l.pruned(tx)
	if err != nil {
		return 0, err
	}
	next := pruned{Before: p.Before}
	var drop []int64
	limit = min(limit, Size(tx)-1, p.Before+pruneMost)
	for n := range p.numbers(0, limit) {
		e, err := l.Event(tx, n)
		if err != nil {
			return 0, err
		}
		if n >= p.Before && !e.At.Before(before) {
			break
		}
		next.Before = max(p.Before, n+1)
		if needed(n, e) {
			next.Kept = append(next.Kept, n)
		} else {
			drop = append(drop, n)
		}
	}
	if next.Before == p.Before {
		return 0, nil
	}
	return len(drop), l.drop(tx, next, drop)
}

// drop takes records out, with the hashes that nothing needs any more, and notes how far the log is pruned now.
func (l *Log) drop(tx *bbolt.Tx, next pruned, records []int64) (err error) {
	if next.Root, err = tlog.TreeHash(next.Before, reader(tx)); err != nil {
		return fmt.Errorf("audit: hashing what is dropped: %w", err)
	}
	for _, n := range records {
		if err := tx.Bucket(recordBucket).Delete(key(n)); err != nil {
			return err
		}
	}
	stay, hashes := next.hashes(), tx.Bucket(hashBucket)
	for _, index := range indexes(hashes, tlog.StoredHashCount(next.Before)) {
		if !stay[index] {
			if err := hashes.Delete(key(index)); err != nil {
				return err
			}
		}
	}
	plain, err := json.Marshal(next)
	if err != nil {
		return err
	}
	sealed, err := l.Seal(prunedNumber, plain)
	if err != nil {
		return err
	}
	b, err := tx.CreateBucketIfNotExists(prunedBucket)
	if err != nil {
		return err
	}
	return b.Put(prunedKey, sealed)
}

// pruned reads how far the log is pruned; not at all is the zero value.
func (l *Log) pruned(tx *bbolt.Tx) (p pruned, err error) {
	b := tx.Bucket(prunedBucket)
	if b == nil {
		return p, nil
	}
	plain, err := l.Open(prunedNumber, b.Get(prunedKey))
	if err != nil {
		return p, fmt.Errorf("audit: how far the log is pruned: %w: %w", ErrLogPruned, err)
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fmt.Errorf("audit: how far the log is pruned: %w: %w", ErrLogPruned, err)
	}
	return p, nil
}

// Pruned is the number from which on the log is whole; 0 if nothing was ever dropped.
func (l *Log) Pruned(tx *bbolt.Tx) (int64, error) {
	p, err := l.pruned(tx)
	return p.Before, err
}

// Count is how many records are there: fewer than Size once some were dropped.
func (l *Log) Count(tx *bbolt.Tx) (int64, error) {
	p, err := l.pruned(tx)
	return Size(tx) - p.Before + int64(len(p.Kept)), err
}

// numbers are the records that must be there, from first on and below size.
func (p pruned) numbers(first, size int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, n := range p.Kept {
			if n >= first && !yield(n) {
				return
			}
		}
		for n := max(first, p.Before); n < size; n++ {
			if !yield(n) {
				return
			}
		}
	}
}

// hashes are the stored hashes that belong to the first Before records and stay: the roots of the whole trees that they make up,
// and below those each hash whose parent spans a record that is kept.
func (p pruned) hashes() map[int64]bool {
	stay := map[int64]bool{}
	var visit func(level int, n int64)
	visit = func(level int, n int64) {
		stay[tlog.StoredHashIndex(level, n)] = true
		if level > 0 && p.spans(n<<level, (n+1)<<level) {
			visit(level-1, 2*n)
			visit(level-1, 2*n+1)
		}
	}
	at := int64(0)
	for level := 62; level >= 0; level-- {
		if p.Before&(1<<level) != 0 {
			visit(level, at>>level)
			at += 1 << level
		}
	}
	return stay
}

// spans reports whether a record is kept from first on and before end.
func (p pruned) spans(first, end int64) bool {
	i, _ := slices.BinarySearch(p.Kept, first)
	return i < len(p.Kept) && p.Kept[i] < end
}

// indexes lists the keys of a bucket below a number.
func indexes(b *bbolt.Bucket, below int64) (found []int64) {
	c := b.Cursor()
	for k, _ := c.First(); k != nil && number8(k) < below; k, _ = c.Next() {
		found = append(found, number8(k))
	}
	return found
}

// check compares what is left of the dropped part with what must be: no more, no less, and the root that was sealed.
func (p pruned) check(tx *bbolt.Tx, size int64) error {
	if p.Before == 0 {
		return nil
	}
	if p.Before >= size || !slices.Equal(indexes(tx.Bucket(recordBucket), p.Before), p.Kept) {
		return fmt.Errorf("audit: records are missing that were not dropped, or are there again: %w", ErrLogRecord)
	}
	stay := p.hashes()
	left := indexes(tx.Bucket(hashBucket), tlog.StoredHashCount(p.Before))
	if len(left) != len(stay) || slices.ContainsFunc(left, func(i int64) bool { return !stay[i] }) {
		return fmt.Errorf("audit: the hashes of the dropped records are not those that stay: %w", ErrLogHash)
	}
	for _, index := range left {
		level, n := tlog.SplitStoredHashIndex(index)
		if level == 0 || !stay[tlog.StoredHashIndex(level-1, 2*n)] {
			continue
		}
		below, err := reader(tx)([]int64{index, tlog.StoredHashIndex(level-1, 2*n), tlog.StoredHashIndex(level-1, 2*n+1)})
		if err != nil || tlog.NodeHash(below[1], below[2]) != below[0] {
			return fmt.Errorf("audit: the hashes of the dropped records were changed: %w", ErrLogHash)
		}
	}
	if root, err := tlog.TreeHash(p.Before, reader(tx)); err != nil || root != p.Root {
		return fmt.Errorf("audit: the hashes of the dropped records were changed: %w", ErrLogHash)
	}
	return nil
}

// checkKept compares a record that outlived its neighbours with its hash; check has held the hashes above it against the root.
func checkKept(tx *bbolt.Tx, n int64, text []byte) error {
	if leaf, err := hashAt(tx, tlog.StoredHashIndex(0, n)); err != nil || leaf != tlog.RecordHash(text) {
		return fmt.Errorf("audit: record %d does not fit to the hashes that were kept for it: %w", n, ErrLogHash)
	}
	return nil
}
