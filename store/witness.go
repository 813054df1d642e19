package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/store/durable"
)

// A whole transaction that a card said it had written, and had not, takes its digest and its number with it: the records are then
// exactly what they were before. So a second file says how far they had got. It is overwritten in place after each transaction's own barrier and
// made durable by a barrier of its own, before anybody is told that the change is kept:
//
//	witness newer than the records    the card has lost an acknowledged change: they are set aside as any that are in doubt
//	witness older than the records    a power cut between the two barriers, or a program of before there was a witness
//	no witness beside records         told: a lost change would go unnoticed this once
//
// Two sectors, a file system's block apart, take turns, so that a torn one leaves the other. A card that lies about both files, or
// that was copied and put back whole, shows two that agree: that only the hub can tell, by the head of the log that it has countersigned.
const (
	witnessName   = "witness"
	witnessMagic  = "TPWT\x01"
	witnessApart  = 4096
	witnessSector = 512
	witnessRecord = len(witnessMagic) + 8 + 8 + blake2b.Size256 + blake2b.Size256 // magic, generation, transaction, digest, hash
)

// reach is how far the records had got: the generation of the key table and the transaction's number, which only grow together, and the digest of all rows.
type reach struct {
	generation, tx uint64
	digest         [blake2b.Size256]byte
}

// reachOf is where a transaction that has been stamped stands.
func reachOf(tx *bbolt.Tx) reach {
	meta := tx.Bucket(metaBucket)
	r := reach{generation: count8(meta.Get(generationKey)), tx: uint64(tx.ID())}
	copy(r.digest[:], meta.Get(digestKey))
	return r
}

func (r reach) after(o reach) bool {
	return r.generation > o.generation || r.generation == o.generation && r.tx > o.tx
}

// witness is the open file. Writers hold the store's locks.
type witness struct {
	f    *os.File // nil when it cannot be opened
	last reach    // the newest that a sector held at the start
	next int64    // the sector that is written next
	err  error    // why the last write did not come to be; the check tells it
}

// openWitness reads the witness, or makes it. What is wrong with it is a warning, since everything else works without.
func (s *Store) openWitness(recordsThere bool) {
	w, found := &s.witness, false
	w.f, w.err = os.OpenFile(filepath.Join(s.dir, witnessName), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if w.err == nil {
		found, w.err = s.readWitness()
	}
	if w.err == nil && !found {
		w.err = s.prepareWitness()
	}
	switch {
	case w.err != nil:
		s.warnings = append(s.warnings, fmt.Sprintf("no witness of the last change can be kept (%v): a change that the card loses may go unnoticed", durable.Advise(w.err)))
	case !found && recordsThere:
		s.warnings = append(s.warnings, "there was no readable witness of the last change, as in a store of an earlier version: if the card has lost that change, this start could not notice it; from here on there is one")
	}
}

// readWitness takes the newer of the two sectors that are whole.
func (s *Store) readWitness() (found bool, err error) {
	w := &s.witness
	for n := range int64(2) {
		b := make([]byte, witnessRecord)
		if _, err := w.f.ReadAt(b, n*witnessApart); err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if r, ok := s.parseWitness(b); ok && (!found || r.after(w.last)) {
			found, w.last, w.next = true, r, 1-n
		}
	}
	return found, nil
}

// prepareWitness gives the file its blocks, so that no later write needs room, and a record of nothing.
func (s *Store) prepareWitness() error {
	whole := make([]byte, 2*witnessApart)
	copy(whole, s.witnessOf(reach{}))
	_, err := s.witness.f.WriteAt(whole, 0)
	s.witness.next = 1
	return errors.Join(err, s.witness.f.Sync(), s.o.syncDir(s.dir))
}

// noteReach makes a transaction that the records have made durable the one that the witness knows. The change is kept whatever
// becomes of its witness, so an error is for the check to tell; the sector that was left unsure is written again by the next change.
func (s *Store) noteReach(r reach) {
	w := &s.witness
	if w.f == nil {
		return
	}
	sector := make([]byte, witnessSector)
	copy(sector, s.witnessOf(r))
	_, err := w.f.WriteAt(sector, w.next*witnessApart)
	if w.err = errors.Join(err, unix.Fdatasync(int(w.f.Fd()))); w.err == nil {
		w.next = 1 - w.next
	}
}

// witnessOf is the record of a reach.
func (s *Store) witnessOf(r reach) []byte {
	b := append([]byte(witnessMagic), make([]byte, 0, witnessRecord)...)
	b = binary.BigEndian.AppendUint64(b, r.generation)
	b = binary.BigEndian.AppendUint64(b, r.tx)
	b = append(b, r.digest[:]...)
	sum := s.witnessSum(b)
	return append(b, sum[:]...)
}

func (s *Store) witnessSum(record []byte) [blake2b.Size256]byte {
	h, err := blake2b.New256(s.table.storeKey)
	if err != nil {
		panic("store: a key of 32 bytes is refused: " + err.Error()) // cannot happen
	}
	h.Write(s.id.binding("tillprint witness of the last change"))
	h.Write(record)
	return [blake2b.Size256]byte(h.Sum(nil))
}

func (s *Store) parseWitness(b []byte) (r reach, ok bool) {
	body := b[:witnessRecord-blake2b.Size256]
	sum := s.witnessSum(body)
	if !bytes.Equal(sum[:], b[len(body):]) {
		return r, false
	}
	counts := body[len(witnessMagic):]
	r.generation, r.tx = binary.BigEndian.Uint64(counts), binary.BigEndian.Uint64(counts[8:])
	copy(r.digest[:], counts[16:])
	return r, true
}

// checkWitness compares the records at the start with what the witness has seen of them.
func (s *Store) checkWitness(tx *bbolt.Tx) error {
	is, was := reachOf(tx), s.witness.last
	if was.after(is) || !is.after(was) && was.digest != is.digest {
		return errors.New("the records are older than the witness of the last change: the card lost that change, or an old copy was put back")
	}
	return nil
}

// checkWitnessed tells that changes go without a witness.
func (s *Store) checkWitnessed(*bbolt.Tx) error {
	if s.witness.err != nil {
		return fmt.Errorf("the last change has no witness (%w): if the card loses it, the next start does not notice", durable.Advise(s.witness.err))
	}
	return nil
}
