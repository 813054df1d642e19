package audit_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/tillprint/tillprint/store/audit"
)

// days appends n records a day apart, every fourth a wipe.
func days(tx *bbolt.Tx, l *audit.Log, n int) error {
	first := audit.Size(tx)
	for i := range int64(n) {
		e := audit.Event{Kind: audit.Match, Route: "pin"}
		if (first+i)%4 == 0 {
			e = wipe
		}
		e.At = at.AddDate(0, 0, int(first+i))
		if _, err := l.Append(tx, e); err != nil {
			return err
		}
	}
	return nil
}

// prune drops what was made before a day, but the records that are listed.
func prune(tx *bbolt.Tx, l *audit.Log, limit int64, day int, needed ...int64) (int, error) {
	return l.Prune(tx, limit, at.AddDate(0, 0, day), func(n int64, _ audit.Event) bool { return slices.Contains(needed, n) })
}

// Whatever is dropped, the log's head stays what it is, it grows as it would have, every record that is left is proved, and so
// is the growth from every head at or after the drop; receipts that were written before verify (I5).
func TestI5PruningLeavesProofsValid(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(2, 40).Draw(rt, "records")
		rounds := rapid.IntRange(1, 3).Draw(rt, "rounds")
		db, l, key := newLog(t, "till-1")
		whole, w, _ := newLog(t, "till-1") // the same log, never pruned
		both := func(n int) {
			update(t, db, func(tx *bbolt.Tx) error { return days(tx, l, n) })
			update(t, whole, func(tx *bbolt.Tx) error { return days(tx, w, n) })
		}
		both(size)
		receipts := receiptsOf(t, whole, w)
		for range rounds {
			day := rapid.IntRange(0, size+3).Draw(rt, "day")
			kept := rapid.SliceOfN(rapid.Int64Range(0, int64(size)), 0, 4).Draw(rt, "kept")
			update(t, db, func(tx *bbolt.Tx) error { _, err := prune(tx, l, int64(size), day, kept...); return err })
			both(rapid.IntRange(0, 9).Draw(rt, "more"))
			sameProofs(rt, db, l, whole, w)
		}
		for _, text := range receipts {
			if _, err := audit.VerifyReceipt(text, key); err != nil {
				rt.Errorf("a receipt from before: %v", err)
			}
		}
	})
}

func receiptsOf(t *testing.T, db *bbolt.DB, l *audit.Log) (texts []string) {
	update(t, db, func(tx *bbolt.Tx) error {
		for n := int64(0); n < audit.Size(tx); n += 4 {
			r, err := l.Receipt(tx, "st-mary", "till-1", n)
			if err != nil {
				return err
			}
			texts = append(texts, r.Text)
		}
		return nil
	})
	return texts
}

// sameProofs compares a pruned log with one that is whole.
func sameProofs(t *rapid.T, pruned *bbolt.DB, l *audit.Log, whole *bbolt.DB, w *audit.Log) {
	err := errors.Join(pruned.View(func(tx *bbolt.Tx) error {
		return whole.View(func(all *bbolt.Tx) error {
			if _, err := l.Check(tx); err != nil {
				return err
			}
			first, err := l.Pruned(tx)
			if err != nil {
				return err
			}
			for from := first; from <= audit.Size(tx); from++ {
				head, proof, err1 := l.Head(tx, from)
				want, full, err2 := w.Head(all, from)
				if err := errors.Join(err1, err2); err != nil || head != want || !slices.Equal(proof, full) {
					return fmt.Errorf("from %d: another head or proof: %v", from, err)
				}
			}
			return l.Each(tx, 0, func(n int64, e audit.Event) bool {
				if e.Kind != audit.Wipe {
					return true
				}
				r, err1 := l.Receipt(tx, "st-mary", "till-1", n)
				want, err2 := w.Receipt(all, "st-mary", "till-1", n)
				if err := errors.Join(err1, err2); err != nil || r.Text != want.Text {
					t.Errorf("record %d: another receipt: %v", n, err)
				}
				return true
			})
		})
	}))
	if err != nil {
		t.Error(err)
	}
}

// The log does not grow for ever: what is kept of records that were dropped is a hash for each whole tree.
func TestPruningBoundsTheLog(t *testing.T) {
	db, l, _ := newLog(t, "till-1")
	hashes := func() (n int) {
		update(t, db, func(tx *bbolt.Tx) error { n = tx.Bucket([]byte("audit.hashes")).Stats().KeyN; return nil })
		return n
	}
	for day := range 40 {
		update(t, db, func(tx *bbolt.Tx) error {
			if err := days(tx, l, 25); err != nil {
				return err
			}
			_, err := prune(tx, l, 1<<40, 25*day-50)
			return err
		})
	}
	if n := hashes(); n > 2*100+11 {
		t.Errorf("%d hashes stand beside 75 records", n)
	}
}

