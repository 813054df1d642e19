package store_test

import (
	"os"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// Wipes do not let the records grow, nor does the log: the database uses the pages again that they have freed, so that there is
// nothing to compact. Half a school withdraws and comes back, year after year, and the file stays as large as the third year has made it.
func TestTheRecordsDoNotGrowWithTheYears(t *testing.T) {
	b := newBench(t)
	b.later(0)
	b.permit(100, 4)
	ids := b.permit(100, 4)
	var after []int64
	for range 12 {
		b.later(365)
		seq, _ := b.st.Applied()
		b.apply(withdrawals(seq, ids), seq+uint64(len(ids)))
		items, err := b.st.Pending(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items { // the hub has heard of it
			if err := b.st.Done(it.ID); err != nil {
				t.Fatal(err)
			}
		}
		b.comeBack(ids)
		if _, err := b.st.PruneLog(keepLog, 1<<40); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(b.path("records.db"))
		if err != nil {
			t.Fatal(err)
		}
		after = append(after, info.Size())
	}
	t.Logf("bytes after each year: %v", after)
	if after[len(after)-1] > after[2] {
		t.Errorf("the records grow: %v", after)
	}
	wantSound(t, b.st)
}

// comeBack lets subjects consent and be enrolled again.
func (b *bench) comeBack(ids []consent.SubjectID) {
	b.t.Helper()
	seq, _ := b.st.Applied()
	var changes []store.Change
	var records []store.TemplateRecord
	for _, id := range ids {
		seq++
		changes = append(changes, store.Change{Seq: seq, Subject: id, Standing: store.Standing{Decision: consent.Permit, Reasons: []string{"A1"}}})
		for f := range 4 {
			records = append(records, store.TemplateRecord{Subject: id, Finger: uint8(2 + f/3), Data: b.template(), Enrolled: b.now})
		}
	}
	b.apply(changes, seq)
	if err := b.st.PutTemplates(records); err != nil {
		b.t.Fatal(err)
	}
}
