package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store/audit"
	"go.etcd.io/bbolt"
)

const keepLog = 400 * 24 * time.Hour

// later lets so many days pass for certain.
func (b *bench) later(days int) {
	b.t.Helper()
	b.now = b.now.AddDate(0, 0, days)
	if err := b.st.Clock().Witness(b.now); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) head(from int64) audit.Head {
	b.t.Helper()
	text, _, err := b.st.Head(from)
	if err != nil {
		b.t.Fatal(err)
	}
	h, err := audit.OpenHead(text, b.st.VerifierKey())
	if err != nil {
		b.t.Fatal(err)
	}
	return h
}

// kinds lists what the log still tells, oldest first.
func (b *bench) kinds() string {
	b.t.Helper()
	var kinds []string
	if err := b.st.Events(0, func(_ int64, e audit.Event) bool { kinds = append(kinds, string(e.Kind)); return true }); err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(kinds, " ")
}

func (b *bench) prune(countersigned int64, want int) {
	b.t.Helper()
	n, err := b.st.PruneLog(keepLog, countersigned)
	if err != nil || n != want {
		b.t.Errorf("%d records were dropped, want %d: %v", n, want, err)
	}
	if held, err := b.st.Inventory(); err != nil || held.Log != int64(len(strings.Fields(b.kinds()))) {
		b.t.Errorf("the inventory says %d log records, %v; there are: %s", held.Log, err, b.kinds()) // J3
	}
	wantSound(b.t.(*testing.T), b.st)
}

// After its time a record goes, unless the refusal in it is in force or its receipt still waits for the hub; the log begins no
// later than what the hub has countersigned, and whatever was signed before still proves itself.
func TestI5OldRecordsGoAndProofsStay(t *testing.T) {
	b := newBench(t)
	b.later(0)
	ids := b.permit(4, 1) // start, 4 enrolments
	receipt := b.withdraw(ids[0])[0]
	if _, err := b.st.Refuse(ids[1], "op-1"); err != nil {
		t.Fatal(err)
	}
	earlier := b.head(0)
	b.prune(earlier.Size, 0) // nothing is old
	b.later(401)
	b.prune(0, 0) // and nothing countersigned
	b.prune(3, 3)
	b.prune(earlier.Size, 2) // two enrolments; the wipes and the refusal stay
	if got := b.kinds(); got != "wipe refusal wipe pruned pruned" {
		t.Errorf("left: %s", got)
	}
	if r, err := b.st.Receipt(receipt.Record); err != nil || r.Subject != ids[0] {
		t.Errorf("the receipt cannot be written anew: %v", err)
	}
	items, err := b.st.Pending(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if err := b.st.Done(it.ID); err != nil {
			t.Fatal(err)
		}
	}
	b.later(401)
	b.prune(1<<40, 4) // the wipes, and the notes of the first two prunings
	if got := b.kinds(); got != "refusal pruned pruned" {
		t.Errorf("left: %s", got)
	}
	if _, err := audit.VerifyReceipt(receipt.Text, b.st.VerifierKey()); err != nil {
		t.Errorf("a receipt from before the pruning: %v", err)
	}
	if _, err := b.st.Receipt(receipt.Record); err == nil {
		t.Error("a receipt was written about a record that is gone")
	}
	b.reopen()
	wantSound(t, b.st)
	b.withdraw(ids[2])
	from, err := b.st.LogPruned()
	if err != nil {
		t.Fatal(err)
	}
	b.continues(from)
}

// continues proves that the log has only grown from what it held before.
func (b *bench) continues(from int64) {
	b.t.Helper()
	_, proof, err := b.st.Head(from)
	if err != nil || len(proof) == 0 {
		b.t.Errorf("no proof from %d: %v", from, err)
	}
}

// A clock that runs ahead drops nothing: only time that has passed for certain does.
func TestAClockAheadPrunesNothing(t *testing.T) {
	b := newBench(t)
	b.later(0)
	b.permit(2, 1)
	b.st.Close()
	b.now = b.now.AddDate(9, 0, 0)
	b.st = b.open(b.dir)
	b.prune(1<<40, 0)
}

// A program from before the pruning says that the store is too new for it, where it would find the log broken; a store that
// was never pruned it still opens.
func TestPruningMakesANewLayout(t *testing.T) {
	b := newBench(t)
	b.later(0)
	b.permit(2, 1)
	if got := b.schema(); got != "2" {
		t.Errorf("before: layout %s", got)
	}
	b.later(401)
	b.prune(3, 3)
	if got := b.schema(); got != "3" {
		t.Errorf("after: layout %s", got)
	}
	b.reopen()
	if len(b.st.Warnings()) > 0 || len(b.st.Check()) > 0 {
		t.Errorf("%v %v", b.st.Warnings(), b.st.Check())
	}
}

// schema closes the store, looks and opens it again.
func (b *bench) schema() (version string) {
	b.t.Helper()
	b.st.Close()
	b.records(func(tx *bbolt.Tx) error {
		version = string(tx.Bucket([]byte("meta")).Get([]byte("schema")))
		return nil
	})
	b.st = b.open(b.dir)
	return version
}