// A log is pruned no further than asked, in bounded steps, and never empty.
func TestPruneGoesAsFarAsItMay(t *testing.T) {
	db, l, _ := newLog(t, "till-1")
	update(t, db, func(tx *bbolt.Tx) error { return days(tx, l, 20) })
	for _, c := range []struct {
		limit   int64
		day     int
		dropped int
		from    int64
	}{{0, 99, 0, 0}, {20, -5, 0, 0}, {3, 99, 3, 3}, {20, 7, 4, 7}, {2, 99, 0, 7}, {20, 5, 0, 7}, {99, 99, 12, 19}, {99, 99, 0, 19}} {
		update(t, db, func(tx *bbolt.Tx) error {
			n, err := prune(tx, l, c.limit, c.day)
			from, err2 := l.Pruned(tx)
			if n != c.dropped || from != c.from {
				t.Errorf("up to %d, day %d: %d dropped, from %d; want %d from %d", c.limit, c.day, n, from, c.dropped, c.from)
			}
			return errors.Join(err, err2)
		})
	}
	update(t, db, func(tx *bbolt.Tx) error {
		if err := days(tx, l, 5000); err != nil {
			return err
		}
		n, err := prune(tx, l, 1<<40, 1<<20)
		if n != 2000 {
			t.Errorf("%d records were dropped in one step", n)
		}
		return err
	})
	if err := db.View(func(tx *bbolt.Tx) error { _, err := l.Receipt(tx, "st-mary", "till-1", 4); return err }); err == nil {
		t.Error("a receipt of a record that was dropped")
	}
	err := db.View(func(tx *bbolt.Tx) error {
		if _, proof, err := l.Head(tx, 4); err != nil || proof != nil {
			t.Errorf("from inside of what was dropped: %d hashes, %v", len(proof), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// prunedLog has 13 records, of which 0 to 10 are dropped but for 2 and 5.
func prunedLog(t *testing.T) (*bbolt.DB, *audit.Log) {
	db, l, _ := newLog(t, "till-1")
	update(t, db, func(tx *bbolt.Tx) error {
		if err := days(tx, l, 13); err != nil {
			return err
		}
		_, err := prune(tx, l, 11, 99, 2, 5)
		return err
	})
	return db, l
}

var logBuckets = []string{"audit.records", "audit.hashes", "audit.pruned"}

// Every byte of a pruned log is changed in turn, every row taken out, and rows put where none belong: each is noticed (I5).
func TestI5TamperingWithAPrunedLogIsNoticed(t *testing.T) {
	db, l := prunedLog(t)
	undo, tried := errors.New("undo"), 0
	try := func(what string, want error, f func(*bbolt.Tx) error) {
		tried++
		err := db.Update(func(tx *bbolt.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			_, err := l.Check(tx)
			wantTampering(t, what, err, want)
			return undo
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
	}
	rows := map[string][][2][]byte{}
	update(t, db, func(tx *bbolt.Tx) error {
		_, sound := l.Check(tx)
		for _, name := range logBuckets {
			err := tx.Bucket([]byte(name)).ForEach(func(k, v []byte) error {
				rows[name] = append(rows[name], [2][]byte{slices.Clone(k), slices.Clone(v)})
				return nil
			})
			if err != nil {
				return err
			}
		}
		return sound
	})
	kinds := map[string]error{"audit.records": audit.ErrLogRecord, "audit.hashes": audit.ErrLogHash, "audit.pruned": audit.ErrLogPruned}
	for _, name := range logBuckets {
		for r, row := range rows[name] {
			put := func(v []byte) func(*bbolt.Tx) error {
				return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(name)).Put(row[0], v) }
			}
			for i := range row[1] {
				v := slices.Clone(row[1])
				v[i] ^= 1
				try(fmt.Sprintf("byte %d of %x in %s", i, row[0], name), kinds[name], put(v))
			}
			want := kinds[name]
			if name == "audit.records" && r == len(rows[name])-1 {
				want = audit.ErrLogHash // a log that is one shorter, with hashes too many
			}
			try(fmt.Sprintf("%x taken out of %s", row[0], name), want, func(tx *bbolt.Tx) error { return tx.Bucket([]byte(name)).Delete(row[0]) })
		}
	}
	put := func(bucket string, n uint64, v []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucket)).Put(binary.BigEndian.AppendUint64(nil, n), v)
		}
	}
	try("a record put back", audit.ErrLogRecord, put("audit.records", 3, rows["audit.records"][0][1]))
	try("a hash put back", audit.ErrLogHash, put("audit.hashes", 14, rows["audit.hashes"][0][1]))
	try("a record too many", audit.ErrLogHash, put("audit.records", 40, rows["audit.records"][0][1]))
	if tried < 900 {
		t.Errorf("only %d changes were tried", tried)
	}
}

// An older note of what was dropped, which opens, does not fit to a log that was pruned since.
func TestI5OldNoteOfThePruningIsNoticed(t *testing.T) {
	db, l := prunedLog(t)
	update(t, db, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("audit.pruned"))
		old := slices.Clone(b.Get([]byte("state")))
		if err := days(tx, l, 9); err != nil {
			return err
		}
		if n, err := l.Prune(tx, 20, at.Add(1e5*time.Hour), func(int64, audit.Event) bool { return false }); err != nil || n == 0 {
			return fmt.Errorf("dropped %d: %w", n, err)
		}
		if err := b.Put([]byte("state"), old); err != nil {
			return err
		}
		if _, err := l.Check(tx); err == nil {
			t.Error("not noticed")
		}
		return nil
	})
}
