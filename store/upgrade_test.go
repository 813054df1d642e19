package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// version1 makes the records what the first version wrote: without a digest.
func (b *bench) version1() {
	b.records(func(tx *bbolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		if err := meta.Delete([]byte("digest")); err != nil {
			return err
		}
		return meta.Put([]byte("schema"), []byte("1"))
	})
}

// Records of an older version come to this one with everything in them; a copy lies beside them until they have been verified.
func TestRecordsOfAnOlderVersion(t *testing.T) {
	for name, cutAfter := range map[string]func(b *bench){
		"in one go":           func(*bench) {},
		"cut while copying":   func(b *bench) { writeFile(b.t.(*testing.T), b.path("records.db.v1"), []byte("half a copy")) },
		"cut while verifying": func(b *bench) { b.keepCopy() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			ids := b.permit(3, 2)
			before := held(t, b.st)
			b.st.Close()
			b.version1()
			cutAfter(b)
			b.st = b.open(b.dir)
			if len(b.st.Warnings()) > 0 {
				t.Errorf("warnings: %v", b.st.Warnings())
			}
			after := held(t, b.st)
			for _, id := range ids {
				if len(after[id]) != len(before[id]) {
					t.Errorf("%d templates became %d", len(before[id]), len(after[id]))
				}
			}
			if _, err := os.Lstat(b.path("records.db.v1")); err == nil {
				t.Error("the copy outlives the verification")
			}
			b.permit(1, 1)
			b.reopen()
			wantSound(t, b.st)
		})
	}
}

// keepCopy leaves a finished upgrade whose copy has not been deleted yet.
func (b *bench) keepCopy() {
	old := readAll(b.t.(*testing.T), b.path("records.db"))
	st := b.open(b.dir)
	st.Close()
	writeFile(b.t.(*testing.T), b.path("records.db.v1"), old)
}

// An older version that is damaged is set aside as any other.
func TestDamagedRecordsOfAnOlderVersion(t *testing.T) {
	b := newBench(t)
	b.permit(3, 2)
	b.st.Close()
	b.version1()
	b.records(func(tx *bbolt.Tx) error { return flipFirst(tx.Bucket([]byte("fingers"))) })
	b.st = b.open(b.dir)
	if aside, _ := filepath.Glob(b.path("records.db.aside-*")); len(aside) != 1 {
		t.Errorf("set aside: %v", aside)
	}
}

// A row that was changed, removed or added by anything but this program is noticed, also where it opens (a card that brought
// an old page back looks like this), and so are records from before the key table.
func TestRowsThatDoNotFitTogether(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, b *bench){
		"a row gone": func(t *testing.T, b *bench) {
			b.records(func(tx *bbolt.Tx) error {
				c := tx.Bucket([]byte("standings")).Cursor()
				c.First()
				return c.Delete()
			})
		},
		"a setting gone": func(t *testing.T, b *bench) {
			b.records(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("settings")).Delete([]byte("custody.block")) })
		},
		"an old row back": func(t *testing.T, b *bench) {
			b.records(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("standings")).Put(b.oldKey, b.oldRow) })
		},
		"a whole transaction gone": func(t *testing.T, b *bench) {
			old := readAll(t, b.path("records.db"))
			b.st = b.open(b.dir)
			for _, f := range []func() error{
				func() error { return b.st.SetSetting("custody.block", nil) },
				func() error { return b.st.SetSecrets(map[string][]byte{"any": []byte("x")}) }, // the next key table
				b.st.Close,
			} {
				if err := f(); err != nil {
					t.Fatal(err)
				}
			}
			writeFile(t, b.path("records.db"), old)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			id := b.permit(2, 1)[0]
			if err := b.st.SetSetting("custody.block", []byte("on")); err != nil {
				t.Fatal(err)
			}
			b.st.Close()
			b.records(func(tx *bbolt.Tx) error {
				b.oldKey, b.oldRow = []byte(id), append([]byte(nil), tx.Bucket([]byte("standings")).Get([]byte(id))...)
				return nil
			})
			b.st = b.open(b.dir)
			seq, _ := b.st.Applied()
			b.apply([]store.Change{{Seq: seq + 1, Subject: id, Standing: store.Standing{Decision: consent.Pause}}}, seq+1)
			b.st.Close()
			change(t, b)
			b.st = b.open(b.dir)
			if len(b.st.Warnings()) != 1 {
				t.Errorf("not noticed: %v", b.st.Warnings())
			}
		})
	}
}
