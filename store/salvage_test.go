package store_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// unsent is a store with a sale, a receipt and a refusal that the hub has not been told of.
func unsent(t *testing.T) (b *bench, refused, withdrawn consent.SubjectID) {
	b = newBench(t)
	ids := b.permit(40, 2)
	withdrawn, refused = ids[0], ids[1]
	b.withdraw(withdrawn)
	if _, err := b.st.Refuse(refused, "op-1"); err != nil {
		t.Fatal(err)
	}
	for _, it := range []store.Item{{Kind: "sale", Text: "soup"}, {Kind: "people", Text: "[]", Refetched: true}} {
		if _, err := b.st.Enqueue(it); err != nil {
			t.Fatal(err)
		}
	}
	return b, refused, withdrawn
}

// What the hub has not been told yet, and a pupil's no, outlive records that cannot be trusted.
func TestUnsentIsTakenOutOfWhatIsSetAside(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"both heads": func(t *testing.T, path string) { patch(t, path, 0, make([]byte, 8192)) },
		"a page of the tree": func(t *testing.T, path string) {
			b := readAll(t, path)
			for at := 2 * 4096; at+4096 <= len(b); at += 4096 {
				if binary.NativeEndian.Uint16(b[at+8:]) == 1 { // a branch
					patch(t, path, int64(at), make([]byte, 4096))
				}
			}
			patch(t, path, 4096+16, make([]byte, 64))
			patch(t, path, 16, make([]byte, 64))
		},
		"an old copy": func(t *testing.T, path string) {}, // the key table has gone on; see below
		"set aside already, then a cut": func(t *testing.T, path string) {
			if err := os.Rename(path, path+".aside-20261123T120000Z"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, refused, withdrawn := unsent(t)
			before, err := b.st.Pending(0)
			if err != nil {
				t.Fatal(err)
			}
			key := b.st.VerifierKey()
			b.st.Close()
			records := readAll(t, b.path("records.db"))
			if name == "an old copy" {
				b.st = b.open(b.dir)
				seq, _ := b.st.Applied()
				b.apply(nil, seq+1)
				b.st.Close()
				writeFile(t, b.path("records.db"), records)
			}
			damage(t, b.path("records.db"))
			b.st = b.open(b.dir)
			if seq, _ := b.st.Applied(); seq != 0 {
				t.Fatalf("nothing was set aside: sequence %d", seq)
			}
			after, err := b.st.Pending(0)
			if err != nil {
				t.Fatal(err)
			}
			wantUnsent(t, before, after)
			for _, it := range after {
				if it.Kind == store.ItemReceipt {
					if _, err := audit.VerifyReceipt(it.Text, key); err != nil {
						t.Errorf("a receipt that was taken over: %v", err)
					}
				}
			}
			// The hub fills it again, and knows nothing of the refusal yet.
			b.apply([]store.Change{{Seq: 1, Subject: refused, Standing: store.Standing{Decision: consent.Permit}},
				{Seq: 2, Subject: withdrawn, Standing: store.Standing{Decision: consent.Permit}}}, 2)
			if d, _ := b.st.Decision(refused, b.now); d != consent.Erase {
				t.Error("the refusal is forgotten (A3, I9)")
			}
			if d, _ := b.st.Decision(withdrawn, b.now); d != consent.Permit {
				t.Error("more than refusals is remembered")
			}
			if id, err := b.st.Enqueue(store.Item{Kind: "note"}); err != nil || id <= before[len(before)-1].ID-1 {
				t.Errorf("number %d was used before", id)
			}
			if v := b.st.Check(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

func wantUnsent(t *testing.T, before, after []store.Item) {
	t.Helper()
	there := map[uint64]store.Item{}
	for _, it := range after {
		there[it.ID] = it
	}
	for _, it := range before {
		got, ok := there[it.ID]
		if want := !it.Refetched && it.Kind != store.ItemShare; ok != want {
			t.Errorf("a %s is there: %t", it.Kind, ok)
		} else if ok && (got.Text != it.Text || got.Subject != it.Subject || !got.At.Equal(it.At)) {
			t.Errorf("%+v became %+v", it, got)
		}
	}
}

func readAll(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A refusal whose wipe was cut off, and whose records are lost in the same cut, still destroys the key.
func TestRefusalOutlivesBothTheCutAndTheRecords(t *testing.T) {
	b := newBench(t)
	id := b.permit(1, 2)[0]
	cuts := b.cuts(func() {
		if _, err := b.st.Refuse(id, "op-1"); err != nil {
			t.Fatal(err)
		}
	})
	for _, c := range cuts {
		if c.step == "before" {
			continue
		}
		t.Run(c.step, func(t *testing.T) {
			patch(t, filepath.Join(c.dir, "store", "records.db"), 0, make([]byte, 8192))
			st := b.open(c.dir)
			if st.HasFingerKey(id) {
				t.Error("the key lives")
			}
			if d, _ := st.Decision(id, b.now); d != consent.Erase {
				t.Error("the refusal is forgotten")
			}
		})
	}
}
