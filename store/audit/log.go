package audit

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Log is the log inside a database. Its methods work in the caller's transaction and are safe for concurrent use as
// far as that transaction is.
type Log struct {
	Signer note.Signer // the terminal's key; its name is the origin of the checkpoints
	// Seal and Open encrypt a record at rest (H2), bound to its number n. They belong to the store.
	Seal func(n int64, text []byte) ([]byte, error)
	Open func(n int64, sealed []byte) ([]byte, error)
}

var (
	recordBucket = []byte("audit.records") // number, 8 bytes big-endian: sealed text
	hashBucket   = []byte("audit.hashes")  // tlog's stored hash index, 8 bytes big-endian: hash
)

// Init makes the buckets.
func Init(tx *bbolt.Tx) error {
	for _, name := range [][]byte{recordBucket, hashBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("preparing the audit log: %w", err)
		}
	}
	return nil
}

// Append adds events and returns the number of the first. They are part of the log when tx commits.
func (l *Log) Append(tx *bbolt.Tx, events ...Event) (int64, error) {
	first := Size(tx)
	for i, e := range events {
		text, err := e.Text()
		if err != nil {
			return 0, err
		}
		if err := l.append(tx, first+int64(i), []byte(text)); err != nil {
			return 0, fmt.Errorf("appending to the audit log: %w", err)
		}
	}
	return first, nil
}

func (l *Log) append(tx *bbolt.Tx, n int64, text []byte) error {
	hashes, err := tlog.StoredHashes(n, text, reader(tx))
	if err != nil {
		return err
	}
	sealed, err := l.Seal(n, text)
	if err != nil {
		return err
	}
	if err := tx.Bucket(recordBucket).Put(key(n), sealed); err != nil {
		return err
	}
	b := tx.Bucket(hashBucket)
	for i, h := range hashes {
		if err := b.Put(key(tlog.StoredHashIndex(0, n)+int64(i)), h[:]); err != nil {
			return err
		}
	}
	return nil
}

// Size is the number of records that were ever appended.
func Size(tx *bbolt.Tx) int64 {
	k, _ := tx.Bucket(recordBucket).Cursor().Last()
	if len(k) != 8 {
		return 0
	}
	return number8(k) + 1
}

// Event reads record n.
func (l *Log) Event(tx *bbolt.Tx, n int64) (Event, error) {
	text, err := l.text(tx, n)
	if err != nil {
		return Event{}, err
	}
	return ParseEvent(string(text))
}

func (l *Log) text(tx *bbolt.Tx, n int64) ([]byte, error) {
	sealed := tx.Bucket(recordBucket).Get(key(n))
	if sealed == nil {
		return nil, noRecord(n)
	}
	return l.open(n, sealed)
}

func noRecord(n int64) error {
	return fmt.Errorf("audit: there is no record %d: the log has not got there, or the time for which it is kept is over", n)
}

func (l *Log) open(n int64, sealed []byte) ([]byte, error) {
	text, err := l.Open(n, sealed)
	if err != nil {
		return nil, fmt.Errorf("audit: opening record %d: %w: %w", n, ErrLogRecord, err)
	}
	return text, nil
}

// Tip is the size of the log and the root hash over all of it, from the hashes that are stored.
func Tip(tx *bbolt.Tx) (size int64, root tlog.Hash, err error) {
	size = Size(tx)
	if root, err = tlog.TreeHash(size, reader(tx)); err != nil {
		return 0, root, fmt.Errorf("audit: hashing the log: %w", err)
	}
	return size, root, nil
}

// Checkpoint signs the present head of the log: origin, size, root hash (C2SP tlog-checkpoint).
func (l *Log) Checkpoint(tx *bbolt.Tx) (string, error) {
	size, root, err := Tip(tx)
	if err != nil {
		return "", err
	}
	text := checkpointBody(l.Signer.Name(), size, root)
	signed, err := note.Sign(&note.Note{Text: text}, l.Signer)
	if err != nil {
		return "", fmt.Errorf("audit: signing the checkpoint: %w", err)
	}
	return string(signed), nil
}

func checkpointBody(origin string, size int64, root tlog.Hash) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
}

// Each calls f with the records from number first on that are there, until it returns false.
func (l *Log) Each(tx *bbolt.Tx, first int64, f func(n int64, e Event) bool) error {
	p, err := l.pruned(tx)
	if err != nil {
		return err
	}
	for n := range p.numbers(first, Size(tx)) {
		e, err := l.Event(tx, n)
		if err != nil {
			return err
		}
		if !f(n, e) {
			return nil
		}
	}
	return nil
}

// EachBack is Each from the newest record back.
func (l *Log) EachBack(tx *bbolt.Tx, f func(n int64, e Event) bool) error {
	c := tx.Bucket(recordBucket).Cursor()
	for k, sealed := c.Last(); len(k) == 8; k, sealed = c.Prev() {
		text, err := l.open(number8(k), sealed)
		if err != nil {
			return err
		}
		e, err := ParseEvent(string(text))
		if err != nil {
			return err
		}
		if !f(number8(k), e) {
			return nil
		}
	}
	return nil
}

// What Check can find to have been tampered with, each told apart from the others.
var (
	ErrLogRecord = errors.New("a record of the log was changed, taken out or put in")
	ErrLogHash   = errors.New("a hash of the log was changed, taken out or put in")
	ErrLogPruned = errors.New("the note of how far the log is pruned was changed")
)

var errNoHash = errors.New("audit: a hash of the log is missing")

// reader gives tlog the stored hashes of tx.
func reader(tx *bbolt.Tx) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			h, err := hashAt(tx, x)
			if err != nil {
				return nil, err
			}
			hashes[i] = h
		}
		return hashes, nil
	}
}

func hashAt(tx *bbolt.Tx, index int64) (h tlog.Hash, err error) {
	v := tx.Bucket(hashBucket).Get(key(index))
	if len(v) != tlog.HashSize {
		return h, errNoHash
	}
	return tlog.Hash(v), nil
}

func key(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func number8(k []byte) int64 { return int64(binary.BigEndian.Uint64(k)) }
