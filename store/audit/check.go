package audit

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"
)

// Check opens every record, computes the tree anew and compares every stored hash: nothing was changed, cut out or
// inserted (I5), and dropped only what Prune has dropped. at gives the numbers of the records of the kinds that are asked for.
func (l *Log) Check(tx *bbolt.Tx, kinds ...Kind) (at map[Kind][]int64, err error) {
	p, err := l.pruned(tx)
	if err != nil {
		return nil, err
	}
	size := Size(tx)
	if err := errors.Join(checkCount(tx, p, size), p.check(tx, size)); err != nil {
		return nil, err
	}
	climb, err := newClimb(tx, p.Before)
	if err != nil {
		return nil, err
	}
	at = map[Kind][]int64{}
	records := tx.Bucket(recordBucket).Cursor()
	k, sealed := records.First()
	for n := range p.numbers(0, size) {
		if len(k) != 8 || number8(k) != n {
			return nil, fmt.Errorf("%w: %w", ErrLogRecord, noRecord(n))
		}
		text, err := l.open(n, sealed)
		if err != nil {
			return nil, err
		}
		if n < p.Before {
			err = checkKept(tx, n, text)
		} else {
			err = climb.add(n, text)
		}
		if err != nil {
			return nil, err
		}
		for _, kind := range kinds {
			if bytes.HasPrefix(text, []byte("kind: "+kind+"\n")) {
				at[kind] = append(at[kind], n)
			}
		}
		k, sealed = records.Next()
	}
	return at, nil
}

// checkCount wants a hash for everything that has one, and none besides.
func checkCount(tx *bbolt.Tx, p pruned, size int64) error {
	stored := int64(0)
	if err := tx.Bucket(hashBucket).ForEach(func(_, _ []byte) error { stored++; return nil }); err != nil {
		return err
	}
	if want := tlog.StoredHashCount(size) - tlog.StoredHashCount(p.Before) + int64(len(p.hashes())); stored != want {
		return fmt.Errorf("audit: %d hashes stand beside %d records, %d belong there: %w", stored, size, want, ErrLogHash)
	}
	return nil
}

// climb computes the tree anew beside the stored hashes. Record after record both lie in the order of their keys, so nothing is looked up.
type climb struct {
	hashes *bbolt.Cursor
	k, v   []byte
	left   [64]tlog.Hash // by level: the last whole subtree that still waits for the one to its right
}

// newClimb begins at record first, to the left of which nothing is computed.
func newClimb(tx *bbolt.Tx, first int64) (*climb, error) {
	c := &climb{hashes: tx.Bucket(hashBucket).Cursor()}
	for level := range c.left {
		if first>>level&1 == 0 {
			continue
		}
		h, err := hashAt(tx, tlog.StoredHashIndex(level, first>>level-1))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLogHash, err)
		}
		c.left[level] = h
	}
	c.k, c.v = c.hashes.Seek(key(tlog.StoredHashIndex(0, first)))
	return c, nil
}

// add compares what record n adds to the tree with what is stored. The record has opened, so its seal vouches for it: where they
// differ, it is the hash that was changed.
func (c *climb) add(n int64, text []byte) error {
	h, index := tlog.RecordHash(text), tlog.StoredHashIndex(0, n)
	for level := 0; ; level++ {
		if len(c.k) != 8 || number8(c.k) != index+int64(level) || !bytes.Equal(c.v, h[:]) {
			return fmt.Errorf("audit: record %d does not fit to the hashes beside it: %w", n, ErrLogHash)
		}
		c.k, c.v = c.hashes.Next()
		if n>>level&1 == 0 {
			c.left[level] = h
			return nil
		}
		h = tlog.NodeHash(c.left[level], h)
	}
}
