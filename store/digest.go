package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"golang.org/x/crypto/blake2b"

	"github.com/tillprint/tillprint/store/audit"
)

// Pages of the database have no checksums: a card that did not do one write of a transaction leaves a page that holds
// what it held before, each row of which opens as it always did. So the records carry one digest of all rows, which every
// change brings up to date in its own transaction, and which the start computes anew.
//
// A whole transaction that never came takes its digest with it. Against that the key table notes how far the database had
// got when the table was written (secretAnchor), every transaction notes which table there was (secretGeneration), and a second file
// how far the records had got at the very end (see witness).

// digested are the buckets whose rows the digest covers, beside the note of what is pending. The log has its own tree, of which
// the tip is noted (tipKey): it must be compared before the start writes to the log, since what is appended to a log without its last
// records takes their place, and then it fits together again.
var digested = [][]byte{standingBucket, fingerBucket, personBucket, pinBucket, settingBucket, outboxBucket}

var digestKey = []byte("digest") // in meta: the digest

// secretAnchor is the number of the last transaction of the records when this table was written, 8 bytes big-endian.
const secretAnchor = "records-at"

// secretGeneration counts the tables that were written, 8 bytes big-endian.
const secretGeneration = "table-number"

var (
	stampKey      = []byte("at")    // in meta: the number of the transaction that wrote this
	generationKey = []byte("table") // in meta: the generation of the table that was durable then
	tipKey        = []byte("log")   // in meta: that number again, and the log's size and root then; an older program leaves it as it is
)

// stamp puts a transaction's number into its own pages. The database's head names the number too, so a head that came to
// the card before the pages that it speaks of is told from one that found them.
// The table's generation goes with it, but for one that a cut may still take back.
func (s *Store) stamp(tx *bbolt.Tx) error {
	meta, generation := tx.Bucket(metaBucket), s.table.generation()
	if s.unsettled {
		generation--
	}
	tip, err := tipOf(tx)
	return errors.Join(err, meta.Put(stampKey, binary.BigEndian.AppendUint64(nil, uint64(tx.ID()))),
		meta.Put(generationKey, binary.BigEndian.AppendUint64(nil, generation)), meta.Put(tipKey, tip))
}

// tipOf is how far the log has got in a transaction: its number 8, the log's size 8, both big-endian, and the root 32 bytes.
func tipOf(tx *bbolt.Tx) ([]byte, error) {
	size, root, err := audit.Tip(tx)
	b := binary.BigEndian.AppendUint64(nil, uint64(tx.ID()))
	return append(binary.BigEndian.AppendUint64(b, uint64(size)), root[:]...), err
}

// checkTip compares the log with what was noted of it. A transaction of a program that noted nothing is let pass.
func checkTip(tx *bbolt.Tx) error {
	was := tx.Bucket(metaBucket).Get(tipKey)
	if count8(was[:min(8, len(was))]) != uint64(tx.ID()) {
		return nil
	}
	is, err := tipOf(tx)
	if err == nil && !bytes.Equal(is, was) {
		err = errors.New("the audit log does not end where it ended: the card lost a write")
	}
	return err
}

// generation is 0 for a table of before there were any.
func (t *table) generation() uint64 { return count8(t.secrets[secretGeneration]) }

func count8(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// put writes a row of a digested bucket.
func (s *Store) put(tx *bbolt.Tx, bucket, k, v []byte) error {
	b := tx.Bucket(bucket)
	if err := s.toggle(tx, bucket, k, b.Get(k), v); err != nil {
		return err
	}
	return b.Put(k, v)
}

// eachRow walks over a bucket, or over nothing where there is none.
func eachRow(b *bbolt.Bucket, each func(k, v []byte) error) error {
	if b == nil {
		return nil
	}
	return b.ForEach(each)
}

// remove deletes a row of a digested bucket; none is no error.
func (s *Store) remove(tx *bbolt.Tx, bucket, k []byte) error {
	b := tx.Bucket(bucket)
	if err := s.toggle(tx, bucket, k, b.Get(k), nil); err != nil {
		return err
	}
	return b.Delete(k)
}

// toggle takes a row's old value out of the digest and its new one in.
func (s *Store) toggle(tx *bbolt.Tx, bucket, k, old, next []byte) error {
	meta := tx.Bucket(metaBucket)
	sum := bytes.Clone(meta.Get(digestKey))
	if len(sum) != blake2b.Size256 {
		return errors.New("the records have lost their digest: restart the terminal")
	}
	for _, v := range [][]byte{old, next} {
		if v != nil {
			s.mix(sum, bucket, k, v)
		}
	}
	return meta.Put(digestKey, sum)
}

// mix adds a row to a digest, or takes it out: the digest of a set is the sum, without carry, of its rows' keyed hashes. A
// sealed value is told by its nonce and tag, since the start opens it as well; so is what is no longer than both.
func (s *Store) mix(sum, bucket, k, v []byte) {
	h, err := blake2b.New256(s.table.storeKey)
	if err != nil {
		panic("store: a key of 32 bytes is refused: " + err.Error()) // cannot happen
	}
	var n [8]byte
	for _, part := range [][]byte{[]byte("tillprint digest of rows 1"), bucket, k, v[:min(len(v), 1+nonceSize)], v[max(0, len(v)-16):]} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write(part)
	}
	for i, c := range h.Sum(nil) {
		sum[i] ^= c
	}
}

// computeDigest reads all rows.
func (s *Store) computeDigest(tx *bbolt.Tx) ([]byte, error) {
	sum := make([]byte, blake2b.Size256)
	for _, name := range digested {
		b := tx.Bucket(name)
		if b == nil && !bytes.Equal(name, fingerBucket) { // of that one the rows are missed
			return nil, fmt.Errorf("the records have lost their %s", name)
		}
		err := eachRow(b, func(k, v []byte) error {
			s.mix(sum, name, k, v)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if p := tx.Bucket(metaBucket).Get(pendingKey); p != nil {
		s.mix(sum, metaBucket, pendingKey, p)
	}
	return sum, nil
}

// checkDigest compares the rows with the digest, and the database with how far it must have got.
func (s *Store) checkDigest(tx *bbolt.Tx) error {
	if at := s.table.secrets[secretAnchor]; len(at) == 8 && uint64(tx.ID()) < binary.BigEndian.Uint64(at) {
		return errors.New("the records are older than the key table: an old copy was put back, or the card lost writes")
	}
	if count8(tx.Bucket(metaBucket).Get(generationKey)) > s.table.generation() {
		return errors.New("the key table is older than the records: an old copy was put back, or the card lost a write")
	}
	if at := tx.Bucket(metaBucket).Get(stampKey); len(at) != 8 || binary.BigEndian.Uint64(at) != uint64(tx.ID()) {
		return errors.New("the records' last transaction is not there: the card lost a write")
	}
	if err := checkTip(tx); err != nil {
		return err
	}
	sum, err := s.computeDigest(tx)
	if err != nil {
		return err
	}
	if !bytes.Equal(sum, tx.Bucket(metaBucket).Get(digestKey)) {
		return errors.New("the records do not fit together: the card lost a write, or something else has written to them")
	}
	return s.checkWitness(tx)
}

// anchor is the number of the last transaction, for the next key table; 0 while no records are open.
func (s *Store) anchor() []byte {
	var at [8]byte
	if s.db != nil {
		// An error leaves 0, which asks nothing of the records.
		_ = s.guarded(func(tx *bbolt.Tx) error {
			binary.BigEndian.PutUint64(at[:], uint64(tx.ID()))
			return nil
		})
	}
	return at[:]
}
